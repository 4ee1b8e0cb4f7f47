"""The offline AS table: known addresses, its own construction, and its limits."""

import io
import ipaddress
import json
import re
import runpy
import tarfile
import tracemalloc
from pathlib import Path

import pytest

from blockwatch import asn

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize(
    ("address", "number", "country"),
    [
        ("95.56.0.1", 9198, "KZ"),
        ("2.72.0.1", 29355, "KZ"),
        ("::ffff:2.72.0.1", 29355, "KZ"),
        ("8.8.8.8", 15169, "US"),
        ("2001:4860:4860::8888", 15169, "US"),
        ("2a02:6b8::1", 13238, "RU"),
    ],
)
def test_known_addresses(address, number, country):
    found = asn.lookup(address)
    assert (found.asn, found.country) == (number, country)
    assert found.name == asn.name(number)


def test_names_are_included():
    assert asn.name(9198) == "JSC Kazakhtelecom"
    assert asn.name(15169) == "Google LLC"
    assert asn.name(0) is None
    assert asn.name(4_294_967_295) is None


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1",
        "127.0.0.1",
        "0.0.0.0",
        "255.255.255.255",
        "::",
        "::1",
        "fe80::1",
        "fe80::1%lo",
        "ff02::1",
        "example.org",
        "1.2.3",
        "1.2.3.4.5",
        "0x08080808",
        "134744072",
        "8.8.8.8:53",
        "[::1]",
    ],
)
def test_no_network_is_no_guess(address):
    assert asn.lookup(address) is None
    assert asn.lookup(address + "\n") is None
    assert asn.lookup("") is None


def test_the_table_names_itself_and_is_attributed():
    assert re.fullmatch(r"\d{4}-\d\d-\d\d sha256:[0-9a-f]{64}", asn.table_id())
    attribution = asn.TABLE.with_name("ATTRIBUTION.md").read_text(encoding="utf-8")
    day, _, digest = asn.table_id().partition(" sha256:")
    assert digest in attribution
    assert day in attribution
    for owed in ("Creative Commons Attribution 4.0", "Route Views", "DB-IP", "Number Resource Organization"):
        assert owed in attribution


def test_it_is_small_on_disk_and_in_memory():
    assert asn.TABLE.stat().st_size < 4_000_000
    tracemalloc.start()
    table = asn.Table(asn.TABLE)
    for first in range(1, 224):
        table.lookup(f"{first}.1.2.3")
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert used < 9_000_000


def archive(path: Path, name: str, files: dict[str, str]) -> str:
    files = files | {"package.json": json.dumps({"name": name, "version": "2.3.2026010203"})}
    with tarfile.open(path, "w:gz") as tar:
        for file, text in files.items():
            member = tarfile.TarInfo(f"package/{file}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return str(path)


def two_archives(folder):
    """Ranges that touch, overlap and leave gaps, for both versions of IP, and a country of one of them."""

    def v6(text):
        return int(ipaddress.IPv6Address(text))

    return [
        archive(
            folder / "a.tgz",
            "asn",
            {
                "asn-ipv4-num.csv": '16777216,16777471,7,"Seven, Inc."\n16777472,16777727,7,"Seven, Inc."\n'
                "16777728,16778239,8,Eight\n16778000,16779000,9,Нур\n4294967040,4294967295,9,Нур\n",
                "asn-ipv6-num.csv": f"{v6('2001:db8::')},{v6('2001:db8::ff')},7,Seven\n"
                f"{v6('2001:db8:0:2::')},{v6('2001:db8:0:2:ffff:ffff:ffff:ffff')},8,Eight\n",
            },
        ),
        archive(
            folder / "c.tgz",
            "asn-country",
            {"asn-country-ipv4-num.csv": "16777216,16777471,KZ\n", "asn-country-ipv6-num.csv": ""},
        ),
    ]


def test_the_builder_keeps_ranges_gaps_and_overlaps(tmp_path):
    sources = two_archives(tmp_path)
    build = runpy.run_path(str(ROOT / "tools" / "build_asn_table.py"))["main"]
    build(sources, tmp_path / "asn.bin")
    table = asn.Table(tmp_path / "asn.bin")

    def number(address):
        found = table.lookup(address)
        return found and found.asn

    assert table.header.date == "2026-01-02"
    assert table.lookup("1.0.0.9") == asn.AsInfo(asn=7, name="Seven, Inc.", country="KZ")
    assert table.lookup("1.0.1.255") == asn.AsInfo(asn=7, name="Seven, Inc.", country=None)
    assert [number(a) for a in ("0.255.255.255", "1.0.2.0", "1.0.3.255", "1.0.4.0")] == [None, 8, 8, 9]
    assert [number(a) for a in ("1.0.6.248", "1.0.6.249", "255.255.254.255")] == [9, None, None]
    assert table.lookup("255.255.255.255").name == "Нур"
    assert [number(a) for a in ("2001:db8::1", "2001:db8:0:1::", "2001:db8:0:2::5", "2001:db8:0:3::")] == [
        7,
        None,
        8,
        None,
    ]

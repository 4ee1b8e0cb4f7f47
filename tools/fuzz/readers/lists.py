"""Files that people write or download: targets, Citizen Lab's lists, tables of fingerprints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from blockwatch.judge import read_pack
from blockwatch.targets import load
from blockwatch.targets.citizenlab import convert
from tools.fuzz.target import Target

_ROOT = Path(__file__).parents[3]
_URLS = (
    b"# a list\nexample.org\nhttps://www.example.org/a?b=c#d\nhttp://xn--80aswg.xn--p1ai:8080/\n"
    b"http://[2001:db8::1]/\n" + "сайт.рф\nhttps://пример.рф/путь\n".encode()
)
_CITIZENLAB = (
    b"url,category_code,category_description,date_added,source,notes\n"
    b'https://www.example.org/,NEWS,News Media,2014-04-15,citizenlab,"a note, with a comma"\n'
    b"http://example.com/,PORN,Pornography,2014-04-15,citizenlab,\n"
    b"http://example.net/path,HOST,Hosting,2014-04-15,citizenlab,Order 77 of 2012-12-05\n"
)
_FINGERPRINTS = (
    b"name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,"
    b"exp_url,notes\n"
    b"one,nat,,body,contains,This page was withheld by order no. 77,10,KZ,somebody,,\n"
    b'two,isp,,header.location,prefix,http://blocked.example.org/,8,"KG,UZ",somebody,,\n'
    b"three,prod,,body,regexp,<title>[Bb]locked</title>.*order \\d\\d of .+ court,5,,somebody,,\n"
    b"four,isp,,dns,full,203.0.113.99,9,TJ,somebody,,\n"
    b"five,fp,,header.server,full,nginx,0,,somebody,,\n"
    b"six,vbw,,body,contains,blocked,2,ZZ,somebody,,\n"
)
_PAGE = "<html><title>Blocked</title> by order 12 of the court. This page was withheld by order no. 77 " * 20


def _targets(suffix: str, *corpus: bytes) -> Callable[[Path], Target]:
    modules = {
        ".yaml": ("tree", "document", "fields", "address", "problem", "source"),
        ".txt": ("lists", "address", "problem", "source"),
        ".csv": ("lists", "citizenlab", "address", "problem", "source"),
    }[suffix]

    def make(work: Path) -> Target:
        path = work / f"kz{suffix}"

        def read(raw: bytes) -> None:
            path.write_bytes(raw)
            load(path)

        def convert_it(raw: bytes) -> None:
            """What is written must be read back."""
            path.write_bytes(raw)
            (work / "made.yaml").write_text(convert(path, None, ("NEWS", "HOST")).text, encoding="utf-8")
            load(work / "made.yaml")

        return Target(
            corpus,
            convert_it if suffix == ".csv" else read,
            tuple(f"blockwatch.targets.{name}" for name in modules),
            most_bytes=1 << 18,
        )

    return make


def _fingerprints(work: Path) -> Target:
    def read(raw: bytes) -> None:
        pack = read_pack(raw, "pack.csv")
        pack.page((("Server", "nginx"), ("Location", "http://blocked.example.org/x")), _PAGE)
        pack.redirect("http://blocked.example.org/")
        pack.plain(b"object not found")
        pack.address("203.0.113.99")
        for one in pack.prints:
            one.shown, one.settles, one.elsewhere("KZ")

    modules = tuple(f"blockwatch.judge.{name}" for name in ("packs", "fingerprints", "gaps", "matcher"))
    return Target([_FINGERPRINTS], read, modules)


READERS = {
    "targets, YAML": _targets(
        ".yaml",
        (_ROOT / "targets.yaml").read_bytes(),
        (_ROOT / "src" / "blockwatch" / "data" / "pack_messengers.yaml").read_bytes(),
        b"targets:\n  - {id: a, url: https://example.org/}\n  - id: b\n    endpoints: [tcp://192.0.2.1:443]\n"
        b"    mirrors:\n      - url: &x http://example.com/\n        from: 2012-12\norders: []\nsearches:\n"
        b"  - {targets: [a], source: https://example.org/, on: 2026-11-22, found: nothing}\n",
    ),
    "targets, a URL a line": _targets(".txt", _URLS),
    "Citizen Lab's list": _targets(".csv", _CITIZENLAB),
    "table of fingerprints": _fingerprints,
}

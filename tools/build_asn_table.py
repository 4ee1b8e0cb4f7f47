"""Build ``src/blockwatch/data/asn.bin`` out of two npm packages fetched beforehand.

    npm pack @ip-location-db/asn @ip-location-db/asn-country
    python tools/build_asn_table.py asn-*.tgz asn-country-*.tgz

Rules of this file:

* it sends nothing; what it reads are the two archives as published, and it names their hashes;
* the same archives give the same bytes;
* the layout it writes is the one :mod:`blockwatch.asn` documents.
"""

from __future__ import annotations

import csv
import hashlib
import io
import json
import sys
import tarfile
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import msgspec

from blockwatch.asn import MAGIC, TABLE, Blocks, Header

ROWS = 2_048  # a block
NAMES = 1_024  # a block
Rows = list[tuple[int, int]]

ATTRIBUTION = """\
# Where asn.bin comes from

`asn.bin` says which network (AS number, name) announces an address and in which country the address
is registered. It was packed by `tools/build_asn_table.py` out of these npm packages:

{packages}

Data of {date}. SHA-256 of `asn.bin`: `{digest}`.

Changes made: the ranges were merged where neighbours agree, IPv6 ranges cut to whole /64s, and the
columns packed; nothing was added.

Licence of the data: Creative Commons Attribution 4.0 International
(https://creativecommons.org/licenses/by/4.0/). It is owed to:

- Route Views (https://www.routeviews.org/): addresses to AS numbers
- DB-IP (https://db-ip.com/), IP Geolocation by DB-IP: AS names, and addresses Route Views lacks
- the Number Resource Organization (https://www.nro.net/) and the five regional registries:
  countries of registration
- sapics/ip-location-db, which joins them

A country of registration is not proof of where a machine stands.
"""


def main(arguments: list[str], table: Path = TABLE) -> None:
    """Read the two archives named, write the table and its attribution beside it."""
    if len(arguments) != 2:
        raise SystemExit(__doc__)
    asn, country = (Archive(Path(path)) for path in arguments)
    names: dict[int, str] = {}

    def number(fields: list[str]) -> int:
        names.setdefault(int(fields[0]), " ".join(fields[1].split()))
        return int(fields[0])

    def code(fields: list[str]) -> int:
        return int.from_bytes(fields[0].encode("ascii"), "big")

    body = bytearray()
    header = Header(
        date=asn.date,
        sources=(asn.title, country.title),
        asn4=pack_rows(body, read(asn, "asn-ipv4-num.csv", 0, number)),
        asn6=pack_rows(body, read(asn, "asn-ipv6-num.csv", 64, number)),
        country4=pack_rows(body, read(country, "asn-country-ipv4-num.csv", 0, code)),
        country6=pack_rows(body, read(country, "asn-country-ipv6-num.csv", 64, code)),
        names=pack_names(body, sorted(names.items())),
    )
    encoded = msgspec.json.encode(header)
    packed = MAGIC + len(encoded).to_bytes(4, "big") + encoded + bytes(body)
    table.write_bytes(packed)
    packages = "\n".join(f"- `{one.title}`, archive SHA-256 `{one.digest}`" for one in (asn, country))
    table.with_name("ATTRIBUTION.md").write_text(
        ATTRIBUTION.format(packages=packages, date=asn.date, digest=hashlib.sha256(packed).hexdigest()),
        encoding="utf-8",
    )
    print(f"{table}: {len(packed):,} bytes, data of {asn.date}")


class Archive:
    """One npm package as downloaded: its version, date and files."""

    def __init__(self, path: Path) -> None:
        self.raw = path.read_bytes()
        self.digest = hashlib.sha256(self.raw).hexdigest()
        package = json.loads(self.file("package.json"))
        self.title = f"{package['name']} {package['version']}"
        stamp = package["version"].rsplit(".", 1)[1]  # yyyymmddhh
        self.date = f"{stamp[:4]}-{stamp[4:6]}-{stamp[6:8]}"

    def file(self, name: str) -> str:
        """Give the text of one file of the package."""
        with tarfile.open(fileobj=io.BytesIO(self.raw)) as archive:
            member = archive.extractfile(f"package/{name}")
            if member is None:
                raise SystemExit(f"{name} is missing in the package")
            return member.read().decode("utf-8")


def read(archive: Archive, name: str, drop: int, value: Callable[[list[str]], int]) -> Rows:
    """Read inclusive ranges as rows "from this key on this value", gaps as 0, neighbours merged.

    Where ranges overlap, the later row begins where the earlier one ends.
    """
    rows: Rows = []

    def add(key: int, what: int) -> None:
        while rows and rows[-1][0] >= key:  # two ranges within one /64: the later one stands
            rows.pop()
        if not rows or rows[-1][1] != what:
            rows.append((key, what))

    free = 0
    for fields in csv.reader(io.StringIO(archive.file(name))):
        start, end = max(int(fields[0]), free), int(fields[1])
        if end < start:
            continue
        if start > free:
            add(-(-free >> drop), 0)
        add(start >> drop, value(fields[2:]))
        free = end + 1
    add(-(-free >> drop), 0)
    return rows


def pack_rows(body: bytearray, rows: Rows) -> Blocks:
    """Append the blocks of one table to ``body`` and say where they lie."""

    def blocks() -> Iterator[tuple[int, bytes]]:
        for begin in range(0, len(rows), ROWS):
            block = rows[begin : begin + ROWS]
            known = sorted({value for _, value in block})
            place = {value: index for index, value in enumerate(known)}
            shifts, mantissas, before = bytearray(), bytearray(), block[0][0]
            for key, _ in block:
                difference, before = key - before, key
                shift = (difference & -difference).bit_length() - 1 if difference else 0
                shifts.append(shift)
                mantissas += varint(difference >> shift)
            places = [place[value] for _, value in block]
            yield (
                block[0][0],
                b"".join(
                    (
                        len(block).to_bytes(2, "big"),
                        len(known).to_bytes(2, "big"),
                        differences(known, 0),
                        shifts,
                        mantissas,
                        bytes(one & 255 for one in places),
                        bytes(one >> 8 for one in places),
                    )
                ),
            )

    return append(body, blocks())


def pack_names(body: bytearray, names: list[tuple[int, str]]) -> Blocks:
    """Append the AS names, in order of AS number."""

    def blocks() -> Iterator[tuple[int, bytes]]:
        for begin in range(0, len(names), NAMES):
            block = names[begin : begin + NAMES]
            numbers = [asn for asn, _ in block]
            text = "\n".join(name for _, name in block).encode("utf-8")
            yield numbers[0], len(block).to_bytes(2, "big") + differences(numbers, numbers[0]) + text

    return append(body, blocks())


def append(body: bytearray, blocks: Iterable[tuple[int, bytes]]) -> Blocks:
    """Compress blocks into ``body``; gives first key, offset and length of each."""
    first, offset, length = [], [], []
    for key, raw in blocks:
        packed = zlib.compress(raw, 9)
        first.append(key)
        offset.append(len(body))
        length.append(len(packed))
        body += packed
    return Blocks(tuple(first), tuple(offset), tuple(length))


def differences(numbers: list[int], before: int) -> bytes:
    """Encode ascending numbers as varints of their differences, the first to ``before``."""
    encoded = bytearray()
    for number in numbers:
        encoded += varint(number - before)
        before = number
    return bytes(encoded)


def varint(number: int) -> bytes:
    """Encode in base 128, low digits first, the top bit meaning "more"."""
    encoded = bytearray()
    while number > 127:
        encoded.append(number & 127 | 128)
        number >>= 7
    encoded.append(number)
    return bytes(encoded)


if __name__ == "__main__":
    main(sys.argv[1:])

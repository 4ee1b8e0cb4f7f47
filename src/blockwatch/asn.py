"""Which network an address belongs to, answered offline from one packed file.

Rules of this file:

* nothing is asked of any network, and no address is kept: a look-up leaves no trace;
* an address of no announced network, or text that is no address, gives ``None``, never a guess;
* every answer depends on the table alone; :func:`table_id` names the table, so that a look-up can
  be repeated years later.

The table is ``data/asn.bin``, made by ``tools/build_asn_table.py`` (sources, licences and their
attribution: ``data/ATTRIBUTION.md``). Its layout::

    8 bytes   magic
    4 bytes   length of the header, big-endian
    header    JSON of :class:`Header`: per table the first key, offset and length of each block
    blocks    zlib; up to 2,048 rows each

A key is a whole IPv4 address or the upper 64 bits of an IPv6 address (nothing smaller than a /64 is
told apart). A row says that its value holds from its key up to the next row's; the value 0 stands
for "none". Four tables hold rows (AS number and country, for each family), one holds AS names.
"""

from __future__ import annotations

import hashlib
import ipaddress
import zlib
from array import array
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, lru_cache
from itertools import accumulate
from pathlib import Path

import msgspec

MAGIC = b"bwasn\x00\x00\x01"
TABLE = Path(__file__).parent / "data" / "asn.bin"


class AsInfo(msgspec.Struct, frozen=True, kw_only=True):
    """The network that announces an address."""

    asn: int
    name: str | None  # of the AS, as its registry has it
    country: str | None  # ISO 3166-1 alpha-2, where the address is registered


class Blocks(msgspec.Struct, frozen=True):
    """Where the blocks of one table lie: parallel lists, one entry a block."""

    first: tuple[int, ...]  # smallest key (or AS number) within
    offset: tuple[int, ...]  # from the end of the header, bytes
    length: tuple[int, ...]  # bytes


class Header(msgspec.Struct, frozen=True):
    """What the packed file says of itself."""

    date: str  # of the sources, ISO 8601
    sources: tuple[str, ...]  # name and version of each
    asn4: Blocks
    asn6: Blocks
    country4: Blocks
    country6: Blocks
    names: Blocks


class Table:
    """One packed file, read when made; recently used blocks are kept unpacked (about 2 MB)."""

    def __init__(self, path: Path) -> None:
        packed = path.read_bytes()
        if packed[:8] != MAGIC:
            raise ValueError(f"{path} is not an AS table of this version")
        end = 12 + int.from_bytes(packed[8:12], "big")
        self.header = msgspec.json.decode(packed[12:end], type=Header)
        self.sha256 = hashlib.sha256(packed).hexdigest()
        self._body = packed[end:]
        self._rows = lru_cache(maxsize=64)(self._read_rows)
        self._names = lru_cache(maxsize=16)(self._read_names)

    def lookup(self, address: str) -> AsInfo | None:
        """See :func:`lookup`."""
        try:
            parsed = ipaddress.ip_address(address)
        except ValueError:
            return None
        header = self.header
        if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is None:
            key, asns, countries = int(parsed) >> 64, header.asn6, header.country6
        else:
            key, asns, countries = int(parsed) & 0xFFFFFFFF, header.asn4, header.country4
        asn = self._value(asns, key)
        if not asn:
            return None
        code = self._value(countries, key)
        country = code.to_bytes(2, "big").decode("ascii") if code else None
        return AsInfo(asn=asn, name=self.name(asn), country=country)

    def name(self, asn: int) -> str | None:
        """See :func:`name`."""
        index = bisect_right(self.header.names.first, asn) - 1
        return self._names(index).get(asn) if index >= 0 else None

    def _value(self, blocks: Blocks, key: int) -> int:
        index = bisect_right(blocks.first, key) - 1
        if index < 0:
            return 0
        keys, values = self._rows(blocks.offset[index], blocks.length[index], blocks.first[index])
        return values[bisect_right(keys, key) - 1]

    def _read_rows(self, offset: int, length: int, key: int) -> tuple[Sequence[int], Sequence[int]]:
        """Unpack one block: the number of rows and of distinct values (2 bytes each), the distinct
        values in order as differences, then for each row the trailing zero bits of the difference
        of its key to the one before, that difference without them, and which value it has (2 planes).
        """
        raw = zlib.decompress(self._body[offset : offset + length])
        count, distinct = int.from_bytes(raw[:2], "big"), int.from_bytes(raw[2:4], "big")
        differences, at = _varints(raw, 4, distinct)
        known = array("I", accumulate(differences))
        shifts = raw[at : at + count]
        mantissas, at = _varints(raw, at + count, count)
        keys = array("Q")
        for shift, mantissa in zip(shifts, mantissas, strict=True):
            key += mantissa << shift
            keys.append(key)
        low, high = raw[at : at + count], raw[at + count : at + 2 * count]
        return keys, array("I", [known[a | b << 8] for a, b in zip(low, high, strict=True)])

    def _read_names(self, index: int) -> dict[int, str]:
        blocks = self.header.names
        start = blocks.offset[index]
        raw = zlib.decompress(self._body[start : start + blocks.length[index]])
        differences, at = _varints(raw, 2, int.from_bytes(raw[:2], "big"))
        numbers = accumulate(differences, initial=blocks.first[index])
        next(numbers)
        return dict(zip(numbers, raw[at:].decode("utf-8").split("\n"), strict=True))


@cache
def _table() -> Table:
    return Table(TABLE)


def lookup(address: str) -> AsInfo | None:
    """Look up the network of ``address`` (IPv4 or IPv6 text; an IPv4-mapped one counts as IPv4)."""
    return _table().lookup(address)


def name(asn: int) -> str | None:
    """Give the name of an AS, or ``None`` where the table has none."""
    return _table().name(asn)


def table_id() -> str:
    """Name the table: ``<date> sha256:<hex of the packed file>``."""
    table = _table()
    return f"{table.header.date} sha256:{table.sha256}"


def _varints(raw: bytes, at: int, count: int) -> tuple[list[int], int]:
    """Read ``count`` base-128 numbers, low digits first; also says where they end."""
    numbers = []
    for _ in range(count):
        number = shift = 0
        while (byte := raw[at]) & 128:
            number |= (byte & 127) << shift
            shift += 7
            at += 1
        numbers.append(number | byte << shift)
        at += 1
    return numbers, at

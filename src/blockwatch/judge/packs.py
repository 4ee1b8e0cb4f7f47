"""Reads fingerprint packs: tables in the form of OONI's blocking-fingerprints (CSV, RFC 4180, UTF-8).

Rules of this file:

* the bytes of a file come in, a :class:`Pack` goes out; nothing is copied from it into this project;
* what cannot be read is refused with the line and a remedy: a pack read by half would judge by half;
* sizes are bounded; columns of no use to the judge are left alone, unknown scopes are signs.
"""

from __future__ import annotations

import csv
import hashlib
import io
import ipaddress
import re
from collections.abc import Iterator

from blockwatch.errors import ConfigError
from blockwatch.judge.fingerprints import Fingerprint, Pack
from blockwatch.judge.gaps import GapPattern

MOST_BYTES = 8_000_000
_MOST_ROWS = 50_000
_MOST_PATTERN = 8_192
_MOST_NAME = 200
_NEEDED = ("name", "scope", "location_found", "pattern_type", "pattern", "confidence_no_fp")
_KINDS = frozenset({"full", "prefix", "contains", "regexp"})
_PLACE = re.compile(r"body|dns|header\.[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")
_COUNTRY = re.compile(r"[A-Z]{2}")
_REMEDY = (
    "Take the file whole from OONI's blocking-fingerprints (fingerprints_dns.csv, fingerprints_http.csv), "
    "or correct this line."
)


def read_pack(data: bytes, where: str) -> Pack:
    """The fingerprints in a file's bytes; ``where`` names it in :class:`ConfigError`."""
    if len(data) > MOST_BYTES:
        raise _broken(where, 0, f"more than {MOST_BYTES // 1_000_000} MB: no such table is so large")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _broken(where, data.count(b"\n", 0, error.start) + 1, "not UTF-8 text") from None
    prints = [_print(row, where, line) for line, row in _rows(text, where)]
    return Pack(prints, f"ooni:{hashlib.sha256(data).hexdigest()[:8]}")


def _rows(text: str, where: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Every row by column name, with the line on which it ends."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    header: list[str] | None = None
    try:
        for count, cells in enumerate(reader):
            if header is None:
                header = cells
                _check_header(header, where)
            elif len(cells) != len(header):
                said = f"{len(cells)} columns where the first line has {len(header)}"
                raise _broken(where, reader.line_num, said)
            elif count > _MOST_ROWS:
                raise _broken(where, reader.line_num, f"more than {_MOST_ROWS} rows")
            else:
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except csv.Error as error:
        raise _broken(where, reader.line_num, f"not a table ({error})") from None
    if header is None:
        raise _broken(where, 1, "the file is empty")


def _check_header(header: list[str], where: str) -> None:
    missing = [name for name in _NEEDED if name not in header]
    if missing:
        raise _broken(where, 1, f"no column {', '.join(missing)}")
    if len(set(header)) != len(header):
        raise _broken(where, 1, "two columns of one name")


def _print(row: dict[str, str], where: str, line: int) -> Fingerprint:
    place, kind, pattern = row["location_found"], row["pattern_type"], row["pattern"]
    wrong = _wrong(row)
    if wrong:
        raise _broken(where, line, wrong)
    if place == "dns":
        pattern = _address(pattern)
    if kind == "regexp":
        try:
            GapPattern(pattern)
        except ValueError as error:
            raise _broken(
                where,
                line,
                f"this regular expression is refused: {error}",
                "Only characters, classes and the gaps .* and .+ are run, as others can run for ever: "
                "leave the row out, or write it so.",
            ) from None
    expected = row.get("expected_countries", "").split(",")
    countries = tuple(code for code in expected if _COUNTRY.fullmatch(code))
    source = row.get("source", "")[:_MOST_NAME]
    sure = int(row["confidence_no_fp"])
    return Fingerprint(row["name"], row["scope"], place.lower(), kind, pattern, sure, countries, source)


def _wrong(row: dict[str, str]) -> str:
    """What is wrong with a row; empty if nothing is."""
    place, kind, pattern = row["location_found"], row["pattern_type"], row["pattern"]
    if not 0 < len(row["name"]) <= _MOST_NAME:
        return f"a name has 1 to {_MOST_NAME} characters"
    if not 0 < len(pattern) <= _MOST_PATTERN:
        return f"a pattern has 1 to {_MOST_PATTERN} characters"
    if _PLACE.fullmatch(place) is None:
        return f"location_found is {_short(place)}: not body, dns or header.NAME"
    if kind not in _KINDS:
        return f"pattern_type is {_short(kind)}: not full, prefix, contains or regexp"
    sure = row["confidence_no_fp"]
    if not (sure.isascii() and sure.isdigit() and len(sure) < 3 and int(sure) <= 10):
        return f"confidence_no_fp is {_short(sure)}: not a number from 0 to 10"
    if place == "dns" and kind != "full":
        return "a dns row compares whole answers: pattern_type is full"
    return ""


def _address(text: str) -> str:
    """An address as resolvers' answers are written here; other text (a name in an answer) as it is."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        return text


def _short(text: str) -> str:
    return ascii(text[:40])


def _broken(where: str, line: int, what: str, remedy: str = _REMEDY) -> ConfigError:
    return ConfigError(what, where=f"{where}:{line}" if line else where, remedy=remedy)

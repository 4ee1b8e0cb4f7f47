"""Single values of OONI's JSON, read with tolerance: any of them may be null, missing or of another kind.

Rules of this file:

* nothing here raises on any JSON value; what cannot be read is ``None`` or empty;
* everything is bounded in size and count;
* times are float seconds there and integer microseconds here.
"""

from __future__ import annotations

import binascii
import ipaddress
import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple

from blockwatch.model import Purpose

Object = dict[str, Any]

MAX_ENTRIES = 10_000  # of one list of a measurement
MAX_HEADERS = 200
MAX_HEAD_CHARACTERS = 65_536  # of all headers of a message
MAX_TAGS = 32
MAX_FAILURE = 300  # characters
_LONGEST_TAG = 100  # characters
_MAX_TIME_S = 10**9
_MOST_KEPT = 6_000  # characters of a certificate that is remembered
_V4 = re.compile(r"(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])(?:\.(?!\Z)|\Z)){4}", re.A)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAIR = (list, tuple)
_PURPOSES = {str(purpose): purpose for purpose in Purpose}


def mapping(value: Any) -> Object:
    """``value`` if it is an object, else an empty one."""
    return value if isinstance(value, dict) else {}


def entries(value: Any) -> list[Object]:
    """The objects of a list, at most :data:`MAX_ENTRIES`."""
    if not isinstance(value, list):
        return []
    return [entry for entry in value[:MAX_ENTRIES] if isinstance(entry, dict)]


def text(value: Any, most: int) -> str | None:
    """Text that is not empty, at most ``most`` characters of it."""
    return value[:most] if isinstance(value, str) and value else None


def failure(value: Any) -> str | None:
    """A failure string; ``null``, ``""`` and the ``false`` of old data are none."""
    return text(value, MAX_FAILURE)


def count(value: object, least: int = 0) -> int | None:
    """A whole number from ``least`` to 2**53, also where it is written as a float."""
    if type(value) is int:  # as almost always
        return value if least <= value < 9_007_199_254_740_992 else None
    if type(value) is float and value.is_integer():
        return int(value) if least <= value < 9_007_199_254_740_992 else None
    return None


def micros(value: object) -> int | None:
    """Float seconds as microseconds; ``None`` where they are none or absurd."""
    if (type(value) is float or type(value) is int) and 0 <= value < _MAX_TIME_S:
        return round(value * 1_000_000)
    return None


def moment(value: str) -> int | None:
    """``2024-02-14 09:06:17`` (UTC) as microseconds since the epoch; ``None`` beyond the year 2100."""
    return _moment(value[:40])


_LAST_US = 4_102_444_800_000_000  # the year 2100


@lru_cache(maxsize=4_096)
def _moment(value: str) -> int | None:
    try:
        read = datetime.fromisoformat(value.strip())
        read = read.replace(tzinfo=UTC) if read.tzinfo is None else read
        since = (read - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, OverflowError):
        return None
    return since if 0 < since < _LAST_US else None


def binary(value: Any) -> bytes | None:
    """``MaybeBinaryData``: text, or an object with base64 whose padding may be wrong; ``None``: neither."""
    if isinstance(value, str):
        return value.encode("utf-8", "surrogatepass")
    if isinstance(value, dict) and value.get("format") == "base64":
        return base64(value.get("data"))
    return None


@lru_cache(maxsize=2_048)
def _certificate(value: str) -> bytes | None:
    return base64(value)


def certificate(value: Any) -> bytes | None:
    """``MaybeBinaryData`` of a certificate: the same few come again and again."""
    if isinstance(value, dict) and value.get("format") == "base64":
        data = value.get("data")
        return _certificate(data) if isinstance(data, str) and len(data) < _MOST_KEPT else base64(data)
    return binary(value)


def base64(value: Any) -> bytes | None:
    """Base64 with any padding; ``None`` where it is none."""
    if not isinstance(value, str):
        return None
    bare = value.rstrip("=\r\n\t ")
    try:
        return binascii.a2b_base64(bare + "=" * (-len(bare) % 4))
    except (binascii.Error, ValueError):  # not ASCII, or one character too many
        return None


@lru_cache(maxsize=4_096)
def _address(value: str) -> str | None:
    if _V4.fullmatch(value):
        return value
    if ":" not in value:  # a name: IPv4 has no other form
        return None
    try:
        return str(ipaddress.ip_address(value))
    except ValueError:
        return None


def address(value: Any) -> str | None:
    """Canonical text of an address; ``None`` for names, ``[scrubbed]`` and other things."""
    return _address(value) if isinstance(value, str) and len(value) < 64 else None


@lru_cache(maxsize=4_096)
def _endpoint(value: str) -> tuple[str, int] | None:
    host, colon, port = value.rpartition(":")
    found = _address(host[1:-1] if host.startswith("[") and host.endswith("]") else host)
    number = port_number(int(port)) if port.isascii() and port.isdecimal() and len(port) < 6 else None
    return (found, number) if colon and found is not None and number is not None else None


def endpoint(value: Any) -> tuple[str, int] | None:
    """``1.2.3.4:443`` or ``[2001:db8::1]:443`` as (address, port)."""
    return _endpoint(value) if isinstance(value, str) and len(value) < 80 else None


def port_number(value: Any) -> int | None:
    """A port from 0 to 65535."""
    found = count(value)
    return found if found is not None and found < 65_536 else None


def host_name(value: str) -> str:
    """A host as it is asked for in the DNS: lower case, A-labels, no trailing dot, no brackets."""
    return _host_name(value[:300])


@lru_cache(maxsize=4_096)
def _host_name(value: str) -> str:
    host = value.strip("[]").rstrip(".").lower()
    if host.isascii():
        return host
    try:
        return host.encode("idna").decode("ascii")
    except UnicodeError:
        return host


class Tags(NamedTuple):
    """What the tags of an entry say, ``name=value`` each."""

    hop: int | None = None  # the redirect hop: depth=N
    validates: bool = False  # fetch_body=false: made only to see whether the address is the site's
    purpose: Purpose | None = None  # ours, written by ourselves
    round: int = 0  # likewise
    line: bool = False  # resolver=line: likewise


NO_TAGS = Tags()


@lru_cache(maxsize=4_096)
def _tags(found: tuple[str, ...]) -> Tags:
    split = (tag.partition("=") for tag in found)
    told = {name: value for name, _, value in split}
    depth, number = told.get("depth", ""), told.get("round", "")
    return Tags(
        hop=int(depth) if depth.isascii() and depth.isdecimal() and len(depth) < 3 else None,
        validates=told.get("fetch_body") == "false",
        purpose=_PURPOSES.get(told.get("purpose", "")),
        round=int(number[:6]) if told.get("purpose") and number.isdecimal() else 0,
        line=told.get("resolver") == "line",
    )


def tags(entry: Object) -> Tags:
    """What the tags of an entry say."""
    found = entry.get("tags")
    if not isinstance(found, list):
        return NO_TAGS
    return _tags(tuple([tag[:_LONGEST_TAG] for tag in found[:MAX_TAGS] if isinstance(tag, str)]))


def headers(message: Object) -> tuple[tuple[str, str], ...]:
    """Headers of a request or response, Latin-1; ``headers_list`` where there is one, else ``headers``."""
    found: list[tuple[str, str]] = []
    room = MAX_HEAD_CHARACTERS
    for pair in _pairs(message):
        if not isinstance(pair, _PAIR) or len(pair) != 2 or not isinstance(pair[0], str):
            continue
        name, value = pair[0][:1_000], pair[1]
        plain = type(value) is str and value.isascii()  # as almost always
        shown = value if plain else (binary(value) or b"").decode("latin-1")
        room -= len(name) + len(shown)
        if room < 0 or len(found) >= MAX_HEADERS:
            break
        found.append((name, shown))
    return tuple(found)


def _pairs(message: Object) -> Iterable[Any]:
    """Name and value of each header, or whatever stands in their place."""
    for key in ("headers_list", "headers"):  # historic data has lists where maps belong
        listed = message.get(key)
        if isinstance(listed, list) and listed:
            return listed[: MAX_HEADERS + 1]
        if isinstance(listed, dict) and listed:
            return listed.items()
    return ()

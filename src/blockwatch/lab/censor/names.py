"""Names a censor reads off the wire: of a ClientHello, a Host header, a DNS question.

Rules: readers take the bytes seen so far and return the name in lower case, ``""`` when there is
none to be found, ``None`` when more bytes could still bring it. Hostile bytes are bounded by the
caller and never raise.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Generic, Protocol, TypeVar

_METHOD = re.compile(rb"[A-Z]{3,10} ")
_METHOD_START = re.compile(rb"[A-Z]{0,10}$")
_HOST = re.compile(rb"\r\nhost:[ \t]*([^\r\n]*?)[ \t]*\r\n", re.IGNORECASE)
_HANDSHAKE, _CLIENT_HELLO, _SERVER_NAME = 22, 1, 0


class Matching(Protocol):
    """What all rules about names have."""

    @property
    def match(self) -> str:
        """How: exact, suffix (the name and what is under it) or substring."""


RuleT = TypeVar("RuleT", bound=Matching)


class NameTable(Generic[RuleT]):
    """Rules by name; exact ones are found without a search."""

    def __init__(self, rules: Sequence[tuple[str, RuleT]]) -> None:
        self._exact: dict[str, list[RuleT]] = {}
        self._wide: list[tuple[str, RuleT]] = []
        for name, rule in rules:
            if rule.match == "exact":
                self._exact.setdefault(name.lower(), []).append(rule)
            elif rule.match in ("suffix", "substring"):
                self._wide.append((name.lower(), rule))
            else:
                raise ValueError(f"unknown match {rule.match!r}")

    def find(self, name: str) -> Iterator[RuleT]:
        """Yield the rules that cover ``name`` (lower case), exact ones first."""
        yield from self._exact.get(name, ())
        for wanted, rule in self._wide:
            if rule.match == "substring":
                if wanted in name:
                    yield rule
            elif name == wanted or name.endswith(f".{wanted}"):
                yield rule


def http_host(seen: bytes) -> str | None:
    """Return the Host header's name, without port."""
    end = seen.find(b"\r\n\r\n")
    if end >= 0:
        found = _HOST.search(seen, 0, end + 4) if _METHOD.match(seen) else None
        return _without_port(found[1].decode("latin-1").lower()) if found else ""
    return None if _METHOD.match(seen) or _METHOD_START.match(seen) else ""


def _without_port(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def server_name(seen: bytes) -> str | None:
    """Return the server name of a ClientHello, put together over TLS records (RFC 6066, 8446)."""
    hello = bytearray()
    while len(hello) < 4 or len(hello) < 4 + int.from_bytes(hello[1:4], "big"):
        if len(seen) < 5:
            return None
        if seen[0] != _HANDSHAKE or seen[1] != 3:
            return ""
        size = int.from_bytes(seen[3:5], "big")
        if len(seen) < 5 + size:
            return None
        hello += seen[5 : 5 + size]
        seen = seen[5 + size :]
        if hello[:1] and hello[0] != _CLIENT_HELLO:
            return ""
    return _name_of_hello(bytes(hello))


def _name_of_hello(hello: bytes) -> str:
    at = 4 + 2 + 32  # header, version, random
    for width in (1, 2, 1):  # session id, cipher suites, compression methods
        at += width + int.from_bytes(hello[at : at + width], "big")
    at += 2
    while at + 4 <= len(hello):
        kind = int.from_bytes(hello[at : at + 2], "big")
        size = int.from_bytes(hello[at + 2 : at + 4], "big")
        if kind == _SERVER_NAME:
            # list length (2), name type (1), name length (2)
            length = int.from_bytes(hello[at + 7 : at + 9], "big")
            return hello[at + 9 : at + 9 + length].decode("latin-1").lower()
        at += 4 + size
    return ""


def dns_question(message: bytes) -> tuple[str, int, int]:
    """Return name, type and end of the question section of a query; the name is "" if it is none."""
    if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
        return "", 0, 0
    labels, at = [], 12
    while message[at]:
        size = message[at]
        if size > 63 or at + size + 5 >= len(message):
            return "", 0, 0
        labels.append(message[at + 1 : at + 1 + size].decode("latin-1").lower())
        at += 1 + size
    return ".".join(labels), int.from_bytes(message[at + 1 : at + 3], "big"), at + 5

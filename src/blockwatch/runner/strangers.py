"""Public addresses that may be the volunteer's, though nobody has said so.

Rules of this file:

* wary of two kinds: of an IP version whose own address is unknown every one; and every one of the own
  network (AS), since carriers put many lines behind a pool, and a reconnection brings another address;
* one that this run has dialled, got from a lookup or been told by a control describes a site, and stays;
* of the own network also one that stands as a host in a URL: that is a server;
* what looks like one in the headers of every request of ours stays: a version of a browser tells no line;
* literals only, in their plain spelling (docs/decisions/0009-an-address-not-known.md).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache, lru_cache

from blockwatch import asn
from blockwatch.model import ControlStep, DnsStep, Observation
from blockwatch.net.http import BROWSER_HEADERS
from blockwatch.runner.forms import COLON, V4_END

_MIXED = frozenset((10, 100, 127, 169, 172, 192, 198, 203))  # first octets of what is not all public
# The first digit stands before what must not precede it: so the search can skip to digits.
_LITERAL = re.compile(
    rb"[0-9](?<![0-9].)(?<![0-9]\..)(?:"
    rb"[0-9]{0,2}(?:\.[0-9]{1,3}){3}" + V4_END + rb"|"
    rb"(?<=[23])(?<![A-F].)[0-9A-F]{3}" + COLON + rb"(?:[0-9A-F]{0,4}" + COLON + rb"){1,6}[0-9A-F]{0,4}"
    rb"(?![0-9A-F])"
    rb")",
    re.I | re.S,
)
# Without one of these there is no literal: they begin with a rare byte, which is searched for much faster.
_DOTTED = re.compile(rb"\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]")
_GROUPED = re.compile(rb":(?<=[23][0-9A-F]{3}:)[0-9A-F]{0,4}" + COLON, re.I)
_HOST_FOLLOWS = (b"//", b"/\\/", b"%2F", b"%2f", b"//[", b"/\\/[")


class Strangers:
    """``blind``: IP versions whose own address is unknown; ``networks``: the own AS numbers."""

    def __init__(
        self, *, blind: Iterable[int] = (), networks: Iterable[int] = (), met: set[str] | None = None
    ) -> None:
        self._blind, self._networks = frozenset(blind), frozenset(networks)
        self.met: set[str] = set() if met is None else met
        self.wary = bool(self._blind or self._networks)

    def meet(self, steps: Sequence[Observation]) -> None:
        """Take note of the addresses that these steps went to or got."""
        if self.wary:
            self.met |= addresses_in(steps)

    def sub(self, data: bytes, mark: Callable[[int], bytes]) -> bytes:
        """``data`` with ``mark(length)`` for every literal that may be ours."""
        if not self.wary or not _may_hold_literals(data):
            return data
        return _LITERAL.sub(lambda found: self._clean(found, mark), data)

    def _clean(self, found: re.Match[bytes], mark: Callable[[int], bytes]) -> bytes:
        text = found[0]
        inner = text.rstrip(b":") if not text.endswith(b"::") else text
        address = _public(inner)
        if address is None or address in self.met or address in _sent():
            return text
        if (6 if ":" in address else 4) not in self._blind:
            before = found.string[max(0, found.start() - 4) : found.start()]
            if _network(address) not in self._networks or before.endswith(_HOST_FOLLOWS):
                return text
        return mark(len(inner)) + text[len(inner) :]


def addresses_in(steps: Sequence[Observation]) -> set[str]:
    """The addresses that these steps went to, or were told."""
    found: set[str] = set()
    for step in steps:
        if isinstance(step, DnsStep):
            found.update(step.addresses, *(reply.addresses for reply in step.replies))
        elif isinstance(step, ControlStep):
            found.update(step.addresses, (endpoint.address for endpoint in step.endpoints))
        else:
            found.add(step.address)
    return found


@cache
def _sent() -> frozenset[str | None]:
    """What looks like an address in the headers that every request of ours has."""
    headers = " ".join(value for _, value in BROWSER_HEADERS).encode()
    return frozenset(_public(found[0]) for found in _LITERAL.finditer(headers))


def _may_hold_literals(data: bytes) -> bool:
    return bool(_DOTTED.search(data) or _GROUPED.search(data)) or b"%3" in data


@lru_cache(maxsize=4_096)
def _public(literal: bytes) -> str | None:
    """The canonical text of a public address; None: not one."""
    text = literal.decode("ascii").lower().replace("%3a", ":")
    if ":" not in text:
        octets = [int(part) for part in text.split(".")]
        text = ".".join(map(str, octets))
        if 0 < octets[0] < 224 and octets[0] not in _MIXED and max(octets) < 256:
            return text  # most of them, quickly
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    return str(address) if address.is_global else None


@lru_cache(maxsize=4_096)
def _network(address: str) -> int | None:
    found = asn.lookup(address)
    return found.asn if found else None

"""All that could tell the line, of all steps of a record, laid side by side: most records hold nothing.

Rules of this file:

* pure; whatever :mod:`blockwatch.runner.scrub` looks at one by one is among the pieces, by the same names
  of fields, and nothing is left out but numbers;
* between two pieces stands a byte that is in no text, and that no pattern takes for a part of an address,
  for a digit or a letter: so in what is joined everything is found that is in its pieces;
* a glance may take something for suspicious that is not (then each piece is looked at), never the reverse.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any

from blockwatch.model import DnsReply, Endpoint, Observation, Purpose

BETWEEN = b"\xff"  # in no UTF-8, and no coding of a DNS name
ASKED = frozenset({"url", "name", "server_name", "host", "request_headers"})  # at hop 0: the target's
OURS = frozenset({"helper", "purpose"})  # chosen by the volunteer, or by the program
PLACES = frozenset({"address", "addresses", "resolver"})
_MARK = "\x1e"  # stands for BETWEEN until texts are bytes; one that was in a text parts it, too
_NUMBERS = frozenset({"Integer", "int", "bool", "None", "tuple"})


class Pieces:
    """What the steps hold, by the way in which it is looked at."""

    def __init__(self, steps: Iterable[Observation]) -> None:
        self.places: set[str] = set()  # addresses that were dialled or told
        self._texts: list[str] = []
        self._octets: list[bytes] = []
        self._messages: list[bytes] = []
        self._certificates: list[bytes] = []
        for step in steps:
            values, others = _fields(type(step), asked(step))
            self._flat(values(step))
            for name, take in others:
                take(self, getattr(step, name))

    def told(self) -> bytes:
        """Everything that is text."""
        texts = _MARK.join(self._texts).encode("utf-8", "surrogatepass").replace(_MARK.encode(), BETWEEN)
        return BETWEEN.join((texts, *self._octets))

    def messages(self) -> bytes:
        """DNS messages."""
        return BETWEEN.join(self._messages)

    def binary(self) -> bytes:
        """Whatever cannot be cut: DNS messages and certificates."""
        return BETWEEN.join((*self._messages, *self._certificates))

    def _flat(self, values: Sequence[Any]) -> None:
        for value in values:
            if isinstance(value, str):
                self._texts.append(value)
            elif isinstance(value, tuple):
                self._flat(value)
            elif isinstance(value, bytes) and value:
                self._octets.append(value)

    def answers(self) -> bool:
        """Whether an HTTP response is among them, which may come in pieces."""
        return any(b"HTTP/" in octets for octets in self._octets)

    def _place(self, value: str) -> None:
        self.places.add(value)

    def _places(self, value: tuple[str, ...]) -> None:
        self.places.update(value)

    def _asns(self, value: tuple[tuple[str, int], ...]) -> None:
        self.places.update(address for address, _ in value)

    def _endpoints(self, value: tuple[Endpoint, ...]) -> None:
        for end in value:
            self.places.add(end.address)
            self._flat((end.tcp_failure, end.tls_failure))

    def _replies(self, value: tuple[DnsReply, ...]) -> None:
        for reply in value:
            self.places.update(reply.addresses)
            self._texts += reply.names
            self._messages.append(reply.raw)

    def _query(self, value: bytes) -> None:
        self._messages.append(value)

    def _chain(self, value: tuple[bytes, ...]) -> None:
        self._certificates += value


_Take = Callable[[Pieces, Any], None]
_OTHERS: dict[str, _Take] = {
    "address": Pieces._place,
    "resolver": Pieces._place,
    "addresses": Pieces._places,
    "asns": Pieces._asns,
    "endpoints": Pieces._endpoints,
    "replies": Pieces._replies,
    "query": Pieces._query,
    "chain": Pieces._chain,
}


def asked(step: Observation) -> bool:
    """Whether a step goes where the volunteer's list says."""
    return step.hop == 0 and step.purpose is Purpose.FIRST


@cache
def _fields(
    kind: type, asked: bool
) -> tuple[Callable[[Any], tuple[Any, ...]], tuple[tuple[str, _Take], ...]]:
    """How the plain fields of a kind of step are had at once, and how each of the others."""
    hints = {
        name: hint for base in kind.__mro__ for name, hint in vars(base).get("__annotations__", {}).items()
    }
    kept = OURS | (ASKED if asked else frozenset())
    names = [
        name
        for name in kind.__struct_fields__  # type: ignore[attr-defined]  # every step has them
        if name not in kept and not _NUMBERS.issuperset(re.findall(r"\w+", str(hints[name])))
    ]
    plain = [name for name in names if name not in _OTHERS]
    others = tuple((name, _OTHERS[name]) for name in names if name in _OTHERS)
    return attrgetter(*plain), others

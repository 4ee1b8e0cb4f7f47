"""The volunteer's own public address is cut out of what servers sent back.

Rules of this file:

* before anything is hashed or written; a cut is marked and keeps the length in raw bytes, so that
  offsets and a body under Content-Length stay;
* known address: it alone is cut, in the forms of :mod:`blockwatch.runner.forms`;
* where a server chose the URL (after a redirect), its name is cut wherever it was used, and a DNS
  message that holds it is left out: the name of a line often holds its address;
* unknown address: every public literal is cut that this run has not dialled, resolved or been told
  by a control (docs/decisions/0009-an-address-not-known.md);
* a body that hides something to cut behind a coding is blanked: cutting inside would break it;
* linear time: what is searched for starts with a digit or is literal, and repeats are bounded.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from blockwatch import content
from blockwatch.model import ControlStep, DnsStep, Exchange, Measured, Observation
from blockwatch.net.secondlook import body_start
from blockwatch.runner.forms import COLON, V4_END, pattern

MARK = "[scrubbed]"
_TEXTS = ("title", "headers", "plaintext", "failure", "error", "trust_detail")
_CHOSEN = ("url", "name", "server_name", "host", "request_headers")  # by a server, after a redirect
_DECODED = 4 * 1024 * 1024  # bytes of a decoded body that are searched
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


class Scrubber:
    """Cuts the ``own`` addresses, and of the IP versions in ``blind`` every public stranger."""

    def __init__(self, own: Iterable[str], *, blind: Iterable[int] = ()) -> None:
        own = frozenset(own)
        self._own, self._addresses = pattern(own), own
        self._blind = frozenset(blind)
        self._met: set[str] = set()

    def measured(self, measured: Measured) -> Measured:
        """The same measurement without the addresses."""
        if self._own is None and not self._blind:
            return measured
        steps = measured.measurement.observations
        if self._blind:
            self._meet(steps)
        exchanges = {i: self._exchange(e, steps[i].hop) for i, e in measured.exchanges.items()}
        observations = tuple(self._step(step) for step in steps)
        measurement = msgspec.structs.replace(measured.measurement, observations=observations)
        return Measured(measurement=measurement, exchanges=exchanges)

    def _meet(self, steps: Sequence[Observation]) -> None:
        for step in steps:
            if isinstance(step, DnsStep):
                self._met.update(step.addresses, *(reply.addresses for reply in step.replies))
            elif isinstance(step, ControlStep):
                self._met.update(step.addresses, (endpoint.address for endpoint in step.endpoints))
            else:
                self._met.add(step.address)

    def _step(self, step: Observation) -> Observation:
        changed: dict[str, Any] = {}
        for field in (*_TEXTS, *_CHOSEN) if step.hop > 0 else _TEXTS:
            value = getattr(step, field, None)
            if value:
                clean = self._value(value)
                if clean != value:
                    changed[field] = clean
        if step.hop > 0:
            changed |= self._led(step, named="name" in changed)
        return msgspec.structs.replace(step, **changed) if changed else step

    def _led(self, step: Observation, *, named: bool) -> dict[str, Any]:
        """Where a step led that a redirect asked for: maybe to ourselves."""
        if isinstance(step, DnsStep):
            return self._lookup(step, named)
        if isinstance(step, ControlStep):
            return {
                "addresses": self._others(step.addresses),
                "endpoints": tuple(e for e in step.endpoints if e.address not in self._addresses),
                "asns": tuple(pair for pair in step.asns if pair[0] not in self._addresses),
            }
        return {"address": MARK} if step.address in self._addresses else {}

    def _lookup(self, step: DnsStep, named: bool) -> dict[str, Any]:
        replies = []
        for reply in step.replies:
            clean = {"addresses": self._others(reply.addresses), "names": self._names(reply.names)}
            told = named or clean["addresses"] != reply.addresses or clean["names"] != reply.names
            raw = b"" if told or self._cut(reply.raw) != reply.raw else reply.raw
            replies.append(msgspec.structs.replace(reply, raw=raw, **clean))
        query = b"" if named else step.query
        return {"addresses": self._others(step.addresses), "replies": tuple(replies), "query": query}

    def _others(self, addresses: Sequence[str]) -> tuple[str, ...]:
        return tuple(address for address in addresses if address not in self._addresses)

    def _names(self, names: Sequence[str]) -> tuple[str, ...]:
        return tuple(self._value(name) for name in names)

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            data = value.encode("utf-8", "surrogatepass")
            clean = self._sub(data, lambda length: MARK.encode("ascii"))
            return value if clean == data else clean.decode("utf-8", "surrogatepass")
        if isinstance(value, bytes):
            return self._cut(value)
        return tuple(tuple(self._value(part) for part in pair) for pair in value)

    def _exchange(self, exchange: Exchange, hop: int) -> Exchange:
        changes: dict[str, Any] = {"response": self._response(exchange.response)}
        if hop > 0:
            changes |= {"request": self._cut(exchange.request), "url": self._value(exchange.url)}
            changes["address"] = MARK if exchange.address in self._addresses else exchange.address
        if all(getattr(exchange, field) == value for field, value in changes.items()):
            return exchange
        return msgspec.structs.replace(exchange, **changes)

    def _response(self, raw: bytes) -> bytes:
        """Cut; what a coding hides is found in the decoded body, and then the body is blanked."""
        clean = self._cut(raw)
        parsed = content.parse_response(clean)
        at = body_start(clean) if parsed.body else None
        if at is None:
            return clean
        coded = content.content_codings(parsed.headers)
        chunked = content.header(parsed.headers, "transfer-encoding") is not None
        if not coded and not chunked:
            return clean
        body, more = content.decode_body(parsed.headers, parsed.body, _DECODED)
        unread = more or content.undecodable(parsed.headers) is not None
        if self._cut(body) != body or (unread and self._blind):
            return clean[:at] + _same_length(len(clean) - at)
        return clean

    def _cut(self, data: bytes) -> bytes:
        return self._sub(data, _same_length)

    def _sub(self, data: bytes, mark: Any) -> bytes:
        if self._own is not None:
            data = self._own.sub(lambda found: mark(len(found[0])), data)
        if self._blind:
            data = _LITERAL.sub(lambda found: self._strange(found[0], mark), data)
        return data

    def _strange(self, found: bytes, mark: Any) -> bytes:
        """What to write for a literal: itself, if it is no public address or one that was met."""
        inner = found.rstrip(b":") if not found.endswith(b"::") else found
        address = _public(inner)
        if address is None or address in self._met:
            return found
        if (6 if ":" in address else 4) not in self._blind:
            return found
        return bytes(mark(len(inner))) + found[len(inner) :]


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


def _same_length(length: int) -> bytes:
    """``[scrubbed]`` made to fit ``length`` bytes; an address has at least six."""
    return MARK.encode("ascii")[:length].ljust(length, b"_")

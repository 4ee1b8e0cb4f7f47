"""The volunteer's own addresses and names are cut out of what servers sent back.

Rules of this file:

* before anything is hashed or written; a cut is marked and keeps the length in raw bytes, so that
  offsets and a body under Content-Length stay;
* every field of every step is looked at, but for what the volunteer wrote: the URL of the target;
* what is known of the line is cut in the forms of :mod:`blockwatch.runner.forms`; what only shows when a
  coding is undone (:mod:`blockwatch.runner.undone`) is blanked with what it is in, since cutting
  inside would break it; so are bodies that cannot be read, DNS messages and certificates, and the hashes
  that a server gave of what was cut (:mod:`blockwatch.runner.hashes`);
* unknown address, or an address of the own network (the next one from a pool, or after a reconnection):
  every public literal is cut that this run has not dialled, resolved or been told by a control
  (docs/decisions/0009-an-address-not-known.md);
* most records hold nothing: all steps are looked at together first (:mod:`blockwatch.runner.glance`), and
  one by one only where something shows;
* linear time: what is searched for starts with a digit or is literal, and repeats are bounded.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from blockwatch import content
from blockwatch.model import DnsReply, DnsStep, Endpoint, Exchange, HttpStep, Measured, Observation
from blockwatch.net.secondlook import body_start
from blockwatch.runner.forms import packed_pattern, pattern
from blockwatch.runner.glance import ASKED, OURS, PLACES, Pieces, asked
from blockwatch.runner.hashes import fields_without_hashes, without_hashes
from blockwatch.runner.strangers import Strangers
from blockwatch.runner.undone import body_of, layered, undone, unescaped

MARK = "[scrubbed]"
_RAW_MARK = MARK.encode("ascii")
_MOST_PLACES = 20_000
_LINE = re.compile(rb"(HTTP/[0-9.]+ [0-9]{3} |[A-Z]+ |[^:]{1,200}:[ \t]*|)(.*?)((?: HTTP/1\.[01])?\r?)", re.S)
_LABELS = bytes(b"."[0] if 0 < byte < 0x30 and byte not in b"-" else byte for byte in range(256))


class Scrubber:
    """Cuts ``own`` addresses, ``resolvers`` of the line, MAC addresses and names (``words``).

    ``blind``: IP versions, ``networks``: AS numbers, of which every public literal may be ours.
    """

    def __init__(
        self,
        own: Iterable[str],
        *,
        blind: Iterable[int] = (),
        networks: Iterable[int] = (),
        resolvers: Iterable[str] = (),
        macs: Iterable[str] = (),
        words: Iterable[str] = (),
        met: set[str] | None = None,
    ) -> None:
        self._addresses, resolvers = frozenset(own), tuple(resolvers)
        self._own = pattern(self._addresses, alone=resolvers, macs=macs, words=words)
        self._bare = pattern(self._addresses, alone=resolvers, macs=macs, words=words, bare=True)
        self._packed = packed_pattern(self._addresses, alone=resolvers)
        self._strangers = Strangers(blind=blind, networks=networks, met=met)
        self.met = self._strangers.met  # public addresses that this run has gone to or been told
        self._harmless: set[str] = set()  # places that were looked at

    def measured(self, measured: Measured) -> Measured:
        """The same measurement without them."""
        if self._own is None and not self._strangers.wary:
            return measured
        steps = measured.measurement.observations
        self._strangers.meet(steps)
        exchanges = {i: self._exchange(e, asked(steps[i])) for i, e in measured.exchanges.items()}
        observations = steps if self._silent(Pieces(steps)) else tuple(map(self._step, steps))
        cut = {i for i, e in measured.exchanges.items() if exchanges[i].response != e.response}
        if cut:
            observations = tuple(_unhashed(s) if i in cut else s for i, s in enumerate(observations))
        fault = self._value(measured.measurement.fault)
        measurement = msgspec.structs.replace(measured.measurement, observations=observations, fault=fault)
        return Measured(measurement=measurement, exchanges=exchanges)

    # all steps at once

    def _silent(self, pieces: Pieces) -> bool:
        """Whether it is certain that nothing in these steps is cut."""
        for place in pieces.places - self._harmless:
            if self._place(place) != place:
                return False
            if len(self._harmless) >= _MOST_PLACES:
                self._harmless.clear()
            self._harmless.add(place)
        told = pieces.told()
        if pieces.answers() or layered(told) or b"\0" in told or self._cut(told) != told or self._hides(told):
            return False
        return self._keeps_silent(pieces.binary()) and self._keeps_silent(
            pieces.messages().translate(_LABELS)
        )

    def _keeps_silent(self, raw: bytes) -> bool:
        """Whether it is certain that none of the messages and certificates in ``raw`` tells."""
        if layered(raw) or (self._packed is not None and self._packed.search(raw)):
            return False
        bare = self._bare
        if bare is not None:
            narrow = raw.replace(b"\0", b"")
            if any(map(bare.search, (raw, *unescaped(raw), narrow, *unescaped(narrow)))):
                return False
        return self._strangers.sub(raw, _same_length) == raw

    # steps

    def _step(self, step: Observation) -> Observation:
        kept = (ASKED if asked(step) else frozenset()) | OURS
        values = {f: getattr(step, f) for f in step.__struct_fields__ if f not in kept}
        changed = {f: new for f, old in values.items() if (new := self._field(f, old)) != old}
        if isinstance(step, DnsStep) and "name" in changed:
            told = changed.get("replies", step.replies)
            replies = tuple(msgspec.structs.replace(r, raw=_RAW_MARK if r.raw else b"") for r in told)
            changed |= {"query": _RAW_MARK if step.query else b"", "replies": replies}
        return msgspec.structs.replace(step, **changed) if changed else step

    def _field(self, name: str, value: Any) -> Any:
        if name in PLACES:
            return self._place(value)
        if name == "asns":
            return tuple((self._place(address), asn) for address, asn in value)
        if name == "endpoints":
            return tuple(map(self._endpoint, value))
        if name == "replies":
            return tuple(map(self._reply, value))
        if name == "query":
            return self._message(value)
        if name == "plaintext":
            return self._response(value)
        if name == "chain":
            return tuple(_RAW_MARK if self._tells(der) else der for der in value)
        return self._value(value)

    def _place(self, value: Any) -> Any:
        """An address that was dialled or told: the mark, if it is ours; strangers' addresses stay."""
        if isinstance(value, tuple):
            return tuple(map(self._place, value))
        return MARK if value in self._addresses else self._text(value, own_only=True)

    def _endpoint(self, end: Endpoint) -> Endpoint:
        failures = {f: self._value(getattr(end, f)) for f in ("tcp_failure", "tls_failure")}
        return msgspec.structs.replace(end, address=self._place(end.address), **failures)

    def _reply(self, reply: DnsReply) -> DnsReply:
        addresses, names = self._place(reply.addresses), tuple(map(self._text, reply.names))
        told = addresses != reply.addresses or names != reply.names
        raw = _RAW_MARK if told and reply.raw else self._message(reply.raw)
        return msgspec.structs.replace(reply, addresses=addresses, names=names, raw=raw)

    def _message(self, raw: bytes) -> bytes:
        """A DNS message, unless it tells: the own name or address, a subnet of a client (RFC 7871)."""
        return _RAW_MARK if self._tells(raw) or self._tells(raw.translate(_LABELS)) else raw

    def _tells(self, raw: bytes) -> bool:
        """Whether a message or certificate, which cannot be cut, holds anything in any form."""
        if self._packed is not None and self._packed.search(raw):
            return True
        if self._bare is not None and any(map(self._bare.search, (raw, *undone(raw)))):
            return True
        return self._strangers.sub(raw, _same_length) != raw

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            clean = self._cut(value)
            return _same_length(len(clean)) if self._hides(clean) else clean
        if isinstance(value, tuple):
            return tuple(map(self._value, value))
        return value

    def _text(self, value: str, *, own_only: bool = False) -> str:
        data = value.encode("utf-8", "surrogatepass")
        clean = self._sub(data, lambda length: _RAW_MARK, own_only=own_only)
        if self._hides(clean, own_only=own_only):
            return MARK
        return value if clean == data else clean.decode("utf-8", "surrogatepass")

    # captured bytes

    def _exchange(self, exchange: Exchange, asked: bool) -> Exchange:
        changes: dict[str, Any] = {
            "response": self._response(exchange.response),
            "address": self._place(exchange.address),
        }
        if not asked:
            changes |= {"request": self._request(exchange.request), "url": self._text(exchange.url)}
        if all(getattr(exchange, field) == value for field, value in changes.items()):
            return exchange
        return msgspec.structs.replace(exchange, **changes)

    def _request(self, raw: bytes) -> bytes:
        return b"\n".join(self._line(line) for line in self._cut(raw).split(b"\n"))

    def _response(self, raw: bytes) -> bytes:
        """Cut; what is hidden in a line of the head blanks its value, in the body all of it."""
        clean = self._cut(raw)
        at = body_start(clean)
        if at is None:
            at = 0 if content.parse_response(clean).status is None else len(clean)
        head, body = clean[:at], clean[at:]
        if self._hides(head):
            head = b"\n".join(self._line(line) for line in head.split(b"\n"))
        if body and self._hides_in_body(clean, body):
            body = _same_length(len(body))
        return raw if head + body == raw else without_hashes(head, body, _same_length)

    def _line(self, line: bytes) -> bytes:
        """A line of a head; where something is hidden in it only what it begins and ends with."""
        if not self._hides(line):
            return line
        start, hidden, end = _LINE.fullmatch(line).groups()  # type: ignore[union-attr]  # it always fits
        return bytes(start + _same_length(len(hidden)) + end)

    def _hides_in_body(self, raw: bytes, body: bytes) -> bool:
        parsed = content.parse_response(raw)
        plain, unread = body_of(parsed.headers, parsed.body)
        if unread or self._hides(body):
            return True
        return plain != body and (self._cut(plain) != plain or self._hides(plain))

    def _hides(self, data: bytes, *, own_only: bool = False) -> bool:
        """Whether undoing a coding brings forth what was not found without."""
        return any(self._cut(plain, own_only=own_only) != plain for plain in undone(data))

    def _cut(self, data: bytes, *, own_only: bool = False) -> bytes:
        return self._sub(data, _same_length, own_only=own_only)

    def _sub(self, data: bytes, mark: Any, *, own_only: bool = False) -> bytes:
        if self._own is not None:
            data = self._own.sub(lambda found: mark(len(found[0])), data)
        return data if own_only else self._strangers.sub(data, mark)


def _unhashed(step: Observation) -> Observation:
    """An exchange of whose response something was cut, without the hashes that its server gave of it."""
    if not isinstance(step, HttpStep):
        return step
    return msgspec.structs.replace(step, headers=fields_without_hashes(step.headers, MARK))


def _same_length(length: int) -> bytes:
    """``[scrubbed]`` made to fit ``length`` bytes; an address has at least six."""
    return _RAW_MARK[:length].ljust(length, b"_")

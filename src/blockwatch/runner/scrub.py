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

import operator
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from blockwatch.model import DnsReply, DnsStep, Endpoint, Exchange, HttpStep, Measured, Observation
from blockwatch.runner import coded
from blockwatch.runner.captured import Captured
from blockwatch.runner.forms import packed_pattern, pattern
from blockwatch.runner.glance import ASKED, OURS, PLACES, Pieces, asked
from blockwatch.runner.hashes import fields_without_hashes, of_addresses, text_without_hashes, without_known
from blockwatch.runner.marks import MARK, RAW_MARK, same_length
from blockwatch.runner.strangers import Strangers
from blockwatch.runner.undone import layered, undone, unescaped

_MOST_PLACES = 20_000
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
        self._hashed = of_addresses(self._addresses)
        self._packed = packed_pattern(self._addresses, alone=resolvers)
        self._strangers = Strangers(blind=blind, networks=networks, met=met)
        self.met = self._strangers.met  # public addresses that this run has gone to or been told
        self._captured = Captured(self._cut)
        self._harmless: set[str] = set()  # places that were looked at

    def measured(self, measured: Measured) -> Measured:
        """The same measurement without them."""
        if self._own is None and not self._strangers.wary:
            return measured
        steps = measured.measurement.observations
        self._strangers.meet(steps)
        observations = steps if self._silent(Pieces(steps)) else tuple(map(self._step, steps))
        exchanges = dict(measured.exchanges)
        if exchanges:
            kept = list(observations)
            for i, exchange in measured.exchanges.items():
                exchanges[i], kept[i] = self._exchange(exchange, steps[i], kept[i])
            observations = tuple(kept) if any(map(operator.is_not, kept, observations)) else observations
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
        narrow = raw.replace(b"\0", b"")
        if any(map(self._bears, (raw, *unescaped(raw), narrow, *unescaped(narrow)))):
            return False
        return self._strangers.sub(raw, same_length) == raw

    # steps

    def _step(self, step: Observation) -> Observation:
        kept = (ASKED if asked(step) else frozenset()) | OURS
        values = {f: getattr(step, f) for f in step.__struct_fields__ if f not in kept}
        changed = {f: new for f, old in values.items() if (new := self._field(f, old)) != old}
        if isinstance(step, DnsStep) and "name" in changed:
            told = changed.get("replies", step.replies)
            replies = tuple(msgspec.structs.replace(r, raw=RAW_MARK if r.raw else b"") for r in told)
            changed |= {"query": RAW_MARK if step.query else b"", "replies": replies}
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
            return self._captured.response(value, whole=False)[0]
        if name == "chain":
            return tuple(RAW_MARK if self._tells(der) else der for der in value)
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
        raw = RAW_MARK if told and reply.raw else self._message(reply.raw)
        return msgspec.structs.replace(reply, addresses=addresses, names=names, raw=raw)

    def _message(self, raw: bytes) -> bytes:
        """A DNS message, unless it tells: the own name or address, a subnet of a client (RFC 7871)."""
        return RAW_MARK if self._tells(raw) or self._tells(raw.translate(_LABELS)) else raw

    def _tells(self, raw: bytes) -> bool:
        """Whether a message or certificate, which cannot be cut, holds anything in any form."""
        if self._packed is not None and self._packed.search(raw):
            return True
        if any(one is None or self._bears(one) for one in (raw, *undone(raw))):
            return True
        return self._strangers.sub(raw, same_length) != raw

    def _bears(self, raw: bytes) -> bool:
        """Whether a form stands in it, also in base64, whatever is around."""
        if without_known(raw, self._hashed, same_length) != raw:
            return True
        bare = self._bare
        return bare is not None and any(map(bare.search, (raw, *(said for _, said in coded.decoded(raw)))))

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text(value)
        if isinstance(value, bytes):
            clean = self._cut(value)
            return same_length(len(clean)) if self._hides(clean) else clean
        if isinstance(value, tuple):
            return tuple(map(self._value, value))
        return value

    def _text(self, value: str, *, own_only: bool = False) -> str:
        data = value.encode("utf-8", "surrogatepass")
        clean = self._sub(data, lambda length: RAW_MARK, own_only=own_only)
        if self._hides(clean, own_only=own_only):
            return MARK
        return value if clean == data else text_without_hashes(clean.decode("utf-8", "surrogatepass"))

    # captured bytes

    def _exchange(
        self, exchange: Exchange, step: Observation, kept: Observation
    ) -> tuple[Exchange, Observation]:
        """An exchange, and its step, whose header fields are those of the response."""
        whole = isinstance(step, HttpStep) and step.failure is None and not step.truncated
        response, told = self._captured.response(exchange.response, whole=whole)
        changes: dict[str, Any] = {"response": response, "address": self._place(exchange.address)}
        if not asked(step):
            request, url = self._captured.request(exchange.request), self._text(exchange.url)
            changes |= {"request": request, "url": url}
        if all(getattr(exchange, field) == value for field, value in changes.items()):
            return exchange, kept
        if response != exchange.response and isinstance(kept, HttpStep):
            kept = msgspec.structs.replace(kept, headers=fields_without_hashes(kept.headers, told=told))
        return msgspec.structs.replace(exchange, **changes), kept

    def _hides(self, data: bytes, *, own_only: bool = False) -> bool:
        """Whether undoing a coding brings forth what was not found without."""
        return any(one is None or self._cut(one, own_only=own_only) != one for one in undone(data))

    def _cut(self, data: bytes, *, own_only: bool = False) -> bytes:
        return self._sub(data, same_length, own_only=own_only)

    def _sub(
        self, data: bytes, mark: Callable[[int], bytes], *, own_only: bool = False, deep: int = 2
    ) -> bytes:
        if self._own is not None:
            data = self._own.sub(lambda found: mark(len(found[0])), data)
        data = without_known(data, self._hashed, mark)
        if not own_only:
            data = self._strangers.sub(data, mark)
        if not deep:
            return data
        return coded.without(
            data, lambda said: self._sub(said, same_length, own_only=own_only, deep=deep - 1), mark
        )

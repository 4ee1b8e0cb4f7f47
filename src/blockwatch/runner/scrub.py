"""The volunteer's own public address is cut out of what servers sent back.

Rules of this file: before anything is hashed or written; a cut is marked and keeps the length where
lengths matter (a body under Content-Length stays parseable); nothing else is touched.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from blockwatch.model import Exchange, Measured, Observation

MARK = "[scrubbed]"
_EDGE = rb"(?<![0-9A-Fa-f.:])%s(?![0-9A-Fa-f:]|\.[0-9])"


class Scrubber:
    """Cuts the given addresses."""

    def __init__(self, own: Iterable[str]) -> None:
        texts = sorted({text.encode("ascii") for text in own})
        joined = b"(?:" + b"|".join(re.escape(text) for text in texts) + b")"
        self._bytes = re.compile(_EDGE % joined, re.I) if texts else None
        self._text = re.compile((_EDGE % joined).decode("ascii"), re.I) if texts else None

    def measured(self, measured: Measured) -> Measured:
        """The same measurement without the addresses."""
        if self._bytes is None:
            return measured
        observations = tuple(self._step(step) for step in measured.measurement.observations)
        exchanges = {i: self._exchange(exchange) for i, exchange in measured.exchanges.items()}
        measurement = msgspec.structs.replace(measured.measurement, observations=observations)
        return Measured(measurement=measurement, exchanges=exchanges)

    def _step(self, step: Observation) -> Observation:
        changed: dict[str, Any] = {}
        for field in ("title", "headers", "plaintext", "error", "trust_detail"):
            value = getattr(step, field, None)
            if value:
                clean = self._value(value)
                if clean != value:
                    changed[field] = clean
        return msgspec.structs.replace(step, **changed) if changed else step

    def _value(self, value: Any) -> Any:
        if isinstance(value, str):
            return self._text.sub(MARK, value) if self._text else value
        if isinstance(value, bytes):
            return self._cut(value)
        return tuple(tuple(self._value(part) for part in pair) for pair in value)

    def _exchange(self, exchange: Exchange) -> Exchange:
        clean = self._cut(exchange.response)
        if clean == exchange.response:
            return exchange
        return msgspec.structs.replace(exchange, response=clean)

    def _cut(self, data: bytes) -> bytes:
        if self._bytes is None:
            return data
        return self._bytes.sub(lambda found: _same_length(len(found[0])), data)


def _same_length(length: int) -> bytes:
    """``[scrubbed]`` made to fit ``length`` bytes; an address has at least seven."""
    return MARK.encode("ascii")[:length].ljust(length, b"_")

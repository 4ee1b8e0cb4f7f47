"""Canonical JSON (RFC 8785) of our nouns: one value, one byte sequence, for ever.

RFC 8785 sorts keys by UTF-16 code units, writes no white space and escapes as little as possible.
Our keys are ASCII and our numbers are integers below 2**53, so sorted msgspec output is canonical; only
where somebody's keys lie beyond the Basic Multilingual Plane do code units sort otherwise than characters.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from blockwatch.run import Record

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")
_BEYOND = tuple(bytes([lead]) for lead in range(0xF0, 0xF5))  # first bytes of UTF-8 of four bytes
_record_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def canonical(value: Any) -> bytes:
    """Encode ``value`` as canonical JSON, without a newline."""
    encoded = _encoder.encode(value)
    if not encoded.isascii() and any(lead in encoded for lead in _BEYOND):
        return msgspec.json.encode(_by_code_units(msgspec.json.decode(encoded)))
    return encoded


def _by_code_units(value: Any) -> Any:
    """Put the keys of every object into the order of RFC 8785, section 3.2.3."""
    if isinstance(value, dict):
        keys = sorted(value, key=lambda key: key.encode("utf-16-be"))
        return {key: _by_code_units(value[key]) for key in keys}
    return [_by_code_units(one) for one in value] if isinstance(value, list) else value


def decode_record(line: bytes) -> Record:
    """Decode one line of ``measurements.jsonl``; raises :class:`msgspec.DecodeError`."""
    return _record_decoder.decode(line)


def decode(line: bytes, kind: type[T]) -> T:
    """Decode one JSON value as ``kind``; raises :class:`msgspec.DecodeError`."""
    return msgspec.json.decode(line, type=kind)

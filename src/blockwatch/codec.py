"""Canonical JSON (RFC 8785) of our nouns: one value, one byte sequence, for ever.

RFC 8785 writes no white space and escapes as little as possible. It sorts keys by UTF-16 code units; here
they are sorted as their UTF-8 bytes are, which is the same for our keys, as these are ASCII. Our numbers are
integers below 2**53, so sorted msgspec output is canonical.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from blockwatch.run import Record

T = TypeVar("T")

_encoder = msgspec.json.Encoder(order="sorted")
_record_decoder: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def canonical(value: Any) -> bytes:
    """Encode ``value`` as canonical JSON, without a newline."""
    return _encoder.encode(value)


def decode_record(line: bytes) -> Record:
    """Decode one line of ``measurements.jsonl``; raises :class:`msgspec.DecodeError`."""
    return _record_decoder.decode(line)


def decode(line: bytes, kind: type[T]) -> T:
    """Decode one JSON value as ``kind``; raises :class:`msgspec.DecodeError`."""
    return msgspec.json.decode(line, type=kind)

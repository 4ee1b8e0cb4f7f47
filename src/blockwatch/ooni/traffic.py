"""OONI's ``network_events`` as byte counts of handshakes and responses.

Rules of this file: only what the events of one transaction say is counted; a probe keeps the first 64
reads and writes of a connection, and after that cumulative samples of the bytes received.
"""

from __future__ import annotations

from collections import defaultdict
from typing import NamedTuple

from blockwatch.ooni import fields

_MAX_POINTS = 64
_SAMPLES = "bytes_received_cumulative"


class Moved(NamedTuple):
    """What went over a connection within a span."""

    sent: int = 0
    received: int = 0
    first_byte_us: int | None = None
    progress: tuple[tuple[int, int], ...] = ()


NOTHING = Moved()


class Traffic:
    """The reads and writes of a measurement, by transaction; times in microseconds since its start."""

    def __init__(self, events: object) -> None:
        self._by_number: dict[int, list[tuple[int, str, int]]] = defaultdict(list)
        for event in fields.entries(events):
            told = event.get("num_bytes")  # most events have none
            size = fields.count(told) if told else None
            operation, number = event.get("operation"), event.get("transaction_id")
            if not size or operation not in ("read", "write", _SAMPLES) or type(number) is not int:
                continue
            end = fields.micros(event.get("t"))
            if end is not None:
                self._by_number[number].append((end, operation, size))

    def within(self, number: int | None, start: int, end: int) -> Moved:
        """What moved from ``start`` to ``end``."""
        events = self._by_number.get(number, []) if number is not None else []
        if not events:
            return NOTHING
        sent = received = before = 0
        first: int | None = None
        points: list[tuple[int, int]] = []
        for at, operation, size in sorted(events):
            if operation == "write":
                sent += size if start <= at <= end else 0
            elif operation == "read" and at < start:
                before += size
            elif operation == "read" and at <= end:
                received += size
                first = at - start if first is None else first
                points.append((at - start, received))
            elif operation == _SAMPLES and start < at <= end and size - before > received:
                received = size - before
                first = at - start if first is None else first
                points.append((at - start, received))
        return Moved(sent, received, first, _thinned(points))


def _thinned(points: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """At most 64 points, the first and the last among them."""
    if len(points) <= _MAX_POINTS:
        return tuple(points)
    last = len(points) - 1
    return tuple(points[round(i * last / (_MAX_POINTS - 1))] for i in range(_MAX_POINTS))

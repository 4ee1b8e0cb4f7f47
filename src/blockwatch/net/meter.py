"""A connection that counts: bytes both ways, the first byte back, and how the bytes came in.

Rules of this file: it changes nothing of what passes; a step calls :meth:`Meter.mark` when it
starts and then reads off its own share.
"""

from __future__ import annotations

from collections.abc import Callable

from blockwatch.net.seam import Connection

_POINTS = 64
_SPACING_US = 50_000


class Meter:
    """A :class:`~blockwatch.net.seam.Connection` with counters."""

    def __init__(self, connection: Connection, now_us: Callable[[], int]) -> None:
        self._connection, self._now_us = connection, now_us
        self.mark()

    def mark(self) -> None:
        """Begin a step: counters at zero, the clock at zero."""
        self._start = self._now_us()
        self.sent = self.received = 0
        self.first_byte_us: int | None = None
        self._points: list[tuple[int, int]] = []
        self._last: tuple[int, int] | None = None
        self._spacing_us = _SPACING_US

    async def send(self, data: bytes) -> None:
        """Send all of ``data``."""
        await self._connection.send(data)
        self.sent += len(data)

    async def receive(self, limit: int) -> bytes:
        """Return at most ``limit`` bytes; ``b""`` is FIN."""
        data = await self._connection.receive(limit)
        if data:
            self._note(len(data))
        return data

    def close(self) -> None:
        """Close; never raises."""
        self._connection.close()

    @property
    def progress(self) -> tuple[tuple[int, int], ...]:
        """(microseconds since the mark, bytes so far), at most 64 points, first and last included."""
        if self._last is None or self._points[-1] == self._last:
            return tuple(self._points)
        return (*self._points[: _POINTS - 1], self._last)

    def _note(self, length: int) -> None:
        at = self._now_us() - self._start
        self.received += length
        self._last = (at, self.received)
        if self.first_byte_us is None:
            self.first_byte_us = at
        elif at - self._points[-1][0] < self._spacing_us:
            return
        self._points.append(self._last)
        if len(self._points) >= _POINTS:  # thin out, and sample half as often from now on
            self._points = self._points[::2]
            self._spacing_us *= 2

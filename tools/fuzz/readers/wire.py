"""A connection on which the input arrives: its first byte says in pieces of what size the rest comes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import trio

_PIECES = (1, 3, 100, 1_460, 65_536)


class Wire:
    """A connection on which the input arrives, and then FIN; what is sent goes nowhere."""

    def __init__(self, raw: bytes) -> None:
        self._size, self._left = _PIECES[raw[0] % len(_PIECES)] if raw else 1, raw[1:]

    async def send(self, data: bytes) -> None:
        """Forget it."""

    send_all = send

    async def receive(self, limit: int = 65_536) -> bytes:
        """The next piece."""
        size = min(self._size, limit)
        piece, self._left = self._left[:size], self._left[size:]
        return piece

    receive_some = receive

    def close(self) -> None:
        """Nothing is open."""


def on_the_wire(read: Callable[[Wire], Awaitable[object]]) -> Callable[[bytes], object]:
    """A reader of such a connection as a function of the input."""
    return lambda raw: trio.run(read, Wire(raw))


def pieced(*corpus: bytes) -> list[bytes]:
    """Good input, in small pieces and in larger ones."""
    return [bytes([size]) + raw for raw in corpus for size in (4, 2)]

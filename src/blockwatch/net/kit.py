"""What all measurements of a run share: the network, the roots, the gates, the kept connections.

Rules of this file: nothing here is global; one :class:`Kit` is one run.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import trio

from blockwatch.net import limits
from blockwatch.net.seam import Network
from blockwatch.net.tls import client_context
from blockwatch.net.trust import Trust


class Gates:
    """At most :data:`limits.PARALLEL` connections at a time to one (address, name)."""

    def __init__(self, width: int = limits.PARALLEL) -> None:
        self._width = width
        self._open: dict[tuple[str, str], tuple[trio.Semaphore, list[int]]] = {}

    @asynccontextmanager
    async def hold(self, address: str, name: str) -> AsyncIterator[None]:
        """Wait for a place, and keep it for the length of the block."""
        key = (address, name)
        semaphore, users = self._open.setdefault(key, (trio.Semaphore(self._width), [0]))
        users[0] += 1
        try:
            async with semaphore:
                yield
        finally:
            users[0] -= 1
            if not users[0]:
                self._open.pop(key, None)


class Kit:
    """The shared things of one run. Microseconds of ``origin_us`` are the run's zero."""

    def __init__(self, network: Network, *, ca_file: Path | None = None) -> None:
        self.network = network
        self.trust = Trust(ca_file)
        self.gates = Gates()
        self.origin_us = network.monotonic_us()
        self.ipv4 = network.source(4) is not None
        self.ipv6 = network.source(6) is not None
        self._contexts: dict[tuple[str, ...], ssl.SSLContext] = {}

    def context(self, alpn: tuple[str, ...]) -> ssl.SSLContext:
        """The handshake context that offers ``alpn``."""
        if alpn not in self._contexts:
            self._contexts[alpn] = client_context(alpn)
        return self._contexts[alpn]

"""What a run has learned of its resolvers: kept connections, and who never answers.

Rules of this file: it remembers and counts; it never decides what a silence means.
"""

from __future__ import annotations

from blockwatch.net import limits
from blockwatch.net.kept import Kept
from blockwatch.net.kit import Kit
from blockwatch.net.resolver import Resolver
from blockwatch.net.url import parse_url

_SILENT_AFTER = 10  # questions


class Habits:
    """What a run has learned of its resolvers: the kept connections, and who never answers."""

    def __init__(self, kit: Kit) -> None:
        self._kit = kit
        self._kept: dict[str, Kept] = {}
        self._asked: dict[str, int] = {}
        self._answered: set[str] = set()

    def kept(self, resolver: Resolver) -> Kept:
        """The connections to a DoH resolver."""
        if resolver.text not in self._kept:
            self._kept[resolver.text] = Kept(self._kit, parse_url(resolver.text), limits.RESOLVER_CONNECTIONS)
        return self._kept[resolver.text]

    def asked(self, resolver: str) -> None:
        """One more question."""
        self._asked[resolver] = self._asked.get(resolver, 0) + 1

    def answered(self, resolver: str) -> None:
        """It lives."""
        self._answered.add(resolver)

    def silent(self, resolver: str) -> bool:
        """Asked often and never heard: ask once, and do not wait."""
        return resolver not in self._answered and self._asked.get(resolver, 0) >= _SILENT_AFTER

    def close(self) -> None:
        """Close the kept connections."""
        for kept in self._kept.values():
            kept.close()

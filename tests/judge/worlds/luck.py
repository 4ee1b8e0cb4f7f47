"""Honest worlds in which a server, or the line, fails, stalls or is slow in a share of all tries."""

from __future__ import annotations

from random import Random
from typing import Any

from blockwatch import failure as f
from tests.judge.world import CUT, HOST, SECOND, SILENCE, SITE, Hello, Page
from tests.judge.worlds.say import FAST, FROZEN, HTTP, SLOW, row

HTTPS = f"https://{HOST}/"
NO_BLOCK = "ok down inconclusive"
_BAD: dict[str, Any] = {"slow": SLOW, "frozen": FROZEN, "silent": f.TIMEOUT, "reset": f.RESET}
_SHAKES = {"deaf": SILENCE, "cut": CUT}


class Unsteady:
    """``share`` of all tries go badly, whatever the name: at the site's address, or (``line``) at any."""

    def __init__(self, seed: int, what: str, share: float, *, line: bool = False) -> None:
        self._seed, self._what, self._share, self._line = seed, what, share, line
        self._chance = Random(seed)

    def begin(self) -> None:
        """A run begins."""
        self._chance.seed(self._seed)

    def _strikes(self, address: str) -> bool:
        return (self._line or address == SITE) and self._chance.random() < self._share

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake, perhaps a bad one."""
        return _SHAKES[self._what] if self._what in _SHAKES and self._strikes(address) else None

    def answer(self, address: str, host: str, tls: bool, n: int) -> Page | str | None:
        """A page, perhaps a bad one."""
        if self._what not in _BAD or not (self._line or address == SITE):
            return None
        if self._strikes(address):
            return _BAD[self._what]  # type: ignore[no-any-return]
        return FAST if self._what in ("slow", "frozen") else None

    def fields(self, url: str) -> dict[str, Any]:
        """The fields of such a world; the helper has luck every time."""
        large = {"body_length": FAST.length, "us": SECOND} if self._what in ("slow", "frozen") else {}
        return {"url": url, "begin": self.begin, "shake": self.shake, "answer": self.answer, "control": large}


def unsteady(name: str, seed: int, what: str, share: float, url: str, *, line: bool = False) -> None:
    """A row that luck alone once had accused at ``strong``."""
    row(name, NO_BLOCK, **Unsteady(seed, what, share, line=line).fields(url))


unsteady("a server that is slow in 35 % of all transfers", 39, "slow", 0.35, HTTPS)
unsteady("a server that is slow in 60 % of all transfers, in cleartext", 33, "slow", 0.6, HTTP)
unsteady("a server that stops in 35 % of all transfers", 149, "frozen", 0.35, HTTPS)
unsteady("a server that stops in 60 % of all transfers, in cleartext", 18, "frozen", 0.6, HTTP)
unsteady("a line on which 60 % of all transfers are slow", 172, "slow", 0.6, HTTPS, line=True)
unsteady("a line on which 35 % of all transfers stop", 13, "frozen", 0.35, HTTPS, line=True)
unsteady("a line on which 60 % of all transfers stop, in cleartext", 8, "frozen", 0.6, HTTP, line=True)
unsteady("a server that loses 35 % of all handshakes", 28, "deaf", 0.35, HTTPS)
unsteady("a server that resets 50 % of all handshakes", 7, "cut", 0.5, HTTPS)
unsteady("a line that resets 20 % of all handshakes", 166, "cut", 0.2, HTTPS, line=True)
unsteady("a line that loses 60 % of all requests", 89, "silent", 0.6, HTTPS, line=True)
unsteady("a line that loses 60 % of all handshakes", 156, "deaf", 0.6, HTTPS, line=True)
unsteady("a line that resets 60 % of all requests, in cleartext", 89, "reset", 0.6, HTTP, line=True)


def lossy(bad: Page, url: str) -> dict[str, Any]:
    """A world that treats the site's name so, on a line on which the third copy under another name goes so,
    too.
    """
    seen = [0]

    def carry(sent: str | None, page: Page) -> Page:
        if sent == HOST:
            return bad
        seen[0] += page.length > 100_000
        return bad if page.length > 100_000 and seen[0] == 3 else page

    def begin() -> None:
        seen[0] = 0

    return {"url": url, "page": lambda url, address: FAST, "carry": carry, "begin": begin}


row(
    "throttled by SNI, on a line on which another name's copy is slow once",
    "blocked",
    "throttle.sni",
    "http.throttle",
    grades="strong",
    **lossy(SLOW, HTTPS),
)
row(
    "frozen by SNI, on a line on which another name's copy stops once",
    "blocked",
    "freeze.sni",
    "http.freeze",
    grades="strong",
    **lossy(FROZEN, HTTPS),
)
row(
    "frozen by SNI, in capitals too",
    "blocked",
    "freeze.sni",
    "http.freeze",
    page=lambda url, a: FAST,
    carry=lambda name, page: FROZEN if name and name.lower() == HOST else page,
    grades="strong",
)

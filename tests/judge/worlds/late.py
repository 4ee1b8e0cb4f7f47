"""Worlds in which a reset comes sooner or later than usual, or in which it only seems so."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, HOST, SILENCE, SITE, Hello
from tests.judge.worlds.say import row

for why, took in (
    ("behind a shield that drops the first SYN of each connection", 1_050_000),
    ("where every connection takes longer than a round trip: a radio that wakes up", 320_000),
):
    row(
        f"a site's own resets to this country, {why}",
        "blocked",
        "tls.reset",
        "tls.blocked",
        shake=lambda a, sni, n: CUT if a == SITE else None,
        connect_us=took,
        grades="signs",
    )


class Late:
    """A box that resets the server: it cuts the handshake off, or, every other time, the request."""

    def __init__(self) -> None:
        self.seen = 0

    def begin(self) -> None:
        """A new run."""
        self.seen = 0

    def __call__(self, address: str, sni: str | None, n: int) -> Hello | None:
        if sni is None or sni.lower() != HOST:
            return None
        self.seen += 1
        return CUT if self.seen % 2 else None


late = Late()
row(
    "resets that come in the handshake or a little later",
    "blocked",
    "http.reset",
    "http.blocked",
    shake=late,
    answer=lambda a, h, t, n: f.RESET if h == HOST else None,
    begin=late.begin,
    good=False,
    grades="signs",
)


class Later:
    """Resets by the name in the ClientHello; at the end of the run the first comes late, and at one control
    address nobody is heard.
    """

    def __init__(self) -> None:
        self.last, self.again = 0, 0

    def begin(self) -> None:
        """A new run."""
        self.last, self.again = 0, 0

    def __call__(self, address: str, sni: str | None, n: int) -> Hello | None:
        self.again, self.last = self.again + (n < self.last), n
        if sni is None or sni.lower() != HOST:
            return SILENCE if self.again and address == GOOD[1] else None
        self.again += bool(self.again)
        return None if self.again == 2 else CUT


later = Later()
row(
    "resets by SNI, one of which comes only when the request was sent",
    "blocked",
    "tls.reset.sni",
    "weigh.twice",
    shake=later,
    answer=lambda a, h, t, n: f.RESET if h == HOST and t else None,
    begin=later.begin,
    grades="strong",
)

"""Worlds in which a block stays behind at an address, and what stands around a failing address."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from tests.judge.stage import calm_measurement, changed, measured
from tests.judge.world import GOOD, HOST, OTHER, SECOND, SILENCE, SITE, SITE2, Hello, World, resolves
from tests.judge.worlds.say import HTTP, row


class Lingering:
    """The site's name is dropped, and after it so many flows to the same address, whatever their name."""

    def __init__(self, flows: int) -> None:
        self._flows = flows
        self._left: dict[str, int] = {}

    def begin(self) -> None:
        """A run begins."""
        self._left.clear()

    def drops(self, address: str, name: str | None) -> bool:
        """Whether this flow is dropped."""
        if name == HOST:
            self._left[address] = self._flows
            return True
        self._left[address] = self._left.get(address, 0) - 1
        return self._left[address] >= 0


def lingering(flows: int, *, tls: bool) -> dict[str, Any]:
    """The fields of a world with such a block, by server name or by Host."""
    block = Lingering(flows)
    if tls:
        return {"begin": block.begin, "shake": lambda a, sni, n: SILENCE if block.drops(a, sni) else None}
    return {
        "begin": block.begin,
        "answer": lambda a, host, tls, n: f.TIMEOUT if not tls and block.drops(a, host) else None,
    }


row(
    "a block by server name that lingers",
    "blocked",
    "tls.timeout.sni",
    "site.residue",
    **lingering(4, tls=True),
)
row(
    "a block by Host that lingers",
    "blocked",
    "http.timeout",
    "site.residue",
    url=HTTP,
    **lingering(5, tls=False),
)
row(
    "port 443 cut off, port 80 not",
    "blocked",
    "tcp.timeout",
    "tcp.port",
    dial=lambda address, port, n: f.TIMEOUT if address in (SITE, SITE2) and port == 443 else None,
)
row(
    "one address cut off, its neighbour not",
    "blocked",
    "tcp.timeout.ip",
    "tcp.neighbour",
    dial=lambda address, port, n: f.TIMEOUT if address in (SITE, SITE2) else None,
    others=(calm_measurement(3, SECOND, "next-door.example.com", "62.122.1.77"),),
)
row(
    "a whole network cut off",
    "blocked",
    "tcp.timeout.ip",
    dial=lambda address, port, n: f.TIMEOUT if address.startswith("62.122.1.") else None,
    others=(calm_measurement(3, SECOND, "far-away.example.com", GOOD[0]),),
)


def struck() -> tuple[Any, ...]:
    """Another site, blocked as well, whose name broke at control addresses shortly before."""
    host = "banned.test7.com"
    world = World(
        url=f"https://{host}/",
        lookup=resolves(OTHER),
        site=(OTHER,),
        shake=lambda a, sni, n: SILENCE if sni and sni.lower() == host else None,
    )
    one = measured(world, 30, "first", -100 * SECOND, world.known_good)
    return (changed(one, target=host, url=world.url),)


def living_at(address: str, number: int) -> Measurement:
    """Another site, blocked as well, that lives at a control address and was measured a moment before."""
    host = f"banned{number}.test7.com"
    world = World(
        url=f"https://{host}/",
        lookup=resolves(address),
        site=(address,),
        shake=lambda a, sni, n: SILENCE if sni and sni.lower() == host else None,
        good=False,
    )
    one = measured(world, number, "first", -100 * SECOND, ())
    return changed(one, target=host, url=world.url)


class Left:
    """The site's name is dropped wherever it is sent; another one left a block at the control addresses."""

    def __init__(self) -> None:
        self._left = 5

    def begin(self) -> None:
        """A run begins."""
        self._left = 5

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        if sni and sni.lower() == HOST:
            return SILENCE
        if address in GOOD and self._left:
            self._left -= 1
            return SILENCE
        return None


row(
    "dropped by SNI, where another blocked name left a block at the control addresses",
    "blocked",
    "tls.timeout.sni",
    shake=(left := Left()).shake,
    begin=left.begin,
    others=struck(),
)


row(
    "dropped by SNI, where blocked sites live at the control addresses",
    "blocked",
    "tls.timeout.sni",
    shake=(lived := Left()).shake,
    begin=lived.begin,
    others=tuple(living_at(address, number) for number, address in enumerate(GOOD, 31)),
)


class Lost:
    """The site's name is dropped, then all at its address; the line loses one handshake."""

    def __init__(self) -> None:
        self._asked = 0

    def begin(self) -> None:
        """A run begins."""
        self._asked = 0

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        self._asked += address in GOOD and sni != HOST
        lost = address in GOOD and self._asked == 2
        return SILENCE if (sni and sni.lower() == HOST) or address == SITE or lost else None


row(
    "dropped by SNI with a residual block, on a line that lost one other handshake",
    "blocked",
    "tls.timeout",
    shake=(lost := Lost()).shake,
    begin=lost.begin,
    attempts=1,
)


class Stuck:
    """The site's name is dropped wherever it is sent; one control address drops everybody, another nobody."""

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        return SILENCE if (sni and sni.lower() == HOST) or address == GOOD[1] else None


row(
    "dropped by SNI, where one control address answers nobody",
    "blocked",
    "tls.timeout.sni",
    shake=Stuck().shake,
    grades="strong",
)

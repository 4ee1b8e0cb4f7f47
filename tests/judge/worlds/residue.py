"""Worlds in which a block stays behind at an address, and what stands around a failing address."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from tests.judge.stage import calm_measurement, changed, measured
from tests.judge.world import GOOD, GOOD_AT, HOST, OTHER, SECOND, SILENCE, SITE, SITE2, Hello, World, resolves
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


def living_at(address: str, number: int, start: int = -100, *, good: bool = False) -> Measurement:
    """Another site, blocked as well, that lives at this address and was measured from this second on."""
    host = f"banned{number}.test7.com"
    world = World(
        url=f"https://{host}/",
        lookup=resolves(address),
        site=(address,),
        shake=lambda a, sni, n: SILENCE if sni and sni.lower() == host else None,
        good=good,
    )
    one = measured(world, number, "first", start * SECOND, world.known_good)
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


class Neighbour:
    """Of the handshakes with the site's name those with these numbers are dropped (counted from 0): what a
    neighbour's name left at its address, and at control addresses, hits them.
    """

    def __init__(self, *numbers: int) -> None:
        self._numbers, self._seen = numbers, 0

    def begin(self) -> None:
        """A run begins."""
        self._seen = 0

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        self._seen += sni == HOST
        return SILENCE if sni == HOST and self._seen - 1 in self._numbers else None


neighbour = Neighbour(0, 4, 8, 10, 11, 14, 17, 18, 23)
row(
    "a neighbour at the same address is blocked, and leaves residual blocks all the while",
    "ok inconclusive",
    shake=neighbour.shake,
    begin=neighbour.begin,
    others=tuple(living_at(SITE, 40 + i, 2 + 12 * i, good=True) for i in range(8)),
)


class Behind:
    """Requests for the site's name are dropped; at the end of the run so are the next two to its address."""

    def __init__(self) -> None:
        self._last, self._again, self._left = 0, False, 0

    def begin(self) -> None:
        """A run begins."""
        self.__init__()  # type: ignore[misc]

    def answer(self, address: str, host: str, tls: bool, n: int) -> str | None:
        """A request."""
        self._again, self._last = self._again or n < self._last, n
        if host.lower() == HOST:
            self._left = 2 if self._again and not self._left else self._left
            return f.TIMEOUT
        if address == SITE and self._left > 0:
            self._left = self._left - 1 or -1
            return f.TIMEOUT
        return f.TIMEOUT if address in GOOD and GOOD_AT.get(host) != address else None


behind = Behind()
row(
    "dropped by Host, which leaves a block once; control servers know their own names alone",
    "blocked",
    "http.timeout",
    url=HTTP,
    answer=behind.answer,
    begin=behind.begin,
    grades="signs",
)

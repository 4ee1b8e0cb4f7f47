"""Worlds in which packets are lost, servers fail at times, and boxes miss what they look for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, GOOD_HOSTS, HOST, SECOND, SITE, SITE2, Page
from tests.judge.worlds.say import FAST, HTTP, SLOW, broken_for_control, by_host, on_address, row

LONG = Page(title="Dear subscriber", length=24_000, headers=(("Content-Type", "text/html"),))
PART = Page(title="Dear subscriber", length=9_000, headers=(("Content-Type", "text/html"),), stall=True)


def counted(answer: Any, other: Any, *numbers: int, only_far: bool = False) -> tuple[Callable[..., Any], Any]:
    """``answer`` to requests for the site's name but those with these numbers (of the whole run, counted from
    0), which get ``other``; and what begins a run anew. ``only_far``: those to control addresses are counted.
    """
    seen = [0]

    def says(address: str, host: str, tls: bool, n: int) -> Any:
        if host != HOST or tls:
            return None
        if only_far and address not in GOOD:
            return answer
        seen[0] += 1
        return other if seen[0] - 1 in numbers else answer

    def begin() -> None:
        seen[0] = 0

    return says, begin


def several(name: str, states: str, mechanism: str, rule: str, says: tuple[Any, Any], **world: Any) -> None:
    """A row whose requests are counted."""
    answer, begin = says
    row(name, states, mechanism, rule, url=HTTP, answer=answer, begin=begin, **world)


# A server that resets every strange name, where no other control was known yet when it was asked.
row(
    "a site that is dead behind its front, no helper; the only control's server resets strange names",
    "inconclusive",
    rule="http.alone",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE or h not in GOOD_HOSTS else None,
    control=None,
    goods=1,
)
row(
    "RST on Host, no helper; one control is known, whose server answers every name",
    "blocked",
    "http.reset.host",
    "http.name",
    url=HTTP,
    answer=by_host(f.RESET),
    control=None,
    goods=1,
)
row(
    "SNI reset, no helper; one control is known, whose server answers every name",
    "blocked",
    "tls.reset.sni",
    "tls.name",
    shake=lambda a, sni, n: CUT if sni == HOST else None,
    control=None,
    goods=1,
)

# Every server fails now and then: requests for the name were unlucky.
several(
    "three requests for the name are reset, the first and two at unrelated servers, no more of them",
    "ok",
    "",
    "page.cleartext",
    counted(None, f.RESET, 0, 1, 2),
)
several(
    "a censor that strikes three of four requests for the name, the first among them",
    "blocked",
    "http.reset.host",
    "http.flaky",
    counted(f.RESET, None, 3, 7, 11, 15, 19),
    grades="signs",
)
several(
    "the same, and at the end of the run it misses",
    "blocked",
    "http.reset.host",
    "weigh.passed",
    counted(f.RESET, None, 5, 8, *range(12, 60)),
    grades="signs",
)

# What is lost on the way.
several(
    "RST on Host, no helper; what comes from one unrelated address is lost",
    "blocked",
    "http.reset.host",
    "http.name",
    counted(f.RESET, f.TIMEOUT, 1, 4, only_far=True),
    control=None,
)
several(
    "a long page is injected, and breaks off every other time",
    "blocked inconclusive",
    "http.blockpage",
    "page.cleartext",
    counted(LONG, PART, *range(0, 60, 2)),
)
several(
    "a page is injected, the first repeat breaks off",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    counted(LONG, PART, 1),
    attempts=1,
)
several(
    "RST on Host, but the first request passed; the control has no answer",
    "blocked",
    "http.reset.host",
    "",
    counted(f.RESET, None, 0),
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control=broken_for_control(http_failure=f.TIMEOUT),
)

row(
    "the helper's answer is lost the first time",
    "ok",
    rule="page.cleartext",
    url=HTTP,
    shake=lambda a, sni, n: CUT if a == SITE else None,
    control={"failure": f.TIMEOUT},
    again=lambda url: {"failure": None},
)


class Dying:
    """A resolver that denies the name at first, and answers nobody from the second measurement on."""

    def __init__(self) -> None:
        self.last, self.dead = 0, False

    def begin(self) -> None:
        """A new run."""
        self.last, self.dead = 0, False

    def __call__(self, resolver: str, name: str, n: int) -> Any:
        self.dead, self.last = self.dead or n < self.last, n
        if resolver not in ("system", "line"):
            return (SITE,)
        if self.dead:
            return f.TIMEOUT
        return f.NXDOMAIN if name == HOST else (SITE,)


dying = Dying()
row(
    "NXDOMAIN at first; at the end of the run the resolver is dead",
    "blocked",
    "dns.nxdomain",
    "weigh.earlier",
    lookup=dying,
    begin=dying.begin,
    grades="signs",
)
row(
    "NXDOMAIN, for the control name as well, but not for a name that nobody blocks",
    "blocked",
    "dns.nxdomain",
    "dns.fails",
    lookup=lambda r, name, n: (
        f.NXDOMAIN if r in ("system", "line") and name in (HOST, *GOOD_HOSTS) else (SITE,)
    ),
    calm=False,
)
row(
    "the resolver denies every name",
    "ok inconclusive",
    rule="dns.dead",
    lookup=lambda r, name, n: f.NXDOMAIN if r in ("system", "line") else (SITE,),
    calm=False,
)


class Slowing:
    """A page that is throttled by name; from the second measurement on the helper is as slow, and the server
    gives no page under another name.
    """

    def __init__(self) -> None:
        self.last, self.again = 0, False

    def begin(self) -> None:
        """A new run."""
        self.last, self.again = 0, False

    def __call__(self, address: str, host: str, tls: bool, n: int) -> Any:
        self.again, self.last = self.again or n < self.last, n
        if host == HOST and not tls:
            return SLOW
        return f.RESET if self.again and address == SITE else FAST

    def control(self, url: str) -> dict[str, Any]:
        """How long the helper needs."""
        return {"us": 20 * SECOND} if self.again else {}


slowing = Slowing()
row(
    "throttled at first, and slow again at the end of the run, where nothing could be compared",
    "blocked",
    "throttle",
    "weigh.earlier",
    url=HTTP,
    answer=slowing,
    begin=slowing.begin,
    page=lambda url, a: FAST,
    controls=slowing.control,
    grades="signs",
)


class Forgetful:
    """A resolver whose first answer is lost."""

    def __init__(self) -> None:
        self.seen = 0

    def begin(self) -> None:
        """A new run."""
        self.seen = 0

    def __call__(self, resolver: str, name: str, n: int) -> Any:
        if resolver != "system" or name != HOST:
            return (SITE2,) if resolver == "line" and name == HOST else (SITE,)
        self.seen += 1
        return f.DNS_TEMPORARY if self.seen == 1 else (SITE2,)


forgetful = Forgetful()
row(
    "the node that the resolver gives is dropped, and its first answer is lost",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    lookup=forgetful,
    begin=forgetful.begin,
    dial=on_address(f.TIMEOUT, SITE2),
)

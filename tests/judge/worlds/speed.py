"""Worlds in which pages come slowly, or stop coming."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import GOOD_HOSTS, HOST, SECOND, SITE, Page
from tests.judge.worlds.say import (
    FAST,
    FROZEN,
    HTTP,
    SLOW,
    broken_for_control,
    by_host,
    row,
)

NEIGHBOUR = Page(title="Another house's front page", length=400_000, us=500_000)

row(
    "throttled by SNI",
    "blocked",
    "throttle.sni",
    "http.throttle",
    page=lambda url, a: FAST,
    carry=lambda name, page: SLOW if name == HOST else page,
    grades="strong",
)
row(
    "slow by SNI, no helper: a slow host beside a quick one, perhaps",
    "blocked",
    "throttle.sni",
    "http.throttle",
    page=lambda url, a: SLOW,
    carry=lambda name, page: SLOW if name == HOST else FAST,
    control=None,
    grades="signs",
)
row(
    "slow for everybody beside another site that is quick, over TLS, no helper",
    "ok",
    page=lambda url, a: SLOW,
    carry=lambda name, page: page if name == HOST else NEIGHBOUR,
    control=None,
)
row(
    "frozen by SNI, no helper: a host that stops beside a quick one, perhaps",
    "blocked",
    "freeze.sni",
    "http.freeze",
    page=lambda url, a: FROZEN,
    carry=lambda name, page: FROZEN if name == HOST else FAST,
    control=None,
    grades="signs",
)
row(
    "frozen by SNI",
    "blocked",
    "freeze.sni",
    "http.freeze",
    page=lambda url, a: FAST,
    carry=lambda name, page: FROZEN if name == HOST else page,
    grades="strong",
)
row(
    "frozen, nothing to compare with",
    "blocked inconclusive",
    "freeze",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=by_host(FROZEN),
)
row(
    "throttled in cleartext",
    "blocked",
    "throttle",
    "http.throttle",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=by_host(SLOW),
    grades="signs strong",
)
NOT_HERE = Page(status=404, title="No such host here", length=300)
OWN_NAMES = (HOST, HOST + ".")
row(
    "throttled in cleartext by a server that knows its own name only",
    "blocked",
    "throttle.host",
    "http.throttle",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NOT_HERE,
    carry=lambda name, page: SLOW if name == HOST else page,
    grades="strong",
)
row(
    "frozen in cleartext by a server that knows its own name only",
    "blocked",
    "freeze.host",
    "http.freeze",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NOT_HERE,
    carry=lambda name, page: FROZEN if name == HOST else page,
    grades="strong",
)
row(
    "throttled in cleartext however the name is spelled",
    "blocked",
    "throttle",
    "http.throttle",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NOT_HERE,
    carry=lambda name, page: SLOW if name in OWN_NAMES else page,
    grades="signs",
)
row(
    "stalls for everybody",
    "down inconclusive ok",
    page=lambda url, a: FROZEN,
    control=broken_for_control(http_failure=f.TIMEOUT),
)

# One host of a server may be slow for everybody, and its neighbour quick.
row(
    "a slow host beside a quick one, in cleartext",
    "ok down inconclusive",
    url=HTTP,
    page=lambda url, a: SLOW,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NEIGHBOUR,
    control=broken_for_control(http_failure=f.TIMEOUT, us=15_000_000),
)
row(
    "a slow host beside a quick one, in cleartext, no helper",
    "ok down inconclusive",
    url=HTTP,
    page=lambda url, a: SLOW,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NEIGHBOUR,
    control=None,
)
row(
    "a host that stops beside a quick one, in cleartext, no helper",
    "ok down inconclusive",
    url=HTTP,
    page=lambda url, a: FROZEN,
    answer=lambda a, h, t, n: None if h in OWN_NAMES or a != SITE else NEIGHBOUR,
    control=None,
)

row(
    "a page that comes in part only, and not at all when asked for again",
    "inconclusive blocked",
    "throttle",
    answer=lambda a, h, tls, n: (
        Page(length=16_384, us=21 * SECOND, truncated=True) if n < 10 else f.TIMEOUT if h == HOST else None
    ),
    attempts=1,
)

row(
    "throttled by name, and one of the control names is itself frozen",
    "blocked",
    "throttle.sni",
    "http.throttle",
    page=lambda url, a: FAST,
    carry=lambda name, page: SLOW if name == HOST else FROZEN if name == GOOD_HOSTS[0] else page,
)
row(
    "throttled by SNI, and a helper whose line was busy when it was first asked",
    "blocked",
    "throttle.sni",
    "http.throttle",
    page=lambda url, a: FAST,
    carry=lambda name, page: SLOW if name == HOST else page,
    control={"us": 9 * SECOND},
    again=lambda url: {"us": SECOND},
    grades="strong",
)
row(
    "frozen by SNI, and a helper whose line was busy when it was first asked",
    "blocked",
    "freeze.sni",
    "http.freeze",
    page=lambda url, a: FAST,
    carry=lambda name, page: FROZEN if name == HOST else page,
    control={"us": 9 * SECOND},
    again=lambda url: {"us": SECOND},
)

"""Worlds in which pages come slowly, or stop coming."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import HOST
from tests.judge.worlds.say import (
    FAST,
    FROZEN,
    HTTP,
    SLOW,
    broken_for_control,
    by_host,
    row,
)

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
row(
    "stalls for everybody",
    "down inconclusive ok",
    page=lambda url, a: FROZEN,
    control=broken_for_control(http_failure=f.TIMEOUT),
)

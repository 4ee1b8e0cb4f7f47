"""Worlds in which requests, pages or redirects are interfered with, or refused."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, GOOD_HOSTS, HOST, SITE, Page
from tests.judge.worlds.say import (
    BLOCK,
    HTTP,
    block_server,
    broken_for_control,
    by_host,
    row,
)

# HTTP.
row("RST on Host", "blocked", "http.reset", url=HTTP, answer=by_host(f.RESET), grades="strong")
row("FIN on Host", "blocked", "http.eof", url=HTTP, answer=by_host(f.EOF))
row("drop on Host", "blocked", "http.timeout", url=HTTP, answer=by_host(f.TIMEOUT))
row(
    "drop on Host, no helper",
    "blocked",
    "http.timeout.host",
    "http.name",
    url=HTTP,
    answer=by_host(f.TIMEOUT),
    control=None,
)
row(
    "RST on Host at one address only",
    "blocked",
    "http.reset",
    "http.blocked",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and h == HOST and not t else None,
)
row(
    "reset for one Host at one address, no helper: a dead back end, perhaps",
    "inconclusive",
    rule="http.alone",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and h == HOST and not t else None,
    control=None,
)
row(
    "flaky RST on Host",
    "blocked",
    "http.reset.host",
    "http.flaky",
    url=HTTP,
    attempts=1,
    answer=lambda a, h, t, n: f.RESET if h == HOST and not t and (n < 8 or a in GOOD or n % 2) else None,
    grades="signs",
)
row(
    "server resets everybody",
    "down",
    rule="http.down",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE else None,
    control=broken_for_control(),
)
row(
    "request fails, nothing known",
    "inconclusive",
    rule="http.alone",
    url=HTTP,
    answer=by_host(f.TIMEOUT),
    control=None,
    good=False,
)
row(
    "text that is not HTTP on Host",
    "blocked",
    "http.blockpage",
    "http.name",
    url=HTTP,
    answer=by_host(f.HTTP_GARBAGE),
)
row(
    "block page with Content-Length (Z)",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=by_host(BLOCK),
    grades="confirmed",
)
row(
    "block page, no helper",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=by_host(BLOCK),
    control=None,
    grades="strong",
)

# A server that refuses this country.
row(
    "a server that refuses this country cuts every request",
    "blocked",
    "http.eof",
    "http.blocked",
    url=HTTP,
    answer=lambda a, h, t, n: f.EOF if a == SITE else None,
    grades="signs",
)

# A server that fails for everybody now and then, and a control that is lucky.
row(
    "a server that resets two thirds of everybody's requests, here every one",
    "inconclusive ok down",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and (h == HOST or n % 3) else None,
    shake=lambda a, sni, n: CUT if a == SITE else None,
    page=lambda url, a: Page(),
    control=None,
    attempts=1,
)
row(
    "the same, and a helper that was lucky once",
    "inconclusive ok down",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and (h == HOST or n % 3) else None,
    again=lambda url: broken_for_control(http_failure=f.RESET),
)
row(
    "the same, and nothing to compare with but the helper, asked three times in vain but once",
    "inconclusive ok down",
    url=HTTP,
    good=False,
    answer=lambda a, h, t, n: f.RESET if a == SITE else None,
    again=lambda url: broken_for_control(http_failure=f.RESET),
)

# A gateway of a company, a school or a home that says so itself.
for title, page in (
    ("FortiGuard", Page(title="FortiGuard Intrusion Prevention - Access Blocked", length=3_000)),
    ("OpenDNS", Page(status=302, title=None, length=0, location="https://block.opendns.com/?url=x")),
    ("a school's", Page(status=403, title="Blocked by Smoothwall", length=900)),
):
    row(
        f"a gateway's page that names {title} filter",
        "blocked inconclusive refused",
        "http.",
        url=HTTP,
        answer=by_host(page),
        controls=block_server,
        grades="signs",
    )

# The control is in trouble of its own.
row(
    "RST on Host; the control gets no answer at all",
    "blocked",
    "http.reset.host",
    "http.name",
    url=HTTP,
    answer=by_host(f.RESET),
    control=broken_for_control(http_failure=f.TIMEOUT),
)
row(
    "RST on Host, for the helper as well",
    "blocked",
    "http.reset.host",
    "http.name",
    url=HTTP,
    answer=by_host(f.RESET),
    control=broken_for_control(http_failure=f.RESET),
)
row(
    "a server that resets every request, the helper's as well",
    "down",
    rule="http.down",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE else None,
    control=broken_for_control(http_failure=f.RESET),
)


class Tired:
    """A censor that strikes the name everywhere, and from the second measurement on at the site only."""

    def __init__(self) -> None:
        self.measured, self.last = 0, 0

    def begin(self) -> None:
        """A new run."""
        self.measured, self.last = 0, 0

    def __call__(self, address: str, host: str, tls: bool, n: int) -> str | None:
        if n < self.last:
            self.measured += 1
        self.last = n
        struck = host == HOST and not tls and (address == SITE or not self.measured)
        return f.RESET if struck else None


tired = Tired()
row(
    "resets by Host that an unrelated address shows at first only",
    "blocked",
    "http.reset.host",
    "weigh.twice",
    url=HTTP,
    answer=tired,
    begin=tired.begin,
    grades="strong",
)


class Spilt:
    """Resets by Host; of what the one control address at hand answers to its own name, one page is lost."""

    def __init__(self) -> None:
        self.asked = 0

    def begin(self) -> None:
        """A new run."""
        self.asked = 0

    def __call__(self, address: str, host: str, tls: bool, n: int) -> str | None:
        if host == HOST and not tls:
            return f.RESET
        self.asked += address == GOOD[0] and host == GOOD_HOSTS[0]
        return f.TIMEOUT if address == GOOD[0] and host == GOOD_HOSTS[0] and self.asked % 3 == 2 else None


spilt = Spilt()
row(
    "resets by Host, the control gets no answer, and one page of the one control address is lost",
    "blocked",
    "http.reset.host",
    "http.name",
    url=HTTP,
    answer=spilt,
    begin=spilt.begin,
    control=broken_for_control(http_failure=f.TIMEOUT),
    goods=1,
)

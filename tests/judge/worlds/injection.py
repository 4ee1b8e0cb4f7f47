"""Worlds looked into by a run of tier 2: who answers that cannot?"""

from __future__ import annotations

from collections.abc import Callable

from blockwatch import failure as f
from blockwatch.followup import ROOT_SERVERS
from tests.judge.world import DOH, GOOD, HOST, SITE, Answer
from tests.judge.worlds.say import late_truth, row

FALSE = ("31.13.94.37",)
STRANGERS = tuple(f"udp://{address}:53" for address in GOOD)
ROOTS = tuple(f"udp://{address}:53" for _, address in ROOT_SERVERS)


def path(
    home: Answer,
    stranger: Answer = f.TIMEOUT,
    root: Answer = f.NO_ANSWER,
    *,
    calm: Answer = f.TIMEOUT,
    calm_root: Answer = f.NO_ANSWER,
) -> Callable[[str, str, int], Answer]:
    """Answers for the site's name: resolvers over UDP, strangers, root servers; and for a calm one."""

    def lookup(resolver: str, name: str, n: int) -> Answer:
        if resolver in STRANGERS:
            return stranger if name == HOST else calm
        if resolver in ROOTS:
            return root if name == HOST else calm_root
        return (SITE,) if name != HOST or resolver == DOH else home

    return lookup


row(
    "tier 2: answers made up on the way",
    "blocked",
    "dns.injection",
    "dns.nobody",
    lookup=path(FALSE, FALSE, FALSE),
    tier=2,
    grades="confirmed",
)
row(
    "tier 2: answers made up on the way to root servers",
    "blocked",
    "dns.injection",
    "dns.root",
    lookup=path(f.NXDOMAIN, f.TIMEOUT, f.NXDOMAIN),
    tier=2,
    grades="confirmed",
)
row(
    "tier 2: a router that answers for everybody",
    "blocked",
    "dns.nxdomain",
    "dns.everybody",
    lookup=path(f.NXDOMAIN, f.NXDOMAIN, f.NXDOMAIN, calm=(SITE,), calm_root=(SITE,)),
    tier=2,
    grades="signs",
)
row(
    "tier 2: queries dropped on the way",
    "blocked",
    "dns.timeout",
    "dns.dropped",
    lookup=path(f.TIMEOUT, f.TIMEOUT, f.TIMEOUT),
    tier=2,
)


def _at_times(resolver: str, name: str, n: int) -> Answer:
    """Answers are made up on the way; the true one came first once, for the line's own resolver."""
    if resolver == "system" and name == HOST and n % 2:
        return (SITE,)
    return path(FALSE, FALSE, FALSE)(resolver, name, n)


row(
    "tier 2: answers made up on the way, which lose a race now and then",
    "blocked",
    "dns.injection",
    "dns.nobody",
    lookup=_at_times,
    late=late_truth,
    tier=2,
    grades="confirmed",
)

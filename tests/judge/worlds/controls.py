"""Worlds in which the run's own control targets meet what the site meets, or do not."""

from __future__ import annotations

from typing import Any

from blockwatch.model import Measurement
from tests.judge.stage import changed, measured
from tests.judge.world import CUT, HOST, OTHER, SECOND, Hello, Page, World, resolves
from tests.judge.worlds.say import HTTP, row

CASHIER = Page(title="Please top up your balance", length=600, headers=(("Content-Type", "text/html"),))


def control(number: int, host: str, scheme: str, **world: Any) -> Measurement:
    """A control target, measured before the site."""
    made = World(url=f"{scheme}://{host}/", lookup=resolves(OTHER), site=(OTHER,), good=False, **world)
    one = measured(made, number, "first", number * SECOND, ())
    return changed(one, target=host, url=made.url, role="control")


def shown(number: int, host: str) -> Measurement:
    """One that is shown the cashier's page."""
    return control(number, host, "http", answer=lambda a, h, t, n: None if t else CASHIER)


def cut(number: int, host: str) -> Measurement:
    """One that is cut off."""
    return control(number, host, "https", shake=lambda a, sni, n: CUT)


def works(number: int, host: str) -> Measurement:
    """One that works."""
    return control(number, host, "https", shake=lambda a, sni, n: Hello())


NAMES = ("www.iana.org", "www.kernel.org", "www.debian.org", "www.python.org")
SPENT = {"url": HTTP, "answer": lambda a, h, t, n: CASHIER if h.lower() == HOST and not t else None}
LISTED = {"shake": lambda a, sni, n: CUT if sni and sni.lower() == HOST else None}
row(
    "the bill is unpaid; names on a list are passed on, control targets are not",
    "inconclusive",
    rule="line.controls",
    others=tuple(shown(30 + i, name) for i, name in enumerate(NAMES)),
    **SPENT,
)
row(
    "the bill is unpaid; one control target in cleartext shows it, the others are cut off",
    "inconclusive",
    rule="line.controls",
    others=(shown(30, NAMES[0]), *(cut(31 + i, name) for i, name in enumerate(NAMES))),
    **SPENT,
)
row(
    "all but a list of names is cut off, control targets too",
    "inconclusive",
    rule="line.controls",
    others=tuple(cut(30 + i, name) for i, name in enumerate(NAMES)),
    **LISTED,
)
row(
    "a page by Host, which one control target of the run is shown as well",
    "blocked",
    "http.blockpage.host",
    others=(shown(30, NAMES[0]),),
    **SPENT,
)
row(
    "cut off by SNI; of the control targets one is cut off, too",
    "blocked",
    "tls.reset.sni",
    others=(cut(30, NAMES[0]), works(31, NAMES[1]), works(32, NAMES[2])),
    grades="strong",
    **LISTED,
)

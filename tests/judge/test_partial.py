"""Sites of which some addresses fail."""

from __future__ import annotations

from typing import Any

import pytest

from blockwatch import failure as f
from blockwatch.model import Endpoint
from blockwatch.run import Vantage
from blockwatch.verdict import State
from tests.judge.stage import changed, measured, play
from tests.judge.world import CUT, SECOND, SITE, SITE2, World, resolves
from tests.judge.worlds.say import ends, on_address


@pytest.mark.parametrize(
    ("seen", "partial"),
    [
        (ends() + ends(address=SITE2), True),
        (ends() + ends(tcp=f.TIMEOUT, address=SITE2), False),
        (ends(), False),
    ],
    ids=["works for the control", "dead for the control", "not asked by the control"],
)
@pytest.mark.parametrize("layer", ["tcp", "tls"])
def test_some_addresses_fail(layer: str, seen: tuple[Endpoint, ...], partial: bool) -> None:
    """An old address may be dead for everybody; `partial` is for those that the control reaches."""
    failing: dict[str, Any] = {
        "tcp": {"dial": on_address(f.TIMEOUT, SITE2)},
        "tls": {"shake": lambda a, sni, n: CUT if a == SITE2 else None},
    }[layer]
    verdicts, _ = play(World(lookup=resolves(SITE, SITE2), control={"endpoints": seen}, **failing))
    assert (verdicts[-1].state, verdicts[-1].partial) == (State.OK, partial)
    assert "site.partial" in [reason.rule for reason in verdicts[-1].why]


@pytest.mark.parametrize(
    "worked", [False, True], ids=["nothing came over IPv6", "another site came over IPv6"]
)
def test_a_line_without_way_out_for_ipv6_is_no_block(worked: bool) -> None:
    """A home line with a public IPv6 address and no route: IPv6 fails for each site, not for the control."""
    ours, theirs = "2a02:6b8::1:1", "2a02:6b8::2:1"
    other = World(url="https://other.test/", site=(theirs,), lookup=resolves(theirs))
    verdicts, _ = play(
        World(
            vantage=Vantage(asn=9198, ipv4=True, ipv6=True),
            lookup=resolves(ours, SITE),
            dial=on_address(f.TIMEOUT, ours),
            control={"endpoints": ends() + ends(address=ours)},
            others=(changed(measured(other, 3, "first", 2 * SECOND, ()), target="other", url=other.url),)
            if worked
            else (),
        )
    )
    assert (verdicts[-1].state, verdicts[-1].partial) == (State.OK, worked)
    assert "site.partial" in [reason.rule for reason in verdicts[-1].why]

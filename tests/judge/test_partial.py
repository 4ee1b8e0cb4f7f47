"""Sites of which some addresses fail."""

from __future__ import annotations

from typing import Any

import pytest

from blockwatch import failure as f
from blockwatch.model import Endpoint
from blockwatch.verdict import State
from tests.judge.stage import play
from tests.judge.world import CUT, SITE, SITE2, World, resolves
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

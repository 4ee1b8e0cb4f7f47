"""Every described world gets its true verdict."""

from __future__ import annotations

import pytest

from blockwatch.verdict import State
from tests.judge.stage import play
from tests.judge.worlds import WORLDS


@pytest.mark.parametrize("name", WORLDS)
def test_world(name: str) -> None:
    row = WORLDS[name]
    verdicts, _ = play(row.world)
    final = verdicts[-1]
    told = f"{final.state} {final.grade} {final.mechanism}: {[(r.rule, r.text) for r in final.why]}"
    assert final.final
    assert final.state in row.states.split(), told
    if final.state is State.BLOCKED:
        assert final.mechanism is not None
        assert final.mechanism.startswith(row.mechanism), told
        assert final.grade in row.grades.split(), told
        assert final.failed_step in ("dns", "tcp", "tls", "http")
        assert all(reason.witnesses for reason in final.why), told
    if row.rule:
        assert row.rule in [reason.rule for reason in final.why], told

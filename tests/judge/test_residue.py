"""Blocks that linger: who is waited for, and what the waiting tells."""

from __future__ import annotations

from dataclasses import replace

import msgspec
import pytest

from blockwatch import failure as f
from blockwatch.judge import judge_run, lingering
from blockwatch.model import Purpose, TlsStep
from blockwatch.verdict import State
from tests.judge.stage import answered, calm_measurement, connected, frame, measured, play
from tests.judge.world import SECOND, SILENCE, SITE, World
from tests.judge.worlds import WORLDS

HELD = WORLDS["a block by server name that lingers"].world


def asked(world: World, *, alone: bool = False) -> list[str]:
    """The addresses waited for after one measurement of a world."""
    world.begin()
    one = measured(world, 1, "first", 0, world.known_good)
    others = set() if alone else {f"{SITE}:443"}
    wanted = lingering(
        one.observations, world.known_good, connected([one]) | others, answered([one]) | others
    )
    assert all(request.purpose is Purpose.RESIDUE and request.server_name for request in wanted)
    return [request.address for request in wanted]


def test_where_every_name_breaks_a_control_name_must_pass_first() -> None:
    assert asked(HELD) == [SITE]
    assert asked(HELD, alone=True) == [SITE]  # the control shook hands: it is alive
    assert asked(replace(HELD, control=None), alone=True) == [SITE]  # the name fails elsewhere, too


def test_an_address_that_no_longer_takes_connections_is_waited_for() -> None:
    muted = World(dial=lambda address, port, n: f.TIMEOUT if address == SITE else None)
    assert asked(muted) == [SITE]
    assert asked(muted, alone=True) == []  # it never took one


@pytest.mark.parametrize(
    "world", [World(), World(shake=lambda a, sni, n: SILENCE if sni and "site" in sni else None)]
)
def test_nobody_waits_where_other_names_pass(world: World) -> None:
    assert asked(world) == []


def test_nobody_waits_for_a_server_that_nothing_shows_to_be_alive() -> None:
    dead = World(shake=lambda address, sni, n: SILENCE if address == SITE else None, control=None)
    assert asked(dead, alone=True) == []


@pytest.mark.parametrize("hop", [0, 1, 5])
def test_what_was_sent_while_waiting_is_no_hop_of_the_site(hop: int) -> None:
    plain, made = play(World(attempts=1))
    one = made[-1]
    waits = [
        msgspec.structs.replace(step, purpose=Purpose.RESIDUE, hop=hop, flow=900)
        for step in made[0].observations
        if isinstance(step, TlsStep)
    ]
    steps = (*waits, *one.observations)
    steps = tuple(msgspec.structs.replace(step, i=i) for i, step in enumerate(steps))
    open_, close = frame(World(), len(made))
    waited = msgspec.structs.replace(one, observations=steps)
    verdict = [v for v in judge_run(open_, [*made[:-1], waited], close) if v.target == "site"][-1]
    assert (verdict.state, verdict.mechanism) == (plain[-1].state, plain[-1].mechanism) == (State.OK, None)


def test_a_measurement_that_was_stopped_while_waiting_undoes_nothing() -> None:
    HELD.begin()
    calm = calm_measurement(1, 0)
    first = measured(HELD, 2, "first", 2 * SECOND, HELD.known_good)
    held = lingering(first.observations, HELD.known_good, set(), set())
    again = measured(HELD, 3, "retest", 300 * SECOND, HELD.known_good, held)
    only = tuple(step for step in again.observations if step.purpose is Purpose.RESIDUE)
    stopped = msgspec.structs.replace(again, observations=only, stopped="budget")
    open_, close = frame(HELD, 3)
    final = judge_run(open_, [calm, first, stopped], close)[-1]
    assert only
    assert (final.state, final.mechanism) == (State.BLOCKED, "tls.timeout.sni")

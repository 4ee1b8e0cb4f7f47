"""A stage on which a described world is played: it gives the observations that a run there would record.

Rules of this file:

* no network and no time: a world is a few plain functions, the runner a loop over them;
* follow-ups are carried out as asked, so that questions and judgement are tested together;
* the ground of every world: a control target that works, two addresses of it, a helper that sees the
  site's servers without the censor.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from blockwatch.followup import FlowRequest, KnownGood
from blockwatch.judge import judge_run, lingering, next_steps, wants_retest
from blockwatch.model import (
    HttpStep,
    Measurement,
    TcpStep,
    TlsStep,
)
from blockwatch.run import RunClose, RunOpen
from blockwatch.target import Target
from blockwatch.verdict import Verdict
from tests.judge.player import Player
from tests.judge.world import GOOD, GOOD_HOSTS, HOST, SECOND, World, resolves


def measured(
    world: World,
    seq: int,
    attempt: str,
    start: int,
    known_good: Sequence[KnownGood],
    held: Sequence[FlowRequest] = (),
) -> Measurement:
    """One measurement with its follow-ups; ``held``: what must pass before it, as the runner waits for it."""
    player = Player(world, start)
    for number in range(8 if held else 0):
        before = len(player.steps)
        player.follow_up([msgspec.structs.replace(request, round=number) for request in held])
        if not any(step.failure for step in player.steps[before:]):
            break
        player.t += 15 * SECOND
    if world.probe == "dns":
        for resolver in world.resolvers:
            player.look_up(resolver, HOST)
    else:
        player.measure()
    for _ in range(12):
        wanted = next_steps(tuple(player.steps), known_good, attempt, world.tier)
        if not wanted:
            break
        player.follow_up(wanted)
    else:
        raise AssertionError("the questions do not end")
    return Measurement(
        id=f"{'0' * 16}-{seq:06}",
        seq=seq,
        target="site",
        url=world.url,
        probe=world.probe,
        probe_version="1",
        role=world.role,
        attempt=attempt,
        started=1_790_000_000_000_000 + start,
        us=player.t - start,
        observations=tuple(player.steps),
    )


def calm_measurement(seq: int, start: int, host: str = GOOD_HOSTS[0], address: str = GOOD[0]) -> Measurement:
    """A control target that works."""
    world = World(url=f"https://{host}/", site=(address,), lookup=resolves(address), control=None)
    player = Player(world, start)
    player.measure()
    made = Measurement(
        id=f"{'0' * 16}-{seq:06}",
        seq=seq,
        target=f"calm-{seq}",
        url=world.url,
        probe="web",
        probe_version="1",
        role="control",
        started=1_790_000_000_000_000 + start,
        us=player.t - start,
        observations=tuple(player.steps),
    )
    return made


def play(world: World) -> tuple[list[Verdict], list[Measurement]]:
    """A whole run of the world: the verdicts on the site (the last is final), and all measurements."""
    world.begin()
    made = [calm_measurement(1, 0), calm_measurement(2, SECOND, GOOD_HOSTS[1], GOOD[1])] if world.calm else []
    made += world.others
    start = 2 * SECOND
    held: Sequence[FlowRequest] = ()
    for attempt in ("first", "retest")[: world.attempts]:
        one = measured(world, len(made) + 1, attempt, start, world.known_good, held)
        made.append(one)
        held = lingering(one.observations, world.known_good, connected(made), answered(made))
        if not wants_retest(one.observations):
            break
        start += one.us + 30 * SECOND
        if world.calm:
            made.append(calm_measurement(len(made) + 1, start))
    open_, close = frame(world, len(made))
    verdicts = [v for v in judge_run(open_, made, close) if v.target == "site"]
    return verdicts, made


def connected(made: Sequence[Measurement]) -> set[str]:
    """Every ``address:port`` that took a connection."""
    steps = [step for one in made for step in one.observations if isinstance(step, TcpStep)]
    return {f"{step.address}:{step.port}" for step in steps if step.failure is None and not step.skipped}


def answered(made: Sequence[Measurement]) -> set[str]:
    """Every ``address:port`` that answered on one."""
    steps = [s for one in made for s in one.observations if isinstance(s, TlsStep | HttpStep)]
    return {f"{step.address}:{step.port}" for step in steps if step.failure is None and not step.skipped}


def frame(world: World, count: int) -> tuple[RunOpen, RunClose]:
    """The first and last line of such a run."""
    target = Target(id="site", url=world.url, role=world.role, expires=world.expires)
    open_ = RunOpen(
        run="0" * 16,
        started=1_790_000_000_000_000,
        software="blockwatch 0",
        vantage=world.vantage,
        targets=(target,),
        checks=world.checks,
        clock_offset_us=world.clock_offset_us,
    )
    close = RunClose(
        ended=1_790_000_900_000_000, us=900 * SECOND, reason="done", planned=count, measured=count
    )
    return open_, close


def changed(measurement: Measurement, **fields: Any) -> Measurement:
    """A copy with other fields."""
    return msgspec.structs.replace(measurement, **fields)

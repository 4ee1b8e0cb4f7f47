"""Measuring again: what lingers at an address is waited out, and holds up nobody else."""

from collections.abc import Sequence

import msgspec
import pytest
import trio

from blockwatch.followup import FlowRequest
from blockwatch.model import Observation, Purpose, TcpStep, TlsStep
from blockwatch.runner import run
from blockwatch.runner.again import CALM_S, LANE_S, VAIN_S, Again, Wait, lanes
from blockwatch.runner.plan import PlannedTask
from blockwatch.target import Target

from ..net.far import page, plain_page
from .making import OTHER, Asking, Kept, plan_of, site

HELD = FlowRequest(address=OTHER, port=80, tls=False, purpose=Purpose.RESIDUE)


class Suspecting(Asking):
    """Suspects that a block lingers at one address."""

    def lingering(self, observations, known_good, connected, answered):
        there = any(isinstance(step, TcpStep) and step.address == OTHER for step in observations)
        return (HELD,) if there else ()


def tries(observations: Sequence[Observation]) -> list[Observation]:
    return [step for step in observations if step.purpose is Purpose.RESIDUE]


@pytest.mark.parametrize("concurrency", [1, 5])
async def test_a_block_that_lingers_is_waited_out_and_others_go_on(
    far, sites, nursery, autojump_clock, concurrency
):
    async def open_later():
        await trio.sleep(70)
        await far.serve(OTHER, 80, plain_page(page(b"<title>Hello</title>")))

    nursery.start_soon(open_later)
    kept = Kept()
    plan = plan_of(site("a"), site("dead"), concurrency=concurrency)
    close = await run(plan, kept, Suspecting(again=True), network=far)
    made = {(m.measurement.target, m.measurement.attempt): m.measurement for m in kept.written}
    assert close.reason == "done"
    assert list(made)[-1] == ("dead", "retest")
    assert made["a", "retest"].us < 5_000_000
    assert tries(made["a", "retest"].observations) == []
    again = made["dead", "retest"].observations
    waited = tries(again)
    assert [step.round for step in waited] == list(range(len(waited)))
    assert [step.failure for step in waited[:-1]] == ["generic_timeout_error"] * (len(waited) - 1)
    assert waited[-1].failure is None
    assert waited[-2].t < 70_000_000 < waited[-1].t
    assert all(step.failure is None and step.t >= waited[-1].t for step in again[len(waited) :])


async def test_the_wait_has_an_end_and_then_it_is_measured_all_the_same(far, sites, autojump_clock):
    kept = Kept()
    await run(plan_of(site("dead")), kept, Suspecting(again=True), network=far)
    first, again = (m.measurement for m in kept.written)
    waited = tries(again.observations)
    assert VAIN_S - 30 <= (waited[-1].t - waited[0].t) / 1e6 <= VAIN_S
    assert len(waited) <= 10
    plain = [step for step in again.observations if step.purpose is Purpose.FIRST]
    assert [step.failure for step in plain if isinstance(step, TcpStep)] == ["generic_timeout_error"]
    assert tries(first.observations) == []


def failing(address: str, **fields) -> tuple[Observation, ...]:
    return (TcpStep(i=0, t=0, us=1, failure="generic_timeout_error", address=address, port=80, **fields),)


def broken(address: str) -> tuple[Observation, ...]:
    return (
        TlsStep(
            i=0, t=0, us=1, failure="connection_reset", address=address, port=443, server_name="x.example"
        ),
    )


def in_vain(address: str, seconds: int) -> tuple[Observation, ...]:
    (step,) = failing(address, purpose=Purpose.RESIDUE)
    return (step, msgspec.structs.replace(step, t=seconds * 1_000_000 - 1, round=1))


async def went_again(again: Again, *, takes: float, vain: int = 0) -> list[tuple[str, float, Wait]]:
    """Each target measured again with when, from the start, and the wait it was given."""
    went = []

    async def measure(task, seconds, wait):
        went.append((task.target, trio.current_time() - start, wait))
        await trio.sleep(seconds + takes)
        for request in wait.requests:
            again.saw(in_vain(request.address, vain) if vain else ())

    start = trio.current_time()
    await again.carry_out(measure)
    return went


def tasks_of(names: str) -> list[PlannedTask]:
    return [PlannedTask(target=name, url="http://x.example/", probe="web") for name in names]


async def test_who_could_not_send_a_name_goes_first(autojump_clock):
    again = Again()
    for task, steps in zip(tasks_of("abcd"), (broken, failing, broken, failing), strict=True):
        again.add(task, steps(OTHER), (HELD,))
    assert [target for target, _, _ in await went_again(again, takes=1)] == ["b", "d", "a", "c"]


async def test_a_block_is_waited_for_as_long_as_any_lasts_after_a_name_broke(autojump_clock):
    again = Again()
    again.saw(broken(OTHER))
    (task,) = tasks_of("a")
    again.add(task, broken(OTHER), (HELD,))
    await trio.sleep(100)
    assert await went_again(again, takes=1) == [("a", 0, Wait(requests=(HELD,), longest_s=CALM_S - 100))]


async def test_what_is_waited_in_vain_has_an_end_for_all_addresses_together(autojump_clock):
    places = [f"5.45.64.{n}" for n in range(1, 5)]
    again = Again()
    for task, place in zip(tasks_of("abcd"), places, strict=True):
        held = msgspec.structs.replace(HELD, address=place)
        again.add(task, failing(place) + failing(places[0]), (held,))
    went = await went_again(again, takes=50, vain=50)
    waits = [(at, round(wait.longest_s) if wait.requests else 0) for _, at, wait in went]
    assert waits == [(0, 120), (50, 70), (100, 20), (150, 0)]


async def test_those_of_one_address_do_not_wait_for_ever(autojump_clock):
    again = Again()
    for task in tasks_of("abcdefgh"):
        again.add(task, broken(OTHER), (HELD,))
    went = await went_again(again, takes=80)
    assert [bool(wait.requests) for _, _, wait in went] == [True] * 4 + [False] * 4
    assert max(at for _, at, _ in went) <= LANE_S + 80


async def test_who_shares_an_address_with_a_suspect_waits_for_it(autojump_clock):
    again, went = Again(), []
    one, two, other, alone = (PlannedTask(target=t, url="http://x.example/", probe="web") for t in "abcd")
    again.add(one, failing(OTHER), ())
    again.add(two, failing(OTHER), (HELD,))
    again.add(other, failing("1.2.3.4"), ())
    again.add(alone, (), ())

    async def measure(task, seconds, wait):
        began = trio.current_time()
        await trio.sleep(seconds + 40)
        went.append((task.target, began - start, trio.current_time() - start, wait.requests))

    start = trio.current_time()
    await again.carry_out(measure)
    assert sorted(went) == [("a", 0, 40, (HELD,)), ("b", 40, 80, (HELD,)), ("c", 0, 40, ()), ("d", 0, 40, ())]


async def test_an_address_waited_for_in_vain_is_not_waited_for_again(far, sites, autojump_clock):
    kept = Kept()
    plan = plan_of(site("dead"), Target(id="dead-too", url="http://dead.example/second"), concurrency=2)
    await run(plan, kept, Suspecting(again=True), network=far)
    again = [m.measurement for m in kept.written if m.measurement.attempt == "retest"]
    waited = [tries(measurement.observations) for measurement in again]
    assert [bool(steps) for steps in waited] == [True, False]
    assert all(any(step.purpose is Purpose.FIRST for step in m.observations) for m in again)


def test_lanes_join_what_shares_an_address_by_way_of_others():
    tasks = [PlannedTask(target=t, url="http://x.example/", probe="web") for t in "abcd"]
    places = dict(zip(tasks, map(frozenset, ({"1"}, {"2"}, {"3"}, {"1", "2"})), strict=True))
    found = [[task.target for task in lane] for lane in lanes(tasks, places)]
    assert sorted(sorted(lane) for lane in found) == [["a", "b", "d"], ["c"]]


async def test_a_run_whose_time_is_up_while_it_waits_keeps_what_it_sent(far, sites, autojump_clock):
    kept = Kept()
    plan = plan_of(site("dead"), max_us=60_000_000)
    close = await run(plan, kept, Suspecting(again=True), network=far)
    assert close.reason == "time"
    again = kept.written[-1].measurement
    assert (again.attempt, again.stopped, again.valid) == ("retest", "budget", True)
    assert tries(again.observations)
    assert not [step for step in again.observations if step.purpose is Purpose.FIRST]

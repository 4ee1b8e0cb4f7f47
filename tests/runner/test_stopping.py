"""A run that is stopped, or has spent what it may: what was seen is kept, and the reason said."""

import signal

import pytest
import trio

from blockwatch.errors import DiskError
from blockwatch.runner import run
from blockwatch.target import Target

from .making import OTHER, Asking, Kept, plan_of, site


async def test_ctrl_c_keeps_what_was_seen(far, sites):
    kept = Kept()
    plan = plan_of(site("dead"), site("a"))
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:

        async def press():
            await trio.sleep(0.4)
            signal.raise_signal(signal.SIGINT)

        nursery.start_soon(press)
        close = await run(plan, kept, Asking(), network=far)
    assert trio.current_time() - begun < 2
    assert close.reason == "interrupted"
    dead = next(m.measurement for m in kept.written if m.measurement.target == "dead")
    assert (dead.stopped, dead.valid) == ("interrupted", True)
    assert dead.observations[0].addresses == (OTHER,)
    assert close.measured == len(kept.written)


async def test_cancelled_from_outside(far, sites):
    kept = Kept()
    with trio.move_on_after(0.4) as scope:
        await run(plan_of(site("dead")), kept, Asking(), network=far)
    assert scope.cancelled_caught
    assert [close.reason for close in kept.closed] == ["interrupted"]
    assert kept.written[0].measurement.stopped == "interrupted"


async def test_time_is_up(far, sites, autojump_clock):
    kept = Kept()
    close = await run(plan_of(site("dead"), max_us=5_000_000), kept, Asking(), network=far)
    assert close.reason == "time"
    assert kept.written[0].measurement.stopped == "budget"


async def test_bytes_are_spent(far, sites, autojump_clock):
    kept = Kept()
    targets = [Target(id=f"t{n}", url=f"http://a.example/{n}") for n in range(60)]
    close = await run(plan_of(*targets, max_bytes=2_000, concurrency=1), kept, Asking(), network=far)
    assert close.reason == "budget"
    assert close.planned == 60
    assert 0 < close.measured < 60


async def test_time_is_up_among_the_re_tests(far, sites, autojump_clock):
    kept = Kept()
    far.names |= {"dead2.example": [OTHER]}
    plan = plan_of(site("dead"), site("dead2"), site("a"), max_us=15_000_000)
    close = await run(plan, kept, Asking(again=True), network=far)
    assert (close.reason, close.planned) == ("time", 3)
    assert close.us <= 16_000_000
    found = {(m.measurement.target, m.measurement.attempt): m.measurement.stopped for m in kept.written}
    first = {(name, "first"): None for name in ("dead", "dead2", "a")}
    assert found == first | {("a", "retest"): None, ("dead", "retest"): "budget"}
    assert close.measured == len(kept.written)
    assert kept.closed == [close]


async def test_bytes_are_spent_among_the_re_tests(far, sites, autojump_clock):
    free, kept = Kept(), Kept()
    targets = [Target(id=f"t{n}", url=f"http://a.example/{n}") for n in range(6)]
    whole = await run(plan_of(*targets, concurrency=1), free, Asking(again=True), network=far)
    spent = (whole.bytes_sent + whole.bytes_received) * 2 // 3
    plan = plan_of(*targets, max_bytes=spent, concurrency=1)
    close = await run(plan, kept, Asking(again=True), network=far)
    assert (whole.measured, close.reason, close.planned) == (12, "budget", 6)
    assert 6 < close.measured < 12
    assert {m.measurement.stopped for m in kept.written} == {None}
    assert kept.closed == [close]


async def test_a_full_disk_ends_the_run(far, sites, autojump_clock):
    kept = Kept(full_after=1)
    with pytest.raises(DiskError, match="no space left"):
        await run(plan_of(site("a"), site("b"), site("c")), kept, Asking(), network=far)
    assert [close.reason for close in kept.closed] == ["disk"]

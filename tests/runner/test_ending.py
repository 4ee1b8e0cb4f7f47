"""What ends a run, and how long it may still write."""

import signal

import pytest
import trio

from blockwatch.runner import run
from blockwatch.runner.ending import LAST_WORDS_S, LastWords

from .making import OTHER, Asking, Kept, plan_of, site


class Stuck(Kept):
    """A sink that keeps nothing and never says so."""

    async def write(self, measured):
        await trio.sleep_forever()


async def test_the_last_words_are_bounded_when_time_is_up(far, sites, autojump_clock):
    begun = trio.current_time()
    close = await run(plan_of(site("dead"), max_us=5_000_000), Stuck(), Asking(), network=far)
    assert close.reason == "time"
    assert trio.current_time() - begun == pytest.approx(5 + LAST_WORDS_S, abs=0.2)


@pytest.mark.parametrize("begins", [2.0, 5.0])
async def test_writing_is_not_torn_by_the_deadline_and_not_without_end(autojump_clock, begins):
    begun = trio.current_time()
    work = trio.CancelScope(deadline=begun + 5)
    words = LastWords(work)
    with work:
        try:
            await trio.sleep(begins)
        finally:
            with words.writing() as scope:
                await trio.sleep_forever()
    assert scope.cancelled_caught
    assert trio.current_time() - begun == pytest.approx(5 + LAST_WORDS_S)


async def test_what_is_being_written_when_the_run_ends_is_bounded_too(autojump_clock):
    begun = trio.current_time()
    words = LastWords(trio.CancelScope())

    async def write():
        with words.writing():
            await trio.sleep_forever()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(write)
        await trio.sleep(100)
        words.end()
        nursery.start_soon(write)
    assert trio.current_time() - begun == pytest.approx(100 + LAST_WORDS_S)


async def raised(after, number, far, kept):
    async with trio.open_nursery() as nursery:

        async def raise_it():
            await trio.sleep(after)
            signal.raise_signal(number)

        nursery.start_soon(raise_it)
        return await run(plan_of(site("dead"), max_us=2_000_000), kept, Asking(), network=far)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
async def test_a_signal_leaves_a_shorter_run(far, sites, number):
    kept = Kept()
    before = signal.signal(number, signal.default_int_handler)  # these tests may run under nohup themselves
    try:
        close = await raised(0.4, number, far, kept)
    finally:
        signal.signal(number, before)
    assert close.reason == "interrupted"
    (dead,) = kept.written
    assert (dead.measurement.stopped, dead.measurement.valid) == ("interrupted", True)
    assert dead.measurement.observations[0].addresses == (OTHER,)


async def test_under_nohup_a_lost_terminal_ends_nothing(far, sites):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        close = await raised(0.4, signal.SIGHUP, far, Kept())
    finally:
        signal.signal(signal.SIGHUP, before)
    assert close.reason == "time"


async def test_a_screen_that_is_gone_ends_nothing(far, sites, autojump_clock):
    def gone(progress):
        raise OSError(5, "Input/output error")

    kept = Kept()
    close = await run(plan_of(site("a"), site("b")), kept, Asking(), progress=gone, network=far)
    assert (close.reason, close.measured) == ("done", 2)

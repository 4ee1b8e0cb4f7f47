"""Asking test helpers that have more to do than they can."""

import itertools
import math
import socket

import pytest
import trio
import trio.testing

from blockwatch.control import Helpers
from blockwatch.net.kept import Kept
from blockwatch.net.question import Question
from blockwatch.net.url import parse_url

from .far import helper_answer, page, read_head

HELPER, OTHER = "http://93.184.216.51/", "http://93.184.216.52/"
QUESTION = Question(parse_url("http://a.example/"))
BUSY = page(b"{}", status="503 Service Unavailable", headers="")
LIMITED = page(b"{}", status="429 Too Many Requests", headers="")
GOOD = page(helper_answer()(b"")[1], headers="")


class Service:
    """A helper that gives ``answers`` one after the other, the last one for ever, each after ``delay``."""

    def __init__(self, *answers: bytes, delay: float = 0.0, room: float = math.inf) -> None:
        self.answers, self.delay, self.room = list(answers), delay, room
        self.asked = self.now = self.most = 0

    async def __call__(self, stream):
        await read_head(stream)
        self.asked += 1
        self.now += 1
        self.most = max(self.most, self.now)
        full = self.now > self.room
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        await trio.sleep(0.1 if full else self.delay)
        self.now -= 1
        await stream.send_all(BUSY if full else answer)


@pytest.fixture
async def serve(tools):
    async def serve(service, address="93.184.216.51"):
        await tools.far.serve(address, 80, service)
        return service

    return serve


@pytest.fixture
def helpers(tools):
    made = []

    def make(*urls):
        made.append(Helpers(tools.kit, urls))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("refusal", [BUSY, LIMITED])
async def test_a_busy_helper_is_asked_again(tools, serve, helpers, refusal, autojump_clock):
    await serve(Service(refusal, refusal, GOOD))
    found = await helpers(HELPER).ask(tools.record, QUESTION)
    assert found == ("93.184.216.34",)
    steps = tools.record.snapshot()
    assert [(step.round, step.failure) for step in steps] == [
        (0, "http_unexpected_status_code"),
        (1, "http_unexpected_status_code"),
        (2, None),
    ]
    assert [step.status for step in steps] == [None, None, 200]
    first, second = (after.t - before.t for before, after in itertools.pairwise(steps))
    assert 1_000_000 <= first <= 1_600_000
    assert 3_000_000 <= second <= 4_600_000
    assert all(step.us < 100_000 for step in steps)


async def test_one_that_stays_busy_gives_way_to_the_next(tools, serve, helpers, autojump_clock):
    busy, good = await serve(Service(BUSY)), await serve(Service(GOOD), "93.184.216.52")
    assert await helpers(HELPER, OTHER).ask(tools.record, QUESTION) is not None
    assert (busy.asked, good.asked) == (3, 1)
    assert [step.helper for step in tools.record.snapshot()] == [HELPER, HELPER, HELPER, OTHER]


async def test_another_refusal_is_not_repeated(tools, serve, helpers):
    service = await serve(Service(page(b"{}", status="500 Oh", headers="")))
    assert await helpers(HELPER).ask(tools.record, QUESTION) is None
    assert service.asked == 1


async def test_waiting_for_a_place_is_not_the_helpers_time(tools, serve, helpers, autojump_clock):
    service = await serve(Service(GOOD, delay=8.0))
    asked = helpers(HELPER)
    async with trio.open_nursery() as nursery:
        for _ in range(64 * 5):
            nursery.start_soon(asked.ask, tools.record, QUESTION)
    steps = tools.record.snapshot()
    assert len(steps) == 320
    assert service.most == 64
    assert {step.failure for step in steps} == {None}
    assert max(step.us for step in steps) < 9_000_000
    assert max(step.t for step in steps) >= 32_000_000


async def test_a_helper_with_little_room_is_asked_less_at_a_time(tools, serve, helpers, autojump_clock):
    service = await serve(Service(GOOD, delay=2.0, room=25))
    asked = helpers(HELPER)
    found = []

    async def ask():
        found.append(await asked.ask(tools.record, QUESTION))

    async with trio.open_nursery() as nursery:
        for _ in range(120):
            nursery.start_soon(ask)
    assert len(found) == 120
    assert sum(one is None for one in found) <= 6
    assert service.asked < 220


async def test_places_are_halved_once_for_all_that_were_out_and_come_back(tools, autojump_clock):
    kept = Kept(tools.kit, parse_url(HELPER), 16)

    async def places():
        inside = 0
        async with trio.open_nursery() as nursery:

            async def hold():
                nonlocal inside
                async with kept.place():
                    inside += 1
                    await trio.sleep_forever()

            for _ in range(32):
                nursery.start_soon(hold)
            await trio.testing.wait_all_tasks_blocked()
            nursery.cancel_scope.cancel()
        return inside

    begun = trio.current_time()
    assert await places() == 16
    await trio.sleep(1)
    kept.busy(begun)
    kept.busy(begun)
    assert await places() == 8
    for _ in range(5):
        await trio.sleep(0.1)
        kept.busy(trio.current_time())
    assert await places() == 4
    await trio.sleep(20)
    assert await places() == 8
    await trio.sleep(20)
    assert await places() == 16


async def test_lookups_that_fail_at_one_moment_are_no_row_of_failures(tools, serve, helpers, autojump_clock):
    """Three of four lookups of the helper's name are lost; the fourth one's answer serves all."""
    asked = itertools.count()

    async def lookup(name):
        if next(asked) < 3:
            await trio.sleep(10)
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        await trio.sleep(3)
        return ["93.184.216.51"]

    tools.far.getaddrinfo = lookup
    await serve(Service(GOOD))
    asking, found = helpers("http://th.example/"), []

    async def ask():
        found.append(await asking.ask(tools.record, QUESTION))

    async with trio.open_nursery() as nursery:
        for _ in range(4):
            nursery.start_soon(ask)
    await ask()
    assert all(addresses is not None for addresses in found)
    assert len(found) == 5


async def test_a_helper_that_fails_at_one_moment_is_asked_in_the_next(tools, serve, helpers, autojump_clock):
    asking = helpers(HELPER)
    async with trio.open_nursery() as nursery:
        for _ in range(5):
            nursery.start_soon(asking.ask, tools.record, QUESTION)
    service = await serve(Service(GOOD))
    assert await asking.ask(tools.record, QUESTION) is not None
    assert service.asked == 1

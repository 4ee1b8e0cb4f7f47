"""Turns: so many at a time, and whoever has the fewest is next. The clock is virtual."""

from __future__ import annotations

import random

import pytest
import trio

from blockwatch.helper.clients import Turns, key_of

GREEDY, MODEST = "192.0.2.1", "198.51.100.7"


@pytest.mark.parametrize(
    ("client", "key"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_who_a_client_is(client: str, key: str) -> None:
    assert key_of(client) == key


@pytest.mark.parametrize("greedy", [1, 2, 10])
async def test_who_asks_for_dead_sites_keeps_nobody_waiting(
    greedy: int, autojump_clock: trio.abc.Clock
) -> None:
    turns = Turns(200)

    async def dead_sites(client: str) -> None:
        while True:  # in step, so that for ten seconds none of their turns ends
            async with turns.one(client):
                await trio.sleep(10)

    async with trio.open_nursery() as nursery:
        for client in range(greedy):
            for _ in range(100):
                nursery.start_soon(dead_sites, f"192.0.2.{client}")
        for _ in range(20):
            await trio.sleep(1.7)
            asked = trio.current_time()
            async with turns.one(MODEST):
                assert trio.current_time() == asked
                await trio.sleep(0.1)
        nursery.cancel_scope.cancel()


async def test_alone_a_client_has_two_thirds(autojump_clock: trio.abc.Clock) -> None:
    turns = Turns(9)
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:
        for _ in range(12):
            nursery.start_soon(ask_once, turns, GREEDY)
    assert trio.current_time() - begun == pytest.approx(0.2)  # six at a time


async def test_no_turn_is_lost_or_given_twice(autojump_clock: trio.abc.Clock) -> None:
    seed = random.randrange(2**32)
    print("seed", seed)
    chance = random.Random(seed)
    turns, held, most = Turns(5), 0, 0

    async def ask(client: str) -> None:
        nonlocal held, most
        with trio.move_on_after(chance.uniform(0, 3)):
            async with turns.one(client):
                held += 1
                most = max(most, held)
                try:
                    await trio.sleep(chance.uniform(0, 2))
                finally:
                    held -= 1

    for _ in range(30):
        async with trio.open_nursery() as nursery:
            for number in range(chance.randrange(1, 40)):
                nursery.start_soon(ask, f"192.0.2.{number % 7}")
    assert held == 0
    assert most in (4, 5)
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:  # all five are there again, at once
        for number in range(5):
            nursery.start_soon(ask_once, turns, f"192.0.2.{number}")
    assert trio.current_time() - begun == pytest.approx(0.1)


async def ask_once(turns: Turns, client: str) -> None:
    async with turns.one(client):
        await trio.sleep(0.1)


async def test_where_all_wait_only_a_newcomer_may_join(autojump_clock: trio.abc.Clock) -> None:
    turns = Turns(1)
    async with trio.open_nursery() as nursery:
        for _ in range(9):
            nursery.start_soon(ask_once, turns, GREEDY)
        await trio.testing.wait_all_tasks_blocked()
        assert turns.crowded(GREEDY, 8)
        assert not turns.crowded(MODEST, 8)
        assert not turns.crowded(GREEDY, 9)

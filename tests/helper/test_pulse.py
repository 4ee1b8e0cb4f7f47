"""Time-outs while the helper itself stood still are not said of a site."""

from __future__ import annotations

import pytest
import trio
import trio.testing

from blockwatch.helper import Destinations
from blockwatch.helper.pulse import BEAT, LATE, Pulse
from tests.helper.world import little_internet, page, says, web


async def test_a_stall_is_remembered_from_its_end_on(mock_clock):
    pulse = Pulse()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(pulse.run)
        for _ in range(4):
            await trio.testing.wait_all_tasks_blocked()
            mock_clock.jump(BEAT)
        await trio.testing.wait_all_tasks_blocked()
        assert not pulse.stalled_since(0.0)
        begun = trio.current_time()
        mock_clock.jump(BEAT + LATE + 0.1)
        assert pulse.stalled_since(begun)  # it goes on
        await trio.testing.wait_all_tasks_blocked()
        assert pulse.stalled_since(begun)
        mock_clock.jump(BEAT)
        await trio.testing.wait_all_tasks_blocked()
        assert pulse.stalled_since(begun)
        assert not pulse.stalled_since(trio.current_time())
        nursery.cancel_scope.cancel()


class Slow(Destinations):
    """A policy during which the clock goes on, once, and nothing else: a machine that is paused."""

    def __init__(self, clock):
        super().__init__(allow_private=True)
        self.clock, self.seconds = clock, LATE + 2 * BEAT

    def allows(self, address, port=None):
        self.clock.jump(self.seconds)
        self.seconds = 0.0
        return super().allows(address, port)


@pytest.mark.parametrize(("silent", "status"), [(True, 503), (False, 200)])
async def test_only_time_outs_are_withheld(tmp_path, autojump_clock, silent, status):
    """What was seen to the end stands, stall or not."""
    async with little_internet(tmp_path, policy=Slow(autojump_clock)) as little, web(says(page())) as port:
        little.names.addresses["site.test"] = ["127.0.0.1"]
        if silent:
            little.names.lose = 1_000
        found, _, answer = await little.post(
            {"http_request": f"http://site.test:{port}/", "tcp_connect": [f"127.0.0.1:{port}"]}
        )
    assert found == status
    assert ("message" in answer) == silent

"""The line's own resolver stays unnamed also where it has to be asked over TCP."""

import pytest

from .far import SITE, reply_to

ZONE = {"a.example": [SITE]}


def cut_short(query):
    """TC and no answer: there is more over TCP."""
    reply = bytearray(reply_to(query, {"a.example": []}))
    reply[2] |= 0x02
    return [(0.0, bytes(reply))]


async def framed(stream):
    """A resolver over TCP."""
    while head := await stream.receive_some(2):
        query = await stream.receive_some(int.from_bytes(head, "big"))
        message = reply_to(query, ZONE)
        await stream.send_all(len(message).to_bytes(2, "big") + message)


@pytest.mark.parametrize("there", [True, False])
async def test_the_lines_own_resolver_is_not_named_over_tcp_either(far, ask, autojump_clock, there):
    far.line_resolver = "192.168.1.1"
    await far.resolver("192.168.1.1", cut_short)
    if there:
        await far.serve("192.168.1.1", 53, framed)
    found, steps = await ask("line")
    assert far.dialled == [("192.168.1.1", 53)]
    assert found == ([SITE] if there else [])
    assert [(type(step).__name__, step.resolver) for step in steps] == [("DnsStep", "line")] * 2
    assert [step.skipped for step in steps] == [False, not there]
    assert "192.168.1.1" not in repr(steps)

"""Servers that misbehave do so in the way their name says."""

from __future__ import annotations

import gzip
import math
import zlib

import pytest
import trio
import trio.testing

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import site
from blockwatch.lab.servers import hostile
from tests.lab.loopback import HOST, RESET, SILENCE, body, get, header, one, read, serving, status, web


async def test_maze(ca: LabCA) -> None:
    served = one(ca, "maze", n=10000)
    assert header(await get(served), "location") == "/room/1"
    assert header(await get(served, "/room/9999"), "location") == "/room/10000"
    assert status(await get(served, "/room/10000")) == 200


async def test_raw(ca: LabCA) -> None:
    assert await get(one(ca, "raw", bytes=b"220 mail ready\r\n")) == b"220 mail ready\r\n"


async def test_garbage(ca: LabCA) -> None:
    answer = await get(one(ca, "garbage"))
    assert len(answer) == 4096
    assert not answer.startswith(b"HTTP/")


@pytest.mark.parametrize("kind", ["endlessheaders", "endlessbody"])
async def test_endless(ca: LabCA, kind: str) -> None:
    answer = await get(one(ca, kind), limit=1_000_000)
    assert len(answer) >= 1_000_000
    assert (b"\r\n\r\n" in answer) == (kind == "endlessbody")


async def test_endless_kinds_end(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    hostile_answer = await get(one(ca, "endlessheaders"))
    assert trio.current_time() > hostile.PATIENCE - 1
    assert len(hostile_answer) > 1_000_000


async def test_bomb(ca: LabCA) -> None:
    answer = await get(one(ca, "bomb"), limit=200_000)
    unpacked = zlib.decompressobj(31).decompress(body(answer), 50_000_000)
    assert len(unpacked) == 50_000_000
    assert header(answer, "content-encoding") == "gzip"


async def test_broken_framing(ca: LabCA) -> None:
    assert b"frog\r\n" in await get(one(ca, "badchunks"))
    short = await get(one(ca, "shortbody"))
    assert int(header(short, "content-length") or 0) == 2 * len(body(short))
    assert (await get(one(ca, "twolengths"))).lower().count(b"content-length") == 2
    with pytest.raises((zlib.error, EOFError)):
        gzip.decompress(body(await get(one(ca, "badgzip"))))


async def raw_tls(ca: LabCA, how: str, limit: float = math.inf) -> bytes:
    served = web(ca, site(host=HOST, https=None, raw443=how))
    async with serving(served, "raw") as port, await trio.open_tcp_stream("127.0.0.1", port) as stream:
        await stream.send_all(b"\x16\x03\x01\x00\x05hello")
        return await read(stream, limit)


async def test_broken_tls(ca: LabCA) -> None:
    assert await raw_tls(ca, "alert") == bytes([21, 3, 3, 0, 2, 2, 40])
    record = await raw_tls(ca, "truncated")
    assert record[0] == 22
    assert int.from_bytes(record[3:5], "big") > len(record) - 5
    assert len(await raw_tls(ca, "garbage")) == 3000
    assert b"no TLS" in await raw_tls(ca, "endless", limit=1_000_000)
    assert await raw_tls(ca, "reset") == RESET


async def test_tls_that_hangs(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    assert await raw_tls(ca, "hang") == b""
    assert trio.current_time() >= SILENCE

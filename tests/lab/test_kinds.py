"""What every well-behaved kind of server does, seen by a plain client over loopback."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
import trio
import trio.testing

from blockwatch.lab.ca import LabCA
from blockwatch.lab.servers import pages
from blockwatch.lab.servers.hostile import RAW_KINDS
from blockwatch.lab.servers.kinds import KINDS
from blockwatch.lab.servers.moods import MOODS
from tests.lab.loopback import HOST, PAGE, RESET, SILENCE, body, get, header, one, status


async def test_page(ca: LabCA) -> None:
    answer = await get(one(ca, "page"))
    assert (status(answer), body(answer)) == (200, PAGE)
    assert len(PAGE) == 8192
    assert header(answer, "content-length") == "8192"
    assert header(answer, "server") == "nginx/1.24.0"
    assert b"<title>Quiet Harbour" in PAGE


async def test_page_in_russian(ca: LabCA) -> None:
    answer = await get(one(ca, "page", lang="ru", charset="windows-1251"))
    assert "windows-1251" in (header(answer, "content-type") or "")
    assert "Новости" in body(answer).decode("cp1251")


@pytest.mark.parametrize("code", [403, 404, 451, 500])
async def test_status(ca: LabCA, code: int) -> None:
    answer = await get(one(ca, "status", code=code, text="Words of ours"))
    assert status(answer) == code
    assert b"Words of ours" in body(answer)


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
async def test_redirect(ca: LabCA, code: int) -> None:
    answer = await get(one(ca, "redirect", to="https://elsewhere.org/", code=code))
    assert (status(answer), header(answer, "location")) == (code, "https://elsewhere.org/")


async def test_chain(ca: LabCA) -> None:
    served, path, steps = one(ca, "chain", n=5), "/", 0
    while status(answer := await get(served, path)) == 302:
        path, steps = header(answer, "location") or "", steps + 1
    assert (steps, body(answer)) == (5, PAGE)


async def test_loop(ca: LabCA) -> None:
    assert header(await get(one(ca, "loop"), "/x"), "location") == "/x"


async def test_cookiewall(ca: LabCA) -> None:
    served = one(ca, "cookiewall")
    assert status(await get(served)) == 302
    assert body(await get(served, headers="Cookie: seen=1\r\n")) == PAGE


async def test_hang_answers_nothing(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    assert await get(one(ca, "hang")) == b""
    assert trio.current_time() >= SILENCE


async def test_slow_waits(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    start = trio.current_time()
    assert body(await get(one(ca, "slow", seconds=4))) == PAGE
    assert trio.current_time() - start >= 4


async def test_slowbody_keeps_its_rate(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    start = trio.current_time()
    answer = await get(one(ca, "slowbody", rate=24, bytes=48_000))
    assert len(body(answer)) == 48_000
    assert 1.5 <= trio.current_time() - start <= 3


async def test_slowbody_stalls_after_16_kb(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    got = await get(one(ca, "slowbody", rate=80, stall=1))
    assert len(body(got)) == 16 * 1024
    assert int(header(got, "content-length") or 0) > 16 * 1024


async def test_drip(ca: LabCA, autojump_clock: trio.testing.MockClock) -> None:
    answer = await get(one(ca, "drip"))
    assert header(answer, "transfer-encoding") == "chunked"
    plain, rest = b"", body(answer)
    while size := int(rest.partition(b"\r\n")[0], 16):
        rest = rest.partition(b"\r\n")[2]
        plain, rest = plain + rest[:size], rest[size + 2 :]
    assert plain == PAGE


async def test_large(ca: LabCA) -> None:
    answer = await get(one(ca, "large", bytes=400_000, html=True))
    assert len(body(answer)) == 400_000
    assert "text/html" in (header(answer, "content-type") or "")


async def test_gzip_only_where_accepted(ca: LabCA) -> None:
    served = one(ca, "gzip", size=30_000)
    packed = await get(served, headers="Accept-Encoding: gzip\r\n")
    assert header(packed, "content-encoding") == "gzip"
    assert gzip.decompress(body(packed)) == body(await get(served)) == pages.ordinary(HOST, size=30_000)


async def test_dynamic_changes(ca: LabCA) -> None:
    served = one(ca, "dynamic")
    first, second = body(await get(served)), body(await get(served))
    assert first.partition(b"</title>")[0] != second.partition(b"</title>")[0]
    assert len(first) != len(second)


async def test_challenge(ca: LabCA) -> None:
    answer = await get(one(ca, "challenge"))
    assert (status(answer), header(answer, "cf-mitigated")) == (503, "challenge")


@pytest.mark.parametrize(
    ("kind", "words"), [("parked", b"for sale"), ("blockpage", b"Access Denied"), ("empty", b"")]
)
async def test_small_pages(ca: LabCA, kind: str, words: bytes) -> None:
    answer = await get(one(ca, kind))
    assert status(answer) == 200
    assert words in body(answer)
    assert (kind == "empty") == (body(answer) == b"")


async def test_reset(ca: LabCA) -> None:
    assert await get(one(ca, "reset")) == RESET


async def test_flaky(ca: LabCA) -> None:
    served = one(ca, "flaky", share=0.5)
    fates = [await get(served) == RESET for _ in range(30)]
    assert 5 < sum(fates) < 25


async def test_broken_over_http2_only(ca: LabCA) -> None:
    assert body(await get(one(ca, "h2broken"))) == PAGE


def test_every_kind_is_tested() -> None:
    files = [Path(__file__).with_name(f"test_{name}.py") for name in ("kinds", "hostile", "web", "moods")]
    text = "".join(file.read_text(encoding="utf-8") for file in files)
    assert [kind for kind in KINDS | MOODS | RAW_KINDS if f'"{kind}"' not in text] == []

"""What every kind of server does, seen by a plain client over loopback."""

from __future__ import annotations

import gzip
import math
import ssl
import zlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import h2.config
import h2.connection
import h2.events
import pytest
import trio
import trio.testing

from blockwatch.lab.ca import LabCA
from blockwatch.lab.scenarios.say import site
from blockwatch.lab.servers import hostile, pages
from blockwatch.lab.servers.hostile import RAW_KINDS
from blockwatch.lab.servers.kinds import KINDS
from blockwatch.lab.servers.secure import Contexts
from blockwatch.lab.servers.town import Town
from blockwatch.lab.servers.web import Web
from blockwatch.lab.servers.zone import Zone
from blockwatch.lab.world import Serve, Site, World
from blockwatch.lab.world_ports import fixed_sites

HOST, ALIAS = "quiet-harbour.kz", "www.quiet-harbour.kz"
PAGE = pages.ordinary(HOST)
RESET = b"<reset>"
SILENCE = 100.0  # seconds, of virtual time wherever it is waited for


@pytest.fixture(scope="module")
def ca(tmp_path_factory: pytest.TempPathFactory) -> LabCA:
    return LabCA(tmp_path_factory.mktemp("ca"))


def web(ca: LabCA, *sites: Site) -> Web:
    """Web servers of sites that all live on 127.0.0.1."""
    world = World(name="loopback", sites=tuple(replace(one, addresses=("127.0.0.1",)) for one in sites))
    town = Town(world)
    return Web(town=town, zone=Zone(world, town, fixed_sites()), contexts=Contexts(town, ca))


@asynccontextmanager
async def serving(served: Web, scheme: str) -> AsyncIterator[int]:
    """The port where ``served`` listens."""

    async def guarded(stream: trio.SocketStream) -> None:
        try:
            await served.connection(stream, scheme)
        except* (OSError, trio.BrokenResourceError, trio.ClosedResourceError):
            pass
        finally:
            stream.socket.close()

    async with trio.open_nursery() as nursery:
        listeners = await nursery.start(partial(trio.serve_tcp, guarded, 0, host="127.0.0.1"))
        yield listeners[0].socket.getsockname()[1]
        nursery.cancel_scope.cancel()


def one(ca: LabCA, kind: str, scheme: str = "http", **args: Any) -> Web:
    serve = Serve(kind=kind, args=args)
    return web(ca, site(host=HOST, aliases=(ALIAS,), http=serve, https=serve))


async def exchange(stream: trio.abc.Stream, path: str, headers: str, limit: float) -> bytes:
    await stream.send_all(
        f"GET {path} HTTP/1.1\r\nHost: {HOST}\r\n{headers}Connection: close\r\n\r\n".encode()
    )
    return await read(stream, limit)


async def read(stream: trio.abc.Stream, limit: float = math.inf) -> bytes:
    """Everything until the end, :data:`SILENCE` or a reset, or the first ``limit`` bytes."""
    got = bytearray()
    with trio.move_on_after(SILENCE):
        try:
            while len(got) < limit and (more := await stream.receive_some(65536)):
                got += more
        except trio.BrokenResourceError:
            return RESET
    return bytes(got)


async def get(served: Web, path: str = "/", headers: str = "", limit: float = math.inf) -> bytes:
    """The whole answer over cleartext, or its first ``limit`` bytes."""
    async with serving(served, "http") as port:
        stream = await trio.open_tcp_stream("127.0.0.1", port)
        async with stream:
            return await exchange(stream, path, headers, limit)


def body(answer: bytes) -> bytes:
    return answer.partition(b"\r\n\r\n")[2]


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])


def header(answer: bytes, name: str) -> str | None:
    lines = answer.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")[1:]
    return {key.lower(): value.strip() for key, _, value in (line.partition(":") for line in lines)}.get(name)


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


async def test_maze(ca: LabCA) -> None:
    served = one(ca, "maze", n=10000)
    assert header(await get(served), "location") == "/room/1"
    assert header(await get(served, "/room/9999"), "location") == "/room/10000"
    assert status(await get(served, "/room/10000")) == 200


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


def test_every_kind_is_tested() -> None:
    text = Path(__file__).read_text(encoding="utf-8")
    assert [kind for kind in KINDS | RAW_KINDS if f'"{kind}"' not in text] == []


async def test_connection_is_kept_for_further_requests(ca: LabCA) -> None:
    async with (
        serving(one(ca, "page"), "http") as port,
        await trio.open_tcp_stream("127.0.0.1", port) as stream,
    ):
        await stream.send_all(f"HEAD / HTTP/1.1\r\nHost: {HOST}\r\n\r\n".encode())
        assert body(bytes(await stream.receive_some(65536))) == b""
        assert status(await exchange(stream, "/", "", math.inf)) == 200


async def test_audience(ca: LabCA) -> None:
    challenge = Serve(kind="challenge", audience="helper")
    assert status(await get(web(ca, site(host=HOST, http=challenge)))) == 200
    challenge = Serve(kind="challenge", audience="probe")
    assert status(await get(web(ca, site(host=HOST, http=challenge)))) == 503


async def test_paths_and_ports(ca: LabCA) -> None:
    gone = Serve(kind="status", args={"code": 404})
    assert status(await get(web(ca, site(host=HOST, paths={"/gone": gone})), "/gone?x=1")) == 404
    served = web(ca, site(host=HOST))
    async with serving(served, "http") as port:
        here = replace(served.town.world.sites[0], ports={port: ("http", gone)})
        served.town.tenants("127.0.0.1")[:] = [here]
        async with await trio.open_tcp_stream("127.0.0.1", port) as stream:
            assert status(await exchange(stream, "/", "", math.inf)) == 404


def client(ca: LabCA, *alpn: str) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(ca.ca_file))
    context.set_alpn_protocols(list(alpn) or ["http/1.1"])
    return context


@asynccontextmanager
async def secure(port: int, context: ssl.SSLContext, name: str) -> AsyncIterator[trio.SSLStream[Any]]:
    async with await trio.open_tcp_stream("127.0.0.1", port) as plain:
        stream = trio.SSLStream(plain, context, server_hostname=name, https_compatible=True)
        await stream.do_handshake()
        yield stream


async def complaint(port: int, context: ssl.SSLContext, name: str) -> int:
    """OpenSSL's verify code of a handshake; 0: none."""
    try:
        async with secure(port, context, name):
            return 0
    except trio.BrokenResourceError as error:
        return int(getattr(error.__cause__, "verify_code", -1))


async def test_certificate_by_name(ca: LabCA) -> None:
    served = web(ca, site(host=HOST), site("b", host="other-house.org", cert="self"))
    async with serving(served, "https") as port:
        async with secure(port, client(ca), HOST) as stream:
            assert body(await exchange(stream, "/", "", math.inf)) == PAGE
        assert await complaint(port, client(ca), "other-house.org") == 18  # its own: self-signed
        assert await complaint(port, client(ca), "unknown.org") == 62  # the owner's: another name


async def test_http2(ca: LabCA) -> None:
    served = web(ca, site(host=HOST, pool="cloudflare", https=Serve(kind="large", args={"bytes": 300_000})))
    async with serving(served, "https") as port, secure(port, client(ca, "h2", "http/1.1"), HOST) as stream:
        assert stream.selected_alpn_protocol() == "h2"
        talk = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
        talk.initiate_connection()
        request = {":method": "GET", ":path": "/", ":scheme": "https", ":authority": HOST}
        talk.send_headers(1, list(request.items()), end_stream=True)
        got, ended, said = bytearray(), False, {}
        while not ended:
            await stream.send_all(talk.data_to_send())
            for event in talk.receive_data(bytes(await stream.receive_some(65536))):
                if isinstance(event, h2.events.ResponseReceived):
                    said = dict(event.headers)
                elif isinstance(event, h2.events.DataReceived):
                    got += event.data
                    talk.acknowledge_received_data(event.flow_controlled_length, 1)
                ended = ended or isinstance(event, h2.events.StreamEnded)
        assert (said[":status"], said["server"], len(got)) == ("200", "cloudflare", 300_000)


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


async def test_doh(ca: LabCA) -> None:
    served = one(ca, "doh")
    assert status(await get(served, "/dns-query?dns=AAABAAABAAAAAAAAB2V4YW1wbGUDY29tAAABAAE")) == 200
    assert status(await get(served, "/dns-query")) == 400
    assert status(await get(served)) == 404

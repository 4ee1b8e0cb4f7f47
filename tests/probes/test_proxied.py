"""A control through a SOCKS5 proxy sees what the proxy sees."""

import pytest

from blockwatch.errors import UsageError
from blockwatch.net.proxied import Proxied
from blockwatch.net.question import Question
from blockwatch.net.socks import parse_proxy
from blockwatch.net.url import parse_url

from ..net.far import SITE, page, plain_page, read_head

PROXY = "93.184.216.70"
OTHER = "93.184.216.35"


async def exactly(stream, length):
    data = b""
    while len(data) < length:
        data += await stream.receive_some(length - len(data))
    return data


def socks(handlers, *, password=None):
    """A SOCKS5 server that hands the connection to ``handlers[(host, port)]``, or refuses."""

    async def handler(stream):
        _, count = await exactly(stream, 2)
        methods = await exactly(stream, count)
        if password is not None and 2 in methods:
            await stream.send_all(b"\x05\x02")
            _, length = await exactly(stream, 2)
            await exactly(stream, length)
            given = await exactly(stream, (await exactly(stream, 1))[0])
            await stream.send_all(b"\x01" + (b"\x00" if given == password else b"\x01"))
        else:
            await stream.send_all(b"\x05\x00" if password is None else b"\x05\xff")
        kind = (await exactly(stream, 4))[3]
        if kind == 3:
            host = (await exactly(stream, (await exactly(stream, 1))[0])).decode()
        else:
            host = ".".join(str(part) for part in await exactly(stream, 4))
        port = int.from_bytes(await exactly(stream, 2), "big")
        wanted = handlers.get((host, port))
        await stream.send_all(b"\x05" + (b"\x00" if wanted else b"\x05") + b"\x00\x01" + bytes(6))
        if wanted:
            await wanted(stream)

    return handler


async def ask(tools, authority, url, addresses=(SITE,), proxy=f"socks5://{PROXY}:1080"):
    control = Proxied(tools.far, parse_proxy(proxy), ca_file=authority.ca_file)
    found = await control.ask(tools.record, Question(parse_url(url), tuple(addresses)))
    return found, tools.record.snapshot()[-1]


async def test_a_page_with_a_redirect(tools, authority):
    secure = authority.https_page(page(b"<title>There</title>"), "a.example")
    moved = plain_page(page(b"", status="301 Moved", headers="Location: https://a.example/\r\n"))
    handlers = {("a.example", 80): moved, ("a.example", 443): secure, (SITE, 80): plain_page(b"")}
    await tools.far.serve(PROXY, 1080, socks(handlers))
    found, step = await ask(tools, authority, "http://a.example/", (SITE, OTHER))
    assert found == ()
    assert (step.failure, step.http_failure, step.status, step.title) == (None, None, 200, "There")
    assert step.helper == f"socks5://{PROXY}:1080"
    assert {e.address: e.tcp_failure for e in step.endpoints} == {SITE: None, OTHER: "connection_refused"}
    assert {address for address, _ in tools.far.dialled} == {PROXY}


async def test_tls_of_an_address_is_judged_by_name(tools, authority):
    right = authority.https_page(page(b"x"), "a.example")
    wrong = authority.https_page(page(b"x"), "b.example")
    await tools.far.serve(
        PROXY, 1080, socks({("a.example", 443): wrong, (SITE, 443): right, (OTHER, 443): wrong})
    )
    _, step = await ask(tools, authority, "https://a.example/", (SITE, OTHER))
    assert (step.failure, step.http_failure, step.status) == (None, "ssl_invalid_hostname", None)
    assert {e.address: e.tls_failure for e in step.endpoints} == {SITE: None, OTHER: "ssl_invalid_hostname"}


async def test_what_is_wrong_with_the_proxy_is_not_the_site(tools, authority, autojump_clock):
    found, step = await ask(tools, authority, "http://a.example/")
    assert (found, step.failure, step.error, step.http_failure) == (
        None,
        "connection_refused",
        "ECONNREFUSED",
        None,
    )

    async def no_proxy(stream):
        await read_head(stream)
        await stream.send_all(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    await tools.far.serve(PROXY, 1080, no_proxy)
    found, step = await ask(tools, authority, "http://a.example/")
    assert found is None
    assert step.failure is not None


async def test_a_password(tools, authority):
    handlers = {("a.example", 80): plain_page(page(b"x")), (SITE, 80): plain_page(b"")}
    await tools.far.serve(PROXY, 1080, socks(handlers, password=b"s:cret"))
    _, step = await ask(tools, authority, "http://a.example/", proxy=f"socks5://me:s%3Acret@{PROXY}:1080")
    assert (step.failure, step.status) == (None, 200)
    assert "cret" not in repr(step)
    for proxy in (f"socks5://me:wrong@{PROXY}:1080", f"socks5://{PROXY}:1080"):
        found, step = await ask(tools, authority, "http://a.example/", proxy=proxy)
        assert found is None
        assert step.failure.startswith("unknown_failure: the proxy")


@pytest.mark.parametrize("text", ["socks5://", "http://a:1", "socks5://a", "socks5://a:99999", "a:1080"])
def test_not_a_proxy(text):
    with pytest.raises(UsageError, match="not a proxy"):
        parse_proxy(text)


@pytest.mark.parametrize(
    "text",
    ["http://me:secret@a:1", "socks5://me:se/cret@a:1", "socks5://me:1/secret@a:1", "socks5://s cret@a"],
)
def test_what_is_not_a_proxy_is_told_without_its_password(text):
    with pytest.raises(UsageError, match="not a proxy") as refused:
        parse_proxy(text)
    assert "cret" not in str(refused.value)

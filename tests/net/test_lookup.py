"""Lookups keep every reply, name every failure, and do not trust what comes."""

import socket

import pytest
import trio

from blockwatch.errors import UsageError
from blockwatch.net import dnsmessage
from blockwatch.net.habits import Habits
from blockwatch.net.lookup import Lookups
from blockwatch.net.resolver import parse_resolver

from .far import SITE, answering, posts, reply_to

ZONE = {"a.example": [SITE], "v6.example": ["2001:db8::1"]}
UDP = "udp://8.8.8.8:53"


async def test_udp(far, ask, autojump_clock):
    await far.resolver("8.8.8.8", answering(ZONE))
    found, (step,) = await ask(UDP)
    assert found == [SITE]
    assert (step.resolver, step.qtype, step.rcode, step.failure) == (UDP, "A", 0, None)
    (reply,) = step.replies
    assert (reply.addresses, reply.ttl, reply.ip_ttl) == ((SITE,), 60, 64)
    assert reply.raw.startswith(step.query[:2])


@pytest.mark.parametrize(
    ("name", "failure", "rcode"),
    [("gone.example", "dns_nxdomain_error", 3), ("v6.example", "dns_no_answer", 0)],
)
async def test_negative_answers(far, ask, autojump_clock, name, failure, rcode):
    await far.resolver("8.8.8.8", answering(ZONE))
    found, (step,) = await ask(UDP, name)
    assert (found, step.failure, step.rcode) == ([], failure, rcode)


async def test_the_forged_reply_comes_first_and_the_true_one_is_kept(far, ask, autojump_clock):
    def forged(query):
        return [(0.0, reply_to(query, {"a.example": ["10.10.34.35"]})), (0.6, reply_to(query, ZONE))]

    await far.resolver("8.8.8.8", forged)
    found, (step,) = await ask(UDP)
    assert found == ["10.10.34.35"]
    assert step.addresses == ("10.10.34.35",)
    assert [reply.addresses for reply in step.replies] == [("10.10.34.35",), (SITE,)]
    assert step.us < 500_000 < step.replies[1].us


async def test_both_replies_are_candidates_when_both_are_there(far, ask, autojump_clock):
    await far.resolver(
        "8.8.8.8", lambda q: [(0.0, reply_to(q, {"a.example": ["10.1.1.1"]})), (0.0, reply_to(q, ZONE))]
    )
    found, (step,) = await ask(UDP, window_us=4_000_000)
    assert found == ["10.1.1.1", SITE]
    assert len(step.replies) == 2


async def test_a_silent_resolver_is_asked_three_times(far, ask, autojump_clock):
    await far.resolver("8.8.8.8", lambda query: [])
    begun = trio.current_time()
    found, steps = await ask(UDP)
    assert found == []
    assert [(s.round, s.failure, s.replies) for s in steps] == [
        (n, "generic_timeout_error", ()) for n in range(3)
    ]
    assert len({s.query[:2] for s in steps}) == 3
    assert trio.current_time() - begun == pytest.approx(6, abs=0.1)


async def test_a_single_query_is_one_datagram_and_never_tcp(far, ask, autojump_clock):
    heard = []

    def cut(query):
        heard.append(query)
        reply = bytearray(reply_to(query, {}))
        reply[2] |= 0x02  # TC
        return [(0.0, bytes(reply))] if len(heard) > 1 else []

    await far.resolver("8.8.8.8", cut)
    for count in (1, 2):
        _, steps = await ask(UDP, single=True, recursive=False, window_us=1_000_000)
        step = steps[-1]
        assert len(heard) == len(steps) == count
        assert step.query[2:4] == b"\x00\x00"  # RD is not set
    assert far.dialled == []


async def test_a_lost_query_is_repeated(far, ask, autojump_clock):
    heard = []

    def lossy(query):
        heard.append(query)
        return [(0.0, reply_to(query, ZONE))] if len(heard) > 1 else []

    await far.resolver("8.8.8.8", lossy)
    found, (lost, answered) = await ask(UDP)
    assert found == [SITE]
    assert (lost.failure, answered.failure) == ("generic_timeout_error", None)
    assert (lost.round, answered.round) == (0, 1)


def loop(query):
    """An answer whose name points to itself."""
    return (
        query[:2]
        + b"\x81\x80\x00\x01\x00\x01\x00\x00\x00\x00"
        + query[12:]
        + ((12 + len(query) - 12).to_bytes(2, "big").replace(b"\x00", b"\xc0", 1) + b"\x00\x01\x00\x01")
        + b"\x00\x00\x00\x3c\x00\x04\x01\x02\x03\x04"
    )


@pytest.mark.parametrize(
    "broken",
    [
        lambda query: b"",
        lambda query: query[:2] + b"\x81",
        lambda query: query[:2] + b"\xff" * 200,
        lambda query: reply_to(query, ZONE)[:-2],
        lambda query: bytes([query[0] ^ 1]) + reply_to(query, ZONE)[1:],
        lambda query: reply_to(dnsmessage.query("other.example", "A", identity=0), {"other.example": [SITE]}),
        loop,
    ],
    ids=["empty", "short", "junk", "torn", "wrong id", "wrong question", "loop"],
)
async def test_what_does_not_fit_is_kept_but_not_believed(far, ask, autojump_clock, broken):
    await far.resolver("8.8.8.8", lambda query: [(0.0, broken(query))])
    found, steps = await ask(UDP)
    assert found == []
    for step in steps:
        assert (step.failure, step.error) == ("dns_server_misbehaving", "no reply fits the query")
        assert [(r.rcode, r.addresses) for r in step.replies] == [(None, ())]


async def test_a_flood_is_bounded(far, ask):
    await far.resolver("8.8.8.8", lambda query: [(0.0, reply_to(query, ZONE))] * 40)
    _, (step,) = await ask(UDP)
    assert len(step.replies) == 16


async def test_nobody_listens(far, ask, autojump_clock):
    far.udp["8.8.8.8", 53] = 1  # a closed port: ICMP port unreachable
    _, steps = await ask(UDP)
    assert {(s.failure, s.error) for s in steps} == {("connection_refused", "ECONNREFUSED")}


async def test_the_lines_own_resolver_is_not_named(far, ask, autojump_clock):
    far.line_resolver = "192.168.1.1"
    await far.resolver("192.168.1.1", answering(ZONE))
    found, (step,) = await ask("line")
    assert found == [SITE]
    assert step.resolver == "line"
    assert "192.168" not in repr(step)


@pytest.mark.parametrize(
    ("error", "failure", "word"),
    [
        (socket.gaierror(socket.EAI_NONAME, "x"), "dns_nxdomain_error", "EAI_NONAME"),
        (socket.gaierror(socket.EAI_NODATA, "x"), "dns_no_answer", "EAI_NODATA"),
        (socket.gaierror(socket.EAI_AGAIN, "x"), "dns_temporary_failure", "EAI_AGAIN"),
        (socket.gaierror(socket.EAI_FAIL, "x"), "dns_non_recoverable_failure", "EAI_FAIL"),
    ],
)
async def test_the_system_resolver(far, ask, error, failure, word):
    far.names = {"a.example": [SITE, "2001:db8::1"], "b.example": error}
    found, (good,) = await ask("system")
    assert found == [SITE, "2001:db8::1"]
    assert (good.qtype, good.failure, good.query, good.rcode) == ("ANY", None, b"", None)
    _, (_, bad) = await ask("system", "b.example")
    assert (bad.failure, bad.error) == (failure, word)


async def framed(stream):
    while head := await stream.receive_some(2):
        query = await stream.receive_some(int.from_bytes(head, "big"))
        reply = reply_to(query, ZONE)
        await stream.send_all(len(reply).to_bytes(2, "big") + reply)


async def test_tcp_and_tls(far, ask, authority):
    await far.serve("8.8.8.8", 53, framed)
    found, (tcp, dns) = await ask("tcp://8.8.8.8:53")
    assert (found, dns.addresses, tcp.purpose, dns.purpose) == ([SITE], (SITE,), "resolver", "first")
    await far.serve("9.9.9.9", 853, authority.secure(framed, "9.9.9.9", alpn=("dot",)))
    found, steps = await ask("tls://9.9.9.9")
    assert found == [SITE]
    assert steps[3].alpn == "dot"
    assert steps[4].resolver == "tls://9.9.9.9:853"


async def test_an_untrusted_resolver_is_not_asked(far, ask, authority):
    await far.serve("9.9.9.9", 853, authority.secure(framed, "other.example"))
    found, (_, tls, dns) = await ask("tls://9.9.9.9")
    assert found == []
    assert tls.trust == "ssl_invalid_hostname"
    assert dns.skipped


async def test_a_truncated_answer_is_asked_for_over_tcp(far, ask, autojump_clock):
    def cut(query):
        return [(0.0, query[:2] + b"\x83\x80\x00\x01\x00\x00\x00\x00\x00\x00" + query[12:])]

    await far.resolver("8.8.8.8", cut)
    await far.serve("8.8.8.8", 53, framed)
    found, steps = await ask(UDP)
    assert found == [SITE]
    assert [getattr(s, "resolver", None) for s in steps] == [UDP, None, "tcp://8.8.8.8:53"]


DOH = "https://doh.example/dns-query"


def answer(query):
    return "application/dns-message", reply_to(query, ZONE)


async def test_https_keeps_its_connection(tools, far, authority):
    far.names["doh.example"] = ["9.9.9.11"]
    await far.serve("9.9.9.11", 443, authority.secure(posts(answer), "doh.example"))
    habits = Habits(tools.kit)
    async with trio.open_nursery() as background:
        lookups = Lookups(tools.kit, tools.record, habits, background)
        assert await lookups.ask(DOH, "a.example") == [SITE]
        assert await lookups.ask(DOH, "gone.example") == []
    habits.close()
    kinds = [type(step).__name__ for step in tools.record.snapshot()]
    assert sorted(kinds) == ["DnsStep", "DnsStep", "TcpStep", "TlsStep"]
    assert far.dialled == [("9.9.9.11", 443)]


async def test_https_reopens_a_connection_that_died(tools, far, authority):
    far.names["doh.example"] = ["9.9.9.11"]
    served, die, died = [], trio.Event(), trio.Event()

    async def mortal(stream):
        served.append(1)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(posts(answer), stream)
            if len(served) == 1:
                await die.wait()
                nursery.cancel_scope.cancel()
        await trio.aclose_forcefully(stream)
        died.set()

    await far.serve("9.9.9.11", 443, authority.secure(mortal, "doh.example"))
    habits = Habits(tools.kit)
    async with trio.open_nursery() as background:
        lookups = Lookups(tools.kit, tools.record, habits, background)
        assert await lookups.ask(DOH, "a.example") == [SITE]
        die.set()
        await died.wait()
        assert await lookups.ask(DOH, "a.example") == [SITE]
    habits.close()
    assert len(served) == 2


async def test_https_that_cannot_be_reached_is_left_alone_after_three_tries(tools, far):
    far.names["doh.example"] = ["9.9.9.11"]
    async with trio.open_nursery() as background:
        lookups = Lookups(tools.kit, tools.record, Habits(tools.kit), background)
        for _ in range(5):
            assert await lookups.ask(DOH, "a.example") == []
    steps = tools.record.snapshot()
    assert [s.failure for s in steps if s.purpose == "resolver"] == ["connection_refused", None] * 3
    assert [s.skipped for s in steps if s.purpose == "first"] == [True] * 5


async def test_aaaa_is_asked_where_ipv6_leads_somewhere(tools, far, ask, autojump_clock):
    tools.kit.ipv6 = True
    await far.resolver("8.8.8.8", answering({"a.example": [SITE, "2001:db8::1"]}))
    found, steps = await ask(UDP)
    assert found == [SITE, "2001:db8::1"]
    assert sorted(step.qtype for step in steps) == ["A", "AAAA"]


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("udp://8.8.8.8", "udp://8.8.8.8:53"),
        ("udp://[2001:4860:4860::8888]", "udp://[2001:4860:4860::8888]:53"),
        ("https://dns.example", "https://dns.example/dns-query"),
        ("tls://dns.example", "tls://dns.example:853"),
        ("system", "system"),
    ],
)
def test_resolvers_have_one_spelling(text, meant):
    assert parse_resolver(text).text == meant
    assert parse_resolver(meant).text == meant


@pytest.mark.parametrize(
    "text", ["8.8.8.8", "udp://dns.example", "quic://1.1.1.1", "udp://1.1.1.1:99999", ""]
)
def test_resolvers_that_are_none(text):
    with pytest.raises(UsageError):
        parse_resolver(text)

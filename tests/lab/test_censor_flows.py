"""What the censor makes of packets that no kernel sends at will: order, repeats, times to live."""

from __future__ import annotations

import socket
import ssl

import pytest

from blockwatch.lab import packet
from blockwatch.lab.censor import DROP, PASS, Censor
from blockwatch.lab.censor.names import dns_question, http_host, server_name
from blockwatch.lab.world import DnsRule, HttpRule, Rule, TcpRule, TlsRule, World

PROBE, SERVER = (socket.inet_aton("95.56.8.20"), 40_000), (socket.inet_aton("93.184.216.34"), 443)
ISN = 0xFFFFFF00  # so that a hello crosses the end of the sequence numbers
SERVER_NEXT = 5001


def hello(name: str) -> bytes:
    going = ssl.MemoryBIO()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    talk = context.wrap_bio(ssl.MemoryBIO(), going, server_hostname=name)
    with pytest.raises(ssl.SSLWantReadError):
        talk.do_handshake()
    return going.read()


def censor(*rules: Rule) -> Censor:
    world = Censor(World(name="flows", sites=(), rules=rules))
    assert world.up(packet.tcp(PROBE, SERVER, ISN, 0, packet.SYN), 0.0) == PASS
    return world


def segment(offset: int, payload: bytes) -> bytes:
    return packet.tcp(PROBE, SERVER, ISN + 1 + offset, SERVER_NEXT, packet.ACK | packet.PSH, payload)


ORDERS = {
    "in order": (0, 1, 2),
    "last first": (2, 1, 0),
    "middle last": (0, 2, 1),
    "with repeats": (0, 0, 2, 2, 0, 1),
}


@pytest.mark.parametrize("order", ORDERS.values(), ids=ORDERS.keys())
def test_a_hello_is_put_together_from_segments_in_any_order(order: tuple[int, ...]) -> None:
    octets = hello("rst.example")
    third = -(-len(octets) // 3)
    box = censor(TlsRule(sni="rst.example", do="rst"))
    for number in order[:-1]:
        assert box.up(segment(third * number, octets[third * number :][:third]), 0.0) == PASS
        assert not box.injected
    number = order[-1]
    assert box.up(segment(third * number, octets[third * number :][:third]), 0.0) == PASS
    assert [to_probe for to_probe, _, _ in box.injected] == [True, False]


def test_injected_resets_have_the_numbers_the_receivers_expect_and_the_rules_marks() -> None:
    octets = hello("rst.example")
    box = censor(TlsRule(sni="rst.example", do="rst", ttl0=128, ipid=30_000))
    assert box.up(segment(0, octets), 0.0) == PASS
    (_, _, to_probe), (_, _, to_server) = box.injected
    end = (ISN + 1 + len(octets)) % 2**32
    assert packet.seq_ack(to_probe, 20) == (SERVER_NEXT, end)
    assert packet.seq_ack(to_server, 20) == (end, SERVER_NEXT)
    assert (packet.ends(to_probe), packet.ports(to_probe, 20)) == ((SERVER[0], PROBE[0]), (443, 40_000))
    assert (to_probe[8], to_server[8]) == (128 - 4, 128 - 4)
    assert to_probe[4:6] == to_server[4:6] == (30_000).to_bytes(2, "big")
    assert to_probe[33] & packet.RST
    assert to_server[33] & packet.RST


def test_a_reset_is_sent_again_for_a_repeated_trigger() -> None:
    octets = hello("rst.example")
    box = censor(TlsRule(sni="rst.example", do="rst", both=False))
    for _ in range(2):
        box.up(segment(0, octets), 0.0)
    assert len(box.injected) == 2
    assert box.injected[0][2][20:32] == box.injected[1][2][20:32]  # ports and numbers


def test_a_page_is_numbered_on_and_ends_with_fin() -> None:
    page = bytes(range(256)) * 12
    request = b"GET / HTTP/1.1\r\nHost: p.example\r\n\r\n"
    box = censor(HttpRule(host="p.example", do="page", response=page))
    assert box.up(segment(0, request), 0.0) == DROP
    parts = [raw for to_probe, _, raw in box.injected if to_probe]
    expected = SERVER_NEXT
    for raw in parts:
        assert packet.seq_ack(raw, 20) == (expected, (ISN + 1 + len(request)) % 2**32)
        expected += len(packet.tcp_payload(raw, 20))
    assert b"".join(packet.tcp_payload(raw, 20) for raw in parts) == page
    assert [bool(raw[33] & packet.FIN) for raw in parts] == [False, False, True]
    down = packet.tcp(SERVER, PROBE, SERVER_NEXT, ISN + 1, packet.ACK, b"true")
    assert box.down(down, 0.0) == DROP


def test_a_freeze_counts_bytes_not_packets() -> None:
    box = censor(TlsRule(sni="f.example", do="freeze", after=2000))
    octets = hello("f.example")
    assert box.up(segment(0, octets), 0.0) == PASS

    def down(offset: int, size: int) -> float:
        return box.down(packet.tcp(SERVER, PROBE, SERVER_NEXT + offset, 0, packet.ACK, b"x" * size), 0.0)

    assert [down(0, 1000), down(0, 1000), down(1000, 1000), down(2000, 0)] == [PASS] * 4
    assert down(2000, 1) == DROP
    assert [down(0, 1000), box.up(segment(len(octets), b"more"), 0.0)] == [DROP] * 2


def test_a_policer_lets_its_rate_pass_by_the_clock() -> None:
    box = censor(TlsRule(sni="t.example", do="throttle", rate=10))
    box.up(segment(0, hello("t.example")), 0.0)
    packets = [packet.tcp(SERVER, PROBE, SERVER_NEXT, 0, packet.ACK, b"x" * 960)] * 1000
    passed = sum(box.down(raw, at / 100) == PASS for at, raw in enumerate(packets))  # 10 s, 100 kB/s
    assert 100 <= passed <= 106  # 10 kB/s of 1000-byte packets, and the bucket of 6000 bytes


@pytest.mark.parametrize(("do", "told"), [("rstserver", [False]), ("dropdown", []), ("rstafter", [])])
def test_boxes_that_see_or_touch_one_direction(do: str, told: list[bool]) -> None:
    box = censor(TlsRule(sni="o.example", do=do, after=2000))
    assert box.up(segment(0, hello("o.example")), 0.0) == PASS
    assert [to_probe for to_probe, _, _ in box.injected] == told
    down = packet.tcp(SERVER, PROBE, SERVER_NEXT, 0, packet.ACK, b"x" * 1000)
    assert box.down(down, 0.0) == (DROP if do == "dropdown" else PASS)


def test_a_reset_comes_in_place_of_the_bytes_that_are_too_many() -> None:
    box = censor(TlsRule(sni="c.example", do="rstafter", after=1500))
    box.up(segment(0, hello("c.example")), 0.0)
    first = packet.tcp(SERVER, PROBE, SERVER_NEXT, 0, packet.ACK, b"x" * 1000)
    second = packet.tcp(SERVER, PROBE, SERVER_NEXT + 1000, 7, packet.ACK, b"x" * 1000)
    assert [box.down(first, 0.0), box.down(second, 0.0)] == [PASS, DROP]
    ((to_probe, _, raw),) = box.injected
    assert to_probe
    assert raw[33] & packet.RST
    assert packet.seq_ack(raw, 20)[0] == SERVER_NEXT + 1000


def test_a_racing_page_leaves_the_flow_alone() -> None:
    box = censor(HttpRule(host="p.example", do="race", response=b"HTTP/1.1 200 OK\r\n\r\n"))
    assert box.up(segment(0, b"GET / HTTP/1.1\r\nHost: p.example\r\n\r\n"), 0.0) == PASS
    assert [to_probe for to_probe, _, _ in box.injected] == [True]
    assert box.down(packet.tcp(SERVER, PROBE, SERVER_NEXT, 0, packet.ACK, b"true"), 0.0) == PASS


@pytest.mark.parametrize(("path", "fate"), [("/politics/17", DROP), ("/sport", PASS)])
def test_a_rule_may_hold_for_one_path_only(path: str, fate: float) -> None:
    box = censor(HttpRule(host="p.example", path="/politics"))
    assert box.up(segment(0, f"GET {path} HTTP/1.1\r\nHost: p.example\r\n\r\n".encode()), 0.0) == fate


def test_an_address_may_let_some_connections_through_first() -> None:
    box = Censor(World(name="patient", sites=(), rules=(TcpRule(ip="93.184.216.34", after=2),)))

    def opened(port: int) -> float:
        return box.up(packet.tcp((PROBE[0], port), SERVER, 1, 0, packet.SYN), 0.0)

    assert [opened(1), opened(1), opened(2), opened(3)] == [PASS, PASS, PASS, DROP]
    assert box.down(packet.tcp(SERVER, (PROBE[0], 1), 1, 1, packet.ACK), 0.0) == DROP


def question(name: str, kind: int) -> bytes:
    labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
    return b"\0\7\1\0\0\1\0\0\0\0\0\0" + labels + b"\0" + bytes([0, kind, 0, 1])


def test_a_lookup_may_be_late_or_met_by_type() -> None:
    resolver = (socket.inet_aton("8.8.8.8"), 53)
    rules = (
        DnsRule(name="late.example", do="delay", true_after=2.5),
        DnsRule(name="a.example", types=("A",)),
    )
    box = Censor(World(name="types", sites=(), rules=rules))

    def asked(name: str, kind: int) -> float:
        return box.up(packet.udp(PROBE, resolver, question(name, kind)), 0.0)

    assert [asked("late.example", 1), asked("a.example", 28)] == [PASS, PASS]
    assert box.injected == []
    assert box.down(packet.udp(resolver, PROBE, question("late.example", 1)), 0.0) == 2.5
    asked("a.example", 1)
    assert len(box.injected) == 1


def test_residual_blocking_ends_with_its_time() -> None:
    box = censor(TlsRule(sni="r.example", do="drop", residual=30))
    assert box.up(segment(0, hello("r.example")), 100.0) == DROP

    def other_flow(now: float, port: int) -> float:
        probe = (PROBE[0], port)
        box.up(packet.tcp(probe, SERVER, 1, 0, packet.SYN), now)
        return box.up(packet.tcp(probe, SERVER, 2, 1, packet.ACK, hello("fine.example")), now)

    assert [other_flow(129.9, 40_001), other_flow(130.1, 40_002)] == [DROP, PASS]


def test_a_new_connection_from_the_same_port_is_another_flow() -> None:
    box = censor(TlsRule(sni="d.example", do="drop"))
    assert box.up(segment(0, hello("d.example")), 0.0) == DROP
    assert box.up(packet.tcp(PROBE, SERVER, 7, 0, packet.SYN), 1.0) == PASS
    assert box.up(packet.tcp(PROBE, SERVER, 8, 1, packet.ACK, hello("fine.example")), 1.0) == PASS


@pytest.mark.parametrize("do", ["block", ""])
def test_an_unknown_interference_is_refused(do: str) -> None:
    for rule in (TlsRule(sni="a", do=do), HttpRule(host="a", do=do), DnsRule(name="a", do=do)):
        with pytest.raises(ValueError, match="unknown"):
            Censor(World(name="bad", sites=(), rules=(rule,)))


def test_names_are_read_from_whole_messages_only() -> None:
    octets = hello("Name.Example")
    assert [server_name(octets[:size]) for size in (0, 4, 5, len(octets) - 1)] == [None] * 4
    assert server_name(octets) == "name.example"
    halves = [octets[5:100], octets[100:]]
    records = b"".join(b"\x16\x03\x01" + len(half).to_bytes(2, "big") + half for half in halves)
    assert server_name(records) == "name.example"
    assert server_name(b"\x15\x03\x01\x00\x02\x02\x28") == ""
    request = b"GET / HTTP/1.1\r\nX: Host: no\r\nhOsT:  Www.Example:8080 \r\n\r\n"
    assert [http_host(request[:size]) for size in (1, 3, 20, len(request) - 1)] == [None] * 4
    assert http_host(request) == "www.example"
    assert [http_host(b"SSH-2.0-x\r\n"), http_host(b"GET / HTTP/1.0\r\n\r\n")] == ["", ""]
    assert dns_question(b"\0\1\1\0\0\1\0\0\0\0\0\0\x01A\x02bc\0\0\x1c\0\1rest") == ("a.bc", 28, 22)


def test_hostile_bytes_have_no_name() -> None:
    broken = bytearray(hello("a.example"))
    for at in range(5, len(broken)):
        for octet in (0, 255):
            changed = bytes(broken[:at]) + bytes([octet]) + bytes(broken[at + 1 :])
            assert isinstance(server_name(changed), str | None)
    for size in range(40):
        assert dns_question(b"\0\1\1\0\0\1\0\0\0\0\0\0" + b"\x3f" * size)[0] == ""

"""The probe's own line: what it carries in which time, and when it carries nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blockwatch.lab import packet
from blockwatch.lab.censor.boxes import boxes
from blockwatch.lab.censor.injector import DROP, PASS
from blockwatch.lab.line import Outages, Queue
from blockwatch.lab.netlink import packed
from blockwatch.lab.world import PORTAL, PROBE_V4, Outage, World
from blockwatch.lab.world_ports import PORTAL_PORT
from tests.lab.wire_far import TRUE_ADDRESS, ask, start

PROBE, FAR = packed(PROBE_V4)[1], packed("93.184.216.34")[1]


def tcp(port: int, sport: int = 50_000, *, up: bool = True) -> bytes:
    ends = ((PROBE, sport), (FAR, port))
    return packet.tcp(*(ends if up else ends[::-1]), 1, 1, packet.SYN, ttl=64)


def lost(outage: Outage) -> Callable[..., bool]:
    outages = Outages(World(name="x", sites=(), rules=(outage,)))
    outages.lost(tcp(443), 1000.0, up=True)  # the first packet: from here the seconds count

    def at(seconds: float, raw: bytes, *, up: bool = True) -> bool:
        return outages.lost(raw, 1000.0 + seconds, up=up)

    return at


def test_packets_wait_for_those_before_them_and_are_lost_at_the_end_of_the_queue() -> None:
    queue = Queue(kbit=80, queue_ms=250)  # 10 bytes a millisecond
    assert [queue.late(1000, 5.0) for _ in range(4)] == pytest.approx([0.1, 0.2, 0.3, DROP])
    assert queue.late(1000, 6.0) == pytest.approx(0.1)  # it is empty again
    assert Queue(kbit=0, queue_ms=0).late(1500, 5.0) == PASS


def test_a_line_that_goes_down_and_comes_back() -> None:
    at = lost(Outage(begins=2, seconds=10))
    assert [at(when, tcp(443, up=up), up=up) for up in (True, False) for when in (1.9, 2.0, 11.9, 12.0)] == [
        False, True, True, False,
    ] * 2  # fmt: skip


def test_names_that_go_away_alone() -> None:
    at = lost(Outage(begins=2, seconds=10, what="names"))
    assert [at(5, tcp(port)) for port in (53, 443)] == [True, False]
    assert at(5, tcp(53, up=False), up=False)
    assert not at(12, tcp(53))


def test_connections_from_before_a_switch_are_never_heard_again() -> None:
    at = lost(Outage(begins=2, seconds=10, what="switch"))
    assert not at(1, tcp(443, 50_001))
    assert [at(5, tcp(443, sport)) for sport in (50_001, 50_002)] == [True, True]
    assert [at(20, tcp(443, sport)) for sport in (50_000, 50_001, 50_002, 50_003)] == [
        True, True, False, False,
    ]  # fmt: skip
    assert at(20, tcp(443, 50_001, up=False), up=False)


def test_an_outage_of_an_unknown_kind_is_refused() -> None:
    with pytest.raises(ValueError, match="weather"):
        Outages(World(name="x", sites=(), rules=(Outage(begins=0, seconds=1, what="weather"),)))


def test_a_portal_that_comes_and_goes() -> None:
    now = 1000.0
    (portal,) = boxes(
        World(name="x", sites=(), rules=(Outage(begins=2, seconds=10, what="portal"),)), lambda: now
    )
    first, later = tcp(80), tcp(80, 50_001)
    assert portal.up(first) == first
    now = 1002.0
    led = portal.up(later)
    _, at = packet.layer4(led)
    assert (packet.ends(led)[1], packet.ports(led, at)[1]) == (packed(PORTAL)[1], PORTAL_PORT)
    assert portal.up(tcp(443)) == b""
    now = 1012.0
    assert portal.up(first) == first


def test_a_slow_line_with_a_long_way_back() -> None:
    world = World(name="slow", sites=(), delay_ms=5, back_ms=100, rate_kbit=800, queue_ms=3000)
    with start(world) as lab:
        call = {"do": "http", "address": TRUE_ADDRESS, "port": 80, "name": "a", "size": 100_000, "timeout": 9}
        (page,) = ask(lab, call)
    assert (page["saw"], page["body"]) == ("ok", 100_000)
    assert float(str(page["seconds"])) >= 1.1  # 100 kB at 100 kB/s, and the way

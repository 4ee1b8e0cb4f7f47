"""One end of the wire by itself: what a side sends arrives whole, what is written reaches the side."""

from __future__ import annotations

import os
import select
import socket
import struct

from blockwatch.lab import kernel, packet, sides
from blockwatch.lab.link import Link, lay
from blockwatch.lab.netlink import Netlink
from blockwatch.lab.world import PROBE_V4, PROBE_V6, World
from tests.lab.test_wire_packets import assert_right
from tests.lab.wire_far import TRUE_ADDRESS, said_by

BURST = 3000  # more than an ordinary user's socket buffer holds
_MAC = bytes.fromhex("020000000009")


def _probe() -> Link:
    """Become the probe's side of a new lab; the link to it."""
    wire = _wire()
    kernel.unshare(kernel.NEW_NET | kernel.NEW_MOUNTS)
    return Link(sides.build_probe(World(name="link", sites=(), ipv6=True), wire))


def _wire() -> int:
    kernel.unshare(kernel.NEW_USER)
    kernel.unshare(kernel.NEW_NET)
    return os.open("/proc/self/ns/net", os.O_RDONLY)


def _sent(link: Link) -> list[bytes]:
    """Everything the side has sent by now."""
    return list(iter(link.read, b""))


def test_a_burst_waits_whole_and_every_packet_is_finished() -> None:
    def work() -> int:
        link = _probe()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as side:
            for number in range(BURST):
                side.sendto(number.to_bytes(2, "big") * 500, (TRUE_ADDRESS, 53))
        sent = _sent(link)
        for raw in sent:
            assert_right(raw)
        assert [raw[28:30] for raw in sent] == [number.to_bytes(2, "big") for number in range(BURST)]
        return len(sent)

    assert said_by(work) == str(BURST)


def test_a_side_says_nothing_of_itself() -> None:
    """No ARP, router solicitation or multicast report: only what programs send is seen."""

    def work() -> list[bytes]:
        link = _probe()
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as side:
            side.setblocking(False)
            side.connect_ex(("2606:4700::1111", 80))
        select.select([link], [], [], 10)
        (only,) = _sent(link)
        assert_right(only)
        return [part for part in packet.ends(only) if part != socket.inet_pton(socket.AF_INET6, PROBE_V6)]

    assert said_by(work) == str([socket.inet_pton(socket.AF_INET6, "2606:4700::1111")])


def test_a_long_stream_leaves_in_packets_of_the_line() -> None:
    """The wire plays the server of a TCP connection by hand: no offload puts segments together."""

    def work() -> tuple[bool, int]:
        link = _probe()
        here, there = (socket.inet_aton(PROBE_V4), 0), (socket.inet_aton(TRUE_ADDRESS), 80)
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as side:
            side.setblocking(False)
            side.connect_ex((TRUE_ADDRESS, 80))
            (syn,) = _sent(link)
            here = (here[0], packet.ports(syn, 20)[0])
            number = packet.seq_ack(syn, 20)[0]
            link.write(packet.tcp(there, here, 7, number + 1, packet.SYN | packet.ACK))
            select.select([], [side], [], 10)
            side.send(b"x" * 5000)
        sent = [raw for raw in _sent(link) if packet.tcp_payload(raw, 20)]
        for raw in sent:
            assert_right(raw)
        return max(map(len, sent)) <= 1500, sum(len(packet.tcp_payload(raw, 20)) for raw in sent)

    assert said_by(work) == str((True, 5000))


def test_what_is_written_reaches_the_side_in_both_families() -> None:
    def work() -> list[bytes]:
        link = _probe()
        heard = []
        for family, own, other in (
            (socket.AF_INET, PROBE_V4, "8.8.8.8"),
            (socket.AF_INET6, PROBE_V6, "2606:4700::1111"),
        ):
            source, destination = (socket.inet_pton(family, address) for address in (other, own))
            with socket.socket(family, socket.SOCK_DGRAM) as side:
                side.bind((own, 5353))
                side.settimeout(10)
                link.write(packet.udp((source, 53), (destination, 5353), own.encode()))
                heard.append(side.recv(100))
        return heard

    assert said_by(work) == str([PROBE_V4.encode(), PROBE_V6.encode()])


def test_a_side_with_another_device_is_refused() -> None:
    def work() -> None:
        wire = _wire()
        kernel.unshare(kernel.NEW_NET | kernel.NEW_MOUNTS)
        _add("wlan0", wire)
        sides.build_probe(World(name="leaky", sites=()), wire)

    assert "a way out (wlan0)" in said_by(work)


def test_a_wire_with_another_device_is_refused() -> None:
    def work() -> None:
        wire = _wire()
        _add("wlan0", wire)
        sides.refuse_ways_out_of(wire)

    said = said_by(work)
    assert "a way out" in said
    assert "wlan0" in said


def _add(name: str, elsewhere: int) -> None:
    with Netlink() as netlink:
        netlink.add_veth((name, _MAC), (f"{name}-peer", _MAC), elsewhere)


def test_a_machine_that_gives_no_devices_is_refused_with_a_remedy() -> None:
    def work() -> None:
        outside = os.open("/proc/self/ns/net", os.O_RDONLY)
        kernel.unshare(kernel.NEW_USER)  # in here, that namespace is somebody else's
        lay("eth9", outside)

    said = said_by(work)
    assert "no virtual network devices (Operation not permitted)" in said
    assert kernel.remedy() in said


def test_a_packet_that_is_not_finished_is_a_fault_and_no_packet() -> None:
    """A device with offloads left on would hand out wrong checksums, which a kernel takes for loss."""

    def work() -> str:
        link = _probe()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as side:
            side.sendto(b"x", (TRUE_ADDRESS, 53))
        link._ring[0:4] = struct.pack("=I", 1 | 8)  # as the kernel marks one
        try:
            link.read()
        except RuntimeError as error:
            return str(error)
        return "taken"

    assert "unfinished" in said_by(work)

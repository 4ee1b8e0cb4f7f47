"""Packets are built and changed right to the last checksum; no kernel is asked."""

from __future__ import annotations

import socket

from hypothesis import given, settings
from hypothesis import strategies as st

from blockwatch.lab import packet
from blockwatch.lab.censor.boxes import Interception, Portal

V4 = (socket.inet_aton("95.56.8.20"), socket.inet_aton("93.184.216.34"))
V6 = (socket.inet_pton(socket.AF_INET6, "2a00:1d58:8::20"), socket.inet_pton(socket.AF_INET6, "2606:4700::1"))
ENDS = st.sampled_from([V4, V6])


def total(octets: bytes) -> int:
    """RFC 1071 as it is written: the ones' complement sum of 16-bit words."""
    octets += b"\0" * (len(octets) % 2)
    number = sum(octets[at] << 8 | octets[at + 1] for at in range(0, len(octets), 2))
    while number >> 16:
        number = (number & 0xFFFF) + (number >> 16)
    return number


def assert_right(raw: bytes) -> None:
    """Both checksums of a packet hold (a right one sums up to 0xffff), and its length is true."""
    protocol, at = packet.layer4(raw)
    source, destination = packet.ends(raw)
    if raw[0] >> 4 == 4:
        assert total(raw[:20]) == 0xFFFF
        assert int.from_bytes(raw[2:4], "big") == len(raw)
    else:
        assert int.from_bytes(raw[4:6], "big") == len(raw) - 40
    pseudo = source + destination + len(raw[at:]).to_bytes(4, "big") + bytes([0, 0, 0, protocol])
    assert total((b"" if protocol == packet.ICMP else pseudo) + raw[at:]) == 0xFFFF


@given(ENDS, st.binary(max_size=100), st.integers(0, 2**33), st.integers(9, 255), st.integers(0, 65535))
@settings(max_examples=60, deadline=None)
def test_built_and_forwarded_packets_are_right(
    ends: tuple[bytes, bytes], payload: bytes, number: int, ttl: int, ipid: int
) -> None:
    source, destination = (ends[0], 40_000), (ends[1], 443)
    segment = packet.tcp(source, destination, number, number + 7, packet.ACK, payload, ttl=ttl, ipid=ipid)
    datagram = packet.udp(source, destination, payload, ttl=ttl, ipid=ipid)
    for raw in (segment, datagram, packet.time_exceeded(ends[1], segment, ttl=60)):
        assert_right(raw)
        assert_right(bytes(packet.forwarded(raw, 8)))
    at = packet.layer4(segment)[1]
    assert packet.seq_ack(segment, at) == (number % 2**32, (number + 7) % 2**32)
    assert packet.tcp_payload(segment, at) == payload
    assert packet.flow_up(segment, at) == ends[0] + ends[1] + (40_000).to_bytes(2, "big") + b"\x01\xbb"


@given(ENDS, st.binary(max_size=60), st.integers(0, 65535))
@settings(max_examples=60, deadline=None)
def test_an_interception_can_be_told_by_neither_end(
    ends: tuple[bytes, bytes], payload: bytes, port: int
) -> None:
    box = Interception(frozenset([ends[1]]))
    there = packet.tcp((ends[0], port), (ends[1], 443), 1, 2, packet.ACK, payload)
    led = box.up(there)
    assert_right(led)
    assert packet.ports(led, packet.layer4(led)[1]) == (port, 10443)
    back = box.down(packet.tcp((ends[1], 10443), (ends[0], port), 2, 1, packet.ACK, payload))
    assert back == packet.tcp((ends[1], 443), (ends[0], port), 2, 1, packet.ACK, payload)


def test_a_portal_keeps_flows_with_one_port_apart() -> None:
    portal = socket.inet_aton("10.77.0.3")
    box = Portal(portal)
    other = socket.inet_aton("9.9.9.9")
    led = [box.up(packet.tcp((V4[0], 5000), (site, 80), 1, 0, packet.SYN)) for site in (V4[1], other)]
    ports = [packet.ports(raw, 20)[0] for raw in led]
    assert ports[0] != ports[1]
    for raw, port, site in zip(led, ports, (V4[1], other), strict=True):
        assert_right(raw)
        assert packet.ends(raw)[1] == portal
        home = box.down(packet.tcp((portal, 8880), (V4[0], port), 9, 2, packet.SYN | packet.ACK))
        assert home == packet.tcp((site, 80), (V4[0], 5000), 9, 2, packet.SYN | packet.ACK)
    assert box.up(packet.tcp((V4[0], 5000), (V4[1], 443), 1, 0, packet.SYN)) == b""


def test_a_fragment_is_not_looked_into() -> None:
    whole = bytearray(packet.udp((V4[0], 1), (V4[1], 53), b"x" * 30))
    whole[7] = 3
    assert packet.layer4(bytes(whole)) == (0, 0)

"""IPv4, IPv6, TCP, UDP and ICMP as bytes: read fields in place, build whole packets.

Rules: no object per packet; a packet is ``bytes`` as the kernel gave it (bare IP, no Ethernet), and
a place in it is an offset. Addresses are 4 or 16 bytes, times to live are whole hops. Built packets
have right checksums. IPv6 extension headers and IPv4 fragments are carried, never looked into.
Layouts: RFC 791, 8200, 9293, 768, 792, 4443; incremental checksums: RFC 1624.
"""

from __future__ import annotations

import struct

TCP, UDP, ICMP, ICMP6 = 6, 17, 1, 58
FIN, SYN, RST, PSH, ACK = 0x01, 0x02, 0x04, 0x08, 0x10
_V4 = struct.Struct("!BBHHHBBH4s4s")
_V6 = struct.Struct("!IHBB16s16s")
_TCP = struct.Struct("!HHIIBBHHH")
_UDP = struct.Struct("!HHHH")
_SEQ_ACK = struct.Struct("!II")
_QUOTED = 576 - 28  # bytes of the packet that a time-exceeded message carries back (RFC 1812 4.3.2.3)


def layer4(raw: bytes) -> tuple[int, int]:
    """Return the protocol number and where its header starts; ``(0, 0)`` for what is not looked into."""
    if raw[0] >> 4 == 4:
        if raw[6] & 0x3F or raw[7]:
            return 0, 0  # a fragment
        return raw[9], (raw[0] & 15) << 2
    return raw[6], 40


def flow_up(raw: bytes, at: int) -> bytes:
    """Key of a TCP or UDP flow, read from a packet of the probe: addresses and ports, its own first."""
    return (raw[12:20] if raw[0] >> 4 == 4 else raw[8:40]) + raw[at : at + 4]


def flow_down(raw: bytes, at: int) -> bytes:
    """Return the same key, read from a packet to the probe."""
    if raw[0] >> 4 == 4:
        return raw[16:20] + raw[12:16] + raw[at + 2 : at + 4] + raw[at : at + 2]
    return raw[24:40] + raw[8:24] + raw[at + 2 : at + 4] + raw[at : at + 2]


def ends(raw: bytes) -> tuple[bytes, bytes]:
    """Source and destination address."""
    return (raw[12:16], raw[16:20]) if raw[0] >> 4 == 4 else (raw[8:24], raw[24:40])


def ports(raw: bytes, at: int) -> tuple[int, int]:
    """Source and destination port."""
    return raw[at] << 8 | raw[at + 1], raw[at + 2] << 8 | raw[at + 3]


def seq_ack(raw: bytes, at: int) -> tuple[int, int]:
    """Sequence and acknowledgement number."""
    sequence, acknowledged = _SEQ_ACK.unpack_from(raw, at + 4)
    return sequence, acknowledged


def tcp_payload(raw: bytes, at: int) -> bytes:
    """What a TCP segment carries."""
    return raw[at + (raw[at + 12] >> 4) * 4 :]


def checksum(raw: bytes) -> int:
    """RFC 1071; 0xffff stands for 0, which is the same number there and means "none" in UDP."""
    if len(raw) & 1:
        raw += b"\0"
    return 0xFFFF - int.from_bytes(raw, "big") % 0xFFFF


def ip(source: bytes, destination: bytes, protocol: int, body: bytes, *, ttl: int, ipid: int = 0) -> bytes:
    """Put an IP header before ``body``."""
    if len(source) == 16:
        return _V6.pack(6 << 28, len(body), protocol, ttl, source, destination) + body
    head = _V4.pack(0x45, 0, 20 + len(body), ipid, 0, ttl, protocol, 0, source, destination)
    return head[:10] + checksum(head).to_bytes(2, "big") + head[12:] + body


def tcp(
    source: tuple[bytes, int], destination: tuple[bytes, int], sequence: int, acknowledged: int, flags: int,
    payload: bytes = b"", *, ttl: int = 64, ipid: int = 0, window: int = 64240,
) -> bytes:  # fmt: skip
    """Build a TCP segment in an IP packet; ends are (address, port)."""
    head = _TCP.pack(
        source[1], destination[1], sequence & 0xFFFFFFFF, acknowledged & 0xFFFFFFFF, 0x50, flags, window, 0, 0
    )  # fmt: skip
    total = _transport_sum(source[0], destination[0], TCP, head + payload)
    body = head[:16] + total + head[18:] + payload
    return ip(source[0], destination[0], TCP, body, ttl=ttl, ipid=ipid)


def udp(
    source: tuple[bytes, int], destination: tuple[bytes, int], payload: bytes, *, ttl: int = 64, ipid: int = 0
) -> bytes:
    """Build a UDP datagram in an IP packet; ends are (address, port)."""
    head = _UDP.pack(source[1], destination[1], 8 + len(payload), 0)
    body = head[:6] + _transport_sum(source[0], destination[0], UDP, head + payload) + payload
    return ip(source[0], destination[0], UDP, body, ttl=ttl, ipid=ipid)


def time_exceeded(router: bytes, raw: bytes, *, ttl: int) -> bytes:
    """Build the ICMP message with which ``router`` says that ``raw`` had no hop left."""
    source = ends(raw)[0]
    if len(router) == 16:
        expired = raw[:7] + b"\0" + raw[8 : 8 + _QUOTED]
        body = b"\x03\0\0\0\0\0\0\0" + expired
        total = _transport_sum(router, source, ICMP6, body)
        return ip(router, source, ICMP6, body[:2] + total + body[4:], ttl=ttl)
    expired = raw[:8] + b"\1" + raw[9:_QUOTED]
    body = b"\x0b\0\0\0\0\0\0\0" + expired
    return ip(router, source, ICMP, body[:2] + checksum(body).to_bytes(2, "big") + body[4:], ttl=ttl)


def forwarded(raw: bytes, hops: int) -> bytearray:
    """Return a copy with ``hops`` taken from its time to live; it must have more than that."""
    copy = bytearray(raw)
    if raw[0] >> 4 == 4:
        copy[8] -= hops
        total = (raw[10] << 8 | raw[11]) + (hops << 8)
        total = (total & 0xFFFF) + (total >> 16)
        copy[10], copy[11] = total >> 8, total & 0xFF
    else:
        copy[7] -= hops
    return copy


def redirected(raw: bytes, at: int, **changes: bytes) -> bytes:
    """Return a copy with other ``source``/``destination`` addresses or ``sport``/``dport`` (2 bytes each).

    IPv4 or IPv6 TCP; checksums are put right incrementally.
    """
    copy = bytearray(raw)
    four = raw[0] >> 4 == 4
    places = {
        "source": 12 if four else 8,
        "destination": 16 if four else 24,
        "sport": at,
        "dport": at + 2,
    }
    for name, new in changes.items():
        place = places[name]
        old = raw[place : place + len(new)]
        copy[place : place + len(new)] = new
        _adjust(copy, at + 16, old, new)
        if four and name in ("source", "destination"):
            _adjust(copy, 10, old, new)
    return bytes(copy)


def _adjust(copy: bytearray, place: int, old: bytes, new: bytes) -> None:
    """Change the checksum at ``place`` for ``old`` having become ``new``."""
    total = 0xFFFF - (copy[place] << 8 | copy[place + 1])
    for index in range(0, len(old), 2):
        total += 0xFFFF - int.from_bytes(old[index : index + 2], "big")
        total += int.from_bytes(new[index : index + 2], "big")
    copy[place : place + 2] = (0xFFFF - total % 0xFFFF).to_bytes(2, "big")


def _transport_sum(source: bytes, destination: bytes, protocol: int, body: bytes) -> bytes:
    pseudo = source + destination + struct.pack("!IHBB", len(body), 0, 0, protocol)
    return checksum(pseudo + body).to_bytes(2, "big")

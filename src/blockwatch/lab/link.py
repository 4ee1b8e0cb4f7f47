"""One end of the wire: a veth device in a side's namespace, and a packet socket on its peer.

Rules:

- A side has an ordinary Ethernet device (veth(4)) that asks nobody for anything: no ARP, no neighbour
  discovery, no offloads, so what it sends is finished IP packets with right checksums. It needs no
  device node and no right on the machine.
- The peer lies in the wire's own namespace, which has no address. Its kernel drops what arrives
  there, as the frames are addressed to nobody; only the packet socket takes them.
- What arrives lies in a ring that the kernel fills (packet_mmap), because an ordinary user's socket
  buffer (net.core.rmem_max) is too small for a burst: a packet lost here would look like a lossy line.

Layout of a frame in the ring: struct tpacket2_hdr, linux/if_packet.h.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import mmap
import os
import socket
import struct

from blockwatch.errors import LabError
from blockwatch.lab import kernel
from blockwatch.lab.netlink import Netlink

_SIDE_MAC, _WIRE_MAC = bytes.fromhex("02 00 00 00 00 01"), bytes.fromhex("02 00 00 00 00 02")
_ETHERNET = {4: _SIDE_MAC + _WIRE_MAC + b"\x08\x00", 6: _SIDE_MAC + _WIRE_MAC + b"\x86\xdd"}
_EVERYTHING = 3  # ETH_P_ALL
_SOL_PACKET, _RX_RING, _VERSION, _BYPASS_QUEUE, _IGNORE_OUTGOING = 263, 5, 10, 20, 23
_TPACKET_V2 = 1
_FRAME, _FRAMES, _BLOCK = 2048, 4096, 1 << 16  # bytes, how many, bytes
_HEAD = struct.Struct("=IIIHH")  # status, length, length kept, offsets of Ethernet and of IP
_OURS, _UNFINISHED = 1, 8  # TP_STATUS_USER; TP_STATUS_CSUMNOTREADY: an offload is left on
_KERNELS = b"\0\0\0\0"  # TP_STATUS_KERNEL
_SIOCETHTOOL = 0x8946
_OFFLOADS = (0x17, 0x19, 0x1F, 0x24, 0x2C)  # ETHTOOL_S…: TXCSUM, SG, TSO, GSO, GRO
_MODULES = "as root: modprobe -a veth af_packet (the kernel needs CONFIG_VETH and CONFIG_PACKET)"
_LACKING = (errno.EOPNOTSUPP, errno.EAFNOSUPPORT, errno.ENOPROTOOPT)
_FORBIDDEN = (errno.EPERM, errno.EACCES)


def lay(device: str, wire: int) -> int:
    """Make ``device`` in this namespace, with its peer in the wire's (a namespace's file descriptor).

    Returns the peer's packet socket, for :class:`Link`. The device is still down and has no address.
    """
    peer = peer_of(device)
    try:
        with Netlink() as netlink:
            netlink.add_veth((device, _SIDE_MAC), (peer, _WIRE_MAC), wire)
        _switch_off_offloads(device)
        with kernel.inside_network(wire):
            _switch_off_offloads(peer)
            with Netlink() as netlink:
                netlink.set_up(next(link.index for link in netlink.links() if link.name == peer))
            return _packet_socket(peer)
    except OSError as error:
        if error.errno not in _LACKING + _FORBIDDEN:
            raise
        what = f"the kernel gives no virtual network devices ({error.strerror})"
        remedy = _MODULES if error.errno in _LACKING else kernel.remedy()
        raise LabError(what, where=device, remedy=remedy) from error


def peer_of(device: str) -> str:
    """Return the name that the other end of a side's device has in the wire's namespace."""
    return f"{device}-wire"


def _switch_off_offloads(device: str) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as handle:
        for command in _OFFLOADS:
            value = ctypes.create_string_buffer(struct.pack("=II", command, 0))
            request = struct.pack("16sP16x", device.encode(), ctypes.addressof(value))
            fcntl.ioctl(handle, _SIOCETHTOOL, request)


def _packet_socket(device: str) -> int:
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW | socket.SOCK_NONBLOCK, 0) as link:
        link.setsockopt(_SOL_PACKET, _VERSION, _TPACKET_V2)
        link.setsockopt(_SOL_PACKET, _IGNORE_OUTGOING, 1)
        # A peer that came up before its device has a queue that drops all, until the kernel gets round to it.
        link.setsockopt(_SOL_PACKET, _BYPASS_QUEUE, 1)
        ring = struct.pack("=IIII", _BLOCK, _FRAME * _FRAMES // _BLOCK, _FRAME, _FRAMES)
        link.setsockopt(_SOL_PACKET, _RX_RING, ring)
        link.bind((device, _EVERYTHING))  # last: nothing is taken before the ring is there
        return link.detach()


class Link:
    """The packets of one side; select() tells when there are any to read."""

    def __init__(self, packet_socket: int) -> None:
        self._file = packet_socket
        self._ring = mmap.mmap(packet_socket, _FRAME * _FRAMES)
        self._at = 0

    def fileno(self) -> int:
        """Return the packet socket."""
        return self._file

    def read(self) -> bytes:
        """Return the next IP packet that the side has sent; empty when there is none."""
        ring, at = self._ring, self._at
        status, length, kept, ethernet, start = _HEAD.unpack_from(ring, at)
        if not status & _OURS:
            return b""
        if status & _UNFINISHED or kept < length:
            raise RuntimeError(f"a side sends unfinished packets (status {status:#x}, {length} bytes)")
        raw: bytes = ring[at + start : at + ethernet + kept]
        ring[at : at + 4] = _KERNELS
        self._at = (at + _FRAME) % (_FRAME * _FRAMES)
        return raw

    def write(self, raw: bytes | bytearray) -> None:
        """Have the side receive an IP packet; OSError when its kernel takes none."""
        os.write(self._file, _ETHERNET[raw[0] >> 4] + raw)

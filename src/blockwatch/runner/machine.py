"""What this machine can be told by: addresses and MAC addresses, names, its name servers.

Rules of this file:

* read from files of the system, nothing is asked of anybody; where a system has no such files (they are
  Linux's) less is known, and the routes' addresses (:meth:`Network.source`) remain;
* nothing of it is ever written: it is what is cut (:mod:`blockwatch.runner.own`);
* names only where they are distinctive: "user" or "laptop" name nobody, and stand in half of all pages;
* a name server that half the world uses says nothing of a line.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

_PROC, _DEVICES = Path("/proc/net"), Path("/sys/class/net")
_RESOLV = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
_LOCAL_V4 = re.compile(r"\|-- ([0-9.]+)\n +/32 host LOCAL")
_MAC = re.compile(r"(?<![0-9a-f:])(?:[0-9a-f]{2}:){5}[0-9a-f]{2}(?![0-9a-f:])")
_DISTINCTIVE = re.compile(r"(?=.*[0-9_-]).{6,64}")
_MOST = 64  # of each kind
PUBLIC_RESOLVERS = frozenset(
    (
        *("1.0.0.1", "1.1.1.1", "8.8.4.4", "8.8.8.8", "9.9.9.9", "9.9.9.10", "77.88.8.1", "77.88.8.8"),
        *("94.140.14.14", "94.140.15.15", "149.112.112.112", "208.67.220.220", "208.67.222.222"),
        *("2001:4860:4860::8844", "2001:4860:4860::8888", "2606:4700:4700::1001", "2606:4700:4700::1111"),
        *("2620:fe::9", "2620:fe::fe", "2a02:6b8::feed:ff"),
    )
)


@dataclass(frozen=True)
class Machine:
    """``macs`` are 12 lower-case hex digits; ``words`` are names and paths."""

    addresses: frozenset[str] = frozenset()  # of every interface but loopback
    macs: frozenset[str] = frozenset()  # of the interfaces and of the neighbours: the home router's
    words: frozenset[str] = frozenset()
    resolvers: frozenset[str] = frozenset()  # public ones of the line


def look(proc: Path = _PROC, devices: Path = _DEVICES, resolv: Iterable[Path] = _RESOLV) -> Machine:
    """Read what the system's files say."""
    found = _LOCAL_V4.findall(_read(proc / "fib_trie"))
    for line in _read(proc / "if_inet6").splitlines():
        found.append(str(ipaddress.IPv6Address(bytes.fromhex(line[:32]))))
    hardware = "\n".join([_read(proc / "arp"), *(_read(path / "address") for path in _folders(devices))])
    macs = (mac.replace(":", "") for mac in _MAC.findall(hardware.lower()))
    return Machine(
        addresses=frozenset(a for a in found[: 2 * _MOST] if not ipaddress.ip_address(a).is_loopback),
        macs=frozenset(mac for mac in list(macs)[:_MOST] if mac not in ("0" * 12, "f" * 12)),
        words=frozenset(_words()),
        resolvers=frozenset(a for path in resolv for a in _nameservers(path)),
    )


def is_line_resolver(address: str) -> bool:
    """Whether the address of a name server tells a line."""
    try:
        return ipaddress.ip_address(address).is_global and address not in PUBLIC_RESOLVERS
    except ValueError:
        return False


def distinctive(name: str) -> bool:
    """Whether a name of a host or user is worth cutting: long enough, and not a mere word."""
    return _DISTINCTIVE.fullmatch(name) is not None


def _words() -> Iterator[str]:
    host = os.uname().nodename if hasattr(os, "uname") else os.environ.get("COMPUTERNAME", "")
    names = (host, host.partition(".")[0], os.environ.get("USER", ""), os.environ.get("LOGNAME", ""))
    yield from filter(distinctive, names)
    home = os.path.expanduser("~")
    if home.count("/") >= 2:
        yield home


def _nameservers(path: Path) -> Iterator[str]:
    for line in _read(path).splitlines():
        words = line.split()
        if len(words) >= 2 and words[0] == "nameserver" and is_line_resolver(words[1]):
            yield str(ipaddress.ip_address(words[1]))


def _folders(devices: Path) -> list[Path]:
    try:
        return sorted(devices.iterdir())[:_MOST]
    except OSError:
        return []


def _read(path: Path) -> str:
    try:
        with path.open("r", encoding="utf-8", errors="replace") as file:
            return file.read(1_000_000)
    except OSError:
        return ""

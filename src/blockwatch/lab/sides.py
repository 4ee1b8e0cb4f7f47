"""What the namespaces of the lab's two sides look like: devices, routes, name service.

Rules: each builder works on the namespaces of the calling process, is given the wire's (a file
descriptor), returns the packet socket of its end of the wire, and raises LabError when there would be
any way out besides.
"""

from __future__ import annotations

import shutil
import socket
import tempfile
from contextlib import suppress
from pathlib import Path

from blockwatch.errors import LabError
from blockwatch.lab.kernel import BIND, inside_network, mount
from blockwatch.lab.link import lay, peer_of
from blockwatch.lab.netlink import HAS_IPV6, TABLE_LOCAL, Netlink
from blockwatch.lab.world import PROBE_V6, World

PROBE_DEVICE, FAR_DEVICE = "eth0", "net0"  # not "tun…": a probe takes that for a VPN
_FAR_OWN = "10.77.255.1"  # source of what the far side would send unasked
# The first router of the path: one neighbour, instead of one for every address that is measured.
_GATEWAYS = {socket.AF_INET: "95.56.240.1", socket.AF_INET6: "2a00:1d58:f000::1"}
# Some kernels put these, down and without routes, into every new namespace; they cannot be removed.
_IDLE_DEVICES = frozenset(
    ("tunl0", "gre0", "gretap0", "erspan0", "sit0", "ip6tnl0", "ip6gre0", "ip_vti0", "ip6_vti0", "teql0")
)
_SETTINGS = (
    ("ipv4/tcp_no_metrics_save", "1"),  # what one flow suffered must not slow the next one
    ("ipv4/ip_unprivileged_port_start", "0"),
    ("ipv4/icmp_ratelimit", "0"),
)


def build_far(world: World, wire: int) -> int:
    """Make every address local here, but the probe's and the dead ones, which lead into the wire."""
    end = lay(FAR_DEVICE, wire)
    _settle()
    with Netlink() as netlink:
        devices = {link.name: link.index for link in netlink.links()}
        loopback, wan = devices["lo"], devices[FAR_DEVICE]
        netlink.set_up(loopback)
        netlink.set_up(wan)
        netlink.add_address(wan, _FAR_OWN)
        families = [socket.AF_INET, *([socket.AF_INET6] if HAS_IPV6 else [])]
        for family in families:
            netlink.add_route(family, loopback, table=TABLE_LOCAL, local=True)
        for address in (world.probe, *((PROBE_V6,) if world.ipv6 else ()), *world.dead):
            netlink.add_route(address, wan, table=TABLE_LOCAL)
        _refuse_ways_out(netlink, FAR_DEVICE)
    return end


def build_probe(world: World, wire: int) -> int:
    """Give the probe its address and a default route into the wire."""
    if world.ipv6 and not HAS_IPV6:
        raise LabError("this world has IPv6 and this kernel has none", remedy="boot without ipv6.disable=1")
    end = lay(PROBE_DEVICE, wire)
    _settle()
    with suppress(OSError):  # comfort: who looks for devices in /sys sees the lab's, not the machine's
        mount("sysfs", "/sys", "sysfs", 0)
    with Netlink() as netlink:
        devices = {link.name: link.index for link in netlink.links()}
        loopback, wan = devices["lo"], devices[PROBE_DEVICE]
        netlink.set_up(loopback)
        netlink.set_up(wan)
        for address in (world.probe, *((PROBE_V6,) if world.ipv6 else ())):
            netlink.add_address(wan, address)
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            if family == socket.AF_INET6:  # the kernel's own such route comes later, in its own time
                netlink.add_route(address, wan, table=TABLE_LOCAL, local=True)
            netlink.add_route(family, wan, gateway=_GATEWAYS[family])
        _refuse_ways_out(netlink, PROBE_DEVICE)
    return end


def _settle() -> None:
    for name, value in _SETTINGS:
        try:
            Path("/proc/sys/net", name).write_text(value)
        except OSError:
            continue  # a read-only /proc: only comfort is lost


def refuse_ways_out_of(wire: int) -> None:
    """Raise LabError if the wire's namespace has anything besides the two peers."""
    with inside_network(wire), Netlink() as netlink:
        _refuse_ways_out(netlink, peer_of(PROBE_DEVICE), peer_of(FAR_DEVICE))


def _refuse_ways_out(netlink: Netlink, *devices: str) -> None:
    """Raise LabError if the namespace has any device besides loopback and these, or a route to one."""
    links = {link.index: link for link in netlink.links()}
    allowed = {index for index, link in links.items() if link.name in ("lo", *devices)}
    idle = {index for index, link in links.items() if link.name in _IDLE_DEVICES and not link.up}
    strange = (set(links) - allowed - idle) | (netlink.route_devices() - allowed)
    if strange:
        names = ", ".join(links[index].name if index in links else f"#{index}" for index in strange)
        raise LabError(f"the lab's namespace has a way out ({names}); it does not start")


def resolve_with(nameserver: str) -> None:
    """Have names looked up by DNS at ``nameserver`` only, in this mount namespace."""
    if not Path("/etc/resolv.conf").exists():
        raise LabError(
            "there is no file to put the lab's over", where="/etc/resolv.conf", remedy="create it, empty"
        )
    files = {
        "/etc/resolv.conf": f"nameserver {nameserver}\n",
        "/etc/hosts": "127.0.0.1 localhost\n::1 localhost\n",
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
    }
    folder = Path(tempfile.mkdtemp(prefix="blockwatch-lab-"))
    try:
        for target, text in files.items():
            if not Path(target).exists():
                continue  # without it, glibc does the same
            source = folder / Path(target).name
            source.write_text(text)
            source.chmod(0o644)
            mount(str(source), str(Path(target).resolve()), "none", BIND)
        for cache in ("/run/nscd", "/run/systemd/resolve", "/run/avahi-daemon"):
            # Their sockets would carry a question out, whatever the network namespace.
            if Path(cache).is_dir() and Path("/etc/resolv.conf").resolve().parent != Path(cache):
                mount("none", cache, "tmpfs", 0)
    finally:
        shutil.rmtree(folder)

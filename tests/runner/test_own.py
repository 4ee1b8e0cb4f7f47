"""What the machine can be told by is found, followed when it changes, and cut; what it is not stays."""

import ipaddress
from dataclasses import dataclass, field

import pytest

from blockwatch.model import DnsStep
from blockwatch.run import Vantage
from blockwatch.runner import machine, own
from blockwatch.runner.machine import Machine, distinctive, look
from blockwatch.runner.own import Own
from blockwatch.runner.vantage import Whereabouts

from .test_scrub import OWN, SITE, cut, measured, response

LAN, POOL, RESOLVER = "192.168.1.7", "95.56.9.9", "212.19.149.53"  # the pool's network is that of OWN


@dataclass
class Routes:
    """The part of a network that tells where packets would leave."""

    sources: dict[int, str | None] = field(default_factory=lambda: {4: LAN, 6: None})

    def source(self, version):
        return self.sources[version]

    def nameserver(self):
        return RESOLVER


@pytest.fixture
def routes(monkeypatch):
    """A machine with nothing of its own but a MAC address and a name."""
    known = Machine(macs=frozenset({"a4c3f0851e2b"}), words=frozenset({"aigul-thinkpad", "/home/aigul"}))
    monkeypatch.setattr(own, "look", lambda: known)
    return Routes()


def learned(routes, **more):
    found = Own(routes, **more)
    found.learned(Whereabouts(Vantage(), {OWN}, frozenset()))
    return found


TELLS = [
    LAN, OWN, RESOLVER, POOL, "A4-C3-F0-85-1E-2B", "a4:c3:f0:85:1e:2b", "mac=a4c3f0851e2b&", "a4c3.f085.1e2b",
    "a4%3Ac3%3Af0%3A85%3A1e%3A2b", "AIGUL-THINKPAD.lan", "file:///home/aigul/x", "95.56.8.0/24", "95.56.8.x",
]  # fmt: skip


@pytest.mark.parametrize("text", TELLS)
def test_whatever_tells_the_line_goes(routes, text):
    clean = cut(learned(routes), response(f"x {text} y".encode()))
    assert b"[scrub" in clean
    assert text.encode() not in clean


INNOCENT = [
    "192.168.1.77", "192.168.1.0/24", "95.163.36.1", "http://95.56.9.9/blocked", f"http:\\/\\/{POOL}\\/",
    SITE, "a4:c3:f0:85:1e:2c", "a4c3f0851e2b00", "aigul-thinkpads", "/home/aiguls", "8.8.8.8",
    "95.56.8", "95.56.0",
]  # fmt: skip


@pytest.mark.parametrize("text", INNOCENT)
def test_nothing_else_goes(routes, text):
    raw = response(f"x {text} y".encode())
    assert cut(learned(routes), raw) == raw


def test_nothing_is_known_until_it_is_learned(routes):
    raw = response(b"x 8.8.8.8 y")
    assert b"8.8.8.8" not in cut(Own(routes), raw)
    assert cut(learned(routes), raw) == raw


def test_an_address_of_the_own_network_that_was_met_stays(routes):
    line, raw = learned(routes), response(f"x {POOL} {RESOLVER} y".encode())
    assert cut(line, raw).count(b"[scrubbed]"[:8]) == 2
    met = DnsStep(
        i=0, t=0, us=1, failure=None, resolver="system", name="a", qtype="A", addresses=(POOL, RESOLVER)
    )
    assert line.measured(measured(before=(met,))).measurement.observations[0] == met
    assert cut(line, raw) == raw


def test_a_name_server_that_the_volunteer_named_stays(routes):
    raw = response(f"x {RESOLVER} y".encode())
    assert cut(learned(routes, kept=frozenset({RESOLVER})), raw) == raw


@pytest.mark.parametrize(("address", "told"), [("10.8.0.2", False), ("188.130.1.2", True)])
def test_another_network_in_the_middle_of_a_run(routes, address, told):
    line, raw = learned(routes), response(f"{OWN} {address} 203.0.114.9".encode())
    assert cut(line, raw).endswith(b" 203.0.114.9")
    routes.sources = {4: address, 6: None}
    clean = cut(line, raw)
    assert OWN.encode() not in clean
    assert address.encode() not in clean
    assert clean.endswith(b"203.0.114.9") is told  # unknown: any public literal may be ours
    routes.sources = {4: LAN, 6: None}
    assert cut(line, raw) == clean


def test_what_the_system_says(tmp_path):
    proc, devices = tmp_path / "net", tmp_path / "class"
    (devices / "wlan0").mkdir(parents=True)
    proc.mkdir()
    (proc / "fib_trie").write_text(
        "Local:\n        |-- 127.0.0.1\n           /32 host LOCAL\n        |-- 10.20.30.40\n"
        "           /32 host LOCAL\n        |-- 10.20.30.255\n           /32 link BROADCAST\n"
    )
    address = ipaddress.ip_address("2a02:aa1:1601::17")
    loopback = f"{1:032x} 01 80 10 80       lo\n"
    (proc / "if_inet6").write_text(loopback + f"{int(address):032x} 02 40 00 00    wlan0\n")
    (proc / "arp").write_text("IP HW Flags\n10.20.30.1  0x1  0x2  00:1B:44:11:3A:B7  *  wlan0\n")
    (devices / "wlan0" / "address").write_text("a4:c3:f0:85:1e:2b\n")
    resolv = tmp_path / "resolv.conf"
    resolv.write_text("nameserver 8.8.8.8\nnameserver 127.0.0.53\nnameserver 212.19.149.53\nnameserver x\n")
    found = look(proc, devices, [resolv, tmp_path / "missing"])
    assert found.addresses == {"10.20.30.40", str(address)}
    assert found.macs == {"001b44113ab7", "a4c3f0851e2b"}
    assert found.resolvers == {"212.19.149.53"}
    assert look(tmp_path / "no", tmp_path / "no", []).addresses == frozenset()


def test_mere_words_name_nobody(monkeypatch):
    assert [distinctive(name) for name in ("user", "laptop", "localhost", "kazakhstan")] == [False] * 4
    assert [distinctive(name) for name in ("desktop-4f7k2q1", "aigul_pc", "aigul77")] == [True] * 3
    monkeypatch.setenv("HOME", "/home/aigul")
    assert "/home/aigul" in look().words
    monkeypatch.setenv("HOME", "/root")
    assert "/root" not in look().words


def test_this_machine_itself():
    found = machine.look()
    assert all(not ipaddress.ip_address(address).is_loopback for address in found.addresses)
    assert all(len(mac) == 12 for mac in found.macs)

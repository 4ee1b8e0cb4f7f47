"""The wire carries what it must as a real path would, and nothing gets out of the lab."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from blockwatch.errors import LabError
from blockwatch.lab import kernel, namespace
from blockwatch.lab.netlink import Netlink
from blockwatch.lab.wire import routers
from blockwatch.lab.world import ISP_RESOLVER, Mitm, PortalRule, Site, World
from tests.lab.wire_far import TRUE_ADDRESS, ask, said_by, start

DEAD, FAR_AWAY, INTERCEPTED = "62.122.7.7", "203.1.2.3", "104.16.1.1"


@pytest.fixture(scope="module")
def lab() -> Iterator[namespace.Handle]:
    site = Site(key="m", host="m.example.org", addresses=(INTERCEPTED,))
    world = World(
        name="wire", sites=(site,), dead=(DEAD,), delay_ms=5, delays_ms={FAR_AWAY: 60}, ipv6=True,
        mitm=(Mitm(site="m.example.org", style="isca"),),
    )  # fmt: skip
    with start(world) as lab:
        yield lab


def test_every_address_answers_as_itself_with_its_own_delay(lab: namespace.Handle) -> None:
    near, far, six = ask(
        lab,
        {"do": "http", "address": TRUE_ADDRESS, "port": 80, "name": "a", "size": 100_000},
        {"do": "http", "address": FAR_AWAY, "port": 8080, "name": "a"},
        {"do": "http", "address": "2606:4700::1111", "port": 80, "name": "a", "size": 100_000},
    )
    assert [each["saw"] for each in (near, far, six)] == ["ok"] * 3
    assert near["body"] == six["body"] == 100_000
    assert float(str(far["seconds"])) >= 0.12


def test_names_are_looked_up_at_the_isps_resolver_only(lab: namespace.Handle) -> None:
    (seen,) = ask(lab, {"do": "system", "name": "some.example.org"})
    assert seen["resolver"] == f"nameserver {ISP_RESOLVER}\n"
    assert seen["addresses"] == [TRUE_ADDRESS]
    assert sorted(seen["devices"]) == sorted(seen["in_sys"]) == ["eth0", "lo"]  # type: ignore[call-overload]
    assert (seen["uid"], seen["folder"]) == (os.getuid(), os.getcwd())


def test_dead_addresses_swallow_everything(lab: namespace.Handle) -> None:
    assert ask(lab, {"do": "tcp", "address": DEAD, "port": 443, "timeout": 0.5})[0]["saw"] == "tcp.timeout"


def test_every_router_says_when_the_last_hop_was_taken(lab: namespace.Handle) -> None:
    seen = ask(
        lab,
        *(
            {"do": "tcp", "address": TRUE_ADDRESS, "port": 80, "ttl": hop, "timeout": 1}
            for hop in range(1, 10)
        ),
    )
    addresses = [socket.inet_ntoa(router) for router in routers(8, 4)]
    assert [each.get("router") for each in seen] == [*addresses, None]
    assert seen[8]["saw"] == "ok"


def test_a_server_is_as_far_away_as_the_path_has_hops(lab: namespace.Handle) -> None:
    (seen,) = ask(lab, {"do": "dns", "address": "8.8.8.8", "name": "a.example", "hold": 0.2})
    assert [answer["ttl"] for answer in seen["answers"]] == [64 - 8]  # type: ignore[attr-defined]


def test_an_interception_box_answers_on_443_for_its_addresses_only(lab: namespace.Handle) -> None:
    calls = [
        {"do": "tls", "address": address, "port": 443, "name": "m.example.org"}
        for address in (INTERCEPTED, TRUE_ADDRESS)
    ]
    caught, free = ask(lab, *calls, *[])
    assert str(caught["text"]).startswith("inter")
    assert free["text"] == "xxxxx"


def test_a_line_loses_its_share_both_ways_and_jitter_never_reorders() -> None:
    with start(World(name="lossy", sites=(), loss=0.2, jitter_ms=30, seed=3)) as lab:
        (seen,) = ask(lab, {"do": "echo", "address": TRUE_ADDRESS, "count": 1000})
        heard = seen["heard"]
    assert isinstance(heard, list)
    assert heard == sorted(heard)
    assert 560 <= len(heard) <= 720  # 0.8 × 0.8 of 1000, five standard deviations each way


def test_a_portal_redirects_cleartext_and_swallows_other_tcp() -> None:
    with start(World(name="portal", sites=(), rules=(PortalRule(),))) as lab:
        *pages, secure, odd = ask(
            lab,
            *(
                {"do": "http", "address": f"9.9.9.{n}", "port": 80, "name": "a", "times": 2}
                for n in range(20)
            ),
            {"do": "tls", "address": TRUE_ADDRESS, "port": 443, "name": "a", "timeout": 0.5},
            {"do": "http", "address": TRUE_ADDRESS, "port": 8080, "name": "a", "timeout": 0.5},
        )
    assert all("portal" in str(page["text"]) for page in pages)
    assert [secure["saw"], odd["saw"]] == ["tcp.timeout"] * 2


def test_labs_run_side_by_side_and_end_with_all_their_processes(lab: namespace.Handle) -> None:
    second = start(World(name="second", sites=(), delay_ms=0))
    children = _children(second.pid)
    call = {"do": "http", "address": TRUE_ADDRESS, "port": 80, "name": "a"}
    assert [ask(each, call)[0]["saw"] for each in (lab, second)] == ["ok"] * 2
    second.close()
    assert len(children) == 2
    assert not [child for child in (second.pid, *children) if _alive(child)]
    with pytest.raises(LabError, match="died"):
        second.check()
    assert ask(lab, call)[0]["saw"] == "ok"


def test_a_lab_dies_with_its_parent() -> None:
    start(World(name="trial", sites=())).close()  # skips where there is no lab
    program = (
        "import sys, time\nfrom tests.lab.wire_far import start\nfrom blockwatch.lab.world import World\n"
        "lab = start(World(name='orphan', sites=()))\nprint(lab.pid, flush=True)\ntime.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout
        keeper = int(parent.stdout.readline())
        everybody = (keeper, *_children(keeper))
        parent.send_signal(signal.SIGKILL)
    assert len(everybody) == 3
    deadline = time.monotonic() + 10
    while any(map(_alive, everybody)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_server_that_fails_is_a_lab_error_with_its_words() -> None:
    start(World(name="trial", sites=())).close()

    def serve(world: World, ready: object) -> None:
        raise RuntimeError("no certificate")

    with pytest.raises(LabError, match="no certificate"):
        namespace.start(World(name="broken", sites=()), serve)


def test_a_server_that_fails_later_is_told_by_the_next_check() -> None:
    start(World(name="trial", sites=())).close()
    reading, writing = os.pipe()

    def serve(world: World, ready: Callable[[], None]) -> None:
        ready()
        os.read(reading, 1)
        raise RuntimeError("out of files")

    with namespace.start(World(name="breaks", sites=()), serve) as lab:
        lab.check()
        os.write(writing, b"x")
        select.select([lab.fileno()], [], [], 10)
        with pytest.raises(LabError, match="out of files"):
            lab.check()
    os.close(reading)
    os.close(writing)


def test_a_kernel_that_gives_no_namespaces_is_refused_with_the_switch_to_turn() -> None:
    def forbid() -> None:
        kernel.unshare(kernel.NEW_USER)
        Path("/proc/sys/user/max_user_namespaces").write_text("0")  # in this user namespace
        namespace.start(World(name="forbidden", sites=()), lambda world, ready: ready())

    assert "sysctl -w user.max_user_namespaces" in said_by(forbid)


def test_an_address_is_refused_with_the_kernels_word() -> None:
    with Netlink() as netlink, pytest.raises(OSError, match=r"No such device|not permitted"):
        netlink.add_address(99_999, "192.0.2.1")


def _children(pid: int) -> list[int]:
    with open(f"/proc/{pid}/task/{pid}/children") as file:
        return [int(child) for child in file.read().split()]


def _alive(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as file:
            return file.read().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False

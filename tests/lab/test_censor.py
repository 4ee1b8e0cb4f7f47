"""Every interference is seen by a plain client exactly as its rule says, and by nobody else."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator

import pytest

from blockwatch.lab import namespace
from blockwatch.lab.world import HttpRule, OfflineRule, Rule, TcpRule, TlsRule, World
from tests.lab.calls import http, lookup, saw, tls
from tests.lab.wire_far import DIARY_PORT, TRUE_ADDRESS, ask, start

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 4000\r\n\r\n" + b"blocked!" * 500
UZ = b"Object not found\r\n"
BAD_ADDRESS, ODD_ADDRESS, ONLY_HERE = "91.1.1.1", "91.1.1.2", "91.1.1.3"

RULES: tuple[Rule, ...] = (
    TlsRule(sni="drop.example", do="drop"),
    TlsRule(sni="rst.example", do="rst"),
    TlsRule(sni="softrst.example", do="rst", both=False),
    TlsRule(sni="fin.example", do="fin"),
    TlsRule(sni="page.example", do="page", response=UZ),
    TlsRule(sni="throttle.example", do="throttle", rate=40),
    TlsRule(sni="freeze.example", do="freeze", after=16384),
    TlsRule(sni="slow.example", do="slow", delay_ms=300),
    TlsRule(sni="under.example", match="suffix", do="rst"),
    TlsRule(sni="t.co", match="substring", do="rst"),
    TlsRule(sni="here.example", ip=ONLY_HERE, do="rst"),
    TlsRule(sni="half.example", do="rst", share=0.5),
    TlsRule(sni="residual.example", do="drop", residual=60),
    HttpRule(host="drop.example", do="drop"),
    HttpRule(host="rst.example", do="rst"),
    HttpRule(host="fin.example", do="fin"),
    HttpRule(host="page.example", do="page", response=PAGE),
    HttpRule(host="freeze.example", do="freeze", after=8000),
    TcpRule(ip=BAD_ADDRESS, do="drop"),
    TcpRule(ip=ODD_ADDRESS, port=443, do="rst"),
    TcpRule(ip=ODD_ADDRESS, port=80, do="drop"),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[namespace.Handle]:
    with start(World(name="censor", sites=(), rules=RULES, delay_ms=5, ipv6=True)) as lab:
        yield lab


def server_diary(lab: namespace.Handle) -> dict[str, str]:
    program = (
        f"import socket; link = socket.create_connection(('{TRUE_ADDRESS}', {DIARY_PORT}))\n"
        "while heard := link.recv(65536): print(heard.decode(), end='')"
    )
    done = subprocess.run(
        lab.enter([sys.executable, "-c", program]), capture_output=True, text=True, check=True
    )
    diary: dict[str, str] = json.loads(done.stdout)
    return diary


NAMES_SEEN = {
    "drop.example": "tls.timeout",
    "rst.example": "tls.reset",
    "softrst.example": "tls.reset",
    "fin.example": "tls.eof",
    "page.example": "tls.garbage",
    "under.example": "tls.reset",
    "deep.under.example": "tls.reset",
    "reddit.com": "tls.reset",
    "DROP.Example": "tls.timeout",
    # and nothing when the name is another
    "xdrop.example": "ok",
    "drop.example.org": "ok",
    "sub.rst.example": "ok",
    "thunder.example": "ok",
    "here.example": "ok",
    "fine.example": "ok",
}


def test_a_server_name_meets_its_rule_and_no_other_name_does(lab: namespace.Handle) -> None:
    assert dict(zip(NAMES_SEEN, saw(lab, *map(tls, NAMES_SEEN)), strict=True)) == NAMES_SEEN


@pytest.mark.parametrize("how", [{"pieces": 3}, {"large": True}, {"large": True, "pieces": 7}, {"six": True}])
def test_a_client_hello_is_read_whatever_its_segments(lab: namespace.Handle, how: dict[str, object]) -> None:
    address = "2606:4700::1" if how.pop("six", False) else TRUE_ADDRESS
    calls = [tls(name, address, **how) for name in NAMES_SEEN]
    assert dict(zip(NAMES_SEEN, saw(lab, *calls), strict=True)) == NAMES_SEEN


def test_a_rule_may_hold_for_one_address_only(lab: namespace.Handle) -> None:
    assert saw(lab, tls("here.example", ONLY_HERE), tls("here.example")) == ["tls.reset", "ok"]


def test_plain_bytes_come_in_place_of_a_server_hello(lab: namespace.Handle) -> None:
    (seen,) = ask(lab, tls("page.example"))
    assert seen["text"] == UZ.decode()


def test_a_reset_and_a_page_reach_the_server_and_a_drop_does_not(lab: namespace.Handle) -> None:
    plain, page = ask(lab, http("rst.example"), http("page.example"))
    (dropped,) = ask(lab, http("drop.example", timeout=0.3))
    diary = server_diary(lab)
    assert [diary.get(str(each["port"])) for each in (plain, page, dropped)] == ["reset", "reset", None]


HOSTS_SEEN = {
    "drop.example": "http.timeout",
    "rst.example": "http.reset",
    "fin.example": "http.eof",
    "page.example:8080": "ok",
    "page.example": "ok",
    "xrst.example": "ok",
    "fine.example": "ok",
}


@pytest.mark.parametrize(("port", "pieces"), [(80, 1), (8080, 1), (80, 5)])
def test_a_host_header_meets_its_rule_on_any_port(lab: namespace.Handle, port: int, pieces: int) -> None:
    answers = ask(lab, *(http(name, port=port, pieces=pieces) for name in HOSTS_SEEN))
    assert {name: answer["saw"] for name, answer in zip(HOSTS_SEEN, answers, strict=True)} == HOSTS_SEEN
    blocked = {name for name, answer in zip(HOSTS_SEEN, answers, strict=True) if "blocked!" in str(answer)}
    assert blocked == {"page.example", "page.example:8080"}


def test_a_page_of_several_segments_arrives_whole_and_ends_the_flow(lab: namespace.Handle) -> None:
    once, twice = ask(lab, http("page.example", size=4000), http("page.example", size=4000, times=2))
    assert (once["saw"], once["body"]) == ("ok", 4000)
    assert twice["saw"] in ("http.eof", "http.timeout")


def test_a_later_request_on_the_same_connection_is_read_too(lab: namespace.Handle) -> None:
    program = (
        "import socket\n"
        f"link = socket.create_connection(('{TRUE_ADDRESS}', 80)); link.settimeout(3)\n"
        "for name in ('fine.example', 'rst.example'):\n"
        "    link.sendall(f'GET /5 HTTP/1.1\\r\\nHost: {name}\\r\\n\\r\\n'.encode())\n"
        "    try: print(len(link.recv(4096)) > 20)\n"
        "    except ConnectionResetError: print('reset')"
    )
    done = subprocess.run(
        lab.enter([sys.executable, "-c", program]), capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["True", "reset"]


def test_a_throttled_name_is_as_slow_as_its_policer(lab: namespace.Handle) -> None:
    slow, free = ask(
        lab, tls("throttle.example", size=80_000, timeout=15), tls("fine.example", size=80_000, timeout=15)
    )
    assert (slow["saw"], free["saw"], slow["body"]) == ("ok", "ok", 80_000)
    rate = 80_000 / float(str(slow["seconds"]))
    assert 8_000 < rate < 46_000  # bytes/s; the bucket's 6 kB come on top of 40 kB/s
    assert 80_000 / float(str(free["seconds"])) > 2 * rate


def test_a_frozen_flow_stops_after_its_bytes(lab: namespace.Handle) -> None:
    secure, plain = ask(lab, tls("freeze.example", size=100_000), http("freeze.example", size=100_000))
    assert [secure["saw"], plain["saw"]] == ["http.timeout"] * 2
    assert 16384 - 1460 <= int(str(secure["raw"])) <= 16384
    assert 8000 - 1460 <= int(str(plain["body"])) <= 8000
    assert saw(lab, tls("fine.example", size=100_000)) == ["ok"]


def test_a_slowed_flow_is_late_both_ways(lab: namespace.Handle) -> None:
    slow, free = ask(lab, tls("slow.example", timeout=15), tls("fine.example"))
    assert (slow["saw"], free["saw"]) == ("ok", "ok")
    assert float(str(slow["handshake"])) >= 0.6 > float(str(free["handshake"]))


def test_a_share_of_flows_is_hit(lab: namespace.Handle) -> None:
    seen = [one for _ in range(2) for one in saw(lab, *[tls("half.example", timeout=5)] * 30)]
    assert set(seen) == {"ok", "tls.reset"}
    assert 12 <= seen.count("tls.reset") <= 48


def test_residual_blocking_hits_other_names_at_the_same_address_and_port_only(lab: namespace.Handle) -> None:
    place = "91.1.1.4"
    assert saw(lab, tls("fine.example", place)) == ["ok"]
    assert saw(lab, tls("residual.example", place, timeout=0.5)) == ["tls.timeout"]
    seen = saw(lab, tls("fine.example", place, timeout=0.5), http("fine.example", place), tls("fine.example"))
    assert seen == ["tls.timeout", "ok", "ok"]


def test_an_address_is_dropped_or_reset_by_port(lab: namespace.Handle) -> None:
    seen = saw(
        lab,
        tls("fine.example", BAD_ADDRESS, timeout=0.5),
        http("fine.example", BAD_ADDRESS, timeout=0.5),
        tls("fine.example", ODD_ADDRESS),
        http("fine.example", ODD_ADDRESS, timeout=0.5),
        http("fine.example", ODD_ADDRESS, 8080),
    )
    assert seen == ["tcp.timeout", "tcp.timeout", "tcp.refused", "tcp.timeout", "ok"]


def test_the_censor_is_seen_at_its_hop_by_a_ladder(lab: namespace.Handle) -> None:
    program = f"""
import socket
for ttl in (3, 4, 5):
    for name in ("rst.example", "fine.example"):
        link = socket.create_connection(("{TRUE_ADDRESS}", 80)); link.settimeout(0.4)
        link.setsockopt(0, socket.IP_TTL, ttl)
        link.sendall(f"GET /5 HTTP/1.1\\r\\nHost: {{name}}\\r\\n\\r\\n".encode())
        try: link.recv(100); print("ok")
        except OSError as error: print(type(error).__name__)
        link.setsockopt(0, socket.IP_TTL, 64); link.close()
"""
    done = subprocess.run(
        lab.enter([sys.executable, "-c", program]), capture_output=True, text=True, check=True
    )
    seen = [word == "ConnectionResetError" for word in done.stdout.split()]
    assert seen == [False, False, True, False, True, False]


def test_nothing_passes_a_line_that_is_down() -> None:
    with start(World(name="offline", sites=(), rules=(OfflineRule(),))) as lab:
        calls = [http("fine.example", timeout=0.4), lookup("fine.example", hold=0.4), tls("a", timeout=0.4)]
        assert saw(lab, *calls) == ["tcp.timeout", "dns.timeout", "tcp.timeout"]
        (ladder,) = ask(lab, {"do": "tcp", "address": TRUE_ADDRESS, "port": 80, "ttl": 1, "timeout": 0.4})
        assert ladder["saw"] == "tcp.timeout"


def test_a_page_is_given_again_when_it_was_lost() -> None:
    rules = (HttpRule(host="page.example", do="page", response=PAGE[:1000]),)
    with start(World(name="lossy", sites=(), rules=rules, loss=0.2, delay_ms=2, seed=5)) as lab:
        seen = saw(lab, *[http("page.example", size=800, timeout=4)] * 20)
    assert seen.count("ok") >= 15  # a third of all requests or answers is lost at least once

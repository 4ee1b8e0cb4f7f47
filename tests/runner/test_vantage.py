"""The own network is learned; its address is in no record."""

import json

import pytest
import trio

from blockwatch.net.kit import Kit
from blockwatch.runner.vantage import learn, read_stun

from ..net.far import SITE, page, plain_page, reset

OWN = "95.56.8.20"


def mapped(request: bytes, address: str) -> bytes:
    packed = bytes(int(part) for part in address.split("."))
    value = b"\x00\x01\x00\x00" + bytes(a ^ b for a, b in zip(packed, request[4:8], strict=True))
    extra = b"\x80\x22\x00\x03abc\x00"  # SOFTWARE, padded
    return b"\x01\x01\x00\x14" + request[4:20] + extra + b"\x00\x20\x00\x08" + value


async def test_from_the_interface(far):
    far.source = lambda version: OWN if version == 4 else None
    found = await learn(Kit(far), isp="Mine", stun="stun.example:3478")
    vantage = found.vantage
    assert (vantage.asn, vantage.country, vantage.learned_from) == (9198, "KZ", "interface")
    assert (vantage.ipv4, vantage.ipv6, vantage.declared_isp) == (True, False, "Mine")
    assert found.own == {OWN}
    assert OWN not in repr(vantage)


async def test_by_stun_behind_a_router(far):
    far.source = lambda version: "192.168.1.7" if version == 4 else None
    far.names["stun.example"] = [SITE]
    await far.resolver(SITE, lambda request: [(0.0, mapped(request, OWN))])
    found = await learn(Kit(far), isp=None, stun="stun.example:53")
    assert (found.vantage.asn, found.vantage.learned_from, found.own) == (9198, "stun", {OWN})


HELPER = "http://93.184.216.51/"


def echo(body, status="200 OK"):
    return plain_page(page(body, status=status, headers="Content-Type: application/json\r\n"))


async def test_from_a_helper_before_stun(far):
    far.source = lambda version: "192.168.1.7" if version == 4 else None
    await far.serve("93.184.216.51", 80, echo(json.dumps({"address": OWN, "asn": 1}).encode()))
    found = await learn(Kit(far), isp=None, stun="stun.example:53", helpers=(HELPER,))
    assert (found.vantage.asn, found.vantage.learned_from, found.own) == (9198, "helper", {OWN})
    assert (found.blind, OWN in repr(found.vantage)) == (frozenset(), False)


async def test_an_interface_that_knows_asks_nobody(far):
    far.source = lambda version: OWN if version == 4 else None
    await learn(Kit(far), isp=None, stun="stun.example:53", helpers=(HELPER,))
    assert far.dialled == []


async def nothing(stream):
    await trio.sleep_forever()


@pytest.mark.parametrize(
    "handler",
    [
        echo(b'{"message": "only POST"}', "400 Bad Request"),
        echo(b"hello"),
        echo(b"[]"),
        echo(b'{"address": 7}'),
        echo(b'{"address": "192.168.1.7"}'),
        echo(b'{"address": "x"}'),
        echo(b'{"address": "' + OWN.encode() + b'", "x": "' + b"x" * 5_000 + b'"}'),
        reset,
        nothing,
    ],
)
async def test_a_helper_that_does_not_say_gives_way_to_stun(far, autojump_clock, handler):
    far.source = lambda version: "192.168.1.7" if version == 4 else None
    far.names["stun.example"] = [SITE]
    await far.resolver(SITE, lambda request: [(0.0, mapped(request, OWN))])
    await far.serve("93.184.216.51", 80, handler)
    begun = trio.current_time()
    found = await learn(Kit(far), isp=None, stun="stun.example:53", helpers=(HELPER,))
    assert (found.vantage.learned_from, found.own, found.blind) == ("stun", {OWN}, frozenset())
    assert trio.current_time() - begun <= 2


async def test_the_version_that_is_not_known_is_asked_for(far, autojump_clock):
    far.source = {4: "192.168.1.7", 6: "2a00:1450::1"}.get
    found = await learn(Kit(far), isp=None, stun=None)
    assert (found.vantage.learned_from, found.own, found.blind) == ("interface", {"2a00:1450::1"}, {4})
    await far.serve("93.184.216.51", 80, echo(json.dumps({"address": OWN}).encode()))
    found = await learn(Kit(far), isp=None, stun=None, helpers=(HELPER,))
    assert (found.vantage.learned_from, found.own) == ("interface", {"2a00:1450::1", OWN})
    assert found.blind == frozenset()


async def test_not_learned(far, autojump_clock):
    far.source = lambda version: "192.168.1.7" if version == 4 else None
    far.names["stun.example"] = [SITE]
    await far.resolver(SITE, lambda request: [])
    for stun in ("stun.example:53", "gone.example:53", None):
        found = await learn(Kit(far), isp=None, stun=stun)
        assert (found.vantage.asn, found.vantage.learned_from, found.own) == (None, None, set())
        assert found.blind == {4}


async def test_the_resolvers_network(far):
    far.line_resolver = "8.8.8.8"
    assert (await learn(Kit(far), isp=None, stun=None)).vantage.resolver_asn == 15169


@pytest.mark.parametrize(
    ("resolver", "local"),
    [("8.8.8.8", False), ("192.168.1.1", True), ("127.0.0.53", True), ("fd00::1", True), (None, None)],
)
async def test_whether_the_resolver_is_of_the_own_network(far, resolver, local):
    far.line_resolver = resolver
    assert (await learn(Kit(far), isp=None, stun=None)).vantage.resolver_local is local


def test_stun_answers_that_are_none():
    request = b"\x00\x01\x00\x00\x21\x12\xa4\x42" + bytes(range(12))
    good = mapped(request, OWN)
    assert read_stun(good, request[8:]) == OWN
    assert read_stun(good, bytes(12)) is None
    for length in range(len(good) - 1):
        assert read_stun(good[:length], request[8:]) is None

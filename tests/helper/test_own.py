"""A helper never looks at its own public addresses: through it, strangers would see its network."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import trio
import trio.testing

from blockwatch.helper import Destinations, serve
from blockwatch.helper.names import Looked
from blockwatch.helper.own import AGAIN_S, Names, names_in, of_interfaces
from tests.helper.world import little_internet

TRIE = """Main:
  +-- 0.0.0.0/0 3 0 5
     |-- 0.0.0.0
        /0 universe UNICAST
        |-- 95.56.8.0
           /24 link UNICAST
        |-- 95.56.8.20
           /32 host LOCAL
        |-- 95.56.8.255
           /32 link BROADCAST
"""
SIX = "2a001d58000800000000000000000020 02 40 00 80     eth0\n"


def test_the_addresses_of_interfaces(tmp_path: Path) -> None:
    (tmp_path / "fib_trie").write_text(TRIE)
    (tmp_path / "if_inet6").write_text(SIX)
    policy = Destinations(own=of_interfaces(tmp_path))
    for own in ("95.56.8.20", "::ffff:95.56.8.20", "2a00:1d58:8::20"):
        assert not policy.allows(own, 443)
    assert policy.allows("95.56.8.21", 443)
    assert policy.allows("2a00:1d58:8::21", 443)


def test_a_machine_that_lists_none_serves_all_the_same(tmp_path: Path) -> None:
    assert of_interfaces(tmp_path) == frozenset()
    assert Destinations(own=of_interfaces(tmp_path)).allows("95.56.8.20")


def test_an_own_address_is_refused_where_private_ones_are_allowed() -> None:
    assert not Destinations(allow_private=True, own=["127.0.0.1"]).allows("127.0.0.1")


async def test_what_the_names_stand_for_is_looked_up_again(autojump_clock: trio.testing.MockClock) -> None:
    answers = {"helper.test": ["95.56.8.20"], "gone.test": []}

    class Names_:
        async def lookup(self, name: str) -> Looked:
            return Looked(tuple(answers[name]), None if answers[name] else "dns_nxdomain_error")

    policy = Destinations()
    names = Names(list(answers), Names_(), policy)  # type: ignore[arg-type]
    await names.look()
    assert [policy.allows(f"95.56.8.{n}") for n in (20, 21)] == [False, True]
    async with trio.open_nursery() as nursery:
        nursery.start_soon(names.hourly)
        answers["helper.test"] = ["95.56.8.21"]
        await trio.sleep(AGAIN_S + 1)
        assert [policy.allows(f"95.56.8.{n}") for n in (20, 21)] == [True, False]
        answers["helper.test"] = []
        await trio.sleep(AGAIN_S + 1)
        assert not policy.allows("95.56.8.21")
        nursery.cancel_scope.cancel()


async def test_a_helper_refuses_its_own_name(tmp_path: Path) -> None:
    async with little_internet(tmp_path) as little:
        little.names.addresses["helper.test"] = ["95.56.8.20"]
        policy, bound = Destinations(), list[tuple[str, int]]()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(
                partial(
                    serve,
                    listen=[("127.0.0.1", 0)],
                    resolver=f"127.0.0.1:{little.names.port}",
                    destinations=policy,
                    names=("helper.test",),
                    ready=bound.extend,
                )
            )
            while not bound:
                await trio.lowlevel.checkpoint()
            assert not policy.allows("95.56.8.20")
            nursery.cancel_scope.cancel()


def test_the_names_in_a_certificate(tmp_path: Path) -> None:
    from blockwatch.lab.ca import LabCA

    file = LabCA(tmp_path).site(("helper.test", "*.helper.test", "th.helper.test"))
    assert names_in(file) == ("helper.test", "th.helper.test")
    file.write_text("nothing")
    assert names_in(file) == ()

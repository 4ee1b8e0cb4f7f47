"""Edges of one content network are one operator's; machines of one hosting company are not."""

from __future__ import annotations

from blockwatch import asn
from blockwatch.followup import KnownGood
from blockwatch.judge.case import Peers
from blockwatch.judge.ground import around
from blockwatch.judge.operators import operator, operators
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Sight
from blockwatch.model import DnsStep

EDGE, OTHER_EDGE, EDGE_V6 = "104.16.3.9", "172.65.1.1", "2606:4700::1"
MACHINE, OTHER_MACHINE = "88.198.1.1", "88.198.2.2"


def test_edges_of_one_operator() -> None:
    assert operator(EDGE) == operator(OTHER_EDGE) == operator(EDGE_V6) != operator("151.101.1.9")
    assert operators((EDGE, MACHINE)) == {operator(EDGE)}


def test_machines_of_a_hosting_company_are_strangers_to_each_other() -> None:
    assert operator(MACHINE) is operator(OTHER_MACHINE) is None
    assert operator("not an address") is None


def controls(*addresses: str) -> list[KnownGood]:
    return [
        KnownGood(host=f"control{n}.example{n}.org", address=address, port=443, tls=True)
        for n, address in enumerate(addresses)
    ]


def used(site: str, *addresses: str) -> set[str]:
    step = DnsStep(
        i=0, t=0, us=1, resolver="system", name="site.example.org", qtype="A", addresses=(site,), failure=None
    )
    sight = Sight("https://site.example.org/", (step,))
    scene = Scene(sight, sight.hops[0], Peers())
    return {good.address for good in around(scene, controls(*addresses)).usable}


def test_all_networks_of_one_operator_are_one() -> None:
    edges = ("104.16.52.29", "104.23.54.32")  # AS13335, AS202623
    assert len({asn.lookup(edge) for edge in edges}) == 2
    assert len({operator(edge) for edge in edges}) == 1


def test_rounds_are_made_at_another_operators_addresses_where_there_are_any() -> None:
    assert used(EDGE, OTHER_EDGE, MACHINE, OTHER_MACHINE) == {MACHINE, OTHER_MACHINE}
    assert used(EDGE, OTHER_EDGE) == {OTHER_EDGE}
    assert used(MACHINE, OTHER_MACHINE, EDGE) == {OTHER_MACHINE, EDGE}

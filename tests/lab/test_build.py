"""Worlds out of rows: every place filled in, names and addresses unique and neutral."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from blockwatch.errors import LabError
from blockwatch.lab.allot import fixed_addresses
from blockwatch.lab.build import build_world, many_clean_sites, worlds
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.scenarios.say import PAGE, https, ok, row, serve, site
from blockwatch.lab.world import HttpRule, Outage, World
from blockwatch.lab.world_ports import served, web_ports

WORLDS = worlds(SCENARIOS)
main = WORLDS["main"]


def own(world: World) -> list[str]:
    """Addresses of sites that do not share those of another."""
    return [address for site in world.sites if site.share is None for address in site.addresses]


@pytest.mark.parametrize("name", WORLDS)
def test_no_place_is_left_open(name: str) -> None:
    assert re.findall(r"@\w+(?:\.ip\d*)?@", repr(WORLDS[name])) == []


@pytest.mark.parametrize("name", WORLDS)
def test_hosts_and_addresses_are_given_once(name: str) -> None:
    world = WORLDS[name]
    hosts = [site.host for site in world.sites]
    assert len(set(hosts)) == len(hosts)
    assert len(set(own(world))) == len(own(world))
    assert not set(own(world)) & fixed_addresses()
    assert len({truth.target for truth in world.truths}) == len(world.truths)


def test_nothing_in_a_name_or_id_tells_the_truth() -> None:
    words = {word for row in SCENARIOS for word in (row.id, row.family)} | {"block", "censor"}
    for truth in main.truths:
        assert not any(word in truth.target for word in words)
    given = [s.host or "" for s in main.sites if not s.key.startswith("o21")]
    assert not [host for host in given if any(word in host.partition(".")[0] for word in words)]


def test_the_same_seed_gives_the_same_world() -> None:
    rows = [row for row in SCENARIOS if row.world == "main"]
    assert build_world(rows, seed=1) == main
    assert build_world(rows, seed=2) != main


def test_rows_of_two_conditions_need_two_worlds() -> None:
    with pytest.raises(LabError, match="loss, main"):
        build_world([row for row in SCENARIOS if row.world in ("main", "loss")])


def test_conditions_reach_the_world() -> None:
    assert WORLDS["loss"].loss == 0.05
    assert not WORLDS["no-helper"].helper
    assert WORLDS["ipv6"].ipv6
    assert build_world([], delay_ms=70.0).delay_ms == 70.0


def test_a_condition_brings_servers_and_rules_of_its_own() -> None:
    clean = row("x", "x", https(ok(), see="ok"), family="clean", source="own", world="helper-says-down")
    world = build_world([clean])
    (helper,) = [site for site in world.sites if site.host in world.helpers]
    assert len(helper.addresses) == 1
    assert helper.https is not None
    assert helper.https.args == {"says": "down"}
    assert [truth.scenario for truth in world.truths] == ["x"]
    assert any(isinstance(rule, Outage) for rule in build_world([replace(clean, world="outages")]).rules)


def test_places_are_filled_in_everywhere() -> None:
    world = build_world(
        [
            row(
                "x",
                "places",
                https(ok(), see="ok"),
                family="clean",
                source="own",
                sites=(
                    site(n=2, v6=1, paths={"/x": serve("redirect", to="http://@a.ip1@/", code=302)}),
                    site("b", share="a"),
                ),
                rules=(HttpRule(host="@a@", ip="@a.ip@", do="page", response=b"see @a.ip1@"),),
            )
        ]
    )
    a, b = world.sites
    rule = world.rules[0]
    assert isinstance(rule, HttpRule)
    assert a.addresses == b.addresses
    assert [":" in address for address in a.addresses] == [False, False, True]
    assert (rule.host, rule.ip, rule.response) == (a.host, a.addresses[0], f"see {a.addresses[1]}".encode())
    assert a.paths["/x"].args["to"] == f"http://{a.addresses[1]}/"
    assert world.truths[0].url == f"https://{a.host}/"


def test_closed_ports_are_not_served() -> None:
    closed = {site.addresses[0] for site in main.sites if site.key == "down-refused/a"}
    assert closed.isdisjoint({address for address, _ in web_ports(main)})
    hanging = next(site for site in main.sites if site.key == "down-tls-hang/a")
    assert web_ports(main)[hanging.addresses[0], 443] == "raw"
    odd = next(site for site in main.sites if site.key == "e-G/a")
    assert served(main)[odd.addresses[0]] == {80, 443, 8443}
    assert not set(main.dead) & set(served(main))


def test_the_benchmark_world() -> None:
    world = many_clean_sites(50, delay_ms=50.0, blackholed=0.1, page_bytes=4096)
    assert len(world.sites) == len(world.truths) == 50
    assert len(world.dead) == 5
    assert all(site.http == site.https == replace(PAGE, args={"bytes": 4096}) for site in world.sites)
    assert sum(truth.truth[0].state == "down" for truth in world.truths) == 5
    assert world.delay_ms == 50.0

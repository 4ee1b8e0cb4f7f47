"""The table of situations itself: unique ids, well-formed truths, no dead rows, nothing left out."""

from __future__ import annotations

import json
import re
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from blockwatch.lab.conditions import CONDITIONS
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.lab.scenarios.say import PAGE
from blockwatch.lab.servers.hostile import RAW_KINDS
from blockwatch.lab.servers.kinds import KINDS
from blockwatch.lab.servers.liars import LIARS
from blockwatch.lab.servers.moods import MOODS
from blockwatch.lab.world import DnsRule, HttpRule, Mitm, Rule, Scenario, Serve, Site, TcpRule, TlsRule

BY_ID = {row.id: row for row in SCENARIOS}
GIVEN = Path(__file__).parents[3] / "shared" / "lab" / "scenarios.json"
STATES = {"ok", "blocked", "down", "refused", "inconclusive"}
MECHANISMS = re.compile(
    r"dns\.(nxdomain|injection|redirect|bogon|empty|refused|servfail|timeout)|tcp\.(timeout|reset|refused)"
    r"|tls\.(timeout|reset|eof|alert|mitm|plaintext)|http\.(timeout|reset|eof|blockpage|redirect)|throttle|freeze"
)
LAYERS = ("dns", "dns.", "tcp.", "tls.", "http.")  # where any mechanism of a layer is right
NOUNS = {"dns": DnsRule, "tls": TlsRule, "http": HttpRule, "tcp": TcpRule}


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(SCENARIOS)


@pytest.mark.parametrize("row", SCENARIOS, ids=lambda row: row.id)
def test_rows_are_well_formed(row: Scenario) -> None:
    keys = {site.key for site in row.sites}
    assert row.world in CONDITIONS
    assert row.desc
    assert row.targets
    assert set(re.findall(r"@(\w+)(?:\.ip\d*)?@", repr(row))) <= keys
    for expected in row.targets:
        assert expected.truth
        assert expected.see
        for allowed in expected.truth:
            assert allowed.state in STATES
            assert (allowed.state == "blocked") <= bool(allowed.mechanisms)
            prefixes = [m for m in allowed.mechanisms if m not in LAYERS]
            assert all(MECHANISMS.fullmatch(prefix) for prefix in prefixes)
    for site in row.sites:
        serves = [site.http, site.https, *site.paths.values(), *(serve for _, serve in site.ports.values())]
        assert all(
            serve.kind in KINDS.keys() | MOODS.keys() | LIARS.keys() | RAW_KINDS.keys()
            for serve in serves
            if serve
        )
    assert {box.site for box in row.mitm} <= keys


def test_every_interference_hits_a_site_of_its_row() -> None:
    for row in SCENARIOS:
        named = {f"@{site.key}@" for site in row.sites} | {"th.example.org", ""}
        for rule in row.rules:
            name = getattr(
                rule, {DnsRule: "name", TlsRule: "sni", HttpRule: "host"}.get(type(rule), "ip"), None
            )
            if name is not None and not isinstance(rule, TcpRule):
                assert name in named or rule.__class__.__name__ == "PortalRule", row.id


def given() -> list[dict[str, Any]]:
    if not GIVEN.exists():
        return []
    situations: list[dict[str, Any]] = json.loads(GIVEN.read_text(encoding="utf-8"))
    return situations


def serve_of(said: dict[str, Any] | None) -> Serve | None:
    if said is None:
        return None
    args = {key: value for key, value in said.items() if key not in ("kind", "for")}
    return Serve(kind=said["kind"], args=args, audience=said.get("for", "all"))


def site_of(said: dict[str, Any]) -> Site:
    https = said["https"]
    paths = {}
    if https is not None and "paths" in https:
        paths = {path: serve_of(serve) for path, serve in https["paths"].items()}
        https = {"kind": "page"}
    return Site(
        key=said["key"],
        http=serve_of(said["http"]),
        https=serve_of(https),
        paths={path: serve for path, serve in paths.items() if serve is not None},
        ports={
            int(port): (scheme, serve_of(serve) or PAGE)
            for port, (scheme, serve) in said.get("ports", {}).items()
        },
        n=said["n"],
        pool=said["pool"],
        cert=said.get("cert", "good"),
        host=said.get("host"),
        aliases=tuple(said.get("aliases", ())),
        share=said.get("share"),
        dns=said.get("dns") or {},
        raw443=said.get("raw443"),
    )


def rule_of(said: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """The rule's noun and the fields that are not as usual, in our words."""
    noun = NOUNS.get(said["on"])
    if noun is None:
        return said["on"], {}
    ours: dict[str, Any] = {key: value for key, value in said.items() if key != "on"}
    if said["on"] == "dns":
        # An injected or lying answer is the only one that has addresses.
        ours["answers"] = tuple(said["answers"]) if said["do"] == "answer" else ()
    if "response" in ours:
        ours["response"] = ours["response"].encode("latin-1")
    return said["on"], unusual(noun(**ours))


def unusual(rule: Rule) -> dict[str, Any]:
    return {f.name: getattr(rule, f.name) for f in fields(rule) if getattr(rule, f.name) != f.default}


def ours_of(rule: Rule) -> tuple[str, dict[str, Any]]:
    kind = type(rule).__name__.removesuffix("Rule").lower()
    return kind, unusual(rule) if kind in NOUNS else {}


@pytest.mark.skipif(
    not GIVEN.exists(), reason="the founders' scenarios.json lies beside the repository, not in it"
)
@pytest.mark.parametrize("said", given(), ids=lambda said: said["id"])
def test_every_given_situation_has_a_row_that_means_the_same(said: dict[str, Any]) -> None:
    row = BY_ID[said["id"]]
    assert (row.desc, row.family, row.world, row.source) == tuple(
        said[key] for key in ("desc", "family", "world", "source")
    )
    assert [ours_of(rule) for rule in row.rules] == [rule_of(rule) for rule in said["rules"]]
    assert list(row.sites) == [site_of(site) for site in said["sites"]]
    assert list(row.mitm) == [Mitm(site=box["site"], style=box["style"]) for box in said["mitm"]]
    assert list(row.dead) == said["dead"]
    assert [expected.url for expected in row.targets] == [target["url"] for target in said["targets"]]
    for expected, target in zip(row.targets, said["targets"], strict=True):
        truth = [[a.state, list(a.mechanisms), a.grades] for a in expected.truth]
        assert truth == target["truth"]
        assert expected.see == target["see"]
        assert expected.slow == bool(target.get("bulk") or target.get("slow"))

"""From rows to a world: names and addresses filled in, many rows in one network.

Target ids are numbers in shuffled order, so that neither the id, the order nor the name of a target
tells what is expected of it.
"""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import fields, is_dataclass, replace
from typing import Any, TypeVar

from blockwatch.errors import LabError
from blockwatch.lab.allot import Allotment
from blockwatch.lab.conditions import CONDITIONS
from blockwatch.lab.world import DnsRule, Rule, Scenario, Serve, Site, TargetTruth, World

_T = TypeVar("_T")
_PLACE = re.compile(r"@(\w+)(?:\.ip(\d*))?@")
_ADDRESS = re.compile(r"^[0-9.]+$|^[0-9a-f:]+$")


def build_world(
    scenarios: Iterable[Scenario], *, name: str | None = None, seed: int = 1, **conditions: Any
) -> World:
    """One world out of rows of one condition.

    ``conditions`` are fields of :class:`World` (``delay_ms=50``, ``loss=0.02`` …) and go before what
    the rows' ``world`` implies.
    """
    rows = tuple(scenarios)
    kinds = {row.world for row in rows}
    if len(kinds) > 1:
        raise LabError(
            f"rows of different conditions cannot share a world: {', '.join(sorted(kinds))}",
            remedy="build one world for each condition (blockwatch.lab.build.worlds does).",
        )
    kind = kinds.pop() if kinds else "main"
    settings: dict[str, Any] = {**CONDITIONS[kind], **conditions}
    shared: tuple[Rule, ...] = settings.pop("rules", ())
    own = _own_row(settings.pop("sites", ()))
    allotment = Allotment(seed, taken=_claimed(rows))
    built = [_fill_row(row, allotment) for row in (*rows, *own)]
    rules = _unique([*shared, *(rule for row in built for rule in row.rules)])
    return World(
        name=name or kind,
        sites=tuple(site for row in built for site in row.sites),
        rules=rules,
        mitm=tuple(box for row in built for box in row.mitm),
        dead=tuple(dict.fromkeys([*(a for row in built for a in row.dead), *_unrouted(rules)])),
        truths=_truths(built, seed),
        seed=seed,
        **settings,
    )


def worlds(scenarios: Iterable[Scenario], *, seed: int = 1, **conditions: Any) -> dict[str, World]:
    """One world for each condition named in the rows, by that name, in the order of the rows."""
    groups: dict[str, list[Scenario]] = {}
    for row in scenarios:
        groups.setdefault(row.world, []).append(row)
    return {kind: build_world(rows, name=kind, seed=seed, **conditions) for kind, rows in groups.items()}


def many_clean_sites(
    n: int,
    *,
    delay_ms: float = 10.0,
    blackholed: float = 0.0,
    page_bytes: int = 8192,
    https: bool = True,
    seed: int = 1,
) -> World:
    """``n`` clean sites of one address each, for the benchmark.

    ``delay_ms`` is one way; ``blackholed`` is the share of sites whose address answers nothing, for
    everybody; ``page_bytes`` the size of each page.
    """
    from blockwatch.lab.scenarios.say import down, http, ok, row
    from blockwatch.lab.scenarios.say import https as secure

    page = Serve(kind="page", args={"bytes": page_bytes})
    dead_count = round(n * blackholed)
    target = secure if https else http
    rows = [
        row(
            f"clean-{i}",
            "clean site of the benchmark",
            target(down(), see="tcp.timeout") if i < dead_count else target(ok(), see="ok"),
            family="clean",
            source="own",
            sites=(Site(key="a", http=page, https=page),),
            dead=("@a.ip@",) if i < dead_count else (),
        )
        for i in range(n)
    ]
    return build_world(rows, name=f"clean-{n}", seed=seed, delay_ms=delay_ms)


def _own_row(sites: tuple[Site, ...]) -> tuple[Scenario, ...]:
    """What lives in a condition itself, as a row without targets."""
    given = Scenario(id="condition", desc="", family="global", targets=(), sites=sites)
    return (given,) if sites else ()


def _claimed(rows: Sequence[Scenario]) -> set[str]:
    """Addresses that rows name themselves."""
    found: set[str] = set()

    def note(text: str) -> str:
        if _ADDRESS.match(text):
            found.add(text)
        return text

    for row in rows:
        _map_text(row, note)
    return found


def _fill_row(row: Scenario, allotment: Allotment) -> Scenario:
    hosts = {site.key: site.host or allotment.name() for site in row.sites}
    addresses = {site.key: allotment.addresses(site) for site in row.sites if site.share is None}
    addresses |= {site.key: addresses[site.share] for site in row.sites if site.share is not None}

    def place(match: re.Match[str]) -> str:
        key, index = match.group(1), match.group(2)
        if index is None:
            return hosts[key]
        return addresses[key][int(index or 0)]

    filled = _map_text(row, lambda text: _PLACE.sub(place, text))
    sites = tuple(
        replace(site, host=hosts[site.key], addresses=addresses[site.key], key=f"{row.id}/{site.key}")
        for site in filled.sites
    )
    boxes = tuple(replace(box, site=hosts[box.site]) for box in filled.mitm)
    return replace(filled, sites=sites, mitm=boxes)


def _map_text(value: _T, change: Callable[[str], str]) -> _T:
    """A copy of ``value`` with every text within changed; bytes are changed as Latin-1."""
    if isinstance(value, str):
        return change(value)  # type: ignore[return-value]
    if isinstance(value, bytes):
        return change(value.decode("latin-1")).encode("latin-1")  # type: ignore[return-value]
    if isinstance(value, dict):
        return {key: _map_text(item, change) for key, item in value.items()}  # type: ignore[return-value]
    if isinstance(value, (tuple, list)):
        return type(value)(_map_text(item, change) for item in value)
    if is_dataclass(value) and not isinstance(value, type):
        changed = {f.name: _map_text(getattr(value, f.name), change) for f in fields(value)}
        return replace(value, **changed)
    return value


def _unique(rules: Iterable[Rule]) -> tuple[Rule, ...]:
    """Each rule once: rows of one condition repeat what the condition demands."""
    kept: list[Rule] = []
    for rule in rules:
        if rule not in kept:
            kept.append(rule)
    return tuple(kept)


def _unrouted(rules: Iterable[Rule]) -> list[str]:
    """Private addresses that forged answers lead to: no router knows a way there."""
    answers = [a for rule in rules if isinstance(rule, DnsRule) for a in rule.answers]
    parsed = [ipaddress.ip_address(answer) for answer in answers]
    return [str(ip) for ip in parsed if ip.is_private and not ip.is_loopback]


def _truths(rows: Sequence[Scenario], seed: int) -> tuple[TargetTruth, ...]:
    pairs = [(row, expected) for row in rows for expected in row.targets]
    random.Random(seed).shuffle(pairs)  # noqa: S311  (not for secrets)
    return tuple(
        TargetTruth(
            scenario=row.id,
            target=f"site-{number:04d}",
            url=expected.url,
            truth=expected.truth,
            see=expected.see,
        )
        for number, (row, expected) in enumerate(pairs, start=1)
    )

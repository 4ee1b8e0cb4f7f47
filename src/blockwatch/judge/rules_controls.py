"""Whether the run's own control targets meet what a site met: then the line does it to nearly everybody.

Rules of this file:

* control targets are sites that nobody blocks by name; on a line whose bill is unpaid, or which passes on a
  list of names alone, they meet what every other name meets. (Control names that are known to work are on it
  by their nature, and show nothing.)
* only what is the very same counts: one stranger's redirect or page, or the same failure at the same step, in
  every measurement of a control target.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from blockwatch.judge.case import Case, destination, page_key
from blockwatch.judge.finding import Finding, unclear
from blockwatch.judge.names import owner, parts
from blockwatch.judge.outcomes import OK, SKIPPED
from blockwatch.judge.sight import Hop, Sight, redirect_of
from blockwatch.verdict import State

_LEAST = (
    2  # owners of control targets that must meet it, and half of those that could; or one, if so many fail
)
_PAGES = ("http.blockpage", "http.redirect")
Met = frozenset[tuple[str, str]]


def controls_alike(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """Most of the run's control targets meet the same: the line does so to nearly everybody."""
    mechanism = finding.mechanism or ""
    step, kind = (*mechanism.split("."), "")[:2]
    if finding.state is not State.BLOCKED or step not in ("tcp", "tls", "http"):
        return None
    shown = mechanism.startswith(_PAGES)
    wanted = frozenset(one for one in met(sight) if (one[0] == "page" if shown else one == (step, kind)))
    alike: dict[str, list[bool]] = defaultdict(list)  # owner of control targets → whether each met it
    amiss: dict[str, list[bool]] = defaultdict(list)  # and whether each met that or got no page
    for made in case.peers.made.values() if wanted else ():
        for one in made:
            whose, its = owner(parts(one.url).host), Sight(one.id, one.observations, one.url)
            if one.role != "control" or whose == owner(parts(case.url).host):
                continue
            amiss[whose].append(bool(wanted & met(its)) or not _reached(its))
            if parts(one.url).scheme == parts(case.url).scheme:  # else it cannot meet the same
                alike[whose].append(bool(wanted & met(its)))
    same = [whose for whose, every in alike.items() if all(every)]
    worse = [whose for whose, every in amiss.items() if all(every)]
    many = len(same) >= _LEAST and len(same) * 2 >= len(alike)
    if not many and not (same and len(worse) >= _LEAST and len(worse) * 2 >= len(amiss)):
        return None
    who = ", ".join(sorted(same)[:3])
    text = f"Control targets of this run meet the same ({who}): the line does so to nearly everybody"
    return replace(unclear(text, finding.witnesses, finding.failed_step), everybody=True)


def _reached(sight: Sight) -> bool:
    """Whether the redirects ended at a page; over TLS, with a chain valid for its name."""
    last = sight.hops[-1] if sight.hops else None
    return last is not None and any(flow.responded and (flow.valid or not last.secure) for flow in last.own)


def met(sight: Sight) -> Met:
    """What a measurement met: pages and redirects in cleartext, steps at which all its own tries failed."""
    return frozenset(one for hop in sight.hops for one in (*_shown(hop), *_failed(hop)))


def _shown(hop: Hop) -> list[tuple[str, str]]:
    flow = hop.response
    if flow is None or flow.http is None or hop.secure:
        return []
    led_to = redirect_of(flow.http)
    return [("page", destination(led_to) if led_to else page_key(flow.http))]


def _failed(hop: Hop) -> list[tuple[str, str]]:
    found = []
    for layer in ("tcp", "tls", "http"):
        ends = [end for flow in hop.own if (end := flow.at(layer)) != SKIPPED]
        if ends and OK not in ends:
            found.append((layer, max(set(ends), key=ends.count)))
    return found

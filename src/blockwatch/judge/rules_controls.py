"""Whether the run's own control targets meet what a site met: then the line does it to nearly everybody.

Rules of this file: control targets are sites that nobody blocks by name; on a line whose bill is unpaid, or
which passes on a list of names alone, they meet what every other name meets, each time they are measured.
(Control names that are known to work are on such a list by their nature, and show nothing.)
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

from blockwatch.judge.case import Case
from blockwatch.judge.finding import Finding, unclear
from blockwatch.judge.met import met
from blockwatch.judge.names import owner, parts
from blockwatch.judge.sight import Sight
from blockwatch.verdict import State

_LEAST = 2  # owners of control targets that meet it, and half of those that could; or one, if so many fail
_PAGES = ("http.blockpage", "http.redirect")


def controls_alike(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """Most of the run's control targets meet the same: the line does so to nearly everybody."""
    mechanism = finding.mechanism or ""
    step, kind = (*mechanism.split("."), "")[:2]
    if finding.state is not State.BLOCKED or step not in ("tcp", "tls", "http"):
        return None
    shown, url = mechanism.startswith(_PAGES), parts(case.url)
    wanted = frozenset(one for one in met(sight) if (one[0] == "page" if shown else one == (step, kind)))
    alike: dict[str, list[bool]] = defaultdict(list)  # owner of control targets → whether each met it
    amiss: dict[str, list[bool]] = defaultdict(list)  # and whether each met that or got no page
    for control in case.peers.controls if wanted else ():
        if control.owner == owner(url.host):
            continue
        met_it = bool(wanted & control.met)
        amiss[control.owner].append(met_it or not control.reached)
        if control.scheme == url.scheme:  # else it cannot meet the same
            alike[control.owner].append(met_it)
    same = [whose for whose, every in alike.items() if all(every)]
    worse = [whose for whose, every in amiss.items() if all(every)]
    many = len(same) >= _LEAST and len(same) * 2 >= len(alike)
    if not many and not (same and len(worse) >= _LEAST and len(worse) * 2 >= len(amiss)):
        return None
    who = ", ".join(sorted(same)[:3])
    text = f"Control targets of this run meet the same ({who}): the line does so to nearly everybody"
    return replace(unclear(text, finding.witnesses, finding.failed_step), everybody=True)

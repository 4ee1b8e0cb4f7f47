"""The rules of judgement as one table: ordered, with permanent ids; the first decisive row of a stage wins.

Rules of this file:

* an id is for ever, and means one claim. A ruleset that has been used never changes: what would change a
  verdict is a row with ``since`` the next ruleset, of a new id, or of the same where only the weight of the
  claim changes; the row that it replaces gets an ``until`` (see :mod:`blockwatch.judge.row`);
* so every ruleset there ever was can be asked again (``judge --ruleset N``);
* ``void`` rows are asked first, about the measurement; ``hop`` rows about each hop of the redirect
  chain in turn; ``doubt`` rows about what was found, unless the site was reached; ``control`` rows about
  what a control vantage adds; ``weigh`` rows about all measurements of the target together;
* docs/method.md says the same in prose; a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import cache

from blockwatch.judge import rules_control as control
from blockwatch.judge import rules_line as line
from blockwatch.judge import weigh
from blockwatch.judge.finding import Finding
from blockwatch.judge.hop_rows import HOP
from blockwatch.judge.names import same_owner
from blockwatch.judge.row import LATEST, OWN, Rule, rows
from blockwatch.judge.rules_controls import controls_alike
from blockwatch.judge.scene import Scene
from blockwatch.verdict import State

__all__ = ["LATEST", "RULES", "RULESETS", "STAGES", "Rule", "table"]

RULESETS = tuple(range(1, LATEST + 1))
STAGES = ("void", "hop", "doubt", "control", "weigh")

_VOID = rows(
    "void",
    ("void.fault", line.own_fault, "a bug must never look like censorship", OWN),
    (
        "void.expired",
        line.target_expired,
        "an address nobody confirms may be another's by now",
        "OrgProbe: stale URLs",
    ),
    ("void.empty", line.nothing_made, "no evidence is not weak evidence", "ooni/data ontology"),
)
_DOUBT = rows(
    "doubt",
    ("line.portal", line.portal, "a captive portal answers for everybody", "blockcheck; RFC 8952"),
    (
        "line.offline",
        line.offline,
        "where nothing works nothing can be said of a site",
        "OONI verdict defect K",
    ),
    ("line.dropped", line.dropped, "an outage fails every site at once", "Censored Planet outage filter"),
    (
        "line.cleartext",
        line.cleartext_seized,
        "a block spares other names",
        "own: unpaid lines in the field",
        2,
    ),
    ("line.names", line.names_seized, "a block spares other names", "own: unpaid lines in the field", 2),
    (
        "line.controls",
        controls_alike,
        "a block spares other names",
        "own: lines with a list of names",
        2,
    ),
    ("line.clock", line.clock_off, "validity needs a clock", "OrgProbe"),
    ("void.cut", line.cut_short, "a measurement that was stopped has not seen it all", OWN),
)
_CONTROL = rows(
    "control",
    (
        "control.run",
        control.vantage_told,
        "elsewhere, at about the same time, the same URL tells whether it works",
        "Satellite, IMC 2016; Hyperquack: a control beside every test",
        2,
    ),
    ("control.apart", control.too_far_apart, "between two times a site may break or be mended", OWN, 2),
)
_WEIGH = rows(
    "weigh",
    (
        "weigh.passed",
        weigh.passed_later,
        "a state that did not last is not asserted",
        "OONI verdict defect I",
        1,
        1,
    ),
    (
        "weigh.passed",
        weigh.worked_later,
        "a state that did not last is not asserted",
        "OONI verdict defect I",
        2,
    ),
    ("weigh.everybody", weigh.everybodys, "what the line does to every name is no block of one", OWN, 2),
    (
        "weigh.twice",
        weigh.found_again,
        "the same finding minutes later is worth more",
        "CensorPulse: at least two runs",
        1,
        1,
    ),
    (
        "weigh.twice",
        weigh.found_twice,
        "the same finding minutes later is worth more",
        "CensorPulse: at least two runs",
        2,
    ),
    ("weigh.earlier", weigh.only_earlier, "an undecided repetition does not undo a finding", OWN, 1, 1),
    ("weigh.earlier", weigh.not_refuted, "an undecided repetition does not undo a finding", OWN, 2),
)

RULES: tuple[Rule, ...] = (*_VOID, *HOP, *_DOUBT, *_CONTROL, *_WEIGH)


@cache
def table(ruleset: int) -> Mapping[str, tuple[Rule, ...]]:
    """The rows of a ruleset by stage, in order; raises ``ValueError`` for one that this version has not."""
    if ruleset not in RULESETS:
        known = ", ".join(map(str, RULESETS))
        raise ValueError(f"no ruleset {ruleset}: this version has {known}")
    asked = tuple(rule for rule in RULES if rule.within(ruleset))
    return {stage: tuple(rule for rule in asked if rule.stage == stage) for stage in STAGES}


def placed(found: Finding, scene: Scene) -> Finding:
    """What was found at a hop; of another owner's host, to which redirects led, the sentence names it."""
    host = scene.hop.host
    if found.state is not State.BLOCKED or scene.ruleset == 1 or scene.hop is scene.sight.hops[0]:
        return found
    if not host or same_owner(host, scene.sight.hops[0].host):
        return found
    return replace(found, text=f"At {host}, to which it redirects: {found.text}")


@cache
def hop_rows(ruleset: int, spared: frozenset[str]) -> tuple[Rule, ...]:
    """The rows about hops, in order, but those of the families ``spared`` (the first word of an id)."""
    return tuple(rule for rule in table(ruleset)["hop"] if rule.id.partition(".")[0] not in spared)

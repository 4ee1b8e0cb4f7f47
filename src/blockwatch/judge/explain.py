"""Why a verdict is what it is: every rule that was asked, what it said, and what was missing.

Rules of this file:

* the table is walked again with its book-keeping, so that judging itself pays nothing for it; a test holds
  both walks to the same facts;
* a rule that says nothing either found nothing or had nothing to look at: the two are told apart by the kinds
  of evidence that it reads;
* facts only as the rules see them; nothing is concluded here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from blockwatch.judge.addresses import is_address
from blockwatch.judge.beside import NOBODY, Beside, match
from blockwatch.judge.case import Bodies, Case, no_bodies
from blockwatch.judge.evidence import KINDS, facts, needs
from blockwatch.judge.finding import Finding, Note
from blockwatch.judge.fingerprints import OURS, Pack
from blockwatch.judge.household import whose_line
from blockwatch.judge.lift import lift
from blockwatch.judge.rules import LATEST, Rule, placed, table
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Sight
from blockwatch.judge.verdicts import (
    Rows,
    Told,
    cases,
    in_order,
    judged_alone,
    preferred,
    scenes,
    sight_of,
    verdict_of,
)
from blockwatch.model import Measurement, Noun
from blockwatch.run import RunClose, RunOpen
from blockwatch.verdict import Reason, State, Verdict

DECIDES, NOTES = "decides", "notes"
LOOKED, MISSING, NOT_ASKED = "looked", "missing", "not asked"


class Asked(Noun, frozen=True, kw_only=True):
    """One rule and what came of it."""

    rule: str
    hop: int | None = None  # of the redirect chain; null: the rule is not about a hop
    said: str  # "decides", "notes", "looked" (and found nothing), "missing" or "not asked"
    why: str = ""  # of "looked": what was looked at; of "missing": what is; of "not asked": why not
    weight: str | None = None  # of a rule that decides: the state, and the grade of a block


class Spoke(Noun, frozen=True, kw_only=True):
    """One fact of a verdict, with the rule behind it."""

    rule: str
    text: str
    reason: str  # why this may be concluded
    source: str  # where the reason comes from
    weight: str | None = None  # state and grade that it stands for; null: a note
    witnesses: tuple[str, ...] = ()


class Explanation(Noun, frozen=True, kw_only=True):
    """A verdict with everything that was asked on the way to it."""

    verdict: Verdict
    spoke: tuple[Spoke, ...]  # as in ``verdict.why``
    asked: tuple[Asked, ...]  # of the last measurement, in the order of the table
    line: str  # whose line the verdict is about
    lift: tuple[str, ...]  # what would raise the grade, or settle what is open


def explain_run(
    open_: RunOpen,
    measurements: Iterable[Measurement],
    close: RunClose | None = None,
    bodies: Bodies = no_bodies,
    fingerprints: Pack = OURS,
    *,
    ruleset: int = LATEST,
    beside: Beside = NOBODY,
) -> Iterator[Explanation]:
    """Like :func:`blockwatch.judge.judge_run`, with the reasons; about twice as slow."""
    rows = table(ruleset)
    known = {rule.id: rule for stage in rows.values() for rule in stage}
    every = cases(open_, measurements, close, bodies, fingerprints, beside, ruleset=ruleset)
    for case, final, before, (finding, reasons, partial) in in_order(every, rows):
        walk = _Walk(case, rows)
        walk.weigh(list(before) if final else [], finding, reasons)
        verdict = verdict_of(case, finding, reasons, partial, ruleset, final=final)
        yield Explanation(
            verdict=verdict,
            spoke=tuple(_spoke(reason, known.get(reason.rule), walk.weights) for reason in verdict.why),
            asked=tuple(walk.asked),
            line=whose_line(case.open.vantage),
            lift=lift(verdict, finding, walk.scene, len(before)),
        )


def _spoke(reason: Reason, rule: Rule | None, weights: dict[str, str]) -> Spoke:
    return Spoke(
        rule=reason.rule,
        text=reason.text,
        reason=rule.reason if rule is not None else "no rule decides",
        source=rule.source if rule is not None else "",
        weight=weights.get(reason.rule),
        witnesses=reason.witnesses,
    )


class _Walk:
    """The table, asked about one measurement, and what each row came to."""

    def __init__(self, case: Case, rows: Rows) -> None:
        self.asked: list[Asked] = []
        self.weights: dict[str, str] = {}
        self.scene: Scene | None = None  # the hop at which it was decided, or the last
        self._case, self._rows = case, rows
        plain = judged_alone(case, rows)
        matched = match(case) if rows["control"] and case.beside.by_url else None
        lent = judged_alone(case, rows, matched.lend) if matched is not None and matched.control else None
        settled = plain[0].state is State.OK
        uses = matched is not None and not settled and preferred(plain, lent, matched) is lent
        sight = sight_of(case)
        if uses and matched is not None:
            matched.lend(sight)
        self._void(sight)
        self._control(settled, helped=any(hop.control is not None for hop in sight.hops) and not uses)

    def _note(self, rule: Rule, said: str, why: str = "", *, hop: int | None = None) -> None:
        self.asked.append(Asked(rule=rule.id, hop=hop, said=said, why=why, weight=self.weights.get(rule.id)))

    def _heard(self, rule: Rule, found: Finding | Note, hop: int | None = None) -> None:
        if isinstance(found, Finding):
            self.weights[rule.id] = " ".join(filter(None, (found.state.value, found.grade)))
        self._note(rule, DECIDES if isinstance(found, Finding) else NOTES, hop=hop)

    def _void(self, sight: Sight) -> None:
        decided = False
        for rule in self._rows["void"]:
            found = None if decided else rule.says(self._case, sight)
            if found is not None:
                self._heard(rule, found)
                decided = True
            else:
                self._note(rule, NOT_ASKED if decided else LOOKED, _BEFORE if decided else "the measurement")
        if decided:
            for stage in ("hop", "doubt"):
                for rule in self._rows[stage]:
                    self._note(rule, NOT_ASKED, _BEFORE)
            return
        finding = self._hops(sight)
        self._doubt(sight, finding)

    def _hops(self, sight: Sight) -> Finding | None:
        decided: Finding | None = None
        for scene in scenes(self._case, sight):
            if decided is not None:
                break
            self.scene, number = scene, scene.hop.number
            seen, literal = facts(scene), is_address(scene.hop.host)
            for rule in self._rows["hop"]:
                if decided is not None:
                    self._note(rule, NOT_ASKED, _BEFORE, hop=number)
                elif literal and rule.id.startswith("dns."):
                    self._note(rule, NOT_ASKED, "the URL has an address and no name", hop=number)
                else:
                    found = rule.says(scene)
                    found = placed(found, scene) if isinstance(found, Finding) else found
                    decided = found if isinstance(found, Finding) else None
                    self._hear(rule, found, seen, number)
        return decided

    def _hear(self, rule: Rule, found: Finding | Note | None, seen: dict[str, str], hop: int) -> None:
        if found is not None:
            self._heard(rule, found, hop)
            return
        wanted = needs(rule.id)
        missing = [KINDS[kind] for kind in wanted if kind not in seen]
        if missing:
            self._note(rule, MISSING, " and ".join(missing), hop=hop)
        else:
            self._note(rule, LOOKED, seen[wanted[0]] if wanted else "", hop=hop)

    def _doubt(self, sight: Sight, finding: Finding | None) -> None:
        reached = finding is not None and finding.state in (State.OK, State.REFUSED)
        doubted = False
        for rule in self._rows["doubt"]:
            if reached or doubted:
                self._note(rule, NOT_ASKED, "the site was reached" if reached else _BEFORE)
                continue
            found = rule.says(self._case, sight, finding or Finding(State.INCONCLUSIVE, ""))
            if found is None:
                self._note(rule, LOOKED, "the state of the line")
            else:
                self._heard(rule, found)
                doubted = True

    def _control(self, settled: bool, *, helped: bool) -> None:
        """What is told of control vantages; if they spoke, :meth:`weigh` finds it among the reasons."""
        if helped or settled:
            why = "a test helper answered" if helped else "nothing is open"
            for rule in self._rows["control"]:
                self._note(rule, NOT_ASKED, why)
        else:
            for rule in self._rows["control"]:
                self._note(rule, MISSING, "a run of a control vantage that fits")

    def weigh(self, before: Sequence[Told], finding: Finding, reasons: Sequence[Reason]) -> None:
        """Add the rows that are about all measurements, and put right those that spoke."""
        spoke = {reason.rule for reason in reasons}
        decided = " ".join(filter(None, (finding.state.value, finding.grade)))
        for position, asked in enumerate(self.asked):
            if asked.rule.startswith("control.") and asked.rule in spoke:
                apart = asked.rule == "control.apart"
                self.weights |= {asked.rule: decided} if apart else {}
                self.asked[position] = Asked(rule=asked.rule, said=DECIDES if apart else NOTES)
            elif asked.rule == "control.apart" and "control.run" in spoke:
                self.asked[position] = Asked(
                    rule=asked.rule, said=LOOKED, why="the control's distance in time"
                )
        for rule in self._rows["weigh"]:
            if rule.id in spoke:
                self.weights[rule.id] = decided
                self._note(rule, DECIDES)
            elif before:
                self._note(rule, LOOKED, f"{len(before) + 1} measurements of the target")
            else:
                self._note(rule, MISSING, "a second measurement in the run")


_BEFORE = "it was decided before"

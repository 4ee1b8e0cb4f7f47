"""From a case to its verdict: walk the table, keep the facts, weigh the attempts.

Rules of this file:

* pure: the same case and ruleset give the same verdict for ever, on any machine;
* what decides is the first decisive row; notes met on the way stay beside it, as facts of their own;
* only the evidence and the table decide; there is no special case here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from blockwatch.content import text_of
from blockwatch.judge.addresses import is_address
from blockwatch.judge.beside import NOBODY, Beside, Match, match
from blockwatch.judge.case import Bodies, Case, digest, no_bodies
from blockwatch.judge.finding import MAX_WITNESSES, Finding, Note, refs, unclear
from blockwatch.judge.fingerprints import OURS, OnRecord, Pack
from blockwatch.judge.rules import LATEST, Rule, hop_rows, placed, table
from blockwatch.judge.rules_control import rank
from blockwatch.judge.scene import Scene, TextOf
from blockwatch.judge.sight import Sight
from blockwatch.judge.weigh import LESS_SURELY, unseen
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.target import Target
from blockwatch.verdict import Reason, State, Verdict

Told = tuple[Finding, tuple[Reason, ...], bool]
Rows = Mapping[str, tuple[Rule, ...]]
UNDECIDED = "Nothing in this measurement decides"


def judge(case: Case, ruleset: int = LATEST) -> Verdict:
    """The verdict on the last measurement of ``case``; earlier ones are weighed with it.

    Raises ``ValueError`` for a ruleset that this version does not have, or a case without measurements.
    """
    rows = table(ruleset)
    if not case.measurements:
        raise ValueError("a case needs a measurement")
    told = [alone(one, rows) for one in one_by_one(replace(case, ruleset=ruleset))]
    finding, reasons, partial = weighed(told, rows)
    return verdict_of(case, finding, reasons, partial, ruleset)


def judge_run(
    open_: RunOpen,
    measurements: Iterable[Measurement],
    close: RunClose | None = None,
    bodies: Bodies = no_bodies,
    fingerprints: Pack = OURS,
    *,
    ruleset: int = LATEST,
    beside: Beside = NOBODY,
) -> list[Verdict]:
    """One verdict per measurement, in order; the last of each (target, URL) is final and weighs all.

    ``beside`` is what control vantages saw of the same URLs at about the same time (from ruleset 2 on).
    Raises ``ValueError`` for a ruleset that this version does not have.
    """
    every = cases(open_, measurements, close, bodies, fingerprints, beside, ruleset=ruleset)
    return [
        verdict_of(case, *told, ruleset, final=final)
        for case, final, _, told in in_order(every, table(ruleset))
    ]


def in_order(
    every: Iterable[tuple[Case, bool]], rows: Rows
) -> Iterator[tuple[Case, bool, tuple[Told, ...], Told]]:
    """Yield each case, whether it is final, what was told of its target before, and what is told of it."""
    earlier: dict[tuple[str, str], tuple[Told, ...]] = defaultdict(tuple)
    for case, final in every:
        before, now = earlier[case.target.id, case.url], alone(case, rows)
        yield case, final, before, weighed([*before, now], rows) if final else now
        earlier[case.target.id, case.url] = (*before, now)


def cases(
    open_: RunOpen,
    measurements: Iterable[Measurement],
    close: RunClose | None = None,
    bodies: Bodies = no_bodies,
    fingerprints: Pack = OURS,
    beside: Beside = NOBODY,
    *,
    ruleset: int = LATEST,
) -> Iterator[tuple[Case, bool]]:
    """Yield one case a measurement, and whether it is the last of its target and URL."""
    made = list(measurements)
    peers = digest(open_, made, close)
    targets = {target.id: target for target in open_.targets}
    last = {(m.target, m.url): position for position, m in enumerate(made)}
    for position, measurement in enumerate(made):
        case = Case(
            open=open_,
            target=targets.get(measurement.target) or Target(id=measurement.target, url=measurement.url),
            url=measurement.url,
            measurements=(measurement,),
            peers=peers,
            bodies=bodies,
            fingerprints=fingerprints,
            beside=beside,
            ruleset=ruleset,
        )
        yield case, last[measurement.target, measurement.url] == position


def one_by_one(case: Case) -> Iterator[Case]:
    """Yield a case for each of its measurements alone."""
    for measurement in case.measurements:
        yield replace(case, measurements=(measurement,))


def alone(case: Case, rows: Rows) -> Told:
    """What the measurement of ``case`` says by itself, in the light of a control vantage where one fits."""
    plain = judged_alone(case, rows)
    asked = rows["control"] and case.beside.by_url and plain[0].state is not State.OK
    matched = match(case) if asked else None
    if matched is None:
        return plain
    lent = judged_alone(case, rows, matched.lend) if matched.control is not None else None
    finding, reasons, partial = preferred(plain, lent, matched)
    for rule in rows["control"]:
        found = rule.says(matched, plain[0], lent[0] if lent is not None else None)
        if isinstance(found, Finding):
            finding, reasons = found, (reason_of(rule, found), *reasons)
        elif found is not None:
            reasons = (*reasons, reason_of(rule, found))
    return finding, reasons, partial


def preferred(plain: Told, lent: Told | None, matched: Match) -> Told:
    """Which of two judgements counts: the one with a control vantage, unless it says less."""
    if lent is None:
        return plain
    before, after = plain[0], lent[0]
    less = after.state is State.INCONCLUSIVE and before.state is not State.INCONCLUSIVE
    late = after.state is State.DOWN and not matched.firm
    weaker = after.state is before.state is State.BLOCKED and rank(before) > rank(after)
    return plain if less or late or weaker else lent


def judged_alone(case: Case, rows: Rows, lend: Callable[[Sight], None] | None = None) -> Told:
    """Walk the table once; ``lend`` may put a control into the hops before."""
    sight = sight_of(case)
    if lend is not None:
        lend(sight)
    for rule in rows["void"]:
        found = rule.says(case, sight)
        if found is not None:
            return found, (reason_of(rule, found),), False
    finding, rule_reason, notes, partial = _walk(case, sight)
    if finding.state not in (State.OK, State.REFUSED):
        for rule in rows["doubt"]:
            doubt = rule.says(case, sight, finding)
            if doubt is not None:
                return doubt, (reason_of(rule, doubt), rule_reason, *notes), False
    elif case.ruleset > 1 and case.measurements[-1].attempt != "first":
        finding = replace(finding, unseen=unseen(scenes(case, sight)))
    return finding, (rule_reason, *notes), partial or finding.partial


def sight_of(case: Case) -> Sight:
    """The measurement of ``case``, without the word of helpers that are no witnesses."""
    made = case.measurements[0]
    sight = Sight(made.id, made.observations, made.url)
    if case.ruleset > 1:
        sight.unhear(case.peers.unfit, case.peers.gloomy)
    return sight


def _walk(case: Case, sight: Sight) -> tuple[Finding, Reason, tuple[Reason, ...], bool]:
    """The first decisive row over the hops in order, and the notes before it."""
    notes: list[Reason] = []
    partial = False
    for scene in scenes(case, sight):
        for rule in hop_rows(case.ruleset, mute(scene)):
            found = rule.says(scene)
            if found is None:
                continue
            if isinstance(found, Finding):
                found = placed(found, scene)
                return found, reason_of(rule, found), tuple(notes), partial
            notes.append(reason_of(rule, found))
            partial = partial or found.partial
    finding = unclear(UNDECIDED)
    return finding, Reason(rule="none", text=finding.text), tuple(notes), partial


def mute(scene: Scene) -> frozenset[str]:
    """The families of rows that have nothing to say of a hop: on lookups, where its host is an address; on
    connections or handshakes, where none failed.
    """
    families = [layer for layer in ("tcp", "tls") if not scene.tries(layer).failed]
    return frozenset(["dns", *families] if is_address(scene.hop.host) else families)


def scenes(case: Case, sight: Sight) -> Iterator[Scene]:
    """Yield what the hop rows are asked of, hop after hop."""
    vantage, text_of = case.open.vantage, _texts(case)
    on_record = OnRecord(case.fingerprints, vantage.country)
    for hop in sight.hops:
        yield Scene(
            sight,
            hop,
            case.peers,
            vantage=vantage,
            text_of=text_of,
            on_record=on_record,
            once=case.open.imported is not None,
            ruleset=case.ruleset,
            probe=case.measurements[-1].probe,
            stopped=case.measurements[-1].stopped is not None,
        )


def _texts(case: Case) -> TextOf:
    """How rules get at a body as text: read late, and only where a rule asks."""

    def text(step: HttpStep) -> str:
        body = case.bodies(case.measurements[-1], step)
        return text_of(step.headers, body) if body else ""

    return text


def weighed(told: Sequence[Told], rows: Rows) -> Told:
    """All measurements of the target so far, taken together."""
    finding, reasons, partial = told[-1]
    earlier = [found for found, _, _ in told[:-1]]
    for rule in rows["weigh"] if earlier else ():
        found = rule.says(earlier, finding)
        if found is not None:
            before = tuple(reason for _, facts, _ in told[:-1] for reason in facts)
            partly = partial or any(some for _, _, some in told[:-1])
            return found, _merged(found, finding, (reason_of(rule, found), *reasons, *before)), partly
    return told[-1]


def _merged(weighed: Finding, last: Finding, reasons: Iterable[Reason]) -> tuple[Reason, ...]:
    """Each fact once, with the witnesses of all who tell it. What decided stands first; weighing that
    only confirms it stands behind.
    """
    told: dict[tuple[str, str], list[Reason]] = defaultdict(list)
    for reason in reasons:
        told[reason.rule, reason.text].append(reason)
    first, *others = [
        Reason(
            rule=rule, text=text, witnesses=refs(*(r.witnesses[: MAX_WITNESSES // len(same)] for r in same))
        )
        for (rule, text), same in told.items()
    ]
    confirms = (weighed.state, weighed.mechanism) == (last.state, last.mechanism)
    if others and confirms and not weighed.text.endswith(LESS_SURELY):
        return (others[0], first, *others[1:])
    return (first, *others)


def reason_of(rule: Rule, found: Finding | Note) -> Reason:
    """What a row said, as a fact of a verdict."""
    return Reason(rule=rule.id, text=found.text, witnesses=refs(found.witnesses))


def verdict_of(
    case: Case,
    finding: Finding,
    reasons: tuple[Reason, ...],
    partial: bool,
    ruleset: int,
    *,
    final: bool = False,
) -> Verdict:
    """A finding and its facts, as the verdict on the last measurement of a case."""
    measurement = case.measurements[-1]
    return Verdict(
        id=measurement.id,
        target=measurement.target,
        url=measurement.url,
        probe=measurement.probe,
        asn=case.open.vantage.asn,
        started=measurement.started,
        state=finding.state,
        grade=finding.grade,
        mechanism=finding.mechanism,
        failed_step=finding.failed_step,
        partial=partial,
        why=tuple(dict.fromkeys(reasons)),
        ruleset="+".join(filter(None, (str(ruleset), case.fingerprints.label))),
        final=final,
    )

"""From a case to its verdict: walk the table, keep the facts, weigh the attempts.

Rules of this file:

* pure: the same case and ruleset give the same verdict for ever, on any machine;
* what decides is the first decisive row; notes met on the way stay beside it, as facts of their own;
* only the evidence and the table decide; there is no special case here.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from blockwatch.content import text_of
from blockwatch.judge.addresses import is_address
from blockwatch.judge.case import Bodies, Case, digest, no_bodies
from blockwatch.judge.finding import MAX_WITNESSES, Finding, Note, refs, unclear
from blockwatch.judge.fingerprints import OURS, OnRecord, Pack
from blockwatch.judge.rules import BY_STAGE, LATEST, Rule
from blockwatch.judge.scene import Scene, TextOf
from blockwatch.judge.sight import Sight
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.target import Target
from blockwatch.verdict import Reason, State, Verdict

Told = tuple[Finding, tuple[Reason, ...], bool]


def judge(case: Case, ruleset: int = LATEST) -> Verdict:
    """The verdict on the last measurement of ``case``; earlier ones are weighed with it.

    Raises ``ValueError`` for a ruleset that this version does not have, or a case without measurements.
    """
    if ruleset != LATEST:
        raise ValueError(f"no ruleset {ruleset}: this version has {LATEST}")
    if not case.measurements:
        raise ValueError("a case needs a measurement")
    told = [_alone(case, count) for count in range(1, len(case.measurements) + 1)]
    finding, reasons, partial = _weighed(told)
    return _verdict(case, finding, reasons, partial, ruleset)


def judge_run(
    open_: RunOpen,
    measurements: Iterable[Measurement],
    close: RunClose | None = None,
    bodies: Bodies = no_bodies,
    fingerprints: Pack = OURS,
) -> list[Verdict]:
    """One verdict per measurement, in order; the last of each (target, URL) is final and weighs all."""
    made = list(measurements)
    peers = digest(open_, made, close)
    targets = {target.id: target for target in open_.targets}
    last = {(m.target, m.url): position for position, m in enumerate(made)}
    earlier: dict[tuple[str, str], list[Told]] = defaultdict(list)
    verdicts = []
    for position, measurement in enumerate(made):
        key = (measurement.target, measurement.url)
        target = targets.get(measurement.target) or Target(id=measurement.target, url=measurement.url)
        case = Case(
            open=open_,
            target=target,
            url=measurement.url,
            measurements=(measurement,),
            peers=peers,
            bodies=bodies,
            fingerprints=fingerprints,
        )
        told = _alone(case, 1)
        final = last[key] == position
        finding, reasons, partial = _weighed([*earlier[key], told]) if final else told
        earlier[key].append(told)
        verdicts.append(_verdict(case, finding, reasons, partial, LATEST, final=final))
    return verdicts


def _alone(case: Case, count: int) -> Told:
    """What the ``count``-th measurement says by itself."""
    one = Case(
        open=case.open,
        target=case.target,
        url=case.url,
        measurements=(case.measurements[count - 1],),
        peers=case.peers,
        bodies=case.bodies,
        fingerprints=case.fingerprints,
    )
    measurement = one.measurements[0]
    sight = Sight(measurement.id, measurement.observations, measurement.url)
    for rule in BY_STAGE["void"]:
        found = rule.says(one, sight)
        if found is not None:
            return found, (_reason(rule, found),), False
    finding, rule_reason, notes, partial = _walk(one, sight)
    if finding.state not in (State.OK, State.REFUSED):
        for rule in BY_STAGE["doubt"]:
            doubt = rule.says(one, sight, finding)
            if doubt is not None:
                return doubt, (_reason(rule, doubt), rule_reason, *notes), False
    return finding, (rule_reason, *notes), partial or finding.partial


def _walk(case: Case, sight: Sight) -> tuple[Finding, Reason, tuple[Reason, ...], bool]:
    """The first decisive row over the hops in order, and the notes before it."""
    notes: list[Reason] = []
    partial = False
    for hop in sight.hops:
        scene = Scene(
            sight,
            hop,
            case.peers,
            v6=case.open.vantage.ipv6,
            text_of=_texts(case),
            on_record=OnRecord(case.fingerprints, case.open.vantage.country),
            once=case.open.imported is not None,
        )
        literal = is_address(hop.host)
        for rule in BY_STAGE["hop"]:
            if literal and rule.id.startswith("dns."):
                continue
            found = rule.says(scene)
            if isinstance(found, Finding):
                return found, _reason(rule, found), tuple(notes), partial
            if found is not None:
                notes.append(_reason(rule, found))
                partial = partial or found.partial
    finding = unclear("Nothing in this measurement decides")
    return finding, Reason(rule="none", text=finding.text), tuple(notes), partial


def _texts(case: Case) -> TextOf:
    """How rules get at a body as text: read late, and only where a rule asks."""

    def text(step: HttpStep) -> str:
        body = case.bodies(case.measurements[-1], step)
        return text_of(step.headers, body) if body else ""

    return text


def _weighed(told: Sequence[Told]) -> Told:
    """All measurements of the target so far, taken together."""
    finding, reasons, partial = told[-1]
    earlier = [found for found, _, _ in told[:-1]]
    for rule in BY_STAGE["weigh"] if earlier else ():
        weighed = rule.says(earlier, finding)
        if weighed is not None:
            before = tuple(reason for _, facts, _ in told[:-1] for reason in facts)
            partly = partial or any(some for _, _, some in told[:-1])
            return weighed, _merged(weighed, finding, (_reason(rule, weighed), *reasons, *before)), partly
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
    if others and (weighed.state, weighed.mechanism) == (last.state, last.mechanism):
        return (others[0], first, *others[1:])
    return (first, *others)


def _reason(rule: Rule, found: Finding | Note) -> Reason:
    return Reason(rule=rule.id, text=found.text, witnesses=refs(found.witnesses))


def _verdict(
    case: Case,
    finding: Finding,
    reasons: tuple[Reason, ...],
    partial: bool,
    ruleset: int,
    *,
    final: bool = False,
) -> Verdict:
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

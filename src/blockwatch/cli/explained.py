"""Explanations for people and for programs: the rules, the steps they rest on, what is missing.

Rules of this file: text from the network passes through :func:`harmless`; what several rules share is said
once for all of them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import click

from blockwatch.cli.card import end, kind, what
from blockwatch.cli.words import harmless, said, shown_json, verdict_line
from blockwatch.judge import Beside, Explanation
from blockwatch.judge.explain import LOOKED, MISSING, NOT_ASKED, Asked, Spoke
from blockwatch.model import Observation

if TYPE_CHECKING:
    from blockwatch.store import Run

_TITLES = {LOOKED: "looked, found nothing", MISSING: "no evidence", NOT_ASKED: "not asked"}


class Steps:
    """The steps of a run, and of control vantages, by the reference that a verdict cites."""

    def __init__(self, run: Run, beside: Beside) -> None:
        self._run, self._beside = run, beside
        self._steps: dict[str, Observation] = {}

    def read(self, told: Iterable[Explanation]) -> None:
        """Read the cited steps, in one pass over the run."""
        cited = {ref for one in told for spoke in one.spoke for ref in spoke.witnesses}
        wanted = {ref.partition("#")[0] for ref in cited}
        for measurement in self._run.measurements:
            if measurement.id in wanted:
                for step in measurement.observations:
                    if (ref := f"{measurement.id}#{step.i}") in cited:
                        self._steps[ref] = step
        for seen in (one for group in self._beside.by_url.values() for one in group):
            for refs, step in seen.hops.values():
                self._steps |= {ref: step for ref in refs if ref in cited}

    def line(self, ref: str) -> str:
        """One step in one line, harmless to a terminal."""
        step = self._steps.get(ref)
        if step is None:
            return "not at hand"
        took = "" if step.skipped else f", {step.us / 1000:.0f} ms"
        return harmless(f"{kind(step)}: {what(step)}: {end(step)}{took}", 240)


def explained_json(told: Explanation, steps: Steps, *, sealed: bool) -> bytes:
    """The line of ``judge --json`` with one more member, ``explain``."""
    line: dict[str, Any] = {**verdict_line(told.verdict), "sealed": sealed}
    line["explain"] = {
        "spoke": [
            {
                "rule": spoke.rule,
                "weight": spoke.weight,
                "text": spoke.text,
                "reason": spoke.reason,
                "source": spoke.source,
                "witnesses": [{"ref": ref, "step": steps.line(ref)} for ref in spoke.witnesses],
            }
            for spoke in told.spoke
        ],
        "asked": [
            {"rule": one.rule, "hop": one.hop, "said": one.said, "why": one.why or None} for one in told.asked
        ],
        "line": told.line,
        "lift": list(told.lift),
    }
    return shown_json(line)


def print_explanation(told: Explanation, steps: Steps) -> None:
    """Print one verdict with all that was asked on the way to it."""
    for line in _lines(told, steps):
        click.echo(line)
    click.echo()


def _lines(told: Explanation, steps: Steps) -> Iterator[str]:
    verdict = told.verdict
    yield f"{harmless(verdict.target, 80)}  {harmless(verdict.url, 300)}"
    how = f", {verdict.mechanism}" if verdict.mechanism else ""
    some = ", some addresses only" if verdict.partial else ""
    yield f"  {said(verdict)}{how}{some}  (ruleset {harmless(verdict.ruleset, 80)}, measurement {verdict.id})"
    yield f"  line: {harmless(told.line, 240)}"
    for spoke in told.spoke:
        yield from _spoke(spoke, verdict.id, steps)
    for title in (LOOKED, MISSING, NOT_ASKED):
        groups = dict(_grouped(told.asked, title))
        if groups:
            yield f"  {_TITLES[title]}"
            yield from (f"    {harmless(why, 160)}: {' '.join(rules)}" for why, rules in groups.items())
    if told.lift:
        yield "  what would settle it" if verdict.grade is None else "  what would lift the grade"
        yield from (f"    {sentence}" for sentence in told.lift)


def _spoke(spoke: Spoke, identity: str, steps: Steps) -> Iterator[str]:
    weight = spoke.weight or "note"
    yield f"  {spoke.rule}  [{weight}]  {harmless(spoke.text, 500)}"
    source = f" ({spoke.source})" if spoke.source else ""
    yield f"      because {harmless(spoke.reason + source, 300)}"
    for ref in spoke.witnesses:
        shown = ref.removeprefix(identity)  # "#7" is a step of the measurement that the verdict is of
        yield f"      {harmless(shown, 60):>4}  {steps.line(ref)}"


def _grouped(asked: Iterable[Asked], title: str) -> Iterator[tuple[str, list[str]]]:
    """Rules that said nothing, by the reason that they share, in the order of the table."""
    groups: dict[str, list[str]] = {}
    many = len({one.hop for one in asked if one.hop is not None}) > 1
    for one in asked:
        if one.said == title:
            why = f"redirect {one.hop}: {one.why}" if many and one.hop else one.why
            groups.setdefault(why, []).append(one.rule)
    yield from groups.items()

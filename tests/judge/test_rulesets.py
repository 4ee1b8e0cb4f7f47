"""Rulesets are for ever: what a ruleset said of a recorded case, it says in every later version."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from blockwatch.codec import decode_record
from blockwatch.judge import LATEST, RULES, RULESETS, Rule, judge_run
from blockwatch.judge.rules import table
from blockwatch.model import Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.store import read_run
from blockwatch.verdict import State, Verdict
from tests.judge.frozen import ADDED, ONE, REMOVED, REVISED
from tests.judge.stage import frame, play
from tests.judge.worlds import WORLDS

RECORDED = Path(__file__).parent / "assets" / "ruleset-1.jsonl.gz"
SAMPLE = Path(__file__).parent / "assets" / "sample-1"


def ids_of(ruleset: int) -> set[str]:
    """The frozen ids of a ruleset."""
    found = set(ONE)
    for number in range(2, ruleset + 1):
        found = (found | set(ADDED.get(number, ()))) - set(REMOVED.get(number, ()))
    return found


@pytest.mark.parametrize("ruleset", RULESETS)
def test_the_ids_of_a_ruleset_are_frozen(ruleset: int) -> None:
    assert {rule.id for rows in table(ruleset).values() for rule in rows} == ids_of(ruleset)


def test_no_id_is_ever_used_again() -> None:
    born = [*ONE, *(id_ for number in sorted(ADDED) for id_ in ADDED[number])]
    assert len(born) == len(set(born))
    assert {rule.id for rule in RULES} == set(born)
    for id_ in born:
        first, *later = sorted((rule for rule in RULES if rule.id == id_), key=lambda rule: rule.since)
        assert id_ in (ONE if first.since == 1 else ADDED[first.since])
        for before, after in pairwise((first, *later)):
            assert id_ in REVISED[after.since]
            assert before.until == after.since - 1
            assert (before.stage, claim(before)) == (after.stage, claim(after))
        last = (first, *later)[-1]
        assert last.until is None or id_ in REMOVED[last.until + 1]


def claim(rule: Rule) -> str:
    """What a rule says, whatever it makes of it."""
    return (rule.says.__doc__ or "").strip().splitlines()[0]


def test_a_ruleset_that_is_not_known_is_refused_with_those_that_are() -> None:
    with pytest.raises(ValueError, match=r"no ruleset 99: this version has 1, 2"):
        table(99)
    with pytest.raises(ValueError, match="no ruleset 0"):
        judge_run(RunOpen(run="0" * 16, started=0, software="x"), (), ruleset=0)


def recorded() -> Iterator[tuple[str, RunOpen, list[Measurement], RunClose, list[Any]]]:
    """The cases as they were measured and judged when ruleset 1 was the latest."""
    with gzip.open(RECORDED, "rt", encoding="utf-8") as lines:
        for line in lines:
            case = json.loads(line)
            open_, *made, close = (decode_record(text.encode()) for text in case["lines"])
            assert isinstance(open_, RunOpen)
            assert isinstance(close, RunClose)
            yield (
                case["name"],
                open_,
                [m for m in made if isinstance(m, Measurement)],
                close,
                case["verdicts"],
            )


def plain(verdict: Verdict) -> list[Any]:
    """A verdict as the records have it."""
    return [
        verdict.id,
        str(verdict.state),
        verdict.grade and str(verdict.grade),
        verdict.mechanism,
        verdict.failed_step,
        verdict.partial,
        [[reason.rule, list(reason.witnesses)] for reason in verdict.why],
        verdict.final,
    ]


def test_ruleset_1_still_says_what_it_said() -> None:
    count = 0
    for name, open_, made, close, verdicts in recorded():
        told = judge_run(open_, made, close, ruleset=1)
        assert [plain(verdict) for verdict in told] == verdicts, name
        assert {verdict.ruleset for verdict in told} == {"1"}
        count += 1
    assert count > 100


def test_a_whole_run_of_the_time_of_ruleset_1() -> None:
    """With its bodies: a run in the lab, as it was judged then."""
    run = read_run(SAMPLE)
    kept = [json.loads(line) for line in (SAMPLE / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    verdicts = judge_run(run.open, tuple(run.measurements), run.close, run.body, ruleset=1)
    assert [(v.id, str(v.state), v.grade, v.mechanism, v.final, v.ruleset) for v in verdicts] == [
        (line["id"], line["state"], line["grade"], line["mechanism"], line["final"], line["ruleset"])
        for line in kept
    ]


def test_every_verdict_says_its_ruleset() -> None:
    _, open_, made, close, _ = next(recorded())
    assert {verdict.ruleset for verdict in judge_run(open_, made, close)} == {str(LATEST)}


@pytest.mark.parametrize("ruleset", sorted(ADDED))
def test_the_method_page_names_what_a_ruleset_brought(ruleset: int) -> None:
    page = (Path(__file__).parents[2] / "docs" / "method.md").read_text(encoding="utf-8")
    row = next(line for line in page.splitlines() if line.startswith(f"| {ruleset} | "))
    for id_ in (*ADDED[ruleset], *REVISED.get(ruleset, ()), *REMOVED.get(ruleset, ())):
        assert f"`{id_}`" in row or f"`{id_.partition('.')[0]}.*`" in row, id_


def test_ruleset_1_hears_the_last_word_of_a_helper_that_is_asked_again() -> None:
    world = WORLDS["the same, and a helper that was lucky once"].world
    _, made = play(world)
    open_, close = frame(world, len(made))
    first, latest = (
        [v for v in judge_run(open_, made, close, ruleset=ruleset) if v.target == "site"][-1]
        for ruleset in (1, LATEST)
    )
    assert (first.state, latest.state) == (State.DOWN, State.INCONCLUSIVE)

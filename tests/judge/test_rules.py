"""The table itself, and the rows that no plain world reaches."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import msgspec
import pytest

import blockwatch.judge as judge_package
from blockwatch import failure as f
from blockwatch.judge import (
    LATEST,
    RULES,
    RULESETS,
    Fingerprint,
    Pack,
    Rule,
    control_runs,
    judge_run,
    together,
)
from blockwatch.judge.case import no_bodies
from blockwatch.judge.fingerprints import OURS
from blockwatch.judge.rules import STAGES, table
from blockwatch.model import Measurement
from blockwatch.run import Vantage
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import calm_measurement, changed, frame, measured, play
from tests.judge.world import CUT, OTHER, SECOND, SILENCE, SITE, Page, World
from tests.judge.worlds import WORLDS
from tests.judge.worlds.say import by_sni, everywhere, isp

METHOD = Path(__file__).parents[2] / "docs" / "method.md"


def judged(world: World, *made: Measurement) -> Verdict:
    open_, close = frame(world, len(made))
    return [v for v in judge_run(open_, made, close) if v.target == "site"][-1]


def one(world: World, attempt: str = "first", seq: int = 1, start: int = 0) -> Measurement:
    return measured(world, seq, attempt, start, world.known_good)


def fault() -> Verdict:
    return judged(World(), changed(one(World()), valid=False, fault="IndexError: no such thing"))


def empty() -> Verdict:
    return judged(World(), changed(one(World()), observations=()))


def cut_short() -> Verdict:
    world = WORLDS["address dead for everybody"].world
    return judged(world, calm_measurement(2, 0), changed(one(world), stopped="interrupted"))


def line_dropped() -> Verdict:
    """The line fails for every site at once, in the middle of a run that had worked."""
    start = 100 * SECOND
    lost = World(dial=lambda address, port, n: f.TIMEOUT, control=None, good=False)
    others = [
        changed(one(lost, seq=10 + k, start=start + k), target=f"other-{k}", url=f"https://o{k}.example/")
        for k in range(6)
    ]
    return judged(lost, calm_measurement(2, 0), *others, one(lost, seq=30, start=start))


def passed_later() -> Verdict:
    blocked, fine = World(lookup=isp(f.SERVFAIL)), World()
    return judged(fine, calm_measurement(5, 0), one(blocked), one(fine, "retest", 2, 60 * SECOND))


def known_address() -> Verdict:
    listed = Fingerprint("ooni.xx_1", "nat", "dns", "full", OTHER, 5)
    world = World(
        url="http://site.example.org/", lookup=everywhere((OTHER,)), resolvers=("system",), control=None
    )
    made = [calm_measurement(2, 0), one(world)]
    open_, close = frame(world, 2)
    return judge_run(open_, made, close, fingerprints=together([Pack([listed], "ooni:0")]))[-1]


def only_earlier() -> Verdict:
    blocked = World(shake=by_sni(SILENCE))
    lost = changed(one(blocked, "retest", 2, 90 * SECOND), observations=())
    return judged(blocked, calm_measurement(5, 0), one(blocked), lost)


def everybodys() -> Verdict:
    seized = WORLDS["unpaid line: every cleartext name gets the provider's page"].world
    page = Page(title="Доступ ограничен", length=424)
    named = World(
        url=seized.url, answer=lambda a, host, tls, n: page if a == SITE and not tls else None, good=False
    )
    return judged(named, calm_measurement(5, 0), one(seized), one(named, "retest", 2, 90 * SECOND))


def control_apart() -> Verdict:
    """A state's chain comes here; in another country the site's own came, two hours before."""
    forged = WORLDS["state interception at the site's address only, no helper"].world
    here = replace(forged, vantage=Vantage(asn=9198, country="KZ"))
    there = World(control=None)
    open_, close = frame(there, 1)
    abroad = msgspec.structs.replace(open_, run="1" * 16, vantage=Vantage(asn=64500, country="SE"))
    earlier = -7_200 * SECOND
    seen = control_runs([(abroad, [calm_measurement(1, 0), one(there, start=earlier)], close, no_bodies)])
    made = [calm_measurement(5, 0), one(here)]
    return judge_run(frame(here, 2)[0], made, close, beside=seen)[-1]


SPECIAL = {
    "control.run": (control_apart, State.BLOCKED),
    "control.apart": (control_apart, State.BLOCKED),
    "void.fault": (fault, State.INCONCLUSIVE),
    "void.empty": (empty, State.INCONCLUSIVE),
    "void.cut": (cut_short, State.INCONCLUSIVE),
    "line.dropped": (line_dropped, State.INCONCLUSIVE),
    "weigh.passed": (passed_later, State.OK),
    "dns.known": (known_address, State.BLOCKED),
    "weigh.everybody": (everybodys, State.INCONCLUSIVE),
    "weigh.earlier": (only_earlier, State.BLOCKED),
}


@pytest.mark.parametrize("rule", SPECIAL)
def test_special(rule: str) -> None:
    made, state = SPECIAL[rule]
    verdict = made()
    assert verdict.state is state, verdict.why
    assert rule in [reason.rule for reason in verdict.why], verdict.why


def test_an_artefact_that_did_not_last_is_told_as_a_sign() -> None:
    blocked = WORLDS["redirect on record"].world
    fine = World(url=blocked.url)
    verdict = judged(fine, calm_measurement(5, 0), one(blocked), one(fine, "retest", 2, 60 * SECOND))
    assert (verdict.state, verdict.grade) == (State.BLOCKED, Grade.SIGNS)


def test_a_name_cut_on_an_unrelated_address_is_told_though_it_passes_later() -> None:
    blocked, fine = World(shake=by_sni(CUT)), World()
    verdict = judged(fine, calm_measurement(5, 0), one(blocked), one(fine, "retest", 2, 60 * SECOND))
    assert (verdict.state, verdict.grade) == (State.BLOCKED, Grade.SIGNS)


def test_what_passes_later_is_not_told_where_another_name_may_have_left_a_residual_block() -> None:
    blocked, fine = World(shake=by_sni(SILENCE)), World()
    name = "other.example.com"
    other = World(url=f"https://{name}/", shake=lambda a, sni, n: SILENCE if sni == name else None)
    neighbour = changed(one(other, seq=9), target="other", url=other.url)
    retest = one(fine, "retest", 2, 60 * SECOND)
    verdict = judged(fine, calm_measurement(5, 0), neighbour, one(blocked), retest)
    assert verdict.state is State.OK


def test_ids_are_unique_and_every_row_is_complete() -> None:
    for rows in map(table, RULESETS):
        ids = [rule.id for stage in rows.values() for rule in stage]
        assert len(set(ids)) == len(ids)
    assert [rule.stage for rule in RULES] == sorted((rule.stage for rule in RULES), key=STAGES.index)
    assert all(rule.reason and rule.source and rule.says.__doc__ for rule in RULES)


def rule_functions() -> set[Any]:
    """Every public function of the rule modules that says what a rule may say."""
    found = set()
    for module in pkgutil.iter_modules(judge_package.__path__, judge_package.__name__ + "."):
        if module.name.rpartition(".")[2].startswith(("rules_", "weigh")):
            members = vars(importlib.import_module(module.name)).values()
            own = [m for m in members if inspect.isfunction(m) and m.__module__ == module.name]
            found |= {
                function
                for function in own
                if not function.__name__.startswith("_")
                and re.search(r"\b(Finding|Note)\b", str(function.__annotations__.get("return")))
            }
    return found


def test_every_rule_function_has_a_row() -> None:
    assert rule_functions() == {rule.says for rule in RULES}


def test_a_fact_that_two_measurements_tell_is_told_once_with_the_witnesses_of_both() -> None:
    final = play(WORLDS["SNI drop"].world)[0][-1]
    assert [reason.rule for reason in final.why[:2]] == ["tls.blocked", "weigh.twice"]
    assert len({ref.partition("#")[0] for ref in final.why[0].witnesses}) == 2
    for row in WORLDS.values():
        for verdict in play(row.world)[0]:
            told = [(reason.rule, reason.text) for reason in verdict.why]
            assert len(told) == len(set(told)), told


def test_no_row_is_dead() -> None:
    spoken = {reason.rule for row in WORLDS.values() for v in play(row.world)[0] for reason in v.why}
    spoken |= {reason.rule for made, _ in SPECIAL.values() for reason in made().why}
    assert not {rule.id for rule in RULES} - spoken


def test_the_method_page_has_every_rule_in_order() -> None:
    rows = [line.split("|")[1:-1] for line in METHOD.read_text().splitlines() if line.startswith("| `")]
    told = [[cell.strip(" `") for cell in cells] for cells in rows if len(cells) == 4]
    latest = [rule for stage in table(LATEST).values() for rule in stage]
    assert told == [[rule.id, said(rule), rule.reason, rule.source] for rule in latest]


def said(rule: Rule) -> str:
    return (rule.says.__doc__ or "").strip().splitlines()[0].rstrip(".")


def test_the_method_page_has_every_known_page() -> None:
    text = METHOD.read_text()
    assert all(f"`{known.name}`" in text and known.source in text for known in OURS.prints)


def test_words_that_carry_the_grade_stand_first() -> None:
    verdicts, _ = play(WORLDS["resets by Host that an unrelated address shows at first only"].world)
    final = verdicts[-1]
    assert final.grade is Grade.STRONG
    assert final.why[0].rule == "weigh.twice"
    assert "on an unrelated address too" in final.why[0].text

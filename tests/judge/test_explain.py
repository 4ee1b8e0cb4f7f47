"""The explanation says what the verdict says, and accounts for every rule of the table."""

from __future__ import annotations

import pytest

from blockwatch.judge import explain_run, judge_run
from blockwatch.judge.evidence import KINDS, needs
from blockwatch.judge.explain import DECIDES, LOOKED, MISSING, NOT_ASKED, NOTES, Explanation
from blockwatch.judge.rules import RULES, table
from blockwatch.run import Vantage
from blockwatch.verdict import Grade, State
from tests.judge.stage import frame, play
from tests.judge.test_control_runs import CLEAN, FAR, FORGED, KAZAKH, NEAR, beside, elsewhere, run_of
from tests.judge.world import World
from tests.judge.worlds import WORLDS


def explained(name: str) -> Explanation:
    """The final explanation of the site in a world of the table."""
    _, made = play(WORLDS[name].world)
    open_, close = frame(WORLDS[name].world, len(made))
    return [told for told in explain_run(open_, made, close) if told.verdict.target == "site"][-1]


def said(told: Explanation) -> dict[str, str]:
    return {asked.rule: asked.said for asked in told.asked}


@pytest.mark.parametrize("name", WORLDS)
def test_both_walks_agree_and_no_rule_is_left_out(name: str) -> None:
    _, made = play(WORLDS[name].world)
    open_, close = frame(WORLDS[name].world, len(made))
    verdicts, told = judge_run(open_, made, close), list(explain_run(open_, made, close))
    assert [one.verdict for one in told] == verdicts
    for one in told:
        spoke = [(spoke.rule, spoke.text, spoke.witnesses) for spoke in one.spoke]
        assert spoke == [(reason.rule, reason.text, reason.witnesses) for reason in one.verdict.why]
        assert {asked.rule for asked in one.asked} == {rule.id for rule in RULES}
        heard = {asked.rule for asked in one.asked if asked.said in (DECIDES, NOTES)}
        mine = {r.rule for r in one.verdict.why if all(w.startswith(one.verdict.id) for w in r.witnesses)}
        assert mine - {"none"} <= heard
        first = one.spoke[0]
        assert first.weight or first.rule == "none"
        assert bool(one.lift) == (
            one.verdict.state is State.INCONCLUSIVE
            or (one.verdict.state is State.BLOCKED and one.verdict.grade is not Grade.CONFIRMED)
        )


def test_what_was_looked_at_is_told_from_what_is_missing() -> None:
    told = explained("SNI drop, nothing known good, no helper")
    assert said(told)["tls.name"] == MISSING
    assert said(told)["tls.blocked"] == MISSING
    assert said(told)["tls.alone"] == DECIDES
    assert said(told)["tcp.alone"] == LOOKED
    assert said(told)["page.tls"] == NOT_ASKED
    why = {asked.rule: asked.why for asked in told.asked}
    assert why["tls.name"] == "two-name rounds"
    assert why["tls.blocked"] == "a control"
    assert why["tcp.alone"].startswith("connections: ")
    assert any("--helper" in sentence for sentence in told.lift)
    assert any("two-name rounds" in sentence for sentence in told.lift)


def test_what_would_lift_a_grade() -> None:
    assert explained("clean https").lift == ()
    assert explained("state interception").lift == ()
    assert "artefact" in explained("SNI drop").lift[0]
    refused = explained("a server that refuses this country resets every handshake")
    assert any("nothing to do with the site" in sentence for sentence in refused.lift)


def test_a_control_vantage_has_its_place() -> None:
    open_, made, close = run_of(FORGED, "f" * 16, KAZAKH)
    for shifts, apart in ((NEAR, LOOKED), (FAR, DECIDES)):
        seen = beside(*elsewhere(CLEAN, *shifts))
        told = [t for t in explain_run(open_, made, close, beside=seen) if t.verdict.target == "site"][-1]
        assert said(told)["control.run"] == NOTES
        assert said(told)["control.apart"] == apart
        assert any("ten minutes" in sentence for sentence in told.lift) == (apart == DECIDES)
    plain = [t for t in explain_run(open_, made, close) if t.verdict.target == "site"][-1]
    assert said(plain)["control.run"] == MISSING


def test_what_rules_need_is_a_known_kind() -> None:
    for rule in table(2)["hop"]:
        assert set(needs(rule.id)) <= set(KINDS)


@pytest.mark.parametrize(
    ("vantage", "words"),
    [
        (Vantage(asn=9198, country="KZ", network="A Telecom", resolver_asn=9198), "of the same network"),
        (Vantage(asn=9198, resolver_asn=15169), "of AS15169"),
        (Vantage(resolver_local=True, declared_isp="Beeline"), "a box of the volunteer's own network"),
        (Vantage(), "not known"),
    ],
)
def test_it_is_said_whose_line_a_verdict_is_about(vantage: Vantage, words: str) -> None:
    world = World(vantage=vantage)
    _, made = play(world)
    told = next(explain_run(frame(world, 1)[0], made))
    assert words in told.line
    assert all(part in told.line for part in (vantage.network, vantage.declared_isp) if part)


def test_a_denial_by_a_resolver_of_the_house_is_lifted_by_asking_the_providers() -> None:
    told = explained("a resolver in the house denies the name (dns_nxdomain_error)")
    assert any("provider's own resolver" in sentence for sentence in told.lift)
    told = explained("a resolver that never says where a denial comes from (dns_nxdomain_error)")
    assert not any("provider's own resolver" in sentence for sentence in told.lift)


def test_a_block_at_another_owner_s_host_names_it() -> None:
    verdicts, _ = play(WORLDS["blocked behind a cleartext redirect to another site"].world)
    told = [reason.text for reason in verdicts[-1].why]
    assert any(text.startswith("At other.example.com, to which it redirects: ") for text in told)
    plain, _ = play(WORLDS["RST on Host"].world)
    assert not any("redirects" in reason.text for reason in plain[-1].why)

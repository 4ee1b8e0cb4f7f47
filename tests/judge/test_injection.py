"""Queries to those who cannot answer: who is asked, and what may be concluded."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from blockwatch import failure as f
from blockwatch.model import DnsStep, Measurement, Purpose
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import play
from tests.judge.world import DOH, GOOD_HOSTS, HOST, SITE, UDP, Answer, World
from tests.judge.worlds.injection import FALSE, ROOTS, STRANGERS, path

RULES = {"dns.nobody", "dns.root", "dns.everybody", "dns.dropped"}


def told(lookup: Callable[[str, str, int], Answer], **more: object) -> tuple[Verdict, set[str]]:
    """The final verdict on such a world, and which of these rules spoke."""
    verdicts, _ = play(World(lookup=lookup, tier=2, **more))  # type: ignore[arg-type]
    return verdicts[-1], {reason.rule for reason in verdicts[-1].why} & RULES


def asked(measurement: Measurement) -> list[DnsStep]:
    kinds = (Purpose.NOBODY, Purpose.ROOT)
    return [s for s in measurement.observations if isinstance(s, DnsStep) and s.purpose in kinds]


@pytest.mark.parametrize("answer", [FALSE, ("127.0.0.1",), f.NXDOMAIN])
@pytest.mark.parametrize("control", [{}, None], ids=["helper", "no helper"])
def test_an_answer_from_nobody_settles_it(answer: Answer, control: dict[str, object] | None) -> None:
    verdict, rules = told(path(answer, answer, answer), control=control)
    assert (verdict.state, verdict.grade, verdict.mechanism) == (
        State.BLOCKED,
        Grade.CONFIRMED,
        "dns.injection",
    )
    assert rules == {"dns.nobody"}


def test_with_no_other_witness_only_an_answer_that_is_false_by_itself_settles_it() -> None:
    resolvers = ("system", *UDP)
    verdict, rules = told(
        path(("127.0.0.1",), ("127.0.0.1",), ("127.0.0.1",)), control=None, resolvers=resolvers
    )
    assert (verdict.state, verdict.grade, rules) == (State.BLOCKED, Grade.CONFIRMED, {"dns.nobody"})
    verdict, rules = told(path(FALSE, FALSE, f.NO_ANSWER), control=None, resolvers=resolvers)
    assert rules == set()  # a name server of the site's zone might live there
    assert verdict.state is not State.BLOCKED or verdict.grade is not Grade.CONFIRMED


def test_an_answer_from_a_root_server_settles_it_alone() -> None:
    verdict, rules = told(path(FALSE, f.TIMEOUT, FALSE))
    assert (verdict.state, verdict.grade, verdict.mechanism) == (
        State.BLOCKED,
        Grade.CONFIRMED,
        "dns.injection",
    )
    assert rules == {"dns.root"}


@pytest.mark.parametrize("answer", [FALSE, f.NXDOMAIN])
def test_who_answers_for_everybody_is_no_injector(answer: Answer) -> None:
    verdict, rules = told(path(answer, answer, answer, calm=(SITE,), calm_root=(SITE,)))
    assert rules == {"dns.everybody"}
    _, rules = told(path(answer, answer, answer, calm=(SITE,)))  # root servers are let through
    assert rules == {"dns.everybody"}
    plain = play(World(lookup=path(answer)))[0][-1]
    assert (verdict.state, verdict.grade, verdict.mechanism) == (plain.state, plain.grade, plain.mechanism)


def test_a_name_server_that_refuses_every_name_is_nobody_in_disguise() -> None:
    _, rules = told(path(f.NXDOMAIN, f.DNS_REFUSED, calm=f.DNS_REFUSED))
    assert rules == {"dns.everybody"}


def test_the_truth_is_no_falsehood_whoever_tells_it() -> None:
    _, rules = told(path(FALSE, (SITE,)))  # the site's own name server lives at a control's address
    assert rules == set()


def test_a_denial_at_one_place_is_not_enough() -> None:
    base = path(f.NXDOMAIN)

    def lookup(resolver: str, name: str, n: int) -> Answer:
        return f.DNS_REFUSED if (resolver, name) == (STRANGERS[0], HOST) else base(resolver, name, n)

    _, rules = told(lookup)
    assert rules == set()


def test_one_web_server_that_answers_is_a_name_server_rather_than_an_injector() -> None:
    base = path(FALSE)

    def lookup(resolver: str, name: str, n: int) -> Answer:
        return FALSE if (resolver, name) == (STRANGERS[0], HOST) else base(resolver, name, n)

    _, rules = told(lookup)
    assert rules == set()


def test_an_answer_that_came_once_is_not_enough() -> None:
    base, seen = path(FALSE), set()

    def lookup(resolver: str, name: str, n: int) -> Answer:
        if name == HOST and resolver in (*STRANGERS, *ROOTS) and resolver not in seen:
            seen.add(resolver)
            return FALSE
        return base(resolver, name, n)

    _, rules = told(lookup)
    assert rules == set()


def test_a_root_server_that_is_never_heard_shows_nothing() -> None:
    _, rules = told(path(FALSE, f.TIMEOUT, FALSE, calm_root=f.TIMEOUT))
    assert rules == set()


def test_a_line_that_is_not_fooled_accuses_nobody() -> None:
    def lookup(resolver: str, name: str, n: int) -> Answer:
        if name == HOST and resolver in ("system", "line", DOH):
            return (SITE,)
        return path(FALSE, FALSE, FALSE)(resolver, name, n)

    verdict, rules = told(
        lookup, late=lambda resolver, name: (SITE,) if resolver in UDP else None, attempts=1
    )
    assert (verdict.state, rules) == (State.OK, {"dns.nobody", "dns.root"})


def test_queries_dropped_on_the_way_are_told_from_a_mute_resolver() -> None:
    verdict, rules = told(path(f.TIMEOUT, f.TIMEOUT, f.TIMEOUT))
    assert (verdict.state, verdict.mechanism, rules) == (State.BLOCKED, "dns.timeout", {"dns.dropped"})
    _, rules = told(path(f.TIMEOUT))  # the line's resolver alone
    assert rules == set()


def test_nobody_is_asked_without_need_or_consent() -> None:
    for world in (World(tier=2), World(lookup=path(FALSE, FALSE, FALSE), tier=1)):
        _, made = play(world)
        assert [step for one in made for step in asked(one)] == []


def test_each_is_asked_for_a_calm_name_first_and_only_once_in_a_run() -> None:
    _, made = play(World(lookup=path(FALSE, FALSE, FALSE), tier=2, attempts=2))
    steps = [step for one in made for step in asked(one)]
    assert {one.attempt for one in made if asked(one)} == {"first"}
    assert len(steps) == 20
    for place in (*STRANGERS, *ROOTS):
        names = [step.name for step in steps if step.resolver == place]
        assert names[1::2] == [HOST] * (3 if place in STRANGERS else 2)
        assert HOST not in names[::2]
    strange = {step.resolver for step in steps if step.name in GOOD_HOSTS}
    assert strange <= {*STRANGERS, *ROOTS}


def test_without_a_calm_name_nobody_is_asked() -> None:
    _, made = play(World(lookup=path(FALSE, FALSE, FALSE), tier=2, good=False, control=None))
    assert [step for one in made for step in asked(one)] == []

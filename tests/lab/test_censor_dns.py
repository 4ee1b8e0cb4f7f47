"""Every interference with lookups is seen by a plain client exactly as its rule says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from blockwatch.lab import namespace
from blockwatch.lab.world import DnsRule, Rule, World
from tests.lab.calls import lookup, saw
from tests.lab.wire_far import TRUE_ADDRESS, ask, start

RULES: tuple[Rule, ...] = (
    DnsRule(name="answer.example", answers=("127.0.0.1", "2001:db8::1"), ttl0=128, true_after=0.15),
    DnsRule(name="alone.example", answers=("127.0.0.1",), race=False),
    DnsRule(name="nxdomain.example", do="nxdomain", race=False),
    DnsRule(name="refused.example", do="refused", race=False),
    DnsRule(name="servfail.example", do="servfail", race=False),
    DnsRule(name="empty.example", do="empty", race=False),
    DnsRule(name="drop.example", do="drop"),
    DnsRule(name="dup.example", do="dup"),
    DnsRule(name="lose.example", do="lose", first=1),
    DnsRule(name="isp.example", do="drop", to="isp"),
    DnsRule(name="divert.example", do="divert"),
)


@pytest.fixture(scope="module")
def lab() -> Iterator[namespace.Handle]:
    with start(World(name="censor-dns", sites=(), rules=RULES, delay_ms=5, ipv6=True)) as lab:
        yield lab


def test_a_forged_dns_answer_comes_first_and_the_true_one_later(lab: namespace.Handle) -> None:
    four, six, asked_isp = ask(
        lab,
        lookup("answer.example"),
        lookup("ANSWER.example", type="AAAA"),
        lookup("answer.example", "95.56.8.1"),
    )
    for seen in (four, asked_isp):
        forged, true = seen["answers"]  # type: ignore[misc]
        assert (forged["addresses"], true["addresses"]) == (["127.0.0.1"], [TRUE_ADDRESS])
        assert (forged["ttl"], true["ttl"]) == (128 - 4, 64 - 8)
        assert true["seconds"] >= 0.15
    assert six["answers"][0]["addresses"] == ["2001:db8::1"]  # type: ignore[index]


def test_dns_meets_its_rule_and_no_other_name_does(lab: namespace.Handle) -> None:
    expected = {
        "alone.example": [(0, ["127.0.0.1"])],
        "nxdomain.example": [(3, [])],
        "refused.example": [(5, [])],
        "servfail.example": [(2, [])],
        "empty.example": [(0, [])],
        "drop.example": [],
        "dup.example": [(0, [TRUE_ADDRESS])] * 2,
        "isp.example": [(0, [TRUE_ADDRESS])],
        "xalone.example": [(0, [TRUE_ADDRESS])],
        "fine.example": [(0, [TRUE_ADDRESS])],
    }
    answers = [each["answers"] for each in ask(lab, *map(lookup, expected))]
    seen = [[(one["rcode"], one["addresses"]) for one in each] for each in answers]  # type: ignore[attr-defined]
    assert dict(zip(expected, seen, strict=True)) == expected
    first, second = answers[list(expected).index("dup.example")]  # type: ignore[misc]
    assert second["seconds"] - first["seconds"] >= 0.15


def test_a_diverted_question_is_answered_by_the_isp_in_the_name_of_whoever_was_asked(
    lab: namespace.Handle,
) -> None:
    nobody = "91.1.1.9"
    diverted, public, true = ask(
        lab, lookup("divert.example", nobody), lookup("divert.example"), lookup("fine.example", nobody)
    )
    for seen in (diverted, public):
        assert [one["addresses"] for one in seen["answers"]] == [[TRUE_ADDRESS]]  # type: ignore[attr-defined]
    assert true["answers"] == []


def test_the_first_question_is_lost_and_the_next_answered(lab: namespace.Handle) -> None:
    seen = [saw(lab, lookup("lose.example", hold=0.3))[0] for _ in range(2)]
    assert seen == ["dns.timeout", "ok"]

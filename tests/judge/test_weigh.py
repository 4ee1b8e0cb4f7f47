"""What a measurement made again does to what the first one found."""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge import weigh
from blockwatch.judge.finding import Finding, blocked, unclear
from blockwatch.verdict import Grade, State

PAGE = blocked("http.blockpage", Grade.SIGNS, "a page", ("m#1",))
NAME = blocked("dns.redirect", Grade.STRONG, "an address", ("m#2",))
ON_RECORD = blocked("http.blockpage", Grade.CONFIRMED, "a page on record", ("m#3",))
LINE = replace(unclear("control names get it too", ("n#1",), "http"), everybody=True)
CANNOT_TELL = unclear("nothing to compare with", ("n#2",), "http")


def test_an_undecided_repetition_undoes_no_finding() -> None:
    found = weigh.not_refuted([NAME], CANNOT_TELL)
    assert found is not None
    assert (found.state, found.grade, found.mechanism) == (State.BLOCKED, Grade.SIGNS, "dns.redirect")


def test_what_the_line_does_to_every_name_was_no_block_before() -> None:
    assert weigh.not_refuted([PAGE], LINE) is None


def test_it_explains_neither_another_step_nor_what_is_on_record() -> None:
    for other in (NAME, ON_RECORD):
        found = weigh.not_refuted([other], LINE)
        assert found is not None
        assert found.state is State.BLOCKED


def test_nor_is_it_a_block_afterwards() -> None:
    assert weigh.everybodys([LINE], PAGE) is LINE
    assert weigh.everybodys([LINE], NAME) is None
    assert weigh.everybodys([LINE], ON_RECORD) is None
    assert weigh.everybodys([CANNOT_TELL], PAGE) is None
    assert weigh.everybodys([LINE], Finding(State.OK, "it works")) is None

"""The proof of accuracy counts rightly; what it counts is measured by ``make accuracy``."""

from __future__ import annotations

import pytest

from blockwatch.lab.trial import CLEAN, Row, rows_of
from blockwatch.lab.world import DnsRule
from tools.accuracy.counts import Share, count, matrix
from tools.accuracy.page import page
from tools.accuracy.recorded import Known, Real
from tools.accuracy.trials import NO_HELPER, NOISES, Trial, all_trials


def row(truth: str, state: str | None, mechanism: str | None = None, **changes: object) -> Row:
    fields = {
        "scenario": "s",
        "family": "dns",
        "truth": truth,
        "decided": True,
        "may_be_blocked": truth not in ("ok", "down", "refused", "inconclusive"),
        "right": state == truth or (mechanism is not None and mechanism.startswith(truth)),
        "state": state,
        "grade": "strong" if state == "blocked" else None,
        "mechanism": mechanism,
        "words": "…",
    }
    return Row(**{**fields, **changes})  # type: ignore[arg-type]


# Newcombe (1998), Statistics in Medicine 17, 857-872, table I, method 3.
@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0000, 0.1611), (1, 29, 0.0061, 0.1718)],
)
def test_the_interval_is_the_published_one(hits: int, n: int, low: float, high: float) -> None:
    assert Share(hits, n).interval == (pytest.approx(low, abs=5e-5), pytest.approx(high, abs=5e-5))


def test_of_nothing_nothing_is_known() -> None:
    assert Share(0, 0).interval == (0.0, 1.0)
    assert str(Share(0, 0)) == "none"


ROWS = [
    row("ok", "ok"),
    row("ok", "blocked", "tls.reset", grade="signs"),
    row("down", "blocked", "tcp.timeout"),
    row("ok", "inconclusive"),
    row("inconclusive", "inconclusive", decided=False),
    row("tls.reset", "blocked", "tls.reset.sni"),
    row("tls.reset", "blocked", "tls.timeout"),
    row("dns.nxdomain", "ok"),
    row("dns.nxdomain", None),
]


def test_counts() -> None:
    counts = count(ROWS)
    assert counts.right == Share(3, 9)
    assert counts.sensitivity == Share(2, 4)
    assert counts.specificity == Share(3, 5)
    assert counts.mechanism == Share(1, 2)
    assert counts.undecided == Share(1, 8)
    assert (counts.accused_hard, counts.accused_signs) == (1, 1)


def test_matrix() -> None:
    cells = matrix(ROWS)
    assert cells["tls.reset", "tls.reset"] == cells["tls.reset", "tls.timeout"] == 1
    assert cells["dns.nxdomain", "nothing"] == 1
    assert sum(cells.values()) == len(ROWS)


def test_what_looks_like_a_block_is_shown_apart() -> None:
    """A server that bans us: `blocked signs` is right there, and still no block."""
    banned = row(
        "ok", "blocked", "tcp.refused", may_be_blocked=True, right=True, grade="signs", scenario="ban"
    )
    counts = count([banned])
    assert counts.specificity.n == counts.sensitivity.n == counts.accused_signs == 0
    assert matrix([banned]) == {("ok*", "tcp.refused"): 1}
    text = page("0123456789ab", [(Trial("main", NOISES[0], 1), [*ROWS, banned])], [], [])
    assert "1/1 = 100.00% (20.65% to 100.00%); strong or confirmed: 0." in text
    assert "| `ban` | ok | 1/1 = 100.00% (20.65% to 100.00%) |" in text


def test_the_page_tells_what_was_wrong() -> None:
    found = [(Trial("main", NOISES[1], 2), ROWS), (Trial(CLEAN, NO_HELPER[0], 1), ROWS[:2])]
    text = page(
        "0123456789ab", found, [Known("k", "ok", "ok", True, "blocked (dns)", False)], [Real(7, "a", "b")]
    )
    assert "| `s` | dns.nxdomain | nothing | 1 % loss (seed 2) |" in text
    assert "| no helper | 2 | 0 | 1 |" in text
    assert "blockwatch: 1/1 = 100.00%" in text
    assert "| line 7 | a | b |" in text


def test_no_two_trials_share_a_file() -> None:
    names = [trial.name for trial in all_trials()]
    assert len(set(names)) == len(names)


def test_copies_of_clean_rows_have_names_of_their_own() -> None:
    once, twice = rows_of(CLEAN), rows_of(CLEAN, clean_copies=2)
    assert len(once) > 20
    assert len({row.id for row in twice}) == len(twice) == 2 * len(once)
    assert {rule.do for row in twice for rule in row.rules if isinstance(rule, DnsRule)} <= {"lose"}
    assert not any(row.mitm for row in twice)

"""Another vantage's run as control: what it may settle, what it may not, and how time weakens it."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from blockwatch import failure as f
from blockwatch.judge import NOBODY, Beside, control_runs, judge_run
from blockwatch.judge.beside import HOUR_US
from blockwatch.judge.case import no_bodies
from blockwatch.model import ControlStep, Measurement
from blockwatch.run import LineCheck, RunClose, RunOpen, Vantage
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import changed, frame, play
from tests.judge.world import HOST, SILENCE, SITE, Page, World
from tests.judge.worlds import WORLDS
from tests.judge.worlds.say import BLOCK, HTTP, broken_for_control, by_host, by_sni, ends, on_address

KAZAKH = Vantage(asn=9198, country="KZ", ipv4=True)
SWEDE = Vantage(asn=64500, country="SE", ipv4=True)
SWEDE_TOO = Vantage(asn=64502, country="SE", ipv4=True)
DUTCH = Vantage(asn=64501, country="NL", ipv4=True)
MINUTE_US = 60_000_000
DEAD: dict[str, Any] = {"dial": on_address(f.TIMEOUT, SITE), "control": None}
DOWN_WITH_HELPER: dict[str, Any] = {
    "dial": on_address(f.TIMEOUT, SITE),
    "control": broken_for_control(endpoints=ends(tcp=f.TIMEOUT)),
}


def run_of(
    world: World, run: str, vantage: Vantage, shift_us: int = 0, **opened: Any
) -> tuple[RunOpen, list[Measurement], RunClose]:
    """A whole run of a world, made by this vantage, so much later."""
    _, made = play(world)
    open_, close = frame(world, len(made))
    head = msgspec.structs.replace(open_, run=run, vantage=vantage, **opened)
    moved = [changed(m, id=f"{run}-{m.seq:06}", started=m.started + shift_us) for m in made]
    return head, moved, close


def beside(*runs: tuple[RunOpen, list[Measurement], RunClose], **options: Any) -> Beside:
    return control_runs([(*run, no_bodies) for run in runs], **options)


def elsewhere(
    world: World, *shifts_us: int, vantage: Vantage = SWEDE, number: int = 1
) -> list[tuple[RunOpen, list[Measurement], RunClose]]:
    """Runs of a control vantage, one for each distance in time."""
    return [run_of(world, f"{number + n:016x}", vantage, shift) for n, shift in enumerate(shifts_us)]


def judged(world: World, seen: Beside = NOBODY, vantage: Vantage = KAZAKH) -> Verdict:
    """The final verdict on the site in a run of this world."""
    open_, made, close = run_of(world, "f" * 16, vantage)
    return [v for v in judge_run(open_, made, close, beside=seen) if v.target == "site"][-1]


def helped(measurement: Measurement) -> bool:
    """Whether a test helper answered."""
    return any(isinstance(s, ControlStep) and s.failure is None for s in measurement.observations)


def rules(verdict: Verdict) -> list[str]:
    return [reason.rule for reason in verdict.why]


NEAR = (-3 * MINUTE_US,)
AROUND = (-2 * HOUR_US, 3 * HOUR_US)
FAR = (-2 * HOUR_US,)
CLEAN = World(control=None)
FORGED = WORLDS["state interception at the site's address only, no helper"].world


def test_an_address_that_is_dead_here_and_works_there_is_blocked() -> None:
    assert judged(World(**DEAD)).state is State.INCONCLUSIVE
    for shifts in (NEAR, AROUND):
        verdict = judged(World(**DEAD), beside(*elsewhere(CLEAN, *shifts)))
        assert (verdict.state, verdict.grade) == (State.BLOCKED, Grade.SIGNS), verdict
        assert verdict.mechanism == "tcp.timeout.ip"
        assert rules(verdict)[0] == "tcp.blocked"


def test_the_verdict_names_run_record_network_and_distance() -> None:
    verdict = judged(World(**DEAD), beside(*elsewhere(CLEAN, *AROUND)))
    told = next(reason for reason in verdict.why if reason.rule == "control.run")
    assert "AS64500, SE" in told.text
    assert "it worked 2 h 1 min before (0000000000000001-000003)" in told.text
    assert "it worked 2 h 58 min later (0000000000000002-000003)" in told.text
    assert {ref.partition("#")[0] for ref in told.witnesses} == {
        "0000000000000001-000003",
        "0000000000000002-000003",
    }
    settled = next(reason for reason in verdict.why if reason.rule == "tcp.blocked")
    assert any(ref.startswith("0000000000000001-000003#") for ref in settled.witnesses)


def test_a_control_of_another_hour_on_one_side_only_makes_a_sign_at_most() -> None:
    assert judged(FORGED, beside(*elsewhere(CLEAN, *NEAR))).grade is Grade.STRONG
    verdict = judged(FORGED, beside(*elsewhere(CLEAN, *FAR)))
    assert (verdict.state, verdict.grade) == (State.BLOCKED, Grade.SIGNS)
    assert "control.apart" in rules(verdict)


@pytest.mark.parametrize("shift", [-7 * HOUR_US, 7 * HOUR_US])
def test_a_control_beyond_the_window_says_nothing(shift: int) -> None:
    assert judged(World(**DEAD), beside(*elsewhere(CLEAN, shift))).state is State.INCONCLUSIVE
    wide = beside(*elsewhere(CLEAN, shift), window_us=8 * HOUR_US)
    assert judged(World(**DEAD), wide).state is State.BLOCKED


def test_clocks_are_corrected() -> None:
    ahead = run_of(CLEAN, "1" * 16, SWEDE, 9 * HOUR_US, clock_offset_us=9 * HOUR_US - MINUTE_US)
    assert judged(World(**DEAD), beside(ahead)).state is State.BLOCKED


def test_down_for_everybody_needs_more_than_a_failure_there() -> None:
    alone = beside(*elsewhere(World(**DEAD), *AROUND))
    verdict = judged(World(**DEAD), alone)
    assert verdict.state is State.INCONCLUSIVE
    assert any("it failed (tcp)" in reason.text for reason in verdict.why)
    vouched = beside(*elsewhere(World(**DOWN_WITH_HELPER), *AROUND))
    assert judged(World(**DEAD), vouched).state is State.DOWN
    two = beside(
        *elsewhere(World(**DEAD), *AROUND), *elsewhere(World(**DEAD), *AROUND, vantage=DUTCH, number=5)
    )
    assert judged(World(**DEAD), two).state is State.DOWN
    of_one_country = beside(
        *elsewhere(World(**DEAD), *AROUND), *elsewhere(World(**DEAD), *AROUND, vantage=SWEDE_TOO, number=5)
    )
    assert judged(World(**DEAD), of_one_country).state is State.INCONCLUSIVE


def test_down_at_another_time_is_not_down_now() -> None:
    assert judged(World(**DEAD), beside(*elsewhere(World(**DOWN_WITH_HELPER), *FAR))).state is (
        State.INCONCLUSIVE
    )


def test_a_site_that_broke_between_the_two_sides_says_nothing() -> None:
    seen = beside(
        *elsewhere(CLEAN, -2 * HOUR_US), *elsewhere(World(**DOWN_WITH_HELPER), 2 * HOUR_US, number=5)
    )
    verdict = judged(World(**DEAD), seen)
    assert verdict.state is State.INCONCLUSIVE
    assert any(reason.text.endswith("nothing follows from it") for reason in verdict.why)


def test_a_control_vantage_that_is_blocked_itself_is_none() -> None:
    """The same censor there: neither ``down`` nor ``ok`` follows from what it sees."""
    silent = World(shake=by_sni(SILENCE), control=None)
    seen = beside(*elsewhere(silent, *AROUND))
    assert judged(silent, seen) == judged(silent)
    page = World(url=HTTP, answer=by_host(BLOCK), control=None)
    assert judged(page, beside(*elsewhere(page, *AROUND))) == judged(page)
    told = World(url=HTTP, answer=lambda a, h, t, n: BLOCK if a == SITE and not t else None, control=None)
    assert judged(told, beside(*elsewhere(told, *AROUND))).state is not State.OK


@pytest.mark.parametrize(
    "vantage",
    [
        KAZAKH,
        Vantage(asn=9999, country="KZ"),
        Vantage(asn=9198),
        Vantage(),
    ],
)
def test_a_vantage_of_the_same_country_or_of_none_is_no_control(vantage: Vantage) -> None:
    seen = beside(*elsewhere(CLEAN, *NEAR, vantage=vantage))
    assert judged(World(**DEAD), seen).state is State.INCONCLUSIVE
    if vantage == Vantage():
        assert "network it was made on is not known" in seen.notes[0]


def test_a_control_run_whose_line_was_down_or_behind_a_portal_is_named_and_not_used() -> None:
    dead = World(dial=lambda address, port, n: f.TIMEOUT, control=None, good=False, calm=False)
    (offline,) = elsewhere(dead, *NEAR)
    portal = run_of(
        CLEAN,
        "2" * 16,
        SWEDE,
        checks=(LineCheck(kind="portal", when="before", t=0, ok=False, detail="a portal answers"),),
    )
    seen = beside(offline, portal)
    assert seen.runs == ()
    assert ["nothing in it surely worked" in seen.notes[0], "captive portal" in seen.notes[1]] == [True, True]


def test_a_cleartext_page_is_compared_like_a_helpers() -> None:
    clean = World(url=HTTP, control=None, dial=lambda a, port, n: f.REFUSED if port == 443 else None)
    assert judged(clean).state is State.INCONCLUSIVE
    assert judged(clean, beside(*elsewhere(clean, *FAR))).state is State.OK
    forged = World(
        url=HTTP,
        control=None,
        dial=lambda a, port, n: f.REFUSED if port == 443 else None,
        answer=lambda a, h, t, n: BLOCK if a == SITE and h == HOST and not t else None,
    )
    verdict = judged(forged, beside(*elsewhere(clean, *AROUND)))
    assert (verdict.state, verdict.mechanism) == (State.BLOCKED, "http.blockpage")


def test_another_page_there_does_not_undo_what_was_reached_here() -> None:
    other = World(control=None, page=lambda url, a: Page(title="Something else", length=90_000))
    assert judged(CLEAN, beside(*elsewhere(other, *NEAR))).state is State.OK


def test_where_a_helper_answered_no_control_vantage_is_asked() -> None:
    contrary = beside(*elsewhere(World(**DOWN_WITH_HELPER), *AROUND))
    for name, row in WORLDS.items():
        open_, made, close = run_of(row.world, "f" * 16, KAZAKH)
        if not all(helped(m) for m in made if m.target == "site"):
            continue
        plain, lit = judge_run(open_, made, close), judge_run(open_, made, close, beside=contrary)
        assert plain == lit, name


def test_a_control_vantage_never_lowers_what_the_name_alone_shows() -> None:
    order = [None, Grade.SIGNS, Grade.STRONG, Grade.CONFIRMED]
    for shifts in (NEAR, AROUND, FAR):
        for name in (
            "SNI drop, no helper",
            "unknown interception, no helper",
            "state interception, no helper",
        ):
            world = WORLDS[name].world
            plain = judged(world)
            lit = judged(world, beside(*elsewhere(CLEAN, *shifts)))
            assert lit.state is State.BLOCKED, name
            assert order.index(lit.grade) >= order.index(plain.grade), name


def test_ruleset_1_knows_no_control_vantage() -> None:
    open_, made, close = run_of(World(**DEAD), "f" * 16, KAZAKH)
    seen = beside(*elsewhere(CLEAN, *NEAR))
    assert judge_run(open_, made, close, ruleset=1, beside=seen) == judge_run(open_, made, close, ruleset=1)


def test_a_name_that_is_gone_for_the_control_vantage_too() -> None:
    gone = World(lookup=lambda resolver, name, n: f.NXDOMAIN, control=None)
    verdict = judged(
        World(lookup=lambda r, name, n: f.NXDOMAIN, control=None, resolvers=("system",)),
        beside(*elsewhere(gone, *AROUND)),
    )
    assert verdict.state is State.DOWN, verdict

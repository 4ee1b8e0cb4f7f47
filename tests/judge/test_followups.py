"""What anomalies buy: nothing for the clean, little for the dead, each group once."""

from __future__ import annotations

from collections import Counter

import msgspec
import pytest

from blockwatch import failure as f
from blockwatch.followup import ControlRequest, FlowRequest, LookupRequest
from blockwatch.judge import next_steps, wants_retest
from blockwatch.model import DnsStep, Endpoint, Purpose, TlsStep
from tests.judge.player import Player
from tests.judge.stage import measured
from tests.judge.world import GOOD, GOOD_HOSTS, HOST, SILENCE, SITE, SITE2, Page, World, resolves
from tests.judge.worlds import WORLDS

ROUNDS = {str(p) for p in Purpose if "control_on" in str(p) or "on_control" in str(p)}
FREE = (
    "clean https",
    "clean http",
    "clean https, no helper",
    "clean https, helper down",
    "http upgrades to https",
    "multi-CDN over https (L)",
    "http-only site with rotating addresses",
    "451 over https (H)",
    "address dead for everybody",
    "name gone for everybody",
    "certificate expired for everybody",
    "server resets everybody",
)


@pytest.mark.parametrize("name", FREE)
def test_nothing_is_bought(name: str) -> None:
    world = WORLDS[name].world
    player = Player(world, 0)
    player.measure()
    assert next_steps(tuple(player.steps), world.known_good, "first") == ()
    assert not wants_retest(tuple(player.steps))


def test_a_server_that_cuts_everybody_off_buys_one_look_and_no_retest() -> None:
    world = WORLDS["a server that resets every request, the helper's as well"].world
    player = Player(world, 0)
    player.measure()
    asked = next_steps(tuple(player.steps), world.known_good, "first")
    assert [r.purpose for r in asked] == [Purpose.HOST_CONTROL_ON_CONTROL, Purpose.HOST_TARGET_ON_CONTROL]
    player.follow_up(asked)
    assert next_steps(tuple(player.steps), world.known_good, "first") == ()
    assert not wants_retest(tuple(player.steps))


@pytest.mark.parametrize("name", ["RST on Host", "SNI reset"])
def test_no_name_is_always_sent_at_the_same_place_of_a_round(name: str) -> None:
    world = WORLDS[name].world
    player = Player(world, 0)
    player.measure()
    asked = next_steps(tuple(player.steps), world.known_good, "first")
    rounds = [r for r in asked if isinstance(r, FlowRequest) and str(r.purpose) in ROUNDS]
    places = {str(r.purpose): set[int]() for r in rounds}
    for at, request in enumerate(rounds):
        places[str(request.purpose)].add(at % 4)
    assert len(rounds) == 12
    assert len(places[next(p for p in places if p.endswith("target_on_control"))]) > 1
    assert len(places[next(p for p in places if p.endswith("control_on_target"))]) == 3


@pytest.mark.parametrize("name", WORLDS)
@pytest.mark.parametrize("attempt", ["first", "retest"])
def test_the_questions_are_bounded_and_end(name: str, attempt: str) -> None:
    world = WORLDS[name].world
    made = measured(world, 1, attempt, 0, world.known_good)
    assert next_steps(made.observations, world.known_good, attempt) == ()
    assert len(made.observations) < 120


def test_a_silent_handshake_buys_rounds_with_the_control_first() -> None:
    world = WORLDS["SNI drop"].world
    player = Player(world, 0)
    player.measure()
    asked = [
        r for r in next_steps(tuple(player.steps), world.known_good, "first") if isinstance(r, FlowRequest)
    ]
    rows = [(r.purpose, r.round, r.address, r.server_name) for r in asked]
    assert rows[:4] == [
        (Purpose.SNI_CONTROL_ON_CONTROL, 0, GOOD[0], GOOD_HOSTS[0]),
        (Purpose.SNI_CONTROL_ON_CONTROL, 10, GOOD[0], GOOD_HOSTS[1]),
        (Purpose.SNI_CONTROL_ON_TARGET, 0, SITE, GOOD_HOSTS[0]),
        (Purpose.SNI_TARGET_ON_CONTROL, 0, GOOD[0], HOST),
    ]
    assert {r.round for r in asked if r.purpose is Purpose.SNI_TARGET_ON_CONTROL} == {0, 1, 2}
    assert sum(r.purpose is Purpose.REPEAT for r in asked) == 2
    assert {r.address for r in asked if r.purpose is Purpose.SNI_CONTROL_ON_CONTROL} == set(GOOD)
    assert all(200_000 <= r.wait_us < 900_000 for r in asked)


def test_a_failed_lookup_buys_a_control_name_and_the_line_itself() -> None:
    world = WORLDS["REFUSED hidden by getaddrinfo"].world
    player = Player(world, 0)
    player.measure()
    asked = [
        r for r in next_steps(tuple(player.steps), world.known_good, "first") if isinstance(r, LookupRequest)
    ]
    assert (asked[0].purpose, asked[0].name, asked[0].resolver) == (
        Purpose.NAME_CONTROL,
        GOOD_HOSTS[0],
        "system",
    )
    assert [r.resolver for r in asked if r.purpose is Purpose.REPEAT][:3] == ["line", "system", "system"]
    assert all(r.window_us >= 3_000_000 for r in asked)


def test_without_a_known_good_name_it_is_only_repeated() -> None:
    world = World(shake=WORLDS["SNI drop"].world.shake, good=False)
    player = Player(world, 0)
    player.measure()
    asked = [r for r in next_steps(tuple(player.steps), (), "first") if isinstance(r, FlowRequest)]
    capitals = [Purpose.SNI_CAPITALS_ON_TARGET] * 3
    assert [r.purpose for r in asked] == [*[Purpose.REPEAT] * 2, Purpose.SNI_NONE_ON_TARGET, *capitals]
    assert {r.server_name for r in asked if r.purpose in capitals} == {HOST.upper()}


def test_names_of_the_same_owner_are_no_control() -> None:
    world = WORLDS["SNI drop"].world
    player = Player(world, 0)
    player.measure()
    known = [
        type(g)(host="www.example.org", address=g.address, port=g.port, tls=g.tls) for g in world.known_good
    ]
    asked = next_steps(tuple(player.steps), known, "first")
    alone = (Purpose.REPEAT, Purpose.SNI_NONE_ON_TARGET, Purpose.SNI_CAPITALS_ON_TARGET)
    assert all(r.purpose in alone for r in asked)


@pytest.mark.parametrize(("alpn", "plain"), [("h2", True), ("http/1.1", False), (None, False)])
def test_an_http2_request_that_failed_is_made_again_as_helpers_make_it(alpn: str | None, plain: bool) -> None:
    world = World(answer=lambda a, h, tls, n: f.RESET if a == SITE else None)
    player = Player(world, 0)
    player.measure()
    steps = tuple(
        msgspec.structs.replace(step, alpn=alpn) if isinstance(step, TlsStep) else step
        for step in player.steps
    )
    asked = [r for r in next_steps(steps, world.known_good, "first") if isinstance(r, FlowRequest)]
    assert [r.plain for r in asked if r.purpose is Purpose.REPEAT] == [False, plain]
    assert not any(r.plain for r in asked if r.purpose is not Purpose.REPEAT)


@pytest.mark.parametrize("good", [True, False])
@pytest.mark.parametrize("name", ["address dead for us", "SNI drop", "resets by Host, no other name at hand"])
def test_where_it_fails_the_control_is_heard_twice_more(name: str, good: bool) -> None:
    world = WORLDS[name].world
    player = Player(world, 0)
    player.measure()
    known = World(good=good).known_good
    asked = [r for r in next_steps(tuple(player.steps), known, "first") if isinstance(r, ControlRequest)]
    assert [(r.url, r.purpose, r.round) for r in asked] == [
        (world.url, Purpose.REPEAT, 1),
        (world.url, Purpose.REPEAT, 2),
    ]


@pytest.mark.parametrize("control", [None, {"failure": f.TIMEOUT}])
def test_a_helper_that_did_not_answer_is_not_asked_again(control: dict[str, str] | None) -> None:
    world = World(shake=WORLDS["SNI drop"].world.shake, control=control)
    player = Player(world, 0)
    player.measure()
    asked = next_steps(tuple(player.steps), world.known_good, "first")
    assert asked
    assert not any(isinstance(r, ControlRequest) for r in asked)


def test_one_handshake_of_several_addresses_that_is_lost_buys_two_repeats_there() -> None:
    """No more than those, if they pass: it was an accident."""
    world = World(
        lookup=resolves(SITE, SITE2),
        shake=lambda address, sni, n: SILENCE if address == SITE2 and n < 12 else None,
    )
    player = Player(world, 0)
    player.measure()
    asked = next_steps(tuple(player.steps), world.known_good, "first")
    assert [(r.purpose, r.round) for r in asked] == [(Purpose.REPEAT, 1), (Purpose.REPEAT, 2)]
    assert {r.address for r in asked if isinstance(r, FlowRequest)} == {SITE2}
    player.n = 12
    player.follow_up(asked)
    assert next_steps(tuple(player.steps), world.known_good, "first") == ()
    assert not wants_retest(tuple(player.steps))


def test_redirects_in_a_circle_buy_lookups_once() -> None:
    world = World(
        url=f"http://{HOST}/",
        page=lambda url, address: Page(status=302, location=url),
        lookup=lambda resolver, name, n: ("127.0.0.1",) if resolver == "system" else (SITE,),
    )
    made = measured(world, 1, "first", 0, world.known_good)
    bought = [s for s in made.observations if isinstance(s, DnsStep) and s.purpose is Purpose.NAME_CONTROL]
    assert bought
    assert {step.hop for step in bought} == {0}
    assert max(step.hop for step in made.observations) == 4


@pytest.mark.parametrize("seen", [True, False])
def test_an_address_that_the_control_connects_to_is_dialled_again(seen: bool) -> None:
    """Though the page came from another; not one that is dead for the control, too."""
    ends = tuple(
        Endpoint(
            address=a, port=443, tls=a == SITE or seen, tcp_failure=None if a == SITE or seen else f.TIMEOUT
        )
        for a in (SITE, SITE2)
    )
    world = World(
        lookup=resolves(SITE, SITE2),
        dial=lambda address, port, n: f.TIMEOUT if address == SITE2 else None,
        control={"endpoints": ends},
    )
    player = Player(world, 0)
    player.measure()
    asked = next_steps(tuple(player.steps), world.known_good, "first")
    dialled = [(r.address, r.port) for r in asked if isinstance(r, FlowRequest)]
    assert dialled == ([(SITE2, 443), (SITE2, 443), (SITE2, 80)] if seen else [])
    player.follow_up(asked)
    assert next_steps(tuple(player.steps), world.known_good, "first") == ()


def _silenced(rounds: int) -> World:
    """A block page, and control addresses at which nothing in cleartext is answered for so many requests."""
    asked = Counter[str]()

    def answer(address: str, host: str, tls: bool, n: int) -> Page | str | None:
        if address in GOOD and not tls:
            asked["good"] += 1
            if asked["good"] <= rounds:
                return f.TIMEOUT
        return Page(title="Stop", length=90) if host == HOST and not tls else None

    return World(
        url=f"http://{HOST}/", answer=answer, dial=lambda a, port, n: f.REFUSED if port == 443 else None
    )


@pytest.mark.parametrize(("silent", "again"), [(0, False), (6, True)])
def test_a_page_is_asked_for_at_other_addresses_once_more_where_none_was_heard(
    silent: int, again: bool
) -> None:
    world = _silenced(silent)
    player = Player(world, 0)
    player.measure()
    bought = list[set[int]]()
    while asked := next_steps(tuple(player.steps), world.known_good, "first"):
        player.follow_up(asked)
        bought.append({r.round for r in asked if r.purpose is Purpose.HOST_TARGET_ON_CONTROL})
    assert bought == [set(), {0, 1}] + [{6, 7}] * again

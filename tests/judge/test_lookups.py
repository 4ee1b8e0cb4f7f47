"""Failed lookups: what repeats, what is read from other programs' records, and what a control name draws."""

from __future__ import annotations

import msgspec
import pytest

from blockwatch import failure as f
from blockwatch.followup import LookupRequest
from blockwatch.judge import judge_run, next_steps
from blockwatch.judge.sight import MADE_UP
from blockwatch.model import DnsStep, Measurement, Purpose
from blockwatch.verdict import Grade, State
from tests.judge.player import Player
from tests.judge.stage import changed, frame, measured, play
from tests.judge.world import GOOD_HOSTS, HOST, UDP, World
from tests.judge.worlds import WORLDS
from tests.judge.worlds.say import isp


@pytest.mark.parametrize("times", [1, 2, 3])
def test_a_denial_that_stands_in_a_report_again_and_again_stays_a_sign(times: int) -> None:
    """Probes of other programs look a name up once; the same record twice is no second witness."""
    world = World(lookup=isp(f.NXDOMAIN), resolvers=("system",))
    player = Player(world, 0)
    player.measure()
    one = Measurement(
        id="x",
        seq=1,
        target="site",
        url=world.url,
        probe="web",
        probe_version="1",
        started=1_790_000_000_000_000,
        us=player.t,
        observations=tuple(player.steps),
    )
    made = [changed(one, id=f"{'0' * 16}-{seq:06}", seq=seq) for seq in range(1, times + 1)]
    open_, close = frame(world, times)
    open_ = msgspec.structs.replace(open_, imported="ooni report")
    final = [verdict for verdict in judge_run(open_, made, close) if verdict.final][-1]
    assert (final.state, final.grade, final.mechanism) == (State.BLOCKED, Grade.SIGNS, "dns.nxdomain")


def test_the_control_name_is_asked_first_and_of_everyone_who_is_listened_to() -> None:
    world = WORLDS["NXDOMAIN injected"].world
    player = Player(world, 0)
    player.measure()
    asked = [
        r for r in next_steps(tuple(player.steps), world.known_good, "first") if isinstance(r, LookupRequest)
    ]
    calm = [r.resolver for r in asked if r.purpose is Purpose.NAME_CONTROL and r.round < MADE_UP]
    assert calm == ["system", "line", *UDP, "system", "line", *UDP]
    assert [r.purpose for r in asked[: len(calm)]] == [Purpose.NAME_CONTROL] * len(calm)
    again = [r.resolver for r in asked if r.purpose is Purpose.VALIDATE]
    assert again == [resolver.replace("udp:", "tcp:") for resolver in UDP]  # both deny it: is it their word?
    assert {r.resolver for r in asked if r.name == HOST} == {*calm, *again}
    assert [r.name for r in asked[:6]] == [GOOD_HOSTS[0]] * 4 + ["example.com"] * 2
    assert {r.name.partition(".")[2] for r in asked[6:8]} == {"example.com"}
    nobody = [r for r in asked if r.round >= MADE_UP]
    assert [r.resolver for r in nobody] == ["line", "line"]
    assert {r.name.partition(".")[2] for r in nobody} == {GOOD_HOSTS[0]}


@pytest.mark.parametrize("asked", [True, False], ids=["a control name draws one", "no control name"])
def test_two_replies_need_a_control_name_that_draws_one(asked: bool) -> None:
    world = WORLDS["NXDOMAIN injected"].world
    _, made = play(world)
    made = [
        one
        if asked
        else changed(
            one,
            observations=tuple(s for s in one.observations if s.purpose is not Purpose.NAME_CONTROL),
        )
        for one in made
    ]
    open_, close = frame(world, len(made))
    final = [v for v in judge_run(open_, made, close) if v.target == "site" and v.final][-1]
    assert any(r.rule == "dns.senders" for r in final.why) is asked


def test_a_router_that_relays_two_replies_buys_the_questions_and_accuses_nobody() -> None:
    world = WORLDS["a router relays two replies for every name: dns_nxdomain_error, then the answer"].world
    made = measured(world, 1, "first", 0, world.known_good)
    calm = [s for s in made.observations if s.purpose is Purpose.NAME_CONTROL]
    assert calm
    assert all(verdict.state is not State.BLOCKED for verdict in play(world)[0])


def test_what_the_path_makes_up_for_a_control_name_is_no_life_of_the_resolver() -> None:
    world = WORLDS[
        "the line's resolver says dns_servfail_error to every name, and the path lies about one"
    ].world
    _, made = play(world)
    lie = {"addresses": ("10.10.34.36",), "failure": None}
    made = [
        changed(
            one,
            observations=tuple(
                msgspec.structs.replace(s, **lie)
                if s.purpose is Purpose.NAME_CONTROL and isinstance(s, DnsStep) and s.resolver == "system"
                else s
                for s in one.observations
            ),
        )
        for one in made
    ]
    assert any(s.purpose is Purpose.NAME_CONTROL for one in made for s in one.observations)
    open_, close = frame(world, len(made))
    assert [v.state for v in judge_run(open_, made, close) if v.final and v.target == "site"] != [
        State.BLOCKED
    ]

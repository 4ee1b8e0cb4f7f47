"""A whole run against real servers on loopback: what is written, and in which order."""

import re

import pytest
import trio

from blockwatch.followup import ControlRequest, FlowRequest, LookupRequest
from blockwatch.model import HttpStep, Purpose, TcpStep
from blockwatch.registry import Probe, load_probes
from blockwatch.runner import run
from blockwatch.runner.plan import Settings, make_plan
from blockwatch.target import Target, TargetsFile

from ..net.far import SITE, answering, helper_answer, page, plain_page
from .making import OTHER, Asking, Kept, plan_of, site


async def test_a_run(far, sites, autojump_clock):
    kept, told = Kept(), []
    plan = plan_of(
        site("a"), site("b"), site("c", role="control"), label="home", isp="Some ISP", concurrency=2
    )
    close = await run(plan, kept, Asking(), progress=told.append, previous_root="ab" * 32, network=far)
    (opened,) = kept.opened
    assert (opened.label, opened.previous_root, opened.probes) == ("home", "ab" * 32, ("web 1",))
    assert opened.vantage.learned_from == "interface"
    assert opened.vantage.declared_isp == "Some ISP"
    assert "93.184.216.99" not in repr(opened)
    assert [check.kind for check in opened.checks] == ["portal", "connectivity", "clock"]
    assert [m.measurement.seq for m in kept.written] == [1, 2, 3]
    assert [m.measurement.id for m in kept.written] == [f"{opened.run}-{n:06}" for n in (1, 2, 3)]
    assert {m.measurement.target for m in kept.written} == {"a", "b", "c"}
    for measured in kept.written:
        measurement = measured.measurement
        assert (measurement.valid, measurement.stopped, measurement.probe) == (True, None, "web")
        (number,) = measured.exchanges
        step = measurement.observations[number]
        assert isinstance(step, HttpStep)
        assert measured.exchanges[number].response.endswith(b"Hello</title>")
    assert kept.closed == [close]
    assert (close.reason, close.planned, close.measured) == ("done", 3, 3)
    assert close.bytes_received > 0
    assert [(p.done, p.planned) for p in told] == [(1, 3), (2, 3), (3, 3)]


async def test_controls_come_first(sites):
    plan = plan_of(site("a"), site("c", role="control"), probes=load_probes())
    assert [task.target for task in plan.tasks] == ["c", "a"]


async def test_follow_ups_join_the_same_measurement(far, sites, autojump_clock):
    await far.resolver("8.8.8.8", answering({"c.example": [SITE]}))
    steps = (
        FlowRequest(
            address=SITE, port=80, tls=False, url="http://a.example/", host="c.example",
            purpose=Purpose.HOST_CONTROL_ON_TARGET, round=2,
        ),
        LookupRequest(resolver="udp://8.8.8.8:53", name="c.example", purpose=Purpose.NAME_CONTROL),
        ControlRequest(url="http://a.example/", purpose=Purpose.REPEAT),
        FlowRequest(address=OTHER, port=80, tls=False, purpose=Purpose.REPEAT, wait_us=30_000_000),
    )  # fmt: skip
    kept, asking = Kept(), Asking(steps)
    await run(plan_of(site("a")), kept, asking, network=far)
    (measured,) = kept.written
    extra = [s for s in measured.measurement.observations if s.purpose is not Purpose.FIRST]
    http = next(s for s in extra if isinstance(s, HttpStep))
    assert (http.host, http.url, http.round, http.status) == ("c.example", "http://a.example/", 2, 200)
    late = next(s for s in extra if isinstance(s, TcpStep) and s.address == OTHER)
    assert late.failure == "generic_timeout_error"
    assert late.t >= 30_000_000
    assert len(asking.seen) == 2


async def test_what_works_is_known_to_the_follow_ups(far, authority, autojump_clock):
    far.names = {"s.example": [SITE], "dead.example": [OTHER]}
    await far.serve(SITE, 443, authority.https_page(page(b"x"), "s.example"))
    far.black_hole(OTHER, 80)
    asking = Asking()
    plan = plan_of(Target(id="s", url="https://s.example/"), site("dead"), ca_file=authority.ca_file)
    await run(plan, Kept(), asking, network=far)
    (good,) = asking.seen[-1][1]
    assert (good.host, good.address, good.port, good.tls) == ("s.example", SITE, 443, True)


async def test_a_re_test_is_a_measurement_of_its_own(far, sites, autojump_clock):
    kept = Kept()
    await run(plan_of(site("dead"), site("a")), kept, Asking(again=True), network=far)
    assert [(m.measurement.target, m.measurement.attempt) for m in kept.written[2:]] in (
        [("a", "retest"), ("dead", "retest")],
        [("dead", "retest"), ("a", "retest")],
    )
    assert {m.measurement.attempt for m in kept.written[:2]} == {"first"}


async def test_helpers_tell_the_time(far, sites, autojump_clock):
    date = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    body = helper_answer()(b"")[1]
    await far.serve("93.184.216.51", 80, plain_page(page(body, headers=date)))
    plan = plan_of(site("a"), helpers=("http://93.184.216.51/",))
    close = await run(plan, Kept(), Asking(), network=far)
    clock = next(check for check in close.checks if check.kind == "clock")
    assert (clock.when, clock.ok) == ("after", False)
    assert clock.offset_us > 365 * 86_400_000_000


async def test_re_tests_that_fail_at_one_address_are_spaced(far, sites, autojump_clock):
    far.names |= {"dead2.example": [OTHER]}
    kept = Kept()
    await run(plan_of(site("dead"), site("dead2"), site("a")), kept, Asking(again=True), network=far)
    begun = {m.measurement.target: m.measurement.observations[0].t for m in kept.written[3:]}
    assert abs(begun["dead"] - begun["dead2"]) >= 30_000_000
    assert begun["a"] < begun["dead2"]


async def broken_measure(task, net):
    await net.lookup(task.host)
    raise ZeroDivisionError("ours")


async def hungry_measure(task, net):
    while True:
        await net.lookup(f"{net.task.host}")
        async with net.flow(SITE, 81) as flow:
            await flow.tcp_connect()


async def sleepy_measure(task, net):
    await net.lookup(task.host)
    await trio.sleep_forever()


@pytest.mark.parametrize(
    ("measure", "valid", "stopped"),
    [(broken_measure, False, None), (hungry_measure, True, "budget"), (sleepy_measure, True, "budget")],
)
async def test_a_fault_of_ours_and_a_spent_budget(far, sites, autojump_clock, measure, valid, stopped):
    probes = load_probes() | {"own": Probe("own", "1", "?", 1, measure)}
    kept = Kept()
    settings = Settings(probes=("own", "web"), resolvers=(), stun=None)
    plan = make_plan(TargetsFile(targets=(site("a"),)), probes, settings)
    close = await run(plan, kept, Asking(), network=far)
    assert close.reason == "done"
    own = next(m.measurement for m in kept.written if m.measurement.probe == "own")
    assert (own.valid, own.stopped) == (valid, stopped)
    assert 0 < len(own.observations) <= 400
    if not valid:
        assert re.fullmatch(r"ZeroDivisionError at test_run\.py:[0-9]+", own.fault)
    assert next(m.measurement for m in kept.written if m.measurement.probe == "web").valid

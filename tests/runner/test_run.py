"""A whole run against real servers on loopback: what is written, in which order, whatever happens."""

import re
import signal
from dataclasses import dataclass, field

import pytest
import trio

from blockwatch.errors import DiskError
from blockwatch.followup import ControlRequest, FlowRequest, LookupRequest
from blockwatch.model import HttpStep, Measured, Purpose, TcpStep
from blockwatch.registry import Probe, load_probes
from blockwatch.run import RunClose, RunOpen
from blockwatch.runner import run
from blockwatch.runner.plan import Settings, make_plan
from blockwatch.target import Target, TargetsFile

from ..net.far import SITE, answering, helper_answer, page, plain_page, posts, read_head

OTHER = "93.184.216.35"


@dataclass
class Kept:
    """A sink in memory."""

    opened: list[RunOpen] = field(default_factory=list)
    written: list[Measured] = field(default_factory=list)
    closed: list[RunClose] = field(default_factory=list)
    full_after: int = 10_000

    async def open(self, record):
        assert not self.opened
        self.opened.append(record)

    async def write(self, measured):
        assert self.opened
        assert not self.closed
        if len(self.written) >= self.full_after:
            raise DiskError("no space left")
        self.written.append(measured)
        await trio.lowlevel.checkpoint()

    async def close(self, record):
        self.closed.append(record)


@dataclass
class Asking:
    """Asks for ``steps`` once, and for a re-test where ``again`` says so."""

    steps: tuple = ()
    again: bool = False
    held: tuple = ()
    seen: list = field(default_factory=list)

    def next_steps(self, observations, known_good, attempt, tier):
        self.seen.append((len(observations), known_good, attempt))
        return () if any(s.purpose is not Purpose.FIRST for s in observations) else self.steps

    def wants_retest(self, observations):
        return self.again

    def lingering(self, observations, known_good, connected):
        return self.held


def plan_of(*targets: Target, probes: dict[str, Probe] | None = None, **settings):
    settings = {"resolvers": (), "stun": None} | settings
    return make_plan(TargetsFile(targets=targets), probes or load_probes(), Settings(**settings))


def site(name: str, **more) -> Target:
    return Target(id=name, url=f"http://{name}.example/", **more)


@pytest.fixture
async def sites(far):
    """a, b and c work."""
    far.names = {f"{name}.example": [SITE] for name in "abc"} | {"dead.example": [OTHER]}
    await far.serve(
        SITE, 80, plain_page(page(b"<title>Hello</title>", headers="Content-Type: text/html\r\n"))
    )
    far.black_hole(OTHER, 80)


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


async def test_ctrl_c_keeps_what_was_seen(far, sites):
    kept = Kept()
    plan = plan_of(site("dead"), site("a"))
    begun = trio.current_time()
    async with trio.open_nursery() as nursery:

        async def press():
            await trio.sleep(0.4)
            signal.raise_signal(signal.SIGINT)

        nursery.start_soon(press)
        close = await run(plan, kept, Asking(), network=far)
    assert trio.current_time() - begun < 2
    assert close.reason == "interrupted"
    dead = next(m.measurement for m in kept.written if m.measurement.target == "dead")
    assert (dead.stopped, dead.valid) == ("interrupted", True)
    assert dead.observations[0].addresses == (OTHER,)
    assert close.measured == len(kept.written)


async def test_cancelled_from_outside(far, sites):
    kept = Kept()
    with trio.move_on_after(0.4) as scope:
        await run(plan_of(site("dead")), kept, Asking(), network=far)
    assert scope.cancelled_caught
    assert [close.reason for close in kept.closed] == ["interrupted"]
    assert kept.written[0].measurement.stopped == "interrupted"


async def test_time_is_up(far, sites, autojump_clock):
    kept = Kept()
    close = await run(plan_of(site("dead"), max_us=5_000_000), kept, Asking(), network=far)
    assert close.reason == "time"
    assert kept.written[0].measurement.stopped == "budget"


async def test_bytes_are_spent(far, sites, autojump_clock):
    kept = Kept()
    targets = [Target(id=f"t{n}", url=f"http://a.example/{n}") for n in range(60)]
    close = await run(plan_of(*targets, max_bytes=2_000, concurrency=1), kept, Asking(), network=far)
    assert close.reason == "budget"
    assert close.planned == 60
    assert 0 < close.measured < 60


async def test_time_is_up_among_the_re_tests(far, sites, autojump_clock):
    kept = Kept()
    far.names |= {"dead2.example": [OTHER]}
    plan = plan_of(site("dead"), site("dead2"), site("a"), max_us=15_000_000)
    close = await run(plan, kept, Asking(again=True), network=far)
    assert (close.reason, close.planned) == ("time", 3)
    assert close.us <= 16_000_000
    found = {(m.measurement.target, m.measurement.attempt): m.measurement.stopped for m in kept.written}
    first = {(name, "first"): None for name in ("dead", "dead2", "a")}
    assert found == first | {("a", "retest"): None, ("dead", "retest"): "budget"}
    assert close.measured == len(kept.written)
    assert kept.closed == [close]


async def test_bytes_are_spent_among_the_re_tests(far, sites, autojump_clock):
    free, kept = Kept(), Kept()
    targets = [Target(id=f"t{n}", url=f"http://a.example/{n}") for n in range(6)]
    whole = await run(plan_of(*targets, concurrency=1), free, Asking(again=True), network=far)
    spent = (whole.bytes_sent + whole.bytes_received) * 2 // 3
    plan = plan_of(*targets, max_bytes=spent, concurrency=1)
    close = await run(plan, kept, Asking(again=True), network=far)
    assert (whole.measured, close.reason, close.planned) == (12, "budget", 6)
    assert 6 < close.measured < 12
    assert {m.measurement.stopped for m in kept.written} == {None}
    assert kept.closed == [close]


async def test_a_full_disk_ends_the_run(far, sites, autojump_clock):
    kept = Kept(full_after=1)
    with pytest.raises(DiskError, match="no space left"):
        await run(plan_of(site("a"), site("b"), site("c")), kept, Asking(), network=far)
    assert [close.reason for close in kept.closed] == ["disk"]


async def test_the_own_address_is_cut_out(far, autojump_clock):
    far.names = {"a.example": [SITE]}
    own = "93.184.216.99"

    async def mirror(stream):
        await read_head(stream)
        body = f"<title>You are {own}</title>93.184.216.9 {own}, x93.184.216.991".encode()
        await stream.send_all(page(body, headers=f"X-You: {own}\r\n"))

    await far.serve(SITE, 80, mirror)
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    (measured,) = kept.written
    assert own not in repr(measured).replace("x93.184.216.991", "")
    step = measured.measurement.observations[-1]
    assert step.title == "You are [scrubbed]"
    assert ("X-You", "[scrubbed]") in step.headers
    response = measured.exchanges[step.i].response
    assert b"93.184.216.9 [scrubbed]___, x93.184.216.991" in response
    assert len(response) == step.received


async def test_an_offline_line_is_said(far, autojump_clock):
    async def nobody(name):
        await trio.sleep_forever()

    far.getaddrinfo = nobody
    far.black_hole("1.1.1.1", 80)
    far.black_hole("8.8.8.8", 80)
    kept = Kept()
    close = await run(plan_of(site("a")), kept, Asking(), network=far)
    before = {check.kind: check.ok for check in kept.opened[0].checks}
    assert before == {"portal": None, "connectivity": False, "clock": None}
    assert close.reason == "line"
    assert kept.written[0].measurement.observations[0].failure == "generic_timeout_error"


@pytest.fixture
def dark(far):
    """Nothing answers, until ``far.getaddrinfo`` is put back."""
    lookup = far.getaddrinfo

    async def nobody(name):
        await trio.sleep_forever()

    far.getaddrinfo = nobody
    for address in ("1.1.1.1", "8.8.8.8"):
        far.black_hole(address, 80)
    return lookup


MORE = (
    FlowRequest(address=SITE, port=80, tls=False, url="http://a.example/", purpose=Purpose.REPEAT, round=1),
)


async def test_a_line_that_is_down_is_asked_nothing_more(far, dark, autojump_clock):
    kept = Kept()
    begun = trio.current_time()
    close = await run(plan_of(site("a"), site("b")), kept, Asking(MORE, again=True), network=far)
    assert trio.current_time() - begun < 35
    assert (close.reason, close.measured) == ("line", 2)
    steps = [step for m in kept.written for step in m.measurement.observations]
    assert {step.purpose for step in steps} == {Purpose.FIRST}
    assert [check.when for check in close.checks if check.kind == "connectivity"] == ["during", "after"]


async def test_a_line_that_comes_up_is_asked_on(far, sites, dark, autojump_clock):
    async def wake():
        await trio.sleep(8)
        far.getaddrinfo = dark
        far.names |= {"cp.cloudflare.com": [SITE]}

    kept = Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wake)
        close = await run(plan_of(site("dead"), site("a")), kept, Asking(MORE, again=True), network=far)
    assert (close.reason, close.measured) == ("done", 4)
    purposes = {step.purpose for m in kept.written for step in m.measurement.observations}
    assert purposes == {Purpose.FIRST, Purpose.REPEAT}


async def behind_a_portal(far):
    login = page(b"", status="302 Found", headers="Location: http://login.example/\r\n")
    for address in (SITE, "1.1.1.1", "8.8.8.8"):
        await far.serve(address, 80, plain_page(login))
    far.names = {"a.example": [SITE]}


async def test_behind_a_portal_nothing_more_is_asked(far, autojump_clock):
    await behind_a_portal(far)
    kept = Kept()
    close = await run(plan_of(site("a")), kept, Asking(MORE, again=True), network=far)
    assert (close.reason, close.measured) == ("line", 1)
    assert [check.ok for check in close.checks if (check.kind, check.when) == ("portal", "during")] == [False]


async def test_what_surely_works_keeps_the_questions_coming(far, autojump_clock):
    await behind_a_portal(far)
    await far.serve("93.184.216.51", 80, posts(helper_answer()))
    kept = Kept()
    plan = plan_of(site("a"), helpers=("http://93.184.216.51/",))
    close = await run(plan, kept, Asking(MORE, again=True), network=far)
    assert close.measured == 2
    assert Purpose.REPEAT in {step.purpose for step in kept.written[0].measurement.observations}


async def test_a_portal_and_a_wrong_clock_are_seen(far, autojump_clock):
    login = page(b"", status="302 Found", headers="Location: http://login.example/\r\n")
    far.names = {"connectivitycheck.gstatic.com": [SITE], "a.example": [SITE]}
    for address in (SITE, "1.1.1.1", "8.8.8.8"):
        await far.serve(address, 80, plain_page(login))
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    assert {check.kind: check.ok for check in kept.opened[0].checks}["portal"] is False


async def test_the_clock_is_compared(far, autojump_clock):
    far.names = {"cp.cloudflare.com": [SITE], "a.example": [SITE]}
    date = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    await far.serve(SITE, 80, plain_page(b"HTTP/1.1 204 No Content\r\n" + date.encode() + b"\r\n"))
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    (opened,) = kept.opened
    assert {check.kind: check.ok for check in opened.checks} == {
        "portal": True,
        "connectivity": True,
        "clock": False,
    }
    assert opened.clock_offset_us == pytest.approx(far.utc_us() - 1_704_067_200_000_000, abs=60_000_000)

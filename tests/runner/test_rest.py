"""What a run that stopped before its end leaves: which tasks, in which order, and on which network."""

import msgspec
import pytest
import trio

from blockwatch.errors import UsageError
from blockwatch.model import Measurement, TlsStep
from blockwatch.run import LineCheck, RunClose
from blockwatch.runner import run
from blockwatch.runner.rest import Tally, what_is_left
from blockwatch.runner.scope import differences, scope_of, scope_of_run
from blockwatch.target import Mirror, Target

from .making import OTHER, Asking, Kept, plan_of, site

WORKED = TlsStep(i=0, t=0, us=1, failure=None, address="93.184.216.34", port=443, server_name="a.example")
BROKE = TlsStep(
    i=0, t=0, us=1, failure="connection_reset", address="93.184.216.34", port=443, server_name="a.example"
)
PLAN = plan_of(site("a"), site("b"), site("k", role="control"), site("c"), site("d"))  # tasks: k a b c d
CLOSE = RunClose(ended=1, us=1, reason="done", planned=5, measured=5)


def made(number: int, *steps: TlsStep, **more) -> Measurement:
    task = PLAN.tasks[number]
    known = {
        "target": task.target,
        "url": task.url,
        "probe": task.probe,
        "probe_version": "1",
        "started": 1,
        "us": 1,
        "observations": steps,
    }
    return Measurement(id="x", seq=1, **(known | more))


def tally(done=()) -> Tally:
    return Tally(PLAN.tasks, lambda steps: any(step.failure for step in steps), done=done)


def after(*measurements: Measurement, checks=(), close=None) -> frozenset[int]:
    counted = tally()
    counted.heard(checks)
    for measurement in measurements:
        counted.add(measurement)
    if close is not None:
        counted.ended(close)
    return counted.done


@pytest.mark.parametrize(
    ("measurements", "done"),
    [
        ([made(1, WORKED)], {1}),
        ([made(1)], {1}),
        ([made(1, WORKED, valid=False, fault="ours")], set()),
        ([made(1, WORKED, stopped="interrupted")], set()),
        ([made(1, WORKED, stopped="budget")], {1}),
        ([made(1, BROKE)], set()),
        ([made(1, BROKE), made(2, WORKED), made(1, BROKE, attempt="retest")], {1, 2}),
        ([made(1, BROKE), made(1, WORKED, attempt="retest")], {1}),
        ([made(1, BROKE), made(1, BROKE, attempt="retest", stopped="interrupted")], set()),
        ([made(1, BROKE), made(1, BROKE, attempt="retest", valid=False)], set()),
        ([made(1, WORKED, target="of another list")], set()),
        ([made(1, WORKED, probe="dns")], set()),
    ],
)
def test_what_is_done(measurements, done):
    assert after(*measurements) == done


def test_on_a_bad_line_only_what_surely_worked_is_done():
    bad = [LineCheck(kind="portal", when="before", t=0, ok=False, detail="a login page")]
    fine = [LineCheck(kind="clock", when="before", t=0, ok=False, detail="off")]
    both = [made(1, WORKED), made(2)]
    assert after(*both, checks=fine) == {1, 2}
    assert after(*both, checks=bad) == {1}
    assert after(*both, close=RunClose(ended=1, us=1, reason="line", planned=5, measured=2, checks=bad)) == {
        1
    }
    counted = tally(done={4})
    counted.heard(bad)
    assert counted.done == {4}  # an earlier run's


def test_of_a_line_that_was_bad_an_end_leaves_what_did_not_surely_work():
    bad = [LineCheck(kind="connectivity", when="before", t=0, ok=False, detail="nothing answered")]
    mute = [LineCheck(kind="portal", when="before", t=0, ok=None, detail="no page known beforehand came")]
    fine = [LineCheck(kind="portal", when="during", t=0, ok=True, detail="a page known beforehand came")]
    assert after(made(1, WORKED), made(2), checks=bad, close=CLOSE) == {1}
    assert after(made(1), made(2), checks=mute, close=CLOSE) == set()  # a router's cache answers, no more
    assert after(made(1), checks=mute, close=msgspec.structs.replace(CLOSE, checks=fine)) == set(range(5))
    assert after(made(1, WORKED), made(2), checks=mute, close=CLOSE) == set(range(5))


async def test_a_run_that_heard_but_a_cache_is_not_complete(far, autojump_clock):
    """The names of the list are in the cache of the line's resolver; nothing beyond answers."""
    lookup = far.getaddrinfo

    async def cached(name):
        if name not in far.names:
            await trio.sleep_forever()
        return await lookup(name)

    far.names = {f"{name}.example": [OTHER] for name in "abc"}
    far.getaddrinfo = cached
    for address, port in ((OTHER, 80), ("1.1.1.1", 80), ("8.8.8.8", 80)):
        far.black_hole(address, port)
    plan = plan_of(site("a"), site("b"), site("c"))
    kept = Kept()
    close = await run(what_is_left(plan, "ab" * 8, {0}), kept, Asking(), network=far)
    counted = Tally(plan.tasks, lambda steps: False, done={0})
    counted.heard(kept.opened[0].checks)
    for measured in kept.written:
        counted.add(measured.measurement)
    counted.ended(close)
    assert (close.reason, close.measured) == ("done", 2)
    assert (counted.complete, counted.done) == (False, {0})
    assert what_is_left(plan, "cd" * 8, counted.done).rest == (1, 2)


def test_what_the_end_of_the_time_cut_is_not_done():
    late = [made(1, WORKED), made(2, WORKED, stopped="budget")]
    assert after(*late) == {1, 2}
    assert after(*late, close=RunClose(ended=1, us=1, reason="time", planned=5, measured=2)) == {1}


def test_of_a_run_that_came_to_its_end_nothing_is_left():
    assert after(made(1, WORKED, valid=False, fault="ours"), close=CLOSE) == set(range(5))


def test_controls_again_then_what_nobody_came_to_then_what_was_begun():
    assert [task.target for task in PLAN.tasks] == ["k", "a", "b", "c", "d"]
    left = what_is_left(PLAN, "0" * 16, {0, 2})
    assert left is not None
    assert (left.resumes, left.beside, left.rest) == ("0" * 16, (0,), (3, 4, 1))
    assert [task.target for task in left.tasks] == ["k", "c", "d", "a"]
    assert left.bytes < PLAN.bytes
    assert "b.example" in PLAN.hosts
    assert "b.example" not in left.hosts
    assert what_is_left(PLAN, "0" * 16, set()).rest == (1, 2, 3, 4)
    assert what_is_left(PLAN, "0" * 16, {1, 2, 3, 4}) is None  # a control alone is nothing to go on for
    for done in ({1, 2, 3}, {1, 2, 3, 4}, {0, 1, 2, 3, 4}):
        assert tally(done).complete == (len(done) > 3)


def test_where_there_are_no_controls_what_worked_stands_in_for_them():
    names = [f"https://{name}.example/" for name in "abcde"] + ["http://plain.example/"]
    urls = (*names, "https://a.example/2")
    plan = plan_of(*(Target(id=f"t{n}", url=url) for n, url in enumerate(urls)))
    counted = Tally(plan.tasks, lambda steps: any(step.failure for step in steps), beside=(4,))
    assert counted.worked == (4,)  # as long as nothing has worked in this run
    for number, steps in ((5, []), (0, [BROKE]), (6, [WORKED]), (2, [WORKED]), (0, [WORKED]), (3, [WORKED])):
        attempt = "retest" if number == 0 and WORKED in steps else "first"
        counted.add(made(1, *steps, target=f"t{number}", url=urls[number], attempt=attempt))
    assert counted.worked == (6, 2, 3)  # of each host one, over a chain that is good
    left = what_is_left(plan, "0" * 16, counted.done, counted.worked)
    assert (left.beside, left.rest) == ((6, 2, 3), (1, 4))
    assert [task.target for task in left.tasks] == ["t6", "t2", "t3", "t1", "t4"]
    assert what_is_left(plan, "0" * 16, set(range(7)), counted.worked) is None


def test_an_address_twice_in_a_list_is_done_at_once():
    twice = plan_of(Target(id="a", url="http://a.example/", mirrors=(Mirror(url="http://a.example/"),)))
    counted = Tally(twice.tasks, lambda _: False)
    counted.add(made(1, WORKED, url="http://a.example/"))
    assert counted.complete


async def test_what_must_be_the_same_stands_in_the_first_line(far, sites, autojump_clock):
    plan = plan_of(site("a"), site("c", role="control"), isp="Some ISP", campaign="spring")
    kept = Kept()
    await run(plan, kept, Asking(), network=far)
    (first,) = kept.opened
    assert differences(scope_of_run(first), scope_of(plan)) == []
    others = {
        "--targets": plan_of(site("a"), isp="Some ISP", campaign="spring"),
        "--isp": plan_of(site("a"), site("c", role="control"), campaign="spring"),
        "--campaign": plan_of(site("a"), site("c", role="control"), isp="Some ISP"),
    }
    for words, other in others.items():
        (told,) = differences(scope_of_run(first), scope_of(other))
        assert words in told
    resources = plan_of(
        site("a"), site("c", role="control"), isp="Some ISP", campaign="spring", max_bytes=1, concurrency=1,
        max_us=1, label="x",
    )  # fmt: skip
    assert differences(scope_of_run(first), scope_of(resources)) == []


async def test_a_run_that_goes_on_measures_the_rest_and_says_so(far, sites, autojump_clock):
    plan = plan_of(site("a"), site("b"), site("c", role="control"))
    kept = Kept()
    close = await run(what_is_left(plan, "ab" * 8, {1}), kept, Asking(), network=far)
    (first,) = kept.opened
    told = (first.resumes, first.rest, first.beside, first.targets)
    assert told == ("ab" * 8, (2,), (0,), plan.targets.targets)
    assert [m.measurement.target for m in kept.written] == ["c", "b"]
    assert (close.reason, close.planned, close.measured) == ("done", 2, 2)


class Refusing(Kept):
    """Opens nothing on this network."""

    async def open(self, record):
        raise UsageError("another network")


async def test_on_another_network_no_site_is_asked_for(far, sites, autojump_clock):
    kept = Refusing()
    left = what_is_left(plan_of(site("a"), site("b")), "ab" * 8, {0})
    with pytest.raises(UsageError, match="another network"):
        await run(left, kept, Asking(), network=far)
    assert not {"a.example", "b.example"} & far.asked
    assert (kept.written, kept.closed) == ([], [])

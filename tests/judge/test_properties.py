"""Whatever is recorded: the judge does not raise, and accuses nobody without grounds."""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blockwatch import failure as f
from blockwatch.followup import KnownGood
from blockwatch.judge import judge_run, next_steps, wants_retest
from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    Endpoint,
    HttpStep,
    Measurement,
    Observation,
    Purpose,
    TcpStep,
    TlsStep,
)
from blockwatch.verdict import State, Verdict
from tests.judge.stage import calm_measurement, changed, frame, measured
from tests.judge.world import HOST, World
from tests.judge.worlds import WORLDS
from tests.judge.worlds.say import Row

FAILURES = st.sampled_from(
    [
        None,
        None,
        f.TIMEOUT,
        f.RESET,
        f.EOF,
        f.REFUSED,
        f.NXDOMAIN,
        f.DNS_TEMPORARY,
        f.UNKNOWN_AUTHORITY,
        f.HTTP_GARBAGE,
    ]
)
ADDRESSES = st.sampled_from(
    ["62.122.1.1", "62.122.1.2", "127.0.0.1", "10.0.0.1", "2a00:1450::5", "1.2.3.4", "x"]
)
NAMES = st.sampled_from([HOST, "calm.example.net", "", "[", "пример.рф", "1.2.3.4"])
URLS = st.sampled_from(
    [
        f"https://{HOST}/",
        f"http://{HOST}/",
        "http://[",
        "",
        "tcp://x:1",
        "http://1.2.3.4/",
        "https://b.example/",
    ]
)
HEADERS = st.lists(
    st.tuples(
        st.sampled_from(["Location", "Server", "cf-ray"]),
        st.sampled_from(["http://[", "/x", "http://b.example/", ""]),
    ),
    max_size=2,
).map(tuple)
SIZES = st.one_of(st.none(), st.integers(0, 900_000))


def common(draw: Any) -> dict[str, Any]:
    return {
        "i": draw(st.integers(0, 9)),
        "t": draw(st.integers(0, 10**9)),
        "us": draw(st.integers(0, 2 * 10**7)),
        "failure": draw(FAILURES),
        "skipped": draw(st.sampled_from([False, False, False, True])),
        "purpose": draw(st.sampled_from(list(Purpose))),
        "round": draw(st.integers(0, 4)),
        "hop": draw(st.integers(0, 2)),
        "flow": draw(st.one_of(st.none(), st.integers(0, 4))),
    }


@st.composite
def observations(draw: Any) -> Observation:
    kind = draw(st.sampled_from([DnsStep, TcpStep, TlsStep, HttpStep, ControlStep]))
    some = st.lists(ADDRESSES, max_size=3).map(tuple)
    fields = common(draw)
    if kind is DnsStep:
        replies = st.builds(DnsReply, us=st.just(1), rcode=st.sampled_from([None, 0, 3]), addresses=some)
        fields |= {
            "resolver": draw(st.sampled_from(["system", "line", "udp://8.8.8.8:53", "https://d.example/"])),
            "name": draw(NAMES),
            "qtype": draw(st.sampled_from(["A", "AAAA", "ANY"])),
            "addresses": draw(some),
            "replies": draw(st.lists(replies, max_size=3).map(tuple)),
        }
    elif kind is ControlStep:
        ends = st.builds(
            Endpoint,
            address=ADDRESSES,
            port=st.sampled_from([80, 443]),
            tcp_failure=FAILURES,
            tls=st.booleans(),
            tls_failure=FAILURES,
        )
        fields |= {
            "helper": "h",
            "url": draw(URLS),
            "addresses": draw(some),
            "endpoints": draw(st.lists(ends, max_size=2).map(tuple)),
            "http_failure": draw(FAILURES),
            "status": draw(st.sampled_from([None, 200, 403, 500])),
            "title": draw(st.sampled_from([None, "A", "Other words"])),
            "body_length": draw(SIZES),
        }
    else:
        fields |= {"address": draw(ADDRESSES), "port": draw(st.sampled_from([80, 443, 8443]))}
    if kind is TlsStep:
        fields |= {
            "server_name": draw(st.one_of(st.none(), NAMES)),
            "trust": draw(st.sampled_from([None, f.UNKNOWN_AUTHORITY, "unchecked"])),
            "chain": draw(st.sampled_from([(), (b"junk",)])),
            "plaintext": draw(st.sampled_from([b"", b"Object not found\r\n", b"\xff"])),
            "alert": draw(st.sampled_from([None, 40])),
        }
    elif kind is HttpStep:
        fields |= {
            "method": "GET",
            "url": draw(URLS),
            "host": draw(NAMES),
            "status": draw(st.sampled_from([None, 200, 302, 403, 451, 503])),
            "headers": draw(HEADERS),
            "title": draw(st.sampled_from([None, "A", "Access Denied"])),
            "body_length": draw(SIZES),
            "progress": draw(st.sampled_from([(), ((1, 0), (5, 10)), ((1, 0), (9_000_000, 40_000))])),
        }
    return kind(**fields)


def made(steps: list[Observation], url: str, seq: int = 1, attempt: str = "first") -> Measurement:
    return Measurement(
        id=f"{'0' * 16}-{seq:06}",
        seq=seq,
        target="site",
        url=url,
        probe="web",
        probe_version="1",
        attempt=attempt,
        started=1_790_000_000_000_000,
        us=1,
        observations=tuple(steps),
    )


def judged(*measurements: Measurement) -> list[Verdict]:
    return judge_run(*_frame(measurements))


def _frame(measurements: tuple[Measurement, ...]) -> tuple[Any, ...]:
    open_, close = frame(World(), len(measurements))
    return open_, measurements, close


GOOD = (KnownGood(host="calm.example.net", address="151.101.1.9", port=443, tls=True),)
many = settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(st.lists(observations(), max_size=14), st.lists(observations(), max_size=10), URLS)
def test_never_raises(first: list[Observation], second: list[Observation], url: str) -> None:
    verdicts = judged(calm_measurement(9, 0), made(first, url), made(second, url, 2, "retest"))
    assert len(verdicts) == 3
    assert [v.final for v in verdicts] == [True, False, True]
    for verdict in verdicts:
        assert (verdict.grade is not None) == (verdict.state is State.BLOCKED)
        assert verdict.state is not State.BLOCKED or verdict.mechanism
        assert verdict.why
    for attempt in ("first", "retest"):
        next_steps(first, GOOD, attempt)
    wants_retest(first)


@many
@given(st.lists(observations(), max_size=14), URLS)
def test_nothing_known_accuses_nobody(steps: list[Observation], url: str) -> None:
    """No helper, no other resolver, no two-name round, no page on record: nothing to accuse with."""
    plain = [
        step
        for step in steps
        if step.purpose in (Purpose.FIRST, Purpose.REPEAT)
        and not isinstance(step, ControlStep)
        and not (isinstance(step, DnsStep) and step.resolver != "system")
        and not (isinstance(step, TlsStep) and (step.plaintext or not step.failure))
    ]
    (verdict,) = judged(made(plain, url))
    assert verdict.state is not State.BLOCKED, verdict


def worked(row: Row) -> bool:
    """Whether the site works every time, in a world that a working control target, added below, fits."""
    return row.states == "ok" and row.world.calm and row.rule != "site.passing"


@many
@given(st.sampled_from(sorted(name for name in WORLDS if worked(WORLDS[name]))), st.randoms())
def test_a_site_that_worked_is_not_blocked_whatever_is_missing(name: str, random: Any) -> None:
    """Steps that were lost (a run cut short) never turn a working site into a blocked one."""
    world = WORLDS[name].world
    whole = measured(world, 1, "first", 0, world.known_good)
    kept = tuple(step for step in whole.observations if random.random() < 0.8)
    (verdict, _) = judged(changed(whole, observations=kept), calm_measurement(2, 0))
    assert verdict.state is not State.BLOCKED, verdict

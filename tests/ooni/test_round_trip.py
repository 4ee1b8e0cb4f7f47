"""Ours to OONI's and back, OONI's to ours and back: nothing is lost that both can say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings

from blockwatch.model import ControlStep, DnsReply, DnsStep, HttpStep, Measured, Measurement, Observation
from blockwatch.ooni import Bodies, NotWeb, Record, head_of, read_measurement, records, run_open_of, to_ooni
from blockwatch.run import RunOpen, Vantage
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import frame, measured
from tests.judge.worlds import WORLDS
from tests.ooni.data import QA, REAL, RUN, needs_qa, needs_real
from tests.ooni.forged import STARTED, measurements
from tests.ooni.same import facts


def there_and_back(
    open_: RunOpen, made: Measured, verdict: Verdict | None = None
) -> tuple[RunOpen, Measured]:
    bodies = Bodies(made)
    raw = msgspec.json.encode(
        to_ooni(open_, made.measurement, lambda s: bodies(made.measurement, s), verdict)
    )
    return read_again(json.loads(raw))


def read_again(record: dict[str, Any]) -> tuple[RunOpen, Measured]:
    head = head_of(record)
    open_ = run_open_of(RUN, [head])
    found = read_measurement(record, head, run=RUN, seq=1, run_started=open_.started)
    assert not found.left_out
    return open_, found.measured


RCODES = {
    None: 0,
    "dns_no_answer": 0,
    "dns_servfail_error": 2,
    "dns_nxdomain_error": 3,
    "dns_refused_error": 5,
}


def answered(step: Observation) -> Observation:
    """The forged worlds leave out what nobody there asks for: a reply's code, the header Host."""
    if isinstance(step, HttpStep) and not step.request_headers:
        return msgspec.structs.replace(step, request_headers=(("Host", step.host),))
    if not isinstance(step, DnsStep) or step.resolver == "system" or step.failure not in RCODES:
        return step
    rcode = RCODES[step.failure] if step.rcode is None else step.rcode
    first = DnsReply(us=step.us, rcode=rcode, addresses=step.addresses)
    return msgspec.structs.replace(step, rcode=rcode, replies=step.replies or (first,))


@pytest.mark.parametrize("name", WORLDS)
def test_measurements_with_all_their_follow_ups(name: str) -> None:
    world = WORLDS[name].world
    open_, _ = frame(world, 1)
    made = measured(world, 1, "first", 0, world.known_good)
    made = msgspec.structs.replace(made, observations=tuple(map(answered, made.observations)))
    try:
        again_open, again = there_and_back(open_, Measured(measurement=made))
    except NotWeb:
        assert not made.url.startswith("http")
        return
    assert facts(again_open, again.measurement) == facts(open_, made)


def an_open() -> RunOpen:
    vantage = Vantage(asn=9198, country="KZ", network="JSC Kazakhtelecom", resolver_asn=9198)
    return RunOpen(run=RUN, started=STARTED, software="blockwatch 0.1.0", vantage=vantage)


def pages(measurement: Measurement) -> list[Any]:
    """How the bytes of each response came."""
    made = [s for s in measurement.observations if isinstance(s, HttpStep)]
    return sorted(((s.address, s.port, s.received, s.progress, s.first_byte_us) for s in made), key=repr)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(measurements())
def test_whatever_can_be_said_in_both_survives(made: Measured) -> None:
    late = [s for s in made.measurement.observations if isinstance(s, DnsStep)]
    shifted = tuple(
        msgspec.structs.replace(step, t=step.t + 400_000) if not isinstance(step, ControlStep) else step
        for step in made.measurement.observations
    )
    made = Measured(measurement=msgspec.structs.replace(made.measurement, observations=shifted),
                    exchanges=made.exchanges)  # fmt: skip
    open_ = an_open()
    again_open, again = there_and_back(open_, made)
    assert facts(again_open, again.measurement) == facts(open_, made.measurement)
    assert again_open.vantage.asn == 9198
    assert pages(again.measurement) == pages(made.measurement)
    assert len([s for s in again.measurement.observations if isinstance(s, DnsStep)]) == len(late)
    bodies, bodies_again = Bodies(made), Bodies(again)
    ours = sorted(bodies(made.measurement, s) or b"" for s in shifted if isinstance(s, HttpStep))
    theirs = [s for s in again.measurement.observations if isinstance(s, HttpStep)]
    assert sorted(bodies_again(again.measurement, s) or b"" for s in theirs) == ours


def files() -> list[Any]:
    named = sorted(QA.glob("[!t]*.json"))
    return [pytest.param(path, id=path.stem) for path in named]


def essence(record: dict[str, Any]) -> Any:
    """What the probe saw, as far as our records have a place for it."""
    keys = record["test_keys"]
    lookups = [
        (q["hostname"], q["query_type"], q["failure"], q["resolver_address"],
         [a.get("ipv4") or a.get("ipv6") for a in q["answers"] or [] if a["answer_type"] != "CNAME"])
        for q in keys["queries"]
    ]  # fmt: skip
    return (
        sorted(lookups, key=repr),
        sorted(((c["ip"], c["port"], c["status"]["failure"], c["transaction_id"], c["tags"])
                for c in keys["tcp_connect"]), key=repr),
        sorted(((h["address"], h["failure"], h["server_name"], h["tls_version"], h["transaction_id"],
                 h["tags"])
                for h in keys["tls_handshakes"]), key=repr),
        [(r["request"]["url"], r["failure"], r["response"]["code"], r["response"]["body"], r["address"],
          r["response"]["headers_list"], r["request"]["headers_list"]) for r in keys["requests"] or []],
        {k: v for k, v in (keys["control"] or {}).items() if k in ("dns", "tcp_connect")},
        keys["control_failure"], record["input"], record["measurement_start_time"], record["probe_asn"],
        record["probe_cc"], record["test_version"],
    )  # fmt: skip


@needs_qa
@pytest.mark.parametrize("path", files())
def test_recorded_measurements_come_back_as_they_were(path: Any) -> None:
    (record,) = records(path)
    assert isinstance(record, Record)
    open_, made = read_again(record.object)
    bodies = Bodies(made)
    written = to_ooni(open_, made.measurement, lambda s: bodies(made.measurement, s))
    assert essence(json.loads(msgspec.json.encode(written))) == essence(
        {**record.object, "test_keys": {**record.object["test_keys"],
         "tls_handshakes": record.object["test_keys"]["tls_handshakes"] or [],
         "tcp_connect": record.object["test_keys"]["tcp_connect"] or []}}
    )  # fmt: skip


@needs_real
def test_real_measurements_come_back_with_their_facts() -> None:
    for record in records(REAL / "measurements.jsonl.gz"):
        assert isinstance(record, Record)
        if record.object.get("test_name") != "web_connectivity":
            continue
        head = head_of(record.object)
        open_ = run_open_of(RUN, [head])
        made = read_measurement(record.object, head, run=RUN, seq=1, run_started=open_.started).measured
        again_open, again = there_and_back(open_, made)
        assert facts(again_open, again.measurement) == facts(open_, made.measurement)


def verdict(state: State, mechanism: str | None = None) -> Verdict:
    grade = Grade.STRONG if mechanism else None
    return Verdict(id=f"{RUN}-000001", target="t", url="u", probe="web", asn=None, started=0, state=state,
                   grade=grade, mechanism=mechanism)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "blocking", "accessible"),
    [
        (None, None, None),
        (verdict(State.OK), False, True),
        (verdict(State.DOWN), False, False),
        (verdict(State.REFUSED), None, None),
        (verdict(State.INCONCLUSIVE), None, None),
        (verdict(State.BLOCKED, "dns.injection"), "dns", False),
        (verdict(State.BLOCKED, "tcp.timeout.ip"), "tcp_ip", False),
        (verdict(State.BLOCKED, "tls.reset.sni"), "http-failure", False),
        (verdict(State.BLOCKED, "http.reset.host"), "http-failure", False),
        (verdict(State.BLOCKED, "http.blockpage"), "http-diff", False),
        (verdict(State.BLOCKED, "throttle.sni"), "http-failure", False),
    ],
)
def test_only_what_a_verdict_says_is_concluded(said: Verdict | None, blocking: Any, accessible: Any) -> None:
    measurement = Measurement(id="x", seq=1, target="t", url="https://e.example/", probe="web",
                              probe_version="1", started=STARTED, us=1)  # fmt: skip
    keys = to_ooni(an_open(), measurement, lambda _: None, said)["test_keys"]
    assert (keys["blocking"], keys["accessible"]) == (blocking, accessible)

"""Ours to OONI's and back, OONI's to ours and back: nothing is lost that both can say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    Endpoint,
    Exchange,
    HttpStep,
    Measured,
    Measurement,
    Observation,
    Purpose,
    TcpStep,
    TlsStep,
)
from blockwatch.ooni import Bodies, NotWeb, Record, head_of, read_measurement, records, run_open_of, to_ooni
from blockwatch.run import RunOpen, Vantage
from blockwatch.verdict import Grade, State, Verdict
from tests.judge.stage import frame, measured
from tests.judge.worlds import WORLDS
from tests.ooni.data import QA, REAL, RUN, needs_qa, needs_real
from tests.ooni.same import facts

STARTED = 1_795_316_700_250_000


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


ADDRESSES = st.sampled_from(["93.184.216.34", "2606:2800:220:1::1946", "1.1.1.1", "10.0.0.7"])
FAILURES = st.sampled_from([None, None, "generic_timeout_error", "connection_reset", "unknown_failure: ☃"])
RESOLVERS = st.sampled_from(
    ["system", "line", "udp://8.8.8.8:53", "tcp://8.8.8.8:53", "tls://dns.example:853", "https://d.example/q"]
)
LATIN = st.text(st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=12)
HEADERS = st.lists(st.tuples(st.sampled_from(["Host", "Server", "X-A", "x-b"]), LATIN), max_size=4).map(tuple)
HEX = st.binary(max_size=40)


@st.composite
def replies(draw: st.DrawFn) -> DnsReply:
    addresses = tuple(draw(st.lists(ADDRESSES, max_size=2, unique=True)))
    return DnsReply(
        us=draw(st.integers(0, 9_000_000)),
        rcode=0 if addresses else draw(st.sampled_from([None, 0, 2, 3, 4, 5])),
        addresses=addresses,
        ttl=draw(st.integers(0, 99)) if addresses else None,
        raw=draw(HEX),
    )


@st.composite
def lookups(draw: st.DrawFn, t: int) -> DnsStep:
    resolver = draw(RESOLVERS)
    got = sorted(draw(st.lists(replies(), max_size=3)), key=lambda r: r.us) if resolver != "system" else []
    first = next((reply for reply in got if reply.rcode is not None), None)
    addresses = first.addresses if first else ()
    names = {0: "dns_no_answer", 2: "dns_servfail_error", 3: "dns_nxdomain_error", 5: "dns_refused_error"}
    failure = None if addresses else names.get(first.rcode or 0, "dns_server_misbehaving") if first else (
        "generic_timeout_error")  # fmt: skip
    if resolver == "system" and draw(st.booleans()):
        addresses, failure = ("1.1.1.1", "93.184.216.34"), None
    got = [msgspec.structs.replace(r, us=max(r.us, first.us if first else 0)) for r in got]
    return DnsStep(
        i=0, t=t, us=first.us if first else draw(st.integers(0, 9)), failure=failure, resolver=resolver,
        name="www.example.com", qtype=draw(st.sampled_from(["A", "AAAA", "ANY"])), addresses=addresses,
        rcode=first.rcode if first else None, replies=tuple(got), hop=draw(st.integers(0, 3)),
        purpose=draw(st.sampled_from([Purpose.FIRST, Purpose.REPEAT, Purpose.RESOLVER])),
        round=0,
    )  # fmt: skip


@st.composite
def flows(draw: st.DrawFn, number: int, t: int) -> tuple[list[Observation], bytes | None]:
    common: dict[str, Any] = {
        "address": draw(ADDRESSES), "port": draw(st.sampled_from([80, 443, 8_443])), "flow": number,
        "hop": draw(st.integers(0, 3)), "purpose": draw(st.sampled_from(Purpose)),
        "i": 0,
    }  # fmt: skip
    common["round"] = 0 if common["purpose"] in (Purpose.RESOLVER, Purpose.FIRST) else draw(st.integers(0, 4))
    steps: list[Observation] = [TcpStep(t=t, us=1_000, failure=draw(FAILURES), **common)]
    secure = steps[0].failure is None and draw(st.booleans())
    if secure:
        came = draw(st.integers(0, 5_000))
        trust = draw(st.sampled_from([None, "ssl_invalid_hostname", "unchecked"]))
        failure = draw(FAILURES) if trust is None else None
        steps.append(TlsStep(t=t + 2_000, us=900, failure=failure, trust=trust, server_name="www.example.com",
                             version=draw(st.sampled_from([None, "TLSv1.3"])), cipher=None, alpn="h2",
                             chain=tuple(draw(st.lists(st.binary(min_size=1, max_size=9), max_size=2))),
                             sent=draw(st.integers(0, 900)), received=came,
                             first_byte_us=draw(st.integers(0, 800)) if came else None,
                             **common))  # fmt: skip
    if steps[-1].failure is not None or getattr(steps[-1], "trust", None) or draw(st.booleans()):
        return steps, None
    return _with_request(draw, steps, secure, common, t)


def _with_request(
    draw: st.DrawFn, steps: list[Observation], secure: bool, common: dict[str, Any], t: int
) -> tuple[list[Observation], bytes | None]:
    status = draw(st.sampled_from([None, 200, 302, 451]))
    failure = draw(FAILURES) if status else "connection_reset"
    body = draw(HEX) if status else None
    parts = draw(st.lists(st.integers(1, 9_999), max_size=5))
    progress = tuple((100 * (k + 1), sum(parts[: k + 1])) for k in range(len(parts)))
    headers = (("Content-Type", "text/plain"), *draw(HEADERS)) if status else ()
    asked = (("Host", "www.example.com"), *draw(HEADERS))
    steps.append(HttpStep(t=t + 5_000, us=3_000, failure=failure, method="HEAD",
                          url=f"http{'s' if secure else ''}://www.example.com/a?b", host="www.example.com",
                          request_headers=asked, version=draw(st.sampled_from([None, "HTTP/1.1", "HTTP/2"])),
                          status=status, headers=headers, body_length=len(body) if body is not None else None,
                          truncated=bool(body) and draw(st.booleans()), sent=draw(st.integers(0, 900)),
                          received=sum(parts), first_byte_us=progress[0][0] if progress else None,
                          progress=progress, **common))  # fmt: skip
    return steps, body


@st.composite
def controls(draw: st.DrawFn, hop: int) -> ControlStep:
    failed = draw(st.booleans())
    told: dict[str, Any] = {} if failed else {
        "addresses": tuple(draw(st.lists(ADDRESSES, max_size=3, unique=True))),
        "endpoints": tuple(
            Endpoint(address=a, port=443, tcp_failure=draw(FAILURES), tls=(tls := draw(st.booleans())),
                     tls_failure=draw(FAILURES) if tls else None)
            for a in draw(st.lists(ADDRESSES, max_size=3, unique=True))
        ),
        "status": draw(st.sampled_from([None, 200, 503])),
        "title": draw(st.sampled_from([None, "Заголовок"])),
        "dns_failure": draw(st.sampled_from([None, "dns_name_error"])), "http_failure": draw(FAILURES),
        "body_length": draw(st.sampled_from([None, 0, 1_533])),
        "headers": (("Server", "nginx"), ("X-A", "é")),
        "asns": (("1.1.1.1", 13_335),),
    }  # fmt: skip
    told["failure"] = "connection_reset" if failed else None
    url = f"https://www.example.com/{hop or ''}"
    return ControlStep(i=0, t=0, us=0, hop=hop, helper="https://th.example", url=url, **told)


@st.composite
def measurements(draw: st.DrawFn) -> Measured:
    steps: list[Observation] = [draw(lookups(1_000 * k)) for k in range(draw(st.integers(0, 3)))]
    steps += [draw(controls(hop)) for hop in range(draw(st.integers(0, 2)))]
    bodies: dict[int, bytes] = {}
    for number in range(1, draw(st.integers(1, 4))):
        made, body = draw(flows(number, 700_000 + 20_000 * number))
        if body is not None:
            bodies[len(steps) + len(made) - 1] = body
        steps += made
    numbered = tuple(msgspec.structs.replace(step, i=i) for i, step in enumerate(steps))
    exchanges = {
        i: Exchange(url="https://www.example.com/", address="1.1.1.1", started=STARTED, request=b"",
                    response=b"HTTP/1.1 200 OK\r\n\r\n" + body)
        for i, body in bodies.items()
    }  # fmt: skip
    measurement = Measurement(id=f"{RUN}-000001", seq=1, target="t", url="https://www.example.com/",
                              probe="web", probe_version="1", started=STARTED + 400_000, us=5_000_000,
                              observations=numbered)  # fmt: skip
    return Measured(measurement=measurement, exchanges=exchanges)


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

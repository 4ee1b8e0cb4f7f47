"""Measurements as nobody ever made them: whatever both we and OONI can say, in any combination."""

from __future__ import annotations

from typing import Any

import msgspec
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
from tests.ooni.data import RUN

STARTED = 1_795_316_700_250_000

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

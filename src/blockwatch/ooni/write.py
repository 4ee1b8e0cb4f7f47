"""A ``Measurement`` of ours as an OONI web_connectivity measurement, in the layout of 0.5.

Rules of this file:

* the lists that other readers take for the measurement hold the plain measurement alone; our follow-ups
  (repeats, two-name rounds) stand apart under ``x_blockwatch_others``, in the same templates;
* ``probe_ip`` is 127.0.0.1 and no resolver's address is written: they are not in our records either;
* ``blocking`` and ``accessible`` are what a verdict handed in says; without one, or where OONI's words
  cannot say it (refused, inconclusive), they are null;
* :data:`TEST_VERSION` marks the layout as 0.5 and the writer as us.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from blockwatch.model import ControlStep, DnsStep, HttpStep, Measurement, Purpose, TcpStep, TlsStep
from blockwatch.ooni.answer import answer_of, shown
from blockwatch.ooni.fields import Object, host_name
from blockwatch.ooni.head import TEST_NAME
from blockwatch.ooni.read import CONTROLS, OTHERS
from blockwatch.ooni.rows import Clock, event_rows, lookup_rows, request_row, tcp_row, tls_row
from blockwatch.run import RunOpen
from blockwatch.verdict import State, Verdict

TEST_VERSION = "0.5.1000"  # the layout of 0.5; OONI's own numbers are far lower
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANGE = 9_000  # numbers of one of OONI's ranges that we use
_PLAIN = frozenset({Purpose.FIRST, Purpose.VALIDATE})
_FORWARDED = ("User-Agent", "Accept", "Accept-Language")
_FLAGS = {"dns": 1, "tcp_ip": 2, "http-failure": 8, "http-diff": 16}
_EXTENSIONS = {"dnst": 0, "httpt": 0, "netevents": 0, "tcpconnect": 0, "tlshandshake": 0}

BodyOf = Callable[[HttpStep], bytes | None]


class NotWeb(ValueError):
    """Why a measurement cannot be written as web_connectivity."""


def to_ooni(
    open_: RunOpen, measurement: Measurement, body_of: BodyOf, verdict: Verdict | None = None
) -> Object:
    """Write one measurement; raises :class:`NotWeb`. ``verdict`` is ours on it."""
    if not measurement.url.lower().startswith(("http://", "https://")):
        raise NotWeb("not of a web page")
    if not measurement.valid:
        raise NotWeb("ended by a fault of ours")
    second = measurement.started // 1_000_000 * 1_000_000
    name, _, version = open_.software.rpartition(" ")
    vantage = open_.vantage
    helper = next((s.helper for s in measurement.observations if isinstance(s, ControlStep)), None)
    theirs = measurement.probe == TEST_NAME
    return {
        "annotations": _annotations(open_, measurement),
        "data_format_version": "0.2.0",
        "extensions": _EXTENSIONS,
        "input": measurement.url,
        "measurement_start_time": _moment(second),
        "probe_asn": f"AS{vantage.asn or 0}",
        "probe_cc": vantage.country or "ZZ",
        "probe_ip": "127.0.0.1",
        "probe_network_name": vantage.network or "",
        "report_id": _report_id(open_),
        "resolver_asn": f"AS{vantage.resolver_asn or 0}",
        "resolver_ip": "127.0.0.2",
        "resolver_network_name": "",
        "software_name": name or version,
        "software_version": version if name else "",
        "test_helpers": {"backend": {"address": helper, "type": "https"}} if helper else {},
        "test_name": TEST_NAME,
        "test_runtime": measurement.us / 1_000_000,
        "test_start_time": _moment(open_.started),
        "test_version": measurement.probe_version if theirs else TEST_VERSION,
        "test_keys": _test_keys(measurement, Clock(second - open_.started), body_of, verdict),
    }


def _annotations(open_: RunOpen, measurement: Measurement) -> dict[str, str]:
    said = {
        "engine_name": "blockwatch",
        "measurement_id": measurement.id,
        "probe": f"{measurement.probe} {measurement.probe_version}",
        "role": measurement.role,
        "attempt": measurement.attempt,
    }
    return said if open_.imported is None else {**said, "imported_from": open_.imported}


def _moment(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).strftime("%Y-%m-%d %H:%M:%S")


def _report_id(open_: RunOpen) -> str:
    """One report a run; what was imported keeps its own. n0: no collector has given this one out."""
    if open_.imported is not None:
        return open_.imported.removeprefix("ooni ")
    began = (_EPOCH + timedelta(microseconds=open_.started)).strftime("%Y%m%dT%H%M%SZ")
    vantage = open_.vantage
    return f"{began}_webconnectivity_{vantage.country or 'ZZ'}_{vantage.asn or 0}_n0_{open_.run}"


class _Lists:
    """One set of the templates' lists."""

    def __init__(self) -> None:
        self.keys: dict[str, list[Object]] = {
            name: []
            for name in (
                "queries",
                "tcp_connect",
                "tls_handshakes",
                "requests",
                "network_events",
                "x_dns_duplicate_responses",
            )
        }

    def add(self, step: Any, clock: Clock, number: int, tags: list[str], body_of: BodyOf) -> None:
        if isinstance(step, DnsStep):
            row, late = lookup_rows(step, clock, number, tags)
            self.keys["queries"].append(row)
            self.keys["x_dns_duplicate_responses"] += late
            return
        if isinstance(step, TcpStep):
            self.keys["tcp_connect"].append(tcp_row(step, clock, number, tags))
        elif isinstance(step, TlsStep):
            if not step.address:
                return  # never on record: concluded from the request over it
            self.keys["tls_handshakes"].append(tls_row(step, clock, number, tags))
        else:
            self.keys["requests"].insert(0, request_row(step, body_of(step), clock, number, tags))
        self.keys["network_events"] += event_rows(step, clock, number, tags)


def _test_keys(measurement: Measurement, clock: Clock, body_of: BodyOf, verdict: Verdict | None) -> Object:
    main, resolver, others = _Lists(), _Lists(), _Lists()
    made = [step for step in measurement.observations if not step.skipped]
    controls = [step for step in made if isinstance(step, ControlStep)]
    system = _system_addresses(made)
    theirs = measurement.probe == TEST_NAME
    secure = {step.flow for step in made if isinstance(step, TlsStep) and step.flow is not None}
    for step in made:
        if isinstance(step, ControlStep):
            continue
        lists = main if step.purpose in _PLAIN else resolver if step.purpose is Purpose.RESOLVER else others
        lists.add(step, clock, _number(step, secure, theirs), _tags(step, system, lists is others), body_of)
    for lists in (main, resolver, others):
        lists.keys["requests"].sort(key=_depth, reverse=True)
    return {
        "agent": "redirect",
        "client_resolver": "",
        "retries": None,
        "socksproxy": None,
        **main.keys,
        "x_dns_whoami": None,
        "x_doh": resolver.keys,
        "x_do53": {"network_events": [], "queries": []},
        **({OTHERS: others.keys} if any(others.keys.values()) else {}),
        **_control(measurement, controls, made, clock),
        "x_conn_priority_log": [],
        **_conclusions(measurement, verdict),
    }


def _depth(row: Object) -> int:
    return next(int(tag[6:]) for tag in row["tags"] if tag.startswith("depth="))


def _system_addresses(made: list[Any]) -> set[str]:
    lookups = (step for step in made if isinstance(step, DnsStep) and step.resolver == "system")
    return {address for step in lookups for address in step.addresses}


def _number(step: Any, secure: set[int], theirs: bool) -> int:
    """A transaction id in OONI's ranges; one a lookup, one a connection. What was imported keeps its own."""
    if isinstance(step, DnsStep):
        scheme = step.resolver.partition("://")[0]
        base = {"system": 10_001, "https": 30_001}.get(scheme, 20_001)
        return base + (step.i if step.i < _RANGE else 100_000 * step.i)
    flow: int | None = step.flow
    if flow is None:
        return 90_001 + 100_000 * int(step.i)
    if theirs:
        return flow
    return (50_001 if flow in secure else 40_001) + (flow if flow < _RANGE else 100_000 * flow)


def _tags(step: Any, system: set[str], apart: bool) -> list[str]:
    tags = []
    lookup = isinstance(step, DnsStep)
    if step.resolver == "system" if lookup else step.address in system:
        tags.append("classic")
    if not lookup and step.hop == 0:
        tags.append("tcptls_experiment")
    tags.append(f"depth={step.hop}")
    if not lookup:
        tags.append(f"fetch_body={'false' if step.purpose is Purpose.VALIDATE else 'true'}")
    if apart or step.round:
        tags += [f"purpose={step.purpose}", f"round={step.round}"]
    return tags


def _control(measurement: Measurement, controls: list[ControlStep], made: list[Any], clock: Clock) -> Object:
    """The first hop's control in OONI's place, all others apart."""
    first = [step for step in controls if step.hop == 0 and step.purpose is Purpose.FIRST]
    main = next((step for step in reversed(first) if step.failure is None), first[-1] if first else None)
    host = host_name(measurement.url.partition("://")[2].partition("/")[0].partition(":")[0])
    asked = next((s.request_headers for s in made if isinstance(s, HttpStep)), ())
    more = [
        {
            "helper": step.helper,
            "url": step.url,
            "control_failure": step.failure,
            "control": answer_of(step, host) if _answered(step) else {},
            **clock.of(step, 0, [f"depth={step.hop}", f"purpose={step.purpose}", f"round={step.round}"]),
        }
        for step in controls
        if step is not main
    ]
    ends = main.endpoints if main is not None else ()
    return {
        "x_control_request": {
            "http_request": measurement.url,
            "http_request_headers": {name: [value] for name, value in asked if name in _FORWARDED},
            "tcp_connect": [shown(end.address, end.port) for end in ends],
            "x_quic_enabled": False,
        },
        "control": answer_of(main, host) if main is not None and _answered(main) else {},
        "control_failure": main.failure if main is not None else None,
        **({CONTROLS: more} if more else {}),
    }


def _answered(step: ControlStep) -> bool:
    return step.failure is None or bool(step.addresses or step.endpoints or step.status)


def _conclusions(measurement: Measurement, verdict: Verdict | None) -> Object:
    """What was observed last, and the verdict, as far as OONI's words go."""
    blocking, accessible = conclusion(verdict)
    plain = [s for s in measurement.observations if not s.skipped and s.purpose is Purpose.FIRST]
    lookups = [s for s in plain if isinstance(s, DnsStep) and s.resolver == "system" and s.hop == 0]
    flows = [s for s in plain if isinstance(s, TcpStep | TlsStep | HttpStep)]
    last = flows[-1] if flows else None
    trust = last.trust if isinstance(last, TlsStep) and last.trust != "unchecked" else None
    return {
        "x_dns_flags": 0,
        "dns_experiment_failure": lookups[0].failure if lookups else None,
        "dns_consistency": None,
        "http_experiment_failure": (last.failure or trust) if last is not None else None,
        "x_blocking_flags": 32 if accessible else _FLAGS.get(str(blocking), 0),
        "x_null_null_flags": 0,
        "body_proportion": 0,
        "body_length_match": None,
        "headers_match": None,
        "status_code_match": None,
        "title_match": None,
        "blocking": blocking,
        "accessible": accessible,
    }


def conclusion(verdict: Verdict | None) -> tuple[str | bool | None, bool | None]:
    """A verdict as OONI's (blocking, accessible)."""
    if verdict is None or verdict.state in (State.REFUSED, State.INCONCLUSIVE):
        return None, None
    if verdict.state is State.OK:
        return False, True
    if verdict.state is State.DOWN:
        return False, False
    mechanism = verdict.mechanism or ""
    if mechanism.startswith(("dns.", "tcp.")):
        return ("dns" if mechanism.startswith("dns.") else "tcp_ip"), False
    return (
        "http-diff" if mechanism.startswith(("http.blockpage", "http.redirect")) else "http-failure"
    ), False

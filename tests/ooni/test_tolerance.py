"""Any value of a measurement may be anything: it is read, or it is said why not."""

from __future__ import annotations

import copy
import json
from contextlib import suppress
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blockwatch.codec import canonical
from blockwatch.model import DnsStep, HttpStep, TcpStep, TlsStep
from blockwatch.ooni import (
    Record,
    Unreadable,
    digest,
    head_of,
    line_resolvers,
    own_addresses,
    read_measurement,
    run_open_of,
    to_ooni,
)
from blockwatch.ooni.fields import moment
from tests.evidence.made import measured, run_open
from tests.ooni.data import RUN, judged

WHOLE: dict[str, Any] = json.loads(
    msgspec.json.encode(to_ooni(run_open(), measured().measurement, lambda _: b"<title>t</title>"))
)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [path, *(place for key, item in inner for place in places(item, (*path, key)))]


PLACES = [place for place in places(WHOLE) if place]
JUNK = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**70), 2**70), st.floats(), st.text(max_size=20),
    st.sampled_from([[], {}, [None], [[]], [{}], {"format": "base64", "data": "A"}, {"data": 1}, "[scrubbed]",
                     "1.2.3.4:99999", "[::1", "é", "http://[", "AS0", "9999-99-99 00:00:00", [["a"]],
                     [1, 2]]),
)  # fmt: skip


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(st.tuples(st.sampled_from(PLACES), JUNK, st.booleans()), min_size=1, max_size=4))
def test_junk_anywhere_is_survived(changes: list[tuple[tuple[Any, ...], Any, bool]]) -> None:
    record = copy.deepcopy(WHOLE)
    for place, junk, missing in changes:
        owner: Any = record
        try:
            for key in place[:-1]:
                owner = owner[key]
            if missing and isinstance(owner, dict):
                owner.pop(place[-1])
            else:
                owner[place[-1]] = junk
        except (KeyError, IndexError, TypeError):
            continue  # an earlier change took the place away
    with suppress(Unreadable):
        verdict, made = judged(Record("x", b"", record))
        assert verdict.state
        assert msgspec.json.decode(canonical(made.measurement))["id"] == made.measurement.id


def read(**keys: Any) -> Any:
    record = {
        "test_name": "web_connectivity", "input": "https://e.example/", "test_keys": keys,
        "measurement_start_time": "2022-03-04 05:06:07",
    }  # fmt: skip
    head = head_of(record)
    run = run_open_of(RUN, [head])
    return read_measurement(record, head, run=RUN, seq=1, run_started=run.started)


def test_historic_shapes() -> None:
    found = read(
        queries=[{"hostname": "E.example.", "query_type": "A", "failure": None,
                  "answers": [{"answer_type": "A", "ipv4": "93.184.216.34"}, {"ipv4": "x"}]},
                 {"hostname": "e.example", "query_type": "HTTPS", "engine": "udp"}],
        tcp_connect=[{"ip": "93.184.216.34", "port": 443, "status": {"success": True, "failure": False}},
                     {"ip": "e.example", "port": 443, "status": {"success": False, "failure": "x"}}],
        tls_handshakes=[{"server_name": "e.example", "failure": None, "t": 0.5, "tls_version": "TLSv1.3"}],
        requests=[{"failure": None, "request": {"url": "https://e.example/2", "headers": [["A", "b"]]},
                   "response": {"code": 200, "headers": {"X": {"format": "base64", "data": "6Q"}},
                                "body": {"format": "base64", "data": "PHRpdGxlPkE8L3RpdGxlPg="}}},
                  {"failure": None, "request": {"url": "https://e.example/", "method": "GET"},
                   "response": {"code": 301, "body": None}}],
    )  # fmt: skip
    made = found.measured.measurement.observations
    lookup = next(s for s in made if isinstance(s, DnsStep))
    assert (lookup.resolver, lookup.name, lookup.addresses) == ("system", "e.example", ("93.184.216.34",))
    tcp, tls = (next(s for s in made if isinstance(s, kind)) for kind in (TcpStep, TlsStep))
    assert tcp.failure is None
    assert (tls.address, tls.flow) == ("93.184.216.34", tcp.flow)
    first, second = (s for s in made if isinstance(s, HttpStep))
    assert (first.hop, first.url, first.status, first.address) == (0, "https://e.example/", 301, "")
    assert (second.hop, second.title, second.headers) == (1, "A", (("X", "é"),))
    assert found.left_out == {
        "an answer that is no address": 1,
        "a lookup of type HTTPS": 1,
        "a connection to what is no address": 1,
    }


def test_certificate_faults_become_trust_and_unrecorded_handshakes_are_told_by_the_request() -> None:
    request = {"failure": "ssl_invalid_hostname", "request": {"url": "https://e.example/"}, "response": None}
    (step,) = read(requests=[request]).measured.measurement.observations
    assert isinstance(step, TlsStep)
    assert (step.failure, step.trust) == (None, "ssl_invalid_hostname")


def test_a_failed_old_request_is_not_told_twice() -> None:
    found = read(
        tcp_connect=[{"ip": "93.184.216.34", "port": 443,
                      "status": {"success": False, "failure": "generic_timeout_error"}}],
        requests=[{"failure": "generic_timeout_error", "request": {"url": "https://e.example/"}}],
    )  # fmt: skip
    (step,) = found.measured.measurement.observations
    assert isinstance(step, TcpStep)


def test_a_real_probe_address_is_known_and_in_no_hash() -> None:
    def record(address: str) -> dict[str, Any]:
        return {
            "test_name": "web_connectivity",
            "probe_ip": address,
            "test_keys": {"body": f"you: {address}"},
        }

    assert own_addresses(record("198.51.100.77")) == ("198.51.100.77",)
    assert own_addresses(record("127.0.0.1")) == own_addresses({}) == ()
    assert digest(record("198.51.100.77")) == digest(record("198.51.100.78")) != digest(record("127.0.0.1"))


@pytest.mark.parametrize("form", ["95-56-8-20", "20.8.56.95.in-addr.arpa", "OTUuNTYuOC4yMA=="])
def test_no_form_of_a_probes_address_is_in_a_hash(form: str) -> None:
    def hashed(said: str, **more: Any) -> bytes:
        return digest(
            {"test_name": "web_connectivity", "probe_ip": "95.56.8.20", "test_keys": {"body": said}} | more
        )

    assert hashed(form) == hashed("95-56-8-21")
    assert hashed(form) != hashed(form, input="http://e.example/")


def test_an_address_of_the_resolver_is_known_and_in_no_hash() -> None:
    def record(address: str, end: str = "") -> dict[str, Any]:
        keys = {
            "client_resolver": address,
            "x_dns_whoami": {"system_v4": [{"address": address}]},
            "body": address + end,
        }
        return {"test_name": "web_connectivity", "resolver_ip": address, "test_keys": keys}

    assert line_resolvers(record("95.56.0.53")) == ("95.56.0.53",)
    assert line_resolvers(record("127.0.0.2")) == line_resolvers({}) == ()
    assert digest(record("95.56.0.53")) == digest(record("95.56.0.54")) != digest(record("95.56.0.53", "x"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"test_name": "ndt"}, "not web_connectivity: 'ndt'"),
        ({"test_name": None}, "it names no test"),
        ({"input": None}, "no http or https URL"),
        ({"input": "ftp://x/"}, "no http or https URL"),
        ({"input": "http://a/\n"}, "no http or https URL"),
        ({"measurement_start_time": "soon", "test_start_time": None}, "no time"),
    ],
)
def test_what_cannot_be_placed_is_said(change: dict[str, Any], why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        head_of({**WHOLE, **change})


def test_a_date_beyond_all_clocks_is_no_date() -> None:
    assert moment("2024-02-12 20:34:00") == 1_707_770_040_000_000
    assert moment("9999-12-31 23:59:59") is None


@pytest.mark.parametrize("answers", [None, [], [{"answer_type": "A"}], [{"answer_type": "A", "ipv4": None}]])
def test_a_lookup_that_tells_nothing_denies_nothing(answers: Any) -> None:
    """OONI tells a denial in `failure`; where that is null, what is missing is the answer, not the name."""
    query = {"hostname": "e.example", "query_type": "A", "failure": None, "answers": answers}
    denied = {"hostname": "e.example", "query_type": "AAAA", "failure": "dns_no_answer", "answers": None}
    found = read(queries=[query, denied])
    assert [step.qtype for step in found.measured.measurement.observations] == ["AAAA"]
    assert found.left_out == {"a lookup that tells neither an address nor a failure": 1}

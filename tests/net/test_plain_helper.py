"""Any helper of OONI's protocol will do: answers with the standard fields alone."""

from __future__ import annotations

import json

import pytest

from blockwatch.control import Helpers
from blockwatch.model import Endpoint
from blockwatch.net.http import USER_AGENT
from blockwatch.net.question import Question
from blockwatch.net.url import parse_url

from .far import SITE, page, posts

HELPER = "http://93.184.216.51/"
OTHER = "93.184.216.35"
NO_PAGE = {"body_length": -1, "discovered_h3_endpoint": "", "title": "", "headers": {}, "status_code": -1}
PAGE = {
    "body_length": 1533,
    "discovered_h3_endpoint": "a.example:443",
    "failure": None,
    "title": "Default Web Page",
    "headers": {"Content-Type": "text/html; charset=utf-8", "Alt-Svc": 'h3=":443"'},
    "status_code": 200,
}
CLEAN = {
    "tcp_connect": {
        f"{SITE}:443": {"status": True, "failure": None},
        f"{SITE}:80": {"status": True, "failure": None},
        f"{OTHER}:443": {"status": False, "failure": "generic_timeout_error"},
    },
    "tls_handshake": {f"{SITE}:443": {"server_name": "a.example", "status": True, "failure": None}},
    "quic_handshake": {},
    "http_request": PAGE,
    "http3_request": None,
    "dns": {"failure": None, "addrs": [SITE]},
    "ip_info": {SITE: {"asn": 15133, "flags": 11}, OTHER: {"asn": 0, "flags": 1}},
}


@pytest.fixture
async def asked(tools):
    """Ask a helper that gives this answer; what it was asked, and the step."""

    async def ask(answer):
        questions = []

        def reply(body):
            questions.append(json.loads(body))
            return "application/json", json.dumps(answer).encode()

        await tools.far.serve("93.184.216.51", 80, posts(reply))
        helpers = Helpers(tools.kit, [HELPER])
        found = await helpers.ask(tools.record, Question(parse_url("https://a.example/"), (SITE, OTHER)))
        helpers.close()
        (step,) = tools.record.snapshot()
        return questions[0], found, step

    return ask


async def test_a_question_names_no_program(tools):
    heard = []

    async def listen(stream):
        heard.append(bytes(await stream.receive_some(65_536)))

    await tools.far.serve("93.184.216.51", 80, listen)
    helpers = Helpers(tools.kit, [HELPER])
    await helpers.ask(tools.record, Question(parse_url("https://a.example/"), (SITE,)))
    helpers.close()
    assert heard
    assert f"User-Agent: {USER_AGENT}".encode() in heard[0]
    assert b"blockwatch" not in heard[0].lower()


async def test_the_question_has_the_standard_fields_and_no_other(asked):
    question, _, _ = await asked(CLEAN)
    assert set(question) == {"http_request", "http_request_headers", "tcp_connect", "x_quic_enabled"}
    assert question["http_request"] == "https://a.example/"
    assert set(question["http_request_headers"]) == {"User-Agent", "Accept", "Accept-Language"}
    assert all(
        isinstance(value, list) and len(value) == 1 for value in question["http_request_headers"].values()
    )
    assert question["tcp_connect"] == [f"{SITE}:443", f"{OTHER}:443"]
    assert question["x_quic_enabled"] is False


async def test_a_clean_answer(asked):
    _, found, step = await asked(CLEAN)
    assert found == (SITE,)
    assert step.failure is None
    assert (step.dns_failure, step.addresses, step.asns) == (None, (SITE,), ((SITE, 15133),))
    assert (step.http_failure, step.status, step.body_length) == (None, 200, 1533)
    assert step.title == "Default Web Page"
    assert ("Content-Type", "text/html; charset=utf-8") in step.headers
    assert step.endpoints == (
        Endpoint(address=SITE, port=443, tcp_failure=None, tls=True, tls_failure=None),
        Endpoint(address=SITE, port=80, tcp_failure=None, tls=False, tls_failure=None),
        Endpoint(address=OTHER, port=443, tcp_failure="generic_timeout_error", tls=False, tls_failure=None),
    )


@pytest.mark.parametrize("null", [True, False])
@pytest.mark.parametrize("absent", ["tls_handshake", "quic_handshake", "http3_request", "ip_info"])
async def test_older_helpers_leave_fields_out_or_null(asked, absent, null):
    _, found, step = await asked(
        CLEAN | {absent: None} if null else {k: CLEAN[k] for k in CLEAN if k != absent}
    )
    assert (found, step.failure, step.status) == ((SITE,), None, 200)


async def test_a_name_that_does_not_exist(asked):
    failed = NO_PAGE | {"failure": "dns_lookup_error"}
    answer = {"tcp_connect": {}, "tls_handshake": {}, "http_request": failed}
    _, found, step = await asked(answer | {"dns": {"failure": "dns_name_error", "addrs": []}, "ip_info": {}})
    assert (found, step.failure) == ((), None)
    assert (step.dns_failure, step.http_failure) == ("dns_name_error", "dns_lookup_error")
    assert (step.status, step.body_length, step.title) == (None, None, None)


async def test_no_addresses_at_all(asked):
    answer = CLEAN | {"dns": {"failure": None, "addrs": None}}
    _, found, step = await asked(answer)
    assert (found, step.failure, step.addresses) == ((), None, ())


async def test_a_site_that_refuses(asked):
    tcp = {f"{SITE}:443": {"status": False, "failure": "connection_refused_error"}}
    failed = NO_PAGE | {"failure": "connection_refused_error"}
    _, _, step = await asked(CLEAN | {"tcp_connect": tcp, "tls_handshake": {}, "http_request": failed})
    assert [end.tcp_failure for end in step.endpoints] == ["connection_refused_error"]
    assert step.http_failure == "connection_refused_error"


async def test_a_failure_without_a_word_is_one_all_the_same(asked):
    tcp = {
        f"{SITE}:443": {"status": True, "failure": None},
        f"{OTHER}:443": {"status": False, "failure": None},
    }
    tls = {f"{SITE}:443": {"server_name": "a.example", "status": False, "failure": None}}
    _, _, step = await asked(CLEAN | {"tcp_connect": tcp, "tls_handshake": tls})
    assert [(end.tcp_failure is None, end.tls_failure is None) for end in step.endpoints] == [
        (True, False),
        (False, True),
    ]


async def test_a_busy_helper_is_no_finding(tools, autojump_clock):
    async def handler(stream):
        await stream.send_all(page(b"", status="503 Service Unavailable", headers=""))

    await tools.far.serve("93.184.216.51", 80, handler)
    helpers = Helpers(tools.kit, [HELPER])
    assert await helpers.ask(tools.record, Question(parse_url("https://a.example/"), (SITE,))) is None
    helpers.close()
    assert {step.failure for step in tools.record.snapshot()} == {"http_unexpected_status_code"}

"""No address that may be ours is kept; everything else is, byte for byte."""

import gzip
import ipaddress
import re

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blockwatch import content
from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    Endpoint,
    Exchange,
    HttpStep,
    Measured,
    Measurement,
    Purpose,
)
from blockwatch.net.http import USER_AGENT, Request
from blockwatch.net.url import parse_url
from blockwatch.runner.scrub import Scrubber

OWN, OWN6 = "95.56.8.20", "2a00:1450:4001:81b::200e"
SITE = "93.184.216.34"
BLIND = (4, 6)
V4 = re.compile(r"(?<![0-9.])[0-9]{1,3}(?:\.[0-9]{1,3}){3}(?![0-9.])")


def measured(raw=b"", *, title=None, headers=(), hop=0, url="http://a.example/", before=()):
    """One measurement with a page as its last step."""
    step = HttpStep(
        i=len(before), t=0, us=1, failure=None, address=SITE, port=80, method="GET", url=url,
        host="a.example", status=200, title=title, headers=headers, hop=hop,
    )  # fmt: skip
    exchange = Exchange(
        url=url, address=SITE, started=0, request=f"GET {url} HTTP/1.1\r\n\r\n".encode(), response=raw
    )
    measurement = Measurement(
        id="x-1", seq=1, target="t", url="http://a.example/", probe="web", probe_version="1", started=0, us=1,
        observations=(*before, step),
    )  # fmt: skip
    return Measured(measurement=measurement, exchanges={step.i: exchange})


def response(body, *lines):
    return "\r\n".join(("HTTP/1.1 200 OK", *lines, f"Content-Length: {len(body)}", "", "")).encode() + body


def cut(scrubber, raw):
    clean = scrubber.measured(measured(raw)).exchanges[0].response
    assert len(clean) == len(raw)
    return clean


KNOWN = Scrubber((OWN, OWN6))
UNKNOWN = Scrubber((), blind=BLIND)

FORMS = [
    "95.56.8.20", "IP:95.56.8.20", "95.56.8.20:5555", '"95.56.8.20"', "ip=95.56.8.20&x", "a95.56.8.20b",
    "::ffff:95.56.8.20", "see 95.56.8.20.", "[2a00:1450:4001:81b::200e]:80", "IP:2A00:1450:4001:081B::200E",
    "2a00:1450:4001:81b:0:0:0:200e", "2a00:1450:4001:081b:0000:0000:0000:200e",
    "2a00%3A1450%3a4001%3A81b%3A%3A200e",
]  # fmt: skip


@pytest.mark.parametrize("scrubber", [KNOWN, UNKNOWN], ids=["known", "unknown"])
@pytest.mark.parametrize("text", FORMS)
def test_the_own_address_goes_in_every_usual_form(scrubber, text):
    body = f"<p>{text}</p>".encode()
    clean = cut(scrubber, response(body))
    assert b"[scrubbed]"[:7] in clean
    for left in (b"95.56.8.20", b"200e"):
        assert left not in clean.lower()
    assert content.parse_response(clean).complete


def test_with_dashes_where_it_is_known():
    assert b"95-56-8-20" not in cut(KNOWN, response(b"<p>95-56-8-20.pool.example"))


INNOCENT = [
    "1.2.3", "1.2.3.4.5", "195.56.8.20", "95.56.8.201", "95.56.8.256", "999.1.1.1", "10.0.0.1",
    "192.168.1.1", "127.0.0.1", "12:34:56", "2026-11-22T12:34:56", "00:1b:44:11:3a:b7", "std::vector",
    "a::before", "::1", "::", "fe80::1", "20ab:", "3:4", "2001:x", SITE, "8.8.8.8", "9.9.9.9", "2620:fe::fe",
]  # fmt: skip


@pytest.mark.parametrize("text", INNOCENT)
def test_nothing_else_goes(text):
    ends = tuple(Endpoint(address=address, port=80) for address in ("9.9.9.9", "95.56.8.201"))
    before = (
        DnsStep(i=0, t=0, us=1, failure=None, resolver="system", name="a", qtype="A", addresses=("8.8.8.8",),
                replies=(DnsReply(us=1, rcode=0, addresses=("2620:fe::fe",)),)),
        ControlStep(i=1, t=0, us=1, failure=None, helper="h", url="u", addresses=("195.56.8.20",),
                    endpoints=ends),
    )  # fmt: skip
    given = measured(response(f"x {text} y".encode()), title=text, headers=(("X", text),), before=before)
    for scrubber in (Scrubber((OWN, OWN6)), Scrubber((), blind=BLIND)):
        assert scrubber.measured(given) == given


def test_texts_and_urls_that_a_server_chose():
    url = f"http://block.example/?ip={OWN}"
    for scrubber in (KNOWN, UNKNOWN):
        clean = scrubber.measured(measured(title=f"You: {OWN}", headers=(("Location", url),), hop=1, url=url))
        assert OWN not in repr(clean)
        step = clean.measurement.observations[0]
        assert step.title == "You: [scrubbed]"
        assert step.url == clean.exchanges[0].url == dict(step.headers)["Location"]
        asked = scrubber.measured(measured(url=url)).measurement.observations[0]
        assert asked.url == url  # the target's own words


@pytest.mark.parametrize("scrubber", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_a_coding_does_not_hide_it(scrubber):
    told, silent = f"<p>You are {OWN}</p>".encode() * 9, b"<p>You are here</p>" * 9
    for body, lines, kept in (
        (gzip.compress(told), ("Content-Encoding: gzip",), False),
        (gzip.compress(silent), ("Content-Encoding: gzip",), True),
        (b"8\r\n<p>95.56\r\n8\r\n.8.20 x \r\n0\r\n\r\n", ("Transfer-Encoding: chunked",), False),
        (b"8\r\n<p>95.56\r\n8\r\n 8 20 x \r\n0\r\n\r\n", ("Transfer-Encoding: chunked",), True),
    ):
        raw = response(body, *lines)
        clean = cut(scrubber, raw)
        assert (clean == raw) is kept
        assert clean.startswith(raw[: raw.index(b"\r\n\r\n") + 4])
        parsed = content.parse_response(clean)
        assert (b"[scrubbed]" in content.decode_body(parsed.headers, parsed.body)[0]) is not kept


@pytest.mark.parametrize("scrubber", [KNOWN, UNKNOWN], ids=["known", "unknown"])
def test_a_body_that_cannot_be_read_is_blanked(scrubber):
    for coding in ("br", "zstd", "gzip, br", "mine"):
        raw = response(b"\x1b\x02\x00brotli", f"Content-Encoding: {coding}")
        assert b"brotli" not in cut(scrubber, raw)
    slip = response("Нет доступа".encode("cp1251"), "Content-Encoding: windows-1251")
    assert cut(scrubber, slip) == slip


def test_only_the_versions_that_are_not_known():
    raw = response(f"{OWN} {OWN6}".encode())
    assert cut(Scrubber((OWN6,), blind=(4,)), raw).count(b"[scrubbed]") == 2
    assert OWN.encode() in cut(Scrubber((), blind=(6,)), raw)


def test_an_address_once_met_stays():
    scrubber = Scrubber((), blind=BLIND)
    raw = response(b"8.8.8.8")
    assert b"8.8.8.8" not in cut(scrubber, raw)
    met = DnsStep(
        i=0, t=0, us=1, failure=None, resolver="system", name="a", qtype="A", addresses=("8.8.8.8",)
    )
    scrubber.measured(measured(before=(met,)))
    assert cut(scrubber, raw) == raw


def test_what_every_request_of_ours_says_stays_though_it_looks_like_an_address():
    request = Request(parse_url("http://a.example/"))
    step = msgspec.structs.replace(
        measured().measurement.observations[0], purpose=Purpose.REPEAT, request_headers=request.all_headers()
    )
    page = response(f"<p>Your browser: {USER_AGENT}</p>".encode())
    exchange = Exchange(url=step.url, address=SITE, started=0, request=request.raw(), response=page)
    given = measured()
    given = Measured(
        measurement=msgspec.structs.replace(given.measurement, observations=(step,)), exchanges={0: exchange}
    )
    alike = [found for found in V4.findall(request.raw().decode()) if ipaddress.ip_address(found).is_global]
    assert alike  # else there is nothing to mistake, and no exception is needed
    assert all(found.endswith(".0.0.0") for found in alike)  # first of its network: no line has it
    assert Scrubber((), blind=BLIND).measured(given) == given


ADDRESSES = st.one_of(st.ip_addresses(v=4), st.ip_addresses(v=6, network="2000::/3"))
GLUE = st.text(st.sampled_from("xyz \t\"'<>/=&?()[],;!#\n"), min_size=1, max_size=5).filter(
    lambda glue: "&#" not in glue  # what would be a character
)


def kept_or_cut(address, met):
    text = str(address)
    return text if text in met or not address.is_global else "[scrubbed]"[: len(text)].ljust(len(text), "_")


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(GLUE, ADDRESSES, st.booleans()), min_size=1, max_size=8), GLUE)
def test_no_public_stranger_stays_and_nothing_else_changes(parts, end):
    """An independent reading: what stands between the glue, judged by ``ipaddress``."""
    met = tuple(str(address) for _, address, known in parts if known)
    raw = response("".join(f"{glue}{address}" for glue, address, _ in parts).encode() + end.encode())
    dns = DnsStep(i=0, t=0, us=1, failure=None, resolver="system", name="a", qtype="A", addresses=met)
    scrubbed = Scrubber((), blind=BLIND).measured(measured(raw, before=(dns,)))
    wanted = "".join(glue + kept_or_cut(address, (*met, SITE)) for glue, address, _ in parts)
    assert scrubbed.exchanges[1].response == response(wanted.encode() + end.encode())


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("0123456789.:abf%3A x-"), max_size=60))
def test_whatever_stands_around_it(noise):
    clean = cut(Scrubber((), blind=BLIND), response(noise.encode()))
    body = content.parse_response(clean).body.decode()
    for found in V4.findall(body):
        octets = [int(part) for part in found.split(".")]
        if max(octets) < 256:
            assert not ipaddress.ip_address(bytes(octets)).is_global

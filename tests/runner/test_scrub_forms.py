"""The own address goes in whatever form it is written, and from every field a server had a say in."""

import base64
import gzip
import hashlib
import ipaddress

import pytest
from hypothesis import given, settings
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
    TcpStep,
    TlsStep,
)
from blockwatch.net import dnsmessage
from blockwatch.runner.scrub import Scrubber

from .test_scrub import KNOWN, cut, measured, response


def span(address, length, to):
    """The network of an address, from its first to its last."""
    network = ipaddress.ip_network((int(address) >> 32 - length << 32 - length, length))
    return f"{network[0]}{to}{network[-1]}"


V4 = {
    "dotted": lambda a: str(a),
    "percent": lambda a: str(a).replace(".", "%2E"),
    "percent, small": lambda a: str(a).replace(".", "%2e"),
    "dashes": lambda a: str(a).replace(".", "-"),
    "underscores": lambda a: str(a).replace(".", "_"),
    "zeros": lambda a: ".".join(f"{octet:03}" for octet in a.packed),
    "zeros and dashes": lambda a: "-".join(f"{octet:03}" for octet in a.packed),
    "arpa": lambda a: a.reverse_pointer,
    "a pool": lambda a: "-".join(str(octet) for octet in a.packed[::-1]) + ".pool.example",
    "quoted": lambda a: f"%22{a}%22",
    "escaped": lambda a: f"\\u0022{a}\\u0022",
    "mapped": lambda a: f"::ffff:{a}",
    "mapped, hex": lambda a: f"::ffff:{a.packed[:2].hex().lstrip('0')}:{a.packed[2:].hex().lstrip('0')}",
    "NAT64": lambda a: f"64:ff9b::{a.packed[:2].hex()}:{a.packed[2:].hex()}",
    "hex": lambda a: a.packed.hex(),
    "0x": lambda a: "0x" + a.packed.hex().upper(),
    "integer": lambda a: str(int(a)),
    "hex, dotted": lambda a: ".".join(hex(octet) for octet in a.packed),
    "octal": lambda a: ".".join(f"0{octet:03o}" for octet in a.packed),
    "network": lambda a: str(ipaddress.ip_network((int(a) >> 8 << 8, 24))),
    "network, bare": lambda a: ".".join(str(a).split(".")[:3]) + ".0",
    "network, x": lambda a: ".".join(str(a).split(".")[:3]) + ".xxx",
    "larger network": lambda a: str(ipaddress.ip_network((int(a) >> 12 << 12, 20))),
    "networks, x": lambda a: ".".join(str(a).split(".")[:2]) + ".x.x",
    "networks, stars": lambda a: ".".join(str(a).split(".")[:2]) + ".*.*",
    "network, nothing": lambda a: ".".join(str(a).split(".")[:3]) + ".",
    "range": lambda a: span(a, 22, " - "),
    "range, short": lambda a: span(a, 21, "-"),
    "range, URL": lambda a: span(a, 23, "%20-%20"),
    "hex, turned": lambda a: a.packed[::-1].hex(),
    "0x, turned": lambda a: "0x" + a.packed[::-1].hex().lstrip("0").upper(),
    "integer, turned": lambda a: str(int.from_bytes(a.packed, "little")),
    "bytes": lambda a: a.packed.hex(":"),
    "bytes apart": lambda a: a.packed.hex(" ").upper(),
    "bytes, URL": lambda a: a.packed.hex("+").upper(),
    "bytes, other URL": lambda a: a.packed.hex(" ").replace(" ", "%20"),
    "list, URL": lambda a: str(list(a.packed)).replace(" ", "%20").replace(",", "%2C"),
    "bytes, script": lambda a: "".join(f"\\x{octet:02x}" for octet in a.packed),
    "bytes, percent": lambda a: "".join(f"%{octet:02X}" for octet in a.packed),
    "mail": lambda a: str(a).replace(".", "=2E"),
    "script, braces": lambda a: str(a).replace(".", "\\u{2e}"),
    "script, octal": lambda a: str(a).replace(".", "\\056"),
    "style sheet": lambda a: str(a).replace(".", "\\2e "),
    "apart": lambda a: str(a).replace(".", " . "),
    "list": lambda a: str(list(a.packed)),
}
HASHES = [
    lambda a: hashlib.md5(str(a).encode(), usedforsecurity=False).hexdigest(),
    lambda a: hashlib.sha1(str(a).encode(), usedforsecurity=False).hexdigest().upper(),
    lambda a: hashlib.sha256(str(a).encode()).hexdigest(),
]
V6 = {
    "short": lambda a: str(a),
    "large": lambda a: str(a).upper(),
    "percent": lambda a: str(a).replace(":", "%3A"),
    "dashes": lambda a: str(a).replace(":", "-"),
    "whole": lambda a: a.exploded,
    "whole, dashes": lambda a: a.exploded.replace(":", "-"),
    "prefix": lambda a: str(ipaddress.ip_network((int(a) >> 64 << 64, 64))),
    "neighbour": lambda a: str(ipaddress.ip_address(int(a) ^ 0x1234_0000_5678)),
    "arpa": lambda a: a.reverse_pointer,
    "hex": lambda a: a.packed.hex(),
    "brackets": lambda a: f"[{a}]:80",
    "site": lambda a: str(ipaddress.ip_network((int(a) >> 80 << 80, 48))),
    "customer": lambda a: str(ipaddress.ip_network((int(a) >> 72 << 72, 56))),
}
HIDDEN = {
    "percent": lambda a: "".join(f"%{ord(c):02X}" for c in str(a)),
    "percent twice": lambda a: "".join(f"%25{ord(c):02x}" for c in str(a)),
    "entities": lambda a: "".join(f"&#{ord(c)};" for c in str(a)),
    "entities, hex": lambda a: "".join(f"&#x{ord(c):x};" for c in str(a)),
    "separators": lambda a: str(a).replace(".", "&period;").replace(":", "&#58;"),
    "script": lambda a: "".join(f"\\u{ord(c):04x}" for c in str(a)),
    "script, x": lambda a: str(a).replace(".", "\\x2e").replace(":", "\\x3A"),
    "script, percent": lambda a: "".join(
        f"%5Cu{ord(c):04x}" for c in str(a)
    ),  # as browsers write it in a URL
    "entities, percent": lambda a: "".join(f"%26%23{ord(c)}%3B" for c in str(a)),
    "text in hex": lambda a: str(a).encode().hex(),
}
BASE64 = [
    lambda a: base64.b64encode(str(a).encode()).decode(),
    lambda a: base64.b64encode(f"x{a} ".encode()).decode(),
    lambda a: base64.b64encode(f'{{"i":"{a}"}}'.encode()).decode(),
    lambda a: base64.urlsafe_b64encode(f"ip={a}".encode()).decode(),
    lambda a: base64.b64encode(a.packed).decode(),
    lambda a: base64.urlsafe_b64encode(a.packed).decode().rstrip("="),
    lambda a: base64.b64encode(f"<{a.exploded}>".encode()).decode(),
    lambda a: base64.b64encode(f'{{"mac":1,"a":[7,"{a}"],"t":"<p>"}}'.encode()).decode(),
    lambda a: base64.b64encode(
        f"/{str(a).replace('.', '-').replace(':', '-')}.pool.example".encode()
    ).decode(),
    lambda a: base64.b64encode(a.reverse_pointer.encode()).decode(),
    lambda a: base64.b64encode(f"{a}".upper().encode()).decode(),
    lambda a: base64.b64encode(gzip.compress(f"You are {a}".encode(), mtime=0)).decode(),
]
ADDRESSES = st.one_of(
    st.integers(0x01010000, 0xDFFFFFFF).map(ipaddress.IPv4Address).filter(lambda a: min(a.packed[::2]) > 0),
    st.integers(0x2000 << 112, (0x3FFF << 112) + 2**112 - 1).map(ipaddress.IPv6Address),
).filter(lambda a: a.is_global)
GLUE = st.sampled_from(["", " ", "<p>", '"', "=", "?ip=", ";", "(", "\n", "/"])


def forms_of(address):
    return [*(V4 if address.version == 4 else V6).values(), *HIDDEN.values(), *BASE64, *HASHES]


AFTER = st.sampled_from(["", " ", "<", '"', "&", ";", "\n", "/"])
FIELDS = st.sampled_from(["Location", "Set-Cookie", "X-Client", "ETag", "Via", "Digest"])


# Making a scrubber takes longer than using it, so each is used for several texts.
TEXTS = st.tuples(st.integers(0, 119), GLUE, AFTER, FIELDS)
AROUND = st.tuples(st.binary(max_size=200), st.binary(max_size=200), st.booleans())


@settings(max_examples=100, deadline=None, print_blob=True)
@given(ADDRESSES, st.lists(TEXTS, min_size=8, max_size=8))
def test_no_form_stays_in_a_body_a_header_or_a_text(address, texts):
    forms, scrubber = forms_of(address), Scrubber((str(address),))
    for number, before, after, field in texts:
        form = forms[number % len(forms)](address)
        text = f"{before}{form}{after}"
        body = f"x {text} y".encode()
        hashed = hashlib.sha1(body, usedforsecurity=False).hexdigest()
        line = text.replace("\n", " ")
        fields = ((field, text), ("ETag", hashed), ("X-Page", hashed))
        raw = response(body, f"{field}: {line}", f"ETag: {hashed}", f"X-Page: {hashed}")
        given = measured(raw, title=text, headers=fields)
        clean = scrubber.measured(given)
        step = clean.measurement.observations[0]
        for kept in (clean.exchanges[0].response.decode(), step.title, step.headers[0][1]):
            assert form not in kept
            assert line not in kept
            assert str(address) not in kept.lower()
            assert "[scr" in kept
        assert hashed not in repr(clean)
        assert len(clean.exchanges[0].response) == len(given.exchanges[0].response)


@settings(max_examples=100, deadline=None, print_blob=True)
@given(ADDRESSES, st.lists(AROUND, min_size=6, max_size=6))
def test_whatever_stands_around_it_in_base64(address, texts):
    """Decoded again as a whole, without any knowledge of how it was looked for."""
    scrubber = Scrubber((str(address),))
    for before, after, url_safe in texts:
        coder = base64.urlsafe_b64encode if url_safe else base64.b64encode
        around = (before + b"<", b">" + after)
        raw = response(b'<a href="/x?t=' + coder(str(address).encode().join(around)).rstrip(b"=") + b'">')
        clean = cut(scrubber, raw)
        coded = clean.partition(b"?t=")[2].partition(b'"')[0].translate(bytes.maketrans(b"-_[]", b"+/AA"))
        assert str(address).encode() not in base64.b64decode(coded + b"=" * (-len(coded) % 4))
        assert clean.startswith(raw[: raw.index(b"?t=")])


MAC = "a4c3f0851e2b"
MACS = [
    "a4:c3:f0:85:1e:2b", "A4-C3-F0-85-1E-2B", "a4c3.f085.1e2b", "a4 c3 f0 85 1e 2b", "A4C3F0851E2B",
    base64.b64encode(b'{"mac":"A4:C3:F0:85:1E:2B"}').decode(), "eyJtYWMiOiJhNC1jMy1mMC04NS0xZS0yYiJ9",
]  # fmt: skip


@pytest.mark.parametrize("text", MACS)
def test_no_form_of_a_mac_address_stays(text):
    clean = cut(Scrubber((), macs=(MAC,)), response(f"x {text} y".encode()))
    assert text.encode() not in clean
    assert b"[scrubbed]" in clean


def test_much_that_looks_like_base64_is_looked_at_in_pieces():
    body = b"LLLL" * 2_000 + base64.b64encode(b"<95.56.8.20>") + b"LLLL" * 2_000
    clean = cut(KNOWN, response(body))
    assert (clean.count(b"LLLL"), clean.count(b"[scrubbed]")) == (4_000, 1)


NUMBERS = [  # near 95.56.8.20 = 0x5f380814 = 1597507604 in some way
    "15975076041", "a5f380814", "5f3808149", "20.8.56.95",
    "5f38:814", "77.20.8.56.95.5", "195-56-8-20", "95_56_8_201", "2a00:1450:4001:81c::200e",
    "2a00145040010081", "2a00-1450-4001-81", "5f:38:08:15", "ab:5f:38:08:14:cd", "95.57.x.x",
    "OTUuNTYuOC4yMQ==", "aHR0cHM6Ly9leGFtcGxlLm9yZy85NS41Ni44LjIx", "MTk1LjU2LjguMjAx",
]  # fmt: skip


@pytest.mark.parametrize("text", NUMBERS)
def test_what_only_looks_like_it_stays(text):
    raw = response(f"x {text} y".encode())
    assert cut(KNOWN, raw) == raw


NAME = "95-56-8-20.isp.example"
OWN = "95.56.8.20"


def redirected(hop):
    """A redirect that led to the line itself, by a name that holds its address."""
    query = dnsmessage.query(NAME, "A", identity=1)
    reply = DnsReply(us=1, rcode=0, addresses=(OWN, "9.9.9.9"), names=(f"a-{NAME}",), raw=query + b"..")
    common = {"t": 0, "us": 1, "hop": hop, "failure": f"unknown_failure: {NAME}"}
    where = {"address": OWN, "port": 443}
    url = f"https://{NAME}/"
    steps = (
        DnsStep(i=0, resolver="system", name=NAME, qtype="A", addresses=(OWN, "9.9.9.9"), replies=(reply,),
                query=query, **common),
        TcpStep(i=1, **where, **common),
        TlsStep(i=2, server_name=NAME, **where, **common),
        HttpStep(i=3, method="GET", url=url, host=NAME, request_headers=(("Host", NAME),), **where, **common),
        ControlStep(i=4, helper="h", url=url, addresses=(OWN,), asns=((OWN, 1),),
                    endpoints=(Endpoint(address=OWN, port=443),), **common),
    )  # fmt: skip
    exchange = Exchange(
        url=url,
        address=OWN,
        started=0,
        request=f"GET / HTTP/1.1\r\nHost: {NAME}\r\n\r\n".encode(),
        response=b"",
    )
    measurement = Measurement(
        id="x-1", seq=1, target="t", url="http://a.example/", probe="web", probe_version="1", started=0, us=1,
        observations=steps,
    )  # fmt: skip
    return Measured(measurement=measurement, exchanges={3: exchange})


def test_a_redirect_to_the_line_itself_leaves_no_name_and_no_address():
    clean = KNOWN.measured(redirected(1))
    told = repr(clean)
    assert OWN not in told
    assert "95-56-8-20" not in told
    dns, tcp, tls, page, control = clean.measurement.observations
    assert dns.name == tls.server_name == page.host == "[scrubbed].isp.example"
    mark = b"[scrubbed]"
    assert (dns.query, dns.replies[0].raw, dns.addresses) == (mark, mark, ("[scrubbed]", "9.9.9.9"))
    assert tcp.address == page.address == clean.exchanges[3].address == "[scrubbed]"
    assert (control.addresses, control.asns) == (("[scrubbed]",), (("[scrubbed]", 1),))
    assert [end.address for end in control.endpoints] == ["[scrubbed]"]


def test_a_redirect_elsewhere_is_kept_whole():
    scrubber = Scrubber(("95.56.8.21",))
    assert scrubber.measured(redirected(1)) == redirected(1)
    first = KNOWN.measured(redirected(0)).measurement.observations
    assert first[0].name == NAME  # the target's own name, chosen by the user

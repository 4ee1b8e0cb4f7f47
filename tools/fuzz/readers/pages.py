"""What servers sent, looked at without a network: pages, certificates, addresses to be cut out."""

from __future__ import annotations

import gzip
import zlib
from pathlib import Path

from blockwatch import content
from blockwatch.codec import canonical
from blockwatch.judge import OURS, certs
from blockwatch.model import Exchange, HttpStep, Measured
from blockwatch.net.trust import Trust
from blockwatch.net.url import BadUrl, join, parse_url
from blockwatch.runner.scrub import Scrubber
from tests.evidence.made import OBSERVATIONS, RESPONSE, measured
from tests.evidence.test_warc import EXCHANGES
from tools.fuzz.target import Target

_PAGE = (
    "<!DOCTYPE html><html><head><meta charset='windows-1251'><title> Доступ &amp; &#1079;апрещён</title>"
    "<style>a{}</style><!-- x --></head><body><p>Сайт 203.0.113.7 <b>x</b></p><script>1<2</script></body>"
)


def _response(*headers: str, body: bytes) -> bytes:
    return "\r\n".join(("HTTP/1.1 200 OK", *headers, "", "")).encode() + body


RESPONSES = (
    _response("Content-Type: text/html; charset=utf-8", body=_PAGE.encode()),
    _response(
        "Content-Encoding: gzip",
        "Content-Type: text/html",
        body=gzip.compress(_PAGE.encode("cp1251"), mtime=0),
    ),
    _response("Content-Encoding: deflate, gzip", body=gzip.compress(zlib.compress(_PAGE.encode()), mtime=0)),
    _response("Transfer-Encoding: chunked", body=b"5\r\n<html\r\n6;x=y\r\n><titl\r\n0\r\nA: b\r\n\r\n"),
    _response("Content-Encoding: br", "Content-Length: 5", body=b"\x0b\x02\x80\x03\x03"),
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/?a=b\r\n\r\n",
    *(response for _, response, _ in EXCHANGES.values() if len(response) < 1_000),
)


def _page(work: Path) -> Target:
    def read(raw: bytes) -> None:
        """No function of ``content`` ever raises."""
        found = content.parse_response(raw)
        body, _ = content.decode_body(found.headers, found.body)
        content.undecodable(found.headers)
        text = content.text_of(found.headers, body)
        content.title_of(text)
        OURS.page(found.headers, text)
        OURS.redirect(content.header(found.headers, "location") or "")
        OURS.plain(raw)

    modules = ("blockwatch.content", "blockwatch.charset", "blockwatch.judge.fingerprints:Pack _Bodies _best")
    return Target(RESPONSES, read, modules, permitted=())


def _scrubbed(work: Path) -> Target:
    """The bytes of a server through the scrubber, with the own address known and not."""
    seeing, blind = Scrubber(["203.0.113.7", "2001:db8:1::7"]), Scrubber([], blind=(4, 6))
    at = next(step.i for step in OBSERVATIONS if isinstance(step, HttpStep))
    own = b"your IP is 203.0.113.7, 203%2E0%2E113%2E7, MjAzLjAuMTEzLjc=, cb007107, 7.113.0.203, 2001:db8:1::7"

    def read(raw: bytes) -> None:
        given = measured(response=raw)
        for scrubber in (seeing, blind):
            clean: Measured = scrubber.measured(given)
            exchange: Exchange = clean.exchanges[at]
            if len(exchange.response) != len(raw):
                raise AssertionError("a cut changed the length")
            canonical(clean.measurement)
        if b" 203.0.113.7," in seeing.measured(given).exchanges[at].response:
            raise AssertionError("an address was left")

    modules = ("blockwatch.runner.scrub", "blockwatch.net.secondlook:body_start")
    return Target([*RESPONSES, RESPONSE + own], read, modules, permitted=())


def _certificates(work: Path) -> Target:
    from tests.judge import forged

    host = "site.example.org"
    chains = (
        forged.whole(host), forged.isca_whole(host), forged.national(host), forged.qaznet(host),
        forged.plain(host, "Kaspersky Lab"),
    )  # fmt: skip
    root = chains[1][-1]

    def read(raw: bytes) -> None:
        """A chain of the damaged leaf alone, and with a good certificate above it."""
        for chain in ((raw,), (raw, root)):
            certs.issuer_key(chain)
            certs.names_host(chain, host)
            certs.state_root(chain)
            certs.built_by_state(chain, host)
            certs.peculiar(chain)
            certs.national_root(chain)
            certs.local_interceptor(chain)
        trust.check((raw, root), host)
        trust._known.clear()  # it remembers within a run, which is not endless

    trust = Trust()
    modules = ("blockwatch.judge.certs", "blockwatch.net.trust")
    return Target([one for chain in chains for one in chain], read, modules, permitted=(), most_bytes=1 << 16)


def _locations(work: Path) -> Target:
    base = parse_url("https://site.example.org:8443/a/b?c=d")

    def read(raw: bytes) -> None:
        """A Location header as it was decoded; what it leads to can be written and read again."""
        found = join(base, raw.decode("latin-1"))
        if parse_url(str(found)) != found:
            raise AssertionError("a URL that reads otherwise when written")

    corpus = [
        b"/x", b"../y?z#f", b"//other.example.org/", b"http://xn--e1afmkfd.xn--p1ai/", b"https://[2001:db8::1]:444/%zz",
        "http://пример.рф/путь?а=б".encode(), b"http://user:pw@h.example/;p", b"?q", b"mailto:x",
    ]  # fmt: skip
    return Target(
        corpus,
        read,
        ("blockwatch.net.url:parse_url join normal_host _to_ascii Url",),
        permitted=(BadUrl,),
        most_bytes=1 << 16,
    )


READERS = {
    "page": _page,
    "page that is scrubbed": _scrubbed,
    "certificate": _certificates,
    "Location": _locations,
}

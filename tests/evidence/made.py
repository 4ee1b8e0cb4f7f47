"""Runs made up for tests: lines and exchanges like those of a real https measurement."""

from __future__ import annotations

import random
from pathlib import Path

from blockwatch.evidence.signing import Signer
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
    TcpStep,
    TlsStep,
)
from blockwatch.run import RunClose, RunOpen, Vantage
from blockwatch.store import RunWriter
from blockwatch.target import Target

RUN = "0123456789abcdef"
STARTED = 1_795_321_200_000_000  # 2026-11-22T04:20:00Z

_random = random.Random(7)
CHAIN = (_random.randbytes(1_400), _random.randbytes(1_300), _random.randbytes(1_300))
WORDS = ("доступ", "новости", "страница", "сайт", "законы", "<p>", "</p>", "<div class='a'>", "</div>")
PAGE = " ".join(_random.choice(WORDS) for _ in range(900)).encode()[:8_192]
HEADERS = (
    ("Server", "nginx"),
    ("Content-Type", "text/html; charset=utf-8"),
    ("Content-Length", str(len(PAGE))),
)
REQUEST = b"GET / HTTP/1.1\r\nHost: site.example.org\r\nAccept: */*\r\nUser-Agent: Mozilla/5.0\r\n\r\n"
RESPONSE = b"HTTP/1.1 200 OK\r\n" + b"".join(f"{k}: {v}\r\n".encode() for k, v in HEADERS) + b"\r\n" + PAGE


def run_open(run: str = RUN, **changes: object) -> RunOpen:
    fields: dict[str, object] = {
        "run": run,
        "started": STARTED,
        "software": "blockwatch 0.1.0",
        "versions": (("python", "3.11"),),
        "vantage": Vantage(asn=9198, country="KZ", learned_from="helper", ipv4=True),
        "targets": (Target(id="site", url="https://site.example.org/"),),
    }
    return RunOpen(**{**fields, **changes})  # type: ignore[arg-type]


def run_close(measured: int = 0, **changes: object) -> RunClose:
    fields: dict[str, object] = {
        "ended": STARTED + 9_000_000,
        "us": 9_000_000,
        "reason": "done",
        "planned": measured,
        "measured": measured,
    }
    return RunClose(**{**fields, **changes})  # type: ignore[arg-type]


def _dns(i: int, resolver: str, qtype: str) -> DnsStep:
    reply = DnsReply(us=20_311, rcode=0, addresses=("203.0.113.7",), ttl=60, ip_ttl=57, raw=bytes(range(120)))
    return DnsStep(
        i=i,
        t=1_000 * i,
        us=20_400,
        failure=None,
        resolver=resolver,
        name="site.example.org",
        qtype=qtype,
        addresses=("203.0.113.7",),
        rcode=0,
        replies=(reply,),
        query=bytes(33),
    )


def observations(status: int = 200, failure: str | None = None) -> tuple[Observation, ...]:
    """Twelve steps; the last is the page."""
    lookups = [
        _dns(i, resolver, qtype)
        for i, (resolver, qtype) in enumerate(
            (r, q)
            for r in ("system", "udp://8.8.8.8:53", "udp://9.9.9.9:53", "https://dns.google/dns-query")
            for q in ("A", "AAAA")
        )
    ]
    at = {"address": "203.0.113.7", "port": 443, "flow": 1}
    tls = TlsStep(i=9, t=90_000, us=41_000, failure=None, server_name="site.example.org", version="TLSv1.3",
                  cipher="TLS_AES_256_GCM_SHA384", alpn="http/1.1", chain=CHAIN, sent=600, received=4_800,
                  first_byte_us=20_000, **at)  # type: ignore[arg-type] # fmt: skip
    control = ControlStep(i=10, t=90_000, us=300_000, failure=None, helper="https://th.example.org",
                          url="https://site.example.org/", addresses=("203.0.113.7",), status=200,
                          endpoints=(Endpoint(address="203.0.113.7", port=443, tls=True),), headers=HEADERS,
                          body_length=len(PAGE), title="site")  # fmt: skip
    page = HttpStep(i=11, t=140_000, us=60_000, failure=failure, method="GET", url="https://site.example.org/",
                    host="site.example.org", version="HTTP/1.1", status=status, headers=HEADERS,
                    request_headers=(("Host", "site.example.org"), ("Accept", "*/*")), body_length=len(PAGE),
                    title="сайт", sent=len(REQUEST), received=len(RESPONSE), first_byte_us=21_000,
                    progress=((21_000, 1_400), (60_000, len(RESPONSE))), **at)  # type: ignore[arg-type] # fmt: skip
    return (*lookups, TcpStep(i=8, t=80_000, us=20_000, failure=None, **at), tls, control, page)  # type: ignore[arg-type]


OBSERVATIONS = observations()


def measured(
    seq: int = 1, *, run: str = RUN, response: bytes = RESPONSE, request: bytes = REQUEST, **changes: object
) -> Measured:
    fields: dict[str, object] = {
        "id": f"{run}-{seq:06d}",
        "seq": seq,
        "target": "site",
        "url": "https://site.example.org/",
        "probe": "web",
        "probe_version": "1",
        "started": STARTED + seq,
        "us": 400_000,
        "observations": OBSERVATIONS,
    }
    exchange = Exchange(
        url="https://site.example.org/", address="203.0.113.7", started=STARTED + seq, request=request,
        response=response,
    )  # fmt: skip
    return Measured(measurement=Measurement(**{**fields, **changes}), exchanges={11: exchange})  # type: ignore[arg-type]


def signer() -> Signer:
    """The key of the example in docs/evidence.md."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signer(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def make_run(results: Path, count: int = 3, *, run: str = RUN, close: bool = True) -> Path:
    """A run of ``count`` measurements on disk; gives its folder."""
    writer = RunWriter(results, label="home")
    writer.open(run_open(run))
    for seq in range(1, count + 1):
        writer.write(measured(seq, run=run))
    if close:
        writer.close(run_close(count))
    return writer.folder

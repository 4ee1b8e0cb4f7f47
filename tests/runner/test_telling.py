"""Whatever a server tells of its visitor, and in whatever coding: nothing that was written holds it."""

from __future__ import annotations

import base64
import gzip
import ipaddress
import random
from dataclasses import dataclass
from functools import partial
from hashlib import sha1, sha256
from pathlib import Path

import dns.edns
import dns.message
import dns.rrset
import pytest
import trio
import trio.testing
from hypothesis import Phase, given, note, settings
from hypothesis import strategies as st

from blockwatch import joined, judge, runner
from blockwatch.analysis.output import render
from blockwatch.cli.sink import AsyncSink
from blockwatch.cli.words import verdict_json
from blockwatch.evidence.bundle import Bundle, write_bundle
from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.signing import new_signer
from blockwatch.evidence.wacz import Wacz
from blockwatch.ooni import to_ooni
from blockwatch.runner import own
from blockwatch.runner.machine import Machine
from blockwatch.store import read_run

from ..net.far import Authority, Far, h2_page, helper_answer, plain_page, posts, reply_to
from .making import Asking, plan_of, site
from .telling import CODINGS, everything, response, telling
from .test_scrub_forms import BASE64, HASHES, HIDDEN, V4, V6

HELPER, RESOLVER = "93.184.216.51", "93.184.216.53"
MACHINE = Machine(
    addresses=frozenset({"192.168.77.41"}),
    macs=frozenset({"a4c3f0851e2b"}),
    words=frozenset({"aigul-thinkpad", "/home/aigul"}),
    resolvers=frozenset({"212.19.149.53"}),
)
OTHERS = ["192.168.77.41", "a4:c3:f0:85:1e:2b", "A4-C3-F0-85-1E-2B", "a4c3f0851e2b", "aigul-thinkpad",
          "/home/aigul/x", "212.19.149.53"]  # fmt: skip


@dataclass
class Visitor:
    """Who measures, and what is told of it; all from one seed."""

    seed: int

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)
        self.hashes: set[str] = set()  # which servers gave of what they told
        self.v4 = ipaddress.IPv4Address(bytes((95, *(self.random.randrange(1, 255) for _ in range(3)))))
        low = self.random.getrandbits(88)
        self.v6 = ipaddress.IPv6Address(0x2A02AA16 << 96 | low)

    def forms(self) -> list[str]:
        both = [*HIDDEN.values(), *BASE64, *HASHES]
        told = [form(self.v4) for form in (*V4.values(), *both)]
        return [*told, *(form(self.v6) for form in (*V6.values(), *both)), *OTHERS]

    def needles(self) -> set[bytes]:
        short = [self.v6.exploded[:19], self.v6.packed[:8].hex(), self.v4.exploded]
        return {text.encode() for text in (*self.forms(), *short, *self.hashes)} | {self.v6.packed[:8]}

    def hashed(self, body: bytes) -> str:
        """Headers of a server that hashes its pages."""
        digest = sha256(body).digest()
        found = [sha1(body, usedforsecurity=False).hexdigest(), base64.b64encode(digest).decode()]
        self.hashes |= {*found, digest.hex()}
        return f'ETag: W/"{found[0]}"\r\nRepr-Digest: sha-256=:{found[1]}:\r\nX-Page: {digest.hex()}\r\n'

    def text(self) -> str:
        return self.random.choice(self.forms())

    def packed(self) -> list[bytes]:
        return [self.v4.packed, self.v6.packed[:8]]


def pages(visitor: Visitor) -> dict[str, bytes]:
    """What the cleartext sites answer, by name: every form comes in some place and some coding."""
    told = {}
    for number, coding in enumerate(CODINGS):
        body = f"<title>You</title><p>{visitor.text()}</p>{'x' * 40}<p>{visitor.text()}</p>".encode()
        told[f"body{number}"] = response(body, coding, headers=visitor.hashed(body))
    for number, name in enumerate(("X-Client-IP", "Set-Cookie", "Via", "Location", "Server")):
        told[f"head{number}"] = response(b"x" * 60, "plain", headers=f"{name}: a={visitor.text()}; b\r\n")
    told["title"] = response(f"<title>Blocked for {visitor.text()}</title>".encode(), "gzip")
    told["reason"] = response(b"", "plain", status=f"200 You are {visitor.text()}")
    told["nohttp"] = f"go away, {visitor.text()}\n".encode()
    told["torn"] = response(b"x" * 500 + str(visitor.v4)[:-1].encode(), "plain")[:-1]
    landing = f"http://{str(visitor.v4).replace('.', '-')}.isp.example/?ip={visitor.text()}"
    told["led"] = response(b"moved", "plain", status="302 Found", headers=f"Location: {landing}\r\n")
    elsewhere = f"http://body0.example/?you={visitor.text()}&x"
    told["away"] = response(b"moved", "plain", status="302 Found", headers=f"Location: {elsewhere}\r\n")
    told["home"] = response(b"", "plain", status="302 Found", headers=f"Location: http://{visitor.v4}/\r\n")
    return told


def lying(visitor: Visitor, query: bytes) -> list[tuple[float, bytes]]:
    """A resolver that tells: own address, own name, a text, the client's subnet (RFC 7871)."""
    reply = dns.message.from_wire(reply_to(query, {}))
    reply.set_rcode(0)
    name = reply.question[0].name
    kind = visitor.random.randrange(4)
    if kind == 0:
        reply.answer.append(dns.rrset.from_text(name, 1, "IN", "A", str(visitor.v4), "93.184.216.40"))
    elif kind == 1:
        line = f"{visitor.v4.reverse_pointer}."
        reply.answer.append(dns.rrset.from_text(name, 1, "IN", "CNAME", line))
        reply.authority.append(dns.rrset.from_text(name, 1, "IN", "NS", visitor.v6.reverse_pointer + "."))
    elif kind == 2:
        reply.additional.append(
            dns.rrset.from_text(name, 1, "IN", "TXT", f'"{visitor.text()[:120]}"'.replace("\\", "\\\\"))
        )
    else:
        reply.use_edns(
            options=[dns.edns.ECSOption(str(visitor.v4), 24), dns.edns.ECSOption(str(visitor.v6), 56)]
        )
    return [(0.0, reply.to_wire())]


async def serve(far: Far, visitor: Visitor, authority: Authority) -> list[str]:
    """Open everything; names of the sites."""
    for number, (name, answer) in enumerate(pages(visitor).items()):
        address = f"93.184.216.{60 + number}"
        far.names[f"{name}.example"] = [address]
        await far.serve(address, 80, plain_page(answer))
    far.names[f"{str(visitor.v4).replace('.', '-')}.isp.example"] = [str(visitor.v4)]
    await far.serve(HELPER, 80, posts(helper_answer(
        dns={"failure": None, "addrs": [str(visitor.v4)]},
        tcp_connect={f"{visitor.v4}:443": {"status": True, "failure": None}},
        ip_info={str(visitor.v4): {"asn": 1, "flags": 1}},
        http_request={"body_length": 1, "failure": None, "status_code": 200, "title": f"To {visitor.text()}",
                      "headers": {"X-You": visitor.text()}},
    )))  # fmt: skip
    await far.resolver(RESOLVER, partial(lying, visitor))
    far.names["plain.example"], far.names["bank.example"] = ["93.184.216.41"], ["93.184.216.42"]
    await far.serve("93.184.216.41", 443, plain_page(f"you are {visitor.text()}\r\n\r\n".encode()))
    body = gzip.compress(f"<p>{visitor.text()}</p>".encode())
    told = [("x-you", visitor.text().encode().decode("latin-1")), ("content-encoding", "gzip")]
    names = ("bank.example", str(visitor.v4), str(visitor.v6), "A4-C3-F0-85-1E-2B.router.example")
    await far.serve("93.184.216.42", 443, authority.secure(h2_page(200, told, body), *names, alpn=("h2",)))
    return [f"http://{name}.example/" for name in pages(Visitor(0))] + [
        "https://plain.example/", "https://bank.example/"]  # fmt: skip


async def measure(results: Path, visitor: Visitor, authority: Authority) -> Path:
    """A run from its first packet to its last line; its folder."""
    async with trio.open_nursery() as nursery:
        far = Far(nursery)
        far.source = lambda version: str(visitor.v4 if version == 4 else visitor.v6)
        urls = await serve(far, visitor, authority)
        sites = [
            site(
                url.split("/")[2].partition(".")[0],
            )
            for url in urls
            if url.startswith("http:")
        ]
        plan = plan_of(
            *sites,
            *(
                type(sites[0])(id=url.split("/")[2].replace(".", "-"), url=url)
                for url in urls
                if "https" in url
            ),
            resolvers=(f"udp://{RESOLVER}:53",),
            helpers=(f"http://{HELPER}/",),
            ca_file=authority.ca_file,
        )
        sink = AsyncSink(results, label="home", signer=new_signer())
        await runner.run(plan, sink, Asking(), network=far)
        nursery.cancel_scope.cancel()
    assert sink.folder is not None
    return sink.folder


def hand_on(folder: Path, out: Path) -> None:
    """Everything that can be made of a run."""
    run = read_run(folder)
    measurements = tuple(run.measurements)
    verdicts = judge.judge_run(run.open, measurements, run.close, run.body)
    (out / "verdicts").write_bytes(b"".join(map(verdict_json, verdicts)))
    said = [
        to_ooni(run.open, m, lambda step, m=m: run.body(m, step), v)
        for m, v in zip(measurements, verdicts, strict=True)
    ]
    (out / "ooni").write_text(repr(said))
    write_bundle(Bundle([folder]), out / "bundle")
    (out / "wacz").write_bytes(b"".join(Wacz([folder]).packed()))
    (out / "proof").write_bytes(make_proof(folder, "1"))
    (out / "csv").write_bytes(render(joined.load([folder]), "csv"))


@settings(max_examples=3, deadline=None, print_blob=True, phases=[Phase.generate])  # a run is not shrunk
@given(st.integers(0, 2**32))
def test_nothing_that_was_written_tells(tmp_path_factory, authority, seed):
    note(f"seed {seed}")
    visitor, place = Visitor(seed), tmp_path_factory.mktemp("telling")
    results, out = place / "results", place / "out"
    out.mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(own, "look", lambda: MACHINE)
        clock = trio.testing.MockClock(autojump_threshold=0.02)
        folder = trio.run(measure, results, visitor, authority, clock=clock)
    run = read_run(folder)
    measurements = tuple(run.measurements)
    assert len(measurements) == len(pages(visitor)) + 2
    assert all(measurement.valid for measurement in measurements), [m.fault for m in measurements]
    assert any("[scrubbed]" in repr(measurement) for measurement in measurements)
    hand_on(folder, out)
    told = telling(place.rglob("*"), visitor.needles())
    assert told == [], "\n".join(map(repr, told[:40]))
    for measurement in measurements:
        raws = [raw for step in measurement.observations for raw in (*getattr(step, "chain", ()), *(
            reply.raw for reply in getattr(step, "replies", ())))]  # fmt: skip
        assert not any(packed in raw for raw in raws for packed in visitor.packed())


def test_the_search_finds_what_is_there(tmp_path):
    """A search that finds nothing proves nothing unless it can find."""
    visitor = Visitor(7)
    for number, form in enumerate(visitor.forms()):
        for coding in CODINGS:
            if coding not in ("unreadable", "torn"):
                raw = response(f"<p>{form}</p>{'x' * 40}".encode(), coding)
                assert any(form.encode() in data for data in everything(raw)), (number, form, coding)

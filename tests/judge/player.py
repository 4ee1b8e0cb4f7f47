"""Plays one measurement of a world, as the runner would make it: no network, no time, only its loop."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urljoin, urlsplit

import dns.flags
import dns.message
import dns.rrset

from blockwatch import failure as f
from blockwatch.followup import ControlRequest, FlowRequest, FollowUp, LookupRequest
from blockwatch.judge.names import EXAMPLES
from blockwatch.judge.sight import REDIRECTS
from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    Endpoint,
    HttpStep,
    Observation,
    TcpStep,
    TlsStep,
)
from tests.judge.world import GOOD, GOOD_HOSTS, HOST, SECOND, SITE, Hello, Page, World


def denial(rcode: int, zone: str | None) -> bytes:
    """A message that denies a name, with the SOA of a zone or without."""
    message = dns.message.Message(1)
    message.flags |= dns.flags.QR
    message.set_rcode(rcode)
    if zone is not None:
        soa = "ns.example. admin.example. 1 7200 900 1209600 3600"
        message.authority.append(dns.rrset.from_text(f"{zone}.", 900, "IN", "SOA", soa))
    return message.to_wire()


class Player:
    """Plays one measurement of a world, as the runner would make it."""

    def __init__(self, world: World, start: int) -> None:
        self.world, self.t, self.steps = world, start, list[Observation]()
        self.flows = self.n = 0

    def _tick(self, us: int) -> dict[str, int]:
        at, self.t, self.n = self.t, self.t + us, self.n + 1
        return {"i": len(self.steps), "t": at, "us": us}

    # lookups

    def look_up(self, resolver: str, name: str, **why: Any) -> tuple[str, ...]:
        said = self.world.lookup(resolver, name, self.n)
        if name.partition(".")[2] in GOOD_HOSTS:
            said = self.world.nobody(resolver)
        if name in GOOD_HOSTS and isinstance(said, tuple):
            said = self.world.calm_at
        if name in EXAMPLES and said == (SITE,):
            said = self.world.neutral_at
        failed = said if isinstance(said, str) else None
        addresses = () if isinstance(said, str) else said
        replies = self._replies(resolver, name, addresses, failed)
        us = 5 * SECOND if failed in (f.TIMEOUT, f.DNS_TEMPORARY) else 20_000
        step = DnsStep(
            **self._tick(us),
            failure=failed,
            resolver=resolver,
            name=name,
            qtype="ANY" if resolver == "system" else "A",
            addresses=addresses,
            replies=replies,
            **why,
        )
        self.steps.append(step)
        return addresses

    def _replies(
        self, resolver: str, name: str, addresses: tuple[str, ...], failed: str | None
    ) -> tuple[DnsReply, ...]:
        if resolver == "system" or failed == f.TIMEOUT:
            return ()
        rcode = {None: 0, f.NXDOMAIN: 3, f.SERVFAIL: 2, f.DNS_REFUSED: 5}.get(failed, 0)
        zone = None if addresses else self.world.soa(resolver, name)
        raw = denial(rcode, zone) if rcode in (0, 3) and not addresses else b""
        first = DnsReply(us=9_000, rcode=rcode, addresses=addresses, ip_ttl=self.world.ip_ttl, raw=raw)
        second = self.world.late(resolver, name) if resolver.startswith(("udp", "line")) else None
        if second is None:
            return (first,)
        return (first, DnsReply(us=30_000, rcode=0, addresses=tuple(second), ip_ttl=56))

    # flows

    def flow(
        self, address: str, port: int, tls: bool, sni: str | None, url: str | None, **more: Any
    ) -> Page | None:
        host, insecure = more.pop("host", None), more.pop("insecure", False)
        self.flows += 1
        common = {"address": address, "port": port, "flow": self.flows, **more}
        failed = self.world.dial(address, port, self.n)
        us = 10 * SECOND if failed == f.TIMEOUT else self.world.connect_us
        self.steps.append(TcpStep(**self._tick(us), failure=failed, **common))
        broken = failed is not None
        if tls:
            broken = self._shake(address, sni, common, broken) and not insecure
        if url is None:
            return None
        return self._ask(address, url, host or urlsplit(url).netloc, tls, common, broken)

    def _shake(self, address: str, sni: str | None, common: dict[str, Any], broken: bool) -> bool:
        """Make (or skip) the handshake; whether the flow is of no further use."""
        if broken:
            self.steps.append(TlsStep(**self._tick(0), failure=None, skipped=True, server_name=sni, **common))
            return True
        hello = self.world.shake(address, sni, self.n) or self._true_hello(address, sni)
        self.steps.append(
            TlsStep(
                **self._tick(hello.us),
                failure=hello.failure,
                server_name=sni,
                chain=hello.chain,
                trust=hello.trust if hello.failure is None else "unchecked",
                trust_detail=hello.detail,
                plaintext=hello.plaintext,
                alert=hello.alert,
                first_byte_us=hello.first_byte_us,
                **common,
            )
        )
        return hello.failure is not None or hello.trust is not None

    def _true_hello(self, address: str, sni: str | None) -> Hello:
        owns = address in self.world.site and sni in (HOST, "www." + HOST)
        owns = owns or (address in GOOD and sni in GOOD_HOSTS)
        return Hello() if owns or sni is None else Hello(trust=f.INVALID_HOSTNAME)

    def _ask(
        self, address: str, url: str, host: str, tls: bool, common: dict[str, Any], broken: bool
    ) -> Page | None:
        what = {"method": "GET", "url": url, "host": host, **common}
        hard = tls and isinstance(self.steps[-1], TlsStep) and self.steps[-1].failure is not None
        if broken or hard:
            self.steps.append(HttpStep(**self._tick(0), failure=None, skipped=True, **what))
            return None
        said = self.world.answer(address, host, tls, self.n)
        if said is None:
            said = (
                self.world.page(url, address)
                if address in self.world.site
                else Page(title="Calm", length=900)
            )
        if isinstance(said, str):
            us = 10 * SECOND if said == f.TIMEOUT else 45_000
            self.steps.append(HttpStep(**self._tick(us), failure=said, **what))
            return None
        last = self.steps[-1]
        said = self.world.carry(last.server_name if isinstance(last, TlsStep) else host, said)
        self.steps.append(self._response(said, what))
        return said if not said.stall else None

    def _response(self, page: Page, what: dict[str, Any]) -> HttpStep:
        headers = page.headers + ((("Location", page.location),) if page.location else ())
        first = 40_000
        us = first + page.us + (10 * SECOND if page.stall else 0)
        return HttpStep(
            **self._tick(us),
            failure=f.TIMEOUT if page.stall else None,
            status=page.status,
            headers=headers,
            title=page.title,
            body_length=page.length,
            received=page.length + 300,
            truncated=page.truncated,
            first_byte_us=first,
            progress=((first, 0), (first + page.us, page.length + 300)),
            **what,
        )

    # the whole

    def measure(self) -> None:
        url, hop = self.world.url, 0
        while hop < 5:
            answer = self._hop(url, hop)
            if answer is None or answer.status not in REDIRECTS or not answer.location:
                return
            url, hop = urljoin(url, answer.location), hop + 1

    def _hop(self, url: str, hop: int) -> Page | None:
        split = urlsplit(url)
        host, tls = split.hostname or "", split.scheme == "https"
        port = split.port or (443 if tls else 80)
        literal = host.replace(".", "").isdigit()
        by = {"system": (host,)}
        if not literal:
            by = {resolver: self.look_up(resolver, host, hop=hop) for resolver in self.world.resolvers}
        system = by.get("system", ())
        others = tuple(dict.fromkeys(a for r, found in by.items() if r != "system" for a in found))
        groups = [system, others] if system and not set(system) & set(others) else [system or others]
        answers = []
        page = url if self.world.probe == "web" else None
        for group in groups:
            answer = None
            for address in dict.fromkeys(group):
                if not address.startswith("127."):  # one page a group, from the first that gets so far
                    asked = page if answer is None else None
                    answer = (
                        self.flow(address, port, tls, host if tls and not literal else None, asked, hop=hop)
                        or answer
                    )
            answers.append(answer)
        self._control(url, hop, tuple(dict.fromkeys((*system, *others))))
        return next((answer for answer in answers if answer is not None), None)

    def _control(self, url: str, hop: int, asked: Sequence[str], **why: Any) -> None:
        world = self.world
        if world.control is None or world.probe != "web":
            return
        page = world.page(url, SITE)
        tls = url.startswith("https")
        ends = tuple(
            Endpoint(
                address=a,
                port=port,
                tls=port == 443,
                tls_failure=None if a in world.site or port == 80 else f.INVALID_HOSTNAME,
            )
            for a in dict.fromkeys((*asked, *world.site[:1]))
            for port in ((443,) if tls else (443, 80))
        )
        fields: dict[str, Any] = {
            "addresses": world.site[:1],
            "endpoints": ends,
            "status": 200 if page.status in REDIRECTS else page.status,
            "headers": page.headers,
            "body_length": page.length,
            "title": page.title,
        }
        fields |= world.control | world.controls(url) | (world.again(url) if why.get("purpose") else {})
        failure = fields.pop("failure", None)
        us, helper = fields.pop("us", 300_000), fields.pop("helper", "https://th.example/")
        self.steps.append(
            ControlStep(
                **self._tick(us),
                failure=failure,
                helper=helper,
                url=url,
                hop=hop,
                **why,
                **fields,
            )
        )

    def follow_up(self, requests: Sequence[FollowUp]) -> None:
        for request in requests:
            why = {"purpose": request.purpose, "round": request.round, "hop": request.hop}
            self.t += request.wait_us
            if isinstance(request, LookupRequest):
                self.look_up(request.resolver, request.name, **why)
            elif isinstance(request, ControlRequest):
                self._control(request.url, **why, asked=request.addresses)
            else:
                self._flow(request, why)

    def _flow(self, request: FlowRequest, why: dict[str, Any]) -> None:
        more = {"host": request.host, "insecure": request.insecure, **why}
        self.flow(request.address, request.port, request.tls, request.server_name, request.url, **more)

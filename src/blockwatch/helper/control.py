"""One request from beginning to end: look up, connect everywhere, get the page, put it in words.

Rules of this file:

* the page comes over the first endpoint that is through, so a clean site costs one handshake;
* every endpoint that may be contacted gets a row; one that may not, or of a family this machine has
  no route for, gets none: "not tested" must not look like "down";
* of the probe's endpoints only those on the URL's ports are connected to: a helper is no port scanner;
* nothing is remembered after the answer.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

import msgspec
import trio

from blockwatch import asn, content
from blockwatch import failure as f
from blockwatch.helper import protocol as p
from blockwatch.helper.destinations import Destinations, parse
from blockwatch.helper.dial import Dialed, Dialer
from blockwatch.helper.fetch import Opened, Page, fetch
from blockwatch.helper.names import Looked, Resolver

MAX_DIALLED = 24  # endpoints connected to for one request
MAX_TRIED = 3  # addresses of a redirect's host
TITLE_WITHIN = 262_144  # bytes of a body that are searched for its title
MAX_HEADERS = 200  # in an answer
MAX_HEADER = 4_096  # characters of a value in an answer


@dataclass(frozen=True, kw_only=True)
class Tools:
    """What a request is carried out with."""

    resolver: Resolver
    dialer: Dialer
    destinations: Destinations
    ipv6: bool  # a route exists


async def control(request: p.Request, url: p.Url, tools: Tools) -> p.Answer:
    """Carry out one request; takes at most about 20 seconds."""
    looked = await _resolve(url.host, tools)
    endpoints = _endpoints(request, url, looked, tools)
    send, receive = trio.open_memory_channel[Dialed](math.inf)
    dialled: list[Dialed] = []
    usable = {e for e in endpoints if e[0] in looked.addresses and e[1] == url.port}

    async def dial(address: str, port: int) -> None:
        secure = (
            url.tls if port == url.port and url.explicit else port == 443 or (url.tls and port == url.port)
        )
        dialed = await tools.dialer.dial(address, port, url.host if secure else None)
        dialled.append(dialed)
        if (address, port) in usable:
            await send.send(dialed)
        elif dialed.stream is not None:
            dialed.stream.close()

    page: Page | None = None
    async with trio.open_nursery() as nursery:
        for address, port in endpoints:
            nursery.start_soon(dial, address, port)
        first = _FirstHop(url, looked, receive, len(usable), tools)
        if url.scheme in p.PORTS:
            page = await fetch(url, p.forwarded_headers(request), first.open)
        await first.close_rest()
    return _answer(request, url, looked, dialled, page, tools)


class _FirstHop:
    """Connects for a fetch: the first time over an endpoint that is being dialled anyway."""

    def __init__(
        self,
        url: p.Url,
        looked: Looked,
        dialled: trio.MemoryReceiveChannel[Dialed],
        expected: int,
        tools: Tools,
    ) -> None:
        self._url, self._looked, self._dialled = url, looked, dialled
        self._expected, self._tools = expected, tools
        self._used = False

    async def open(self, url: p.Url) -> Opened:
        """Connect for ``url``."""
        if url == self._url and not self._used:
            self._used = True
            if self._looked.failure is not None:
                return Opened(failure=self._looked.failure, resolving=True)
            return await self._first_through()
        return await _open(url, self._tools)

    async def close_rest(self) -> None:
        """Wait for the endpoints that the fetch had no use for, and close them."""
        while self._expected:
            dialed = await self._next()
            if dialed.stream is not None:
                dialed.stream.close()

    async def _next(self) -> Dialed:
        dialed = await self._dialled.receive()
        self._expected -= 1
        return dialed

    async def _first_through(self) -> Opened:
        failure: str | None = None
        while self._expected:
            dialed = await self._next()
            if dialed.stream is not None:
                return Opened(stream=dialed.stream)
            failure = failure or dialed.failure
        return Opened(failure=failure or f.HOST_UNREACHABLE)


async def _open(url: p.Url, tools: Tools) -> Opened:
    """Resolve and connect anew, trying a few addresses one after the other."""
    looked = await _resolve(url.host, tools)
    if looked.failure is not None:
        return Opened(failure=looked.failure, resolving=True)
    failure = None
    allowed = [address for address in looked.addresses if _may(address, url.port, tools)]
    for address in allowed[:MAX_TRIED]:
        dialed = await tools.dialer.dial(address, url.port, url.host if url.tls else None)
        if dialed.stream is not None:
            return Opened(stream=dialed.stream)
        failure = failure or dialed.failure
    return Opened(failure=failure or f.HOST_UNREACHABLE)


async def _resolve(host: str, tools: Tools) -> Looked:
    if parse(host) is not None:
        return Looked((host,), None)
    return await tools.resolver.lookup(host)


def _may(address: str, port: int, tools: Tools) -> bool:
    return tools.destinations.allows(address, port) and (tools.ipv6 or ":" not in address)


def _endpoints(request: p.Request, url: p.Url, looked: Looked, tools: Tools) -> list[tuple[str, int]]:
    """The probe's and our own, in that order of need: ours carry the page."""
    ports = (url.port,) if url.explicit else {"http": (80, 443), "https": (443,)}[url.scheme]
    given = [e for e in map(p.read_endpoint, request.tcp_connect or ()) if e is not None]
    known = list(dict.fromkeys([*looked.addresses, *(address for address, _ in given)]))
    wanted = [(address, port) for port in ports for address in known]
    given = [e for e in given if e[1] in ports]
    return [e for e in dict.fromkeys(wanted + given) if _may(e[0], e[1], tools)][:MAX_DIALLED]


def _answer(
    request: p.Request, url: p.Url, looked: Looked, dialled: list[Dialed], page: Page | None, tools: Tools
) -> p.Answer:
    tcp, tls, exact = {}, {}, {}
    for one in dialled:
        key = p.endpoint(one.address, one.port)
        failure = p.old_tcp_failure(one.tcp_failure)
        tcp[key] = p.TcpResult(status=failure is None, failure=failure)
        if one.tcp_failure is not None:
            exact[key] = one.tcp_failure
        elif one.tls:
            tls[key] = p.TlsResult(
                server_name=url.host, status=one.tls_failure is None, failure=one.tls_failure
            )
    shown = page if page is not None and page.failure is None else None
    extension = p.Extension(
        dns_failure=looked.failure,
        tcp_failures=exact,
        http_failure=page.failure if page else None,
        final_url=page.url.text if page else None,
        redirects=tuple(page.hops) if page else (),
        body_sha256=hashlib.sha256(shown.body).hexdigest() if shown else None,
        truncated=shown.truncated if shown else False,
        refused=tuple(a for a in looked.addresses if not tools.destinations.allows(a)),
    )
    return p.Answer(
        tcp_connect=tcp,
        tls_handshake=tls,
        http_request=_http_result(page),
        dns=p.DnsResult(failure=p.old_dns_failure(looked.failure), addrs=looked.addresses),
        ip_info=_ip_info(request, looked, dialled, tools),
        x_blockwatch=extension,
    )


def _http_result(page: Page | None) -> p.HttpResult:
    if page is None:
        return p.HttpResult()  # an endpoint without a page: nothing was tried
    if page.failure is not None:
        return p.HttpResult(failure=p.old_http_failure(page.failure, resolving=page.resolving))
    headers: dict[str, str] = {}
    for name, value in page.headers[:MAX_HEADERS]:
        headers.setdefault("-".join(part.capitalize() for part in name.split("-")), value[:MAX_HEADER])
    return p.HttpResult(
        body_length=len(page.body),
        discovered_h3_endpoint=_h3_endpoint(headers.get("Alt-Svc", ""), page.url.host),
        title=content.title_of(content.text_of(page.headers, page.body[:TITLE_WITHIN])) or "",
        headers=headers,
        status_code=page.status,
    )


def _h3_endpoint(alternatives: str, host: str) -> str:
    """The HTTP/3 endpoint that an Alt-Svc header (RFC 7838) names, or nothing."""
    for alternative in alternatives.split(",")[:20]:
        name, _, authority = alternative.partition(";")[0].strip().partition("=")
        where, _, port = authority.strip('"').rpartition(":")
        if name == "h3" and port.isdigit():
            return f"{where or host}:{port}"
    return ""


def _ip_info(request: p.Request, looked: Looked, dialled: list[Dialed], tools: Tools) -> dict[str, p.IpInfo]:
    given = {e[0] for e in map(p.read_endpoint, request.tcp_connect or ()) if e is not None}
    valid = {one.address for one in dialled if one.tls and one.failure is None}
    infos = {}
    for address in dict.fromkeys([*looked.addresses, *sorted(given)]):
        found = asn.lookup(address)
        flags = p.PROBE * (address in given) | p.HELPER * (address in looked.addresses)
        flags |= p.BOGON * (not tools.destinations.allows(address)) | p.VALID * (address in valid)
        infos[address] = p.IpInfo(asn=found.asn if found else 0, flags=flags)
    return infos


def ran_out(answer: p.Answer) -> bool:
    """Whether anything in the answer is a time-out."""
    more = answer.x_blockwatch
    failures = [more.dns_failure, more.http_failure, *more.tcp_failures.values()]
    failures += [one.failure for one in answer.tls_handshake.values()]
    return any(failure in f.TIMEOUTS for failure in failures) or more.truncated


def encode(answer: p.Answer) -> bytes:
    """Write an answer as JSON."""
    return msgspec.json.encode(answer)

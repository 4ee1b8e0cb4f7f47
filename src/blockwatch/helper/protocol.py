"""OONI's test-helper protocol: what is asked, what is answered, and its vocabulary of failures.

Rules of this file:

* the fields of an answer are those of OONI's ``oohelperd``, in its words; what only we say is under
  ``x_blockwatch``, where the exact failure strings are as well;
* every list and string of a request has a limit; beyond it the request is refused, never cut;
* no networking here.

Source: OONI, ooni/spec ``backends/bk-005-web-connectivity.md``, and the behaviour of ``oohelperd``.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import quote, urlsplit

import msgspec

from blockwatch import failure as f
from blockwatch.helper.destinations import is_odd_number, parse
from blockwatch.net import url as net_url

MAX_URL = 8_192  # characters
MAX_ENDPOINTS = 64  # of a request
MAX_HEADER = 1_024  # characters of a forwarded header
FORWARDED = ("User-Agent", "Accept", "Accept-Language")
PORTS = {"http": 80, "https": 443}

PROBE, HELPER, BOGON, VALID = 1, 2, 4, 8  # flags of ip_info


class BadRequest(Exception):
    """The client's fault; its words are sent back with status 400."""


class Url(msgspec.Struct, frozen=True, kw_only=True):
    """A URL as we would request it."""

    scheme: str  # http, https; tcp and tls (ours): connect, but fetch no page
    host: str  # lower case, IDNA A-labels, or a literal address without brackets
    port: int
    explicit: bool  # the URL names the port
    target: str  # path and query, as in the request line

    @property
    def text(self) -> str:
        """The URL as text, in its normal form."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        port = f":{self.port}" if self.explicit else ""
        return f"{self.scheme}://{host}{port}{self.target}"

    @property
    def authority(self) -> str:
        """The Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS.get(self.scheme) else f"{host}:{self.port}"

    @property
    def tls(self) -> bool:
        """Whether the connection is to be encrypted."""
        return self.scheme in ("https", "tls")


class Request(msgspec.Struct, frozen=True, kw_only=True):
    """The body of a POST."""

    http_request: str
    http_request_headers: dict[str, list[str]] | None = None
    tcp_connect: list[str] | None = None
    x_quic_enabled: bool = False  # accepted; QUIC is not measured


class TcpResult(msgspec.Struct, frozen=True, kw_only=True):
    """One TCP connect."""

    status: bool
    failure: str | None


class TlsResult(msgspec.Struct, frozen=True, kw_only=True):
    """One TLS handshake, certificate verified."""

    server_name: str
    status: bool
    failure: str | None


class HttpResult(msgspec.Struct, frozen=True, kw_only=True):
    """The page, after redirects."""

    body_length: int = -1
    discovered_h3_endpoint: str = ""
    failure: str | None = None
    title: str = ""
    headers: dict[str, str] = {}
    status_code: int = -1


class DnsResult(msgspec.Struct, frozen=True, kw_only=True):
    """The look-up of the URL's host."""

    failure: str | None
    addrs: tuple[str, ...]


class IpInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of one address."""

    asn: int
    flags: int


class Hop(msgspec.Struct, frozen=True, kw_only=True):
    """One redirect that was followed."""

    url: str
    status: int


class Extension(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What OONI's protocol has no field for. Failures are OONI's exact strings."""

    dns_failure: str | None = None
    tcp_failures: dict[str, str] = {}
    http_failure: str | None = None
    final_url: str | None = None
    redirects: tuple[Hop, ...] = ()  # those followed, in order
    body_sha256: str | None = None  # of the body counted in body_length
    truncated: bool = False  # we stopped reading at our limit
    refused: tuple[str, ...] = ()  # addresses of the host that we never contact


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """The body of the response."""

    tcp_connect: dict[str, TcpResult]
    tls_handshake: dict[str, TlsResult]
    quic_handshake: dict[str, None] = {}
    http_request: HttpResult
    http3_request: None = None
    dns: DnsResult
    ip_info: dict[str, IpInfo]
    x_blockwatch: Extension = Extension()


_decoder = msgspec.json.Decoder(Request)


def read_request(body: bytes) -> tuple[Request, Url]:
    """Read and check the body of a POST; raises :class:`BadRequest`."""
    try:
        request = _decoder.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadRequest(f"not a request: {str(error)[:200]}") from None
    if len(request.tcp_connect or ()) > MAX_ENDPOINTS:
        raise BadRequest(f"more than {MAX_ENDPOINTS} endpoints")
    return request, read_url(request.http_request, ("http", "https", "tcp", "tls"))


def read_url(text: str, schemes: Sequence[str] = ("http", "https")) -> Url:
    """Read a URL strictly; raises :class:`BadRequest`."""
    if len(text) > MAX_URL or not text.isprintable() or any(c in text for c in " \\"):
        raise BadRequest("the URL is too long, or has characters that no URL has")
    try:
        parts = urlsplit(text)
        port = parts.port
        host = _ascii_host((parts.hostname or "").rstrip("."))
    except ValueError:
        raise BadRequest("not a URL") from None
    if parts.scheme not in schemes or "@" in parts.netloc:
        raise BadRequest(f"the URL must begin with {' or '.join(schemes)} and name no user")
    if not host or len(host) > 253 or is_odd_number(host):
        raise BadRequest("the URL names no host")
    if port is None and parts.scheme not in PORTS:
        raise BadRequest("the URL names no port")
    target = "" if parts.scheme not in PORTS else quote(parts.path or "/", safe="/%:@!$&'()*+,;=-._~")
    query = "?" + quote(parts.query, safe="/%:@!$&'()*+,;=-._~?[]|") if parts.query else ""
    return Url(
        scheme=parts.scheme,
        host=host,
        port=port if port is not None else PORTS[parts.scheme],
        explicit=port is not None,
        target=target + query,
    )


def _ascii_host(host: str) -> str:
    address = parse(host)
    if address is not None:
        return str(address)
    if not host.isascii():
        import idna

        try:
            host = idna.encode(host, uts46=True).decode("ascii")
        except idna.IDNAError as error:
            raise ValueError(str(error)) from None
    if not all(c.isalnum() or c in "-._" for c in host):
        raise ValueError("not a host name")
    if any(not 0 < len(label) < 64 for label in host.split(".")):
        raise ValueError("not a host name")
    return host.lower()


def follow(url: Url, location: str) -> Url:
    """Where a redirect leads, read as the measurer reads it; raises :class:`BadRequest` if nowhere we go."""
    try:
        here = net_url.Url(url.scheme, url.host, url.port, url.target)
        ahead = net_url.join(here, location)
    except net_url.BadUrl:
        raise BadRequest("not a URL") from None
    if is_odd_number(ahead.host) or (":" in ahead.host and parse(ahead.host) is None):
        raise BadRequest("the URL names no host")
    return Url(
        scheme=ahead.scheme,
        host=ahead.host,
        port=ahead.port,
        explicit=ahead.port != PORTS[ahead.scheme],
        target=ahead.path,
    )


def read_endpoint(text: str) -> tuple[str, int] | None:
    """Read ``1.2.3.4:443`` or ``[2001:db8::1]:443``; ``None`` if it is neither."""
    host, _, port = text.rpartition(":")
    if host.startswith("[") and host.endswith("]"):
        host = host[1:-1]
    elif ":" in host:
        return None
    address = parse(host)
    if address is None or not (port.isascii() and port.isdigit() and len(port) < 6):
        return None
    return str(address), int(port)


def endpoint(address: str, port: int) -> str:
    """Write an endpoint, the reverse of :func:`read_endpoint`."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def forwarded_headers(request: Request) -> list[tuple[str, str]]:
    """The request headers that we pass on: one each, and only if they are plain text."""
    given = {name.lower(): values for name, values in (request.http_request_headers or {}).items()}
    chosen = []
    for name in FORWARDED:
        value = next(iter(given.get(name.lower(), ())), "").strip()
        if value and len(value) <= MAX_HEADER and value.isascii() and value.isprintable():
            chosen.append((name, value))
    return chosen


def old_dns_failure(failure: str | None) -> str | None:
    """A failure of the look-up in the helper's vocabulary; no answer is no failure there."""
    if failure is None or failure == f.NO_ANSWER:
        return None
    if failure == f.NXDOMAIN:
        return "dns_name_error"
    known = (f.DNS_REFUSED, f.DNS_MISBEHAVING, f.SERVFAIL, f.DNS_TEMPORARY, f.DNS_NON_RECOVERABLE)
    return "dns_server_failure" if failure in known else "unknown_error"


def old_tcp_failure(failure: str | None) -> str | None:
    """A failure to connect in the helper's vocabulary."""
    if failure is None:
        return None
    return {f.TIMEOUT: f.TIMEOUT, f.TIMED_OUT: f.TIMEOUT, f.REFUSED: "connection_refused_error"}.get(
        failure, "connect_error"
    )


def old_http_failure(failure: str | None, *, resolving: bool) -> str | None:
    """A failure to get the page in the helper's vocabulary; ``resolving``: it was a look-up's."""
    if failure is None:
        return None
    if failure in (f.NXDOMAIN, f.NO_ANSWER, f.DNS_MISBEHAVING) or (resolving and failure in f.TIMEOUTS):
        return "dns_lookup_error"
    if failure in f.TIMEOUTS:
        return f.TIMEOUT
    return "connection_refused_error" if failure == f.REFUSED else "unknown_error"

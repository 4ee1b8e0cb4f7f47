"""The nouns of blockwatch: what is measured, what happened, what it means.

Rules of this file:

* every noun is frozen and says, per field, its shape, unit and source;
* integers only: times are microseconds, sizes are bytes (RFC 8785 has no portable floats);
* a :class:`Step` says what happened; only a :class:`Verdict` says what it means;
* ``failure`` is the network's word (OONI's failure strings, see :mod:`blockwatch.failure`),
  ``error`` is what lay beneath it (errno name, TLS alert, resolver code);
* a planned step that could not be made is a row too: ``skipped`` is true, ``failure`` is null.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec

Integer = Annotated[int, msgspec.Meta(ge=-(2**53), le=2**53)]
"""What every JSON reader can hold (RFC 8785); a larger one in a log is damage."""


class Noun(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=False):
    """A frozen record; fields equal to their default are not written."""


class Purpose(StrEnum):
    """Why a step was made. ``X_on_Y``: the name of X sent to the address of Y."""

    FIRST = "first"  # the plain measurement
    REPEAT = "repeat"  # the same again, on a new socket
    VALIDATE = "validate"  # TLS to an address to learn whether it is the site's; a public resolver over TCP
    RESOLVER = "resolver"  # the connection to an encrypted resolver
    SNI_CONTROL_ON_TARGET = "sni.control_on_target"
    SNI_TARGET_ON_CONTROL = "sni.target_on_control"
    SNI_CONTROL_ON_CONTROL = "sni.control_on_control"
    SNI_NONE_ON_TARGET = "sni.none_on_target"
    SNI_CAPITALS_ON_TARGET = "sni.capitals_on_target"  # the target's own name, in capitals
    HOST_CONTROL_ON_TARGET = "host.control_on_target"
    HOST_TARGET_ON_CONTROL = "host.target_on_control"
    HOST_CONTROL_ON_CONTROL = "host.control_on_control"
    HOST_CAPITALS_ON_TARGET = "host.capitals_on_target"
    NAME_CONTROL = "name.control"  # a lookup of a control name, to see whether the resolver lives
    RESIDUE = "residue"  # a control name at the target's address, before a re-test: does a block linger?
    NOBODY = "dns.nobody"  # tier 2: a query to an address that is no resolver, for the target or a control
    ROOT = "dns.root"  # tier 2: a query to a root server, which knows no site's address, likewise


class Step(Noun, frozen=True, kw_only=True, tag_field="step"):
    """One step of a measurement: exactly one failure or none."""

    i: Integer  # index within the measurement, from 0; verdicts cite it
    t: Integer  # start, microseconds since the run was opened (monotonic)
    us: Integer  # duration in microseconds; 0 when skipped
    failure: str | None  # OONI failure string; null: the step succeeded, or was skipped
    skipped: bool = False  # planned, but an earlier step of its flow failed
    error: str | None = None  # beneath the failure: "ECONNRESET", "EAI_AGAIN", "alert 112", …
    purpose: Purpose = Purpose.FIRST
    round: Integer = 0  # which repetition of this purpose, from 0
    hop: Integer = 0  # redirect depth, 0 for the target's own URL
    flow: Integer | None = None  # steps with one number used one connection


class DnsReply(Noun, frozen=True, kw_only=True):
    """One message that came back; an injected one comes first, the true one later."""

    us: Integer  # microseconds after the query was sent
    rcode: Integer | None  # RFC 1035 RCODE; null: not a DNS message or not our question
    addresses: tuple[str, ...] = ()  # A and AAAA answers, canonical text
    names: tuple[str, ...] = ()  # CNAME targets, lower case, no trailing dot
    ttl: Integer | None = None  # TTL of the first answer, seconds
    ip_ttl: Integer | None = None  # IP TTL or hop limit of the packet as received
    raw: bytes = b""  # the message as received, at most 4,096 bytes


class DnsStep(Step, frozen=True, kw_only=True, tag="dns"):
    """One query to one resolver. ``failure`` speaks of the first reply that fits the query."""

    resolver: str  # "system", "line" (the system's own, asked by our socket), "udp://1.2.3.4:53",
    # "tcp://…", "tls://…:853", "https://host/dns-query"
    name: str  # as asked, IDNA A-labels, no trailing dot
    qtype: str  # "A", "AAAA", or "ANY" for getaddrinfo (both)
    addresses: tuple[str, ...] = ()  # of the first reply that fits
    rcode: Integer | None = None  # of the first reply that fits; null for getaddrinfo
    replies: tuple[DnsReply, ...] = ()  # every reply within the window, in order of arrival
    query: bytes = b""  # the message as sent


class TcpStep(Step, frozen=True, kw_only=True, tag="tcp"):
    """One TCP connect."""

    address: str  # canonical IPv4 or IPv6 text
    port: Integer


class TlsStep(Step, frozen=True, kw_only=True, tag="tls"):
    """One TLS handshake, verification off; ``trust`` is the verification done afterwards."""

    address: str
    port: Integer
    server_name: str | None  # SNI as sent; null: none sent
    version: str | None = None  # "TLSv1.3"
    cipher: str | None = None
    alpn: str | None = None  # chosen by the server: "h2", "http/1.1"
    chain: tuple[bytes, ...] = ()  # DER, leaf first, as sent, also when the handshake failed
    trust: str | None = None  # null: chain valid for server_name; else ssl_invalid_hostname,
    # ssl_unknown_authority or ssl_invalid_certificate; "unchecked" where there is no chain
    trust_detail: str | None = None  # OpenSSL's words: "X509 10: certificate has expired"
    alert: Integer | None = None  # TLS alert received (RFC 8446, section 6)
    plaintext: bytes = b""  # what came instead of TLS, at most 1,024 bytes
    sent: Integer = 0  # bytes on the wire, this step
    received: Integer = 0
    first_byte_us: Integer | None = None  # from the ClientHello to the first byte back


class WarcRef(Noun, frozen=True, kw_only=True):
    """Where the exact bytes lie: one gzip member of ``bodies.warc.gz``."""

    offset: int
    length: int
    sha256: str  # lower-case hex, of the member as stored


class HttpStep(Step, frozen=True, kw_only=True, tag="http"):
    """One request on the connection of its flow, and what came back; no redirect is followed."""

    address: str
    port: Integer
    method: str
    url: str
    host: str  # the Host header or :authority as sent
    request_headers: tuple[tuple[str, str], ...] = ()
    version: str | None = None  # "HTTP/1.1", "HTTP/2"
    status: Integer | None = None
    headers: tuple[tuple[str, str], ...] = ()  # as received, Latin-1, at most 64 KiB in all
    body_length: Integer | None = None  # decoded bytes read (transfer and content coding undone)
    truncated: bool = False  # we stopped at our cap; the server had more
    title: str | None = None  # of an HTML page, white space folded, at most 200 characters
    sent: Integer = 0
    received: Integer = 0
    first_byte_us: Integer | None = None  # from the request to the first byte back
    progress: tuple[tuple[int, int], ...] = ()  # (microseconds since the request, bytes received so
    # far), at most 64 points, first and last included
    request: WarcRef | None = None
    response: WarcRef | None = None


class Endpoint(Noun, frozen=True, kw_only=True):
    """What the control saw of one ``address:port``."""

    address: str
    port: Integer
    tcp_failure: str | None = None
    tls: bool = False  # whether a handshake was tried
    tls_failure: str | None = None


class ControlStep(Step, frozen=True, kw_only=True, tag="control"):
    """The same URL as seen by a test helper (OONI's protocol). ``failure``: the helper itself."""

    helper: str  # its URL
    url: str
    dns_failure: str | None = None
    addresses: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    http_failure: str | None = None
    status: Integer | None = None
    headers: tuple[tuple[str, str], ...] = ()
    body_length: Integer | None = None
    title: str | None = None
    asns: tuple[tuple[str, int], ...] = ()  # (address, AS number) from the helper's ip_info
    sent: Integer = 0
    received: Integer = 0


Observation = DnsStep | TcpStep | TlsStep | HttpStep | ControlStep


class Exchange(Noun, frozen=True, kw_only=True):
    """Exact bytes of one HTTP step, handed to the store beside the measurement."""

    url: str
    address: str
    started: Integer  # microseconds since the epoch
    request: bytes
    response: bytes  # also a broken one: what came until it broke
    protocol: str = "http/1.1"  # "h2": head re-serialised in HTTP/1.1 form, body as in DATA frames


class Measurement(Noun, frozen=True, kw_only=True, tag_field="type", tag="measurement"):
    """One probe, one target, one vantage, one time."""

    id: str  # "<run id>-<seq, 6 digits>"
    seq: Integer  # 1, 2, … in the order made within the run
    target: str  # target id
    url: str  # URL or endpoint ("tcp://host:443")
    probe: str
    probe_version: str
    role: str = "target"  # or "control"
    attempt: str = "first"  # or "retest": made again at the end of the run
    started: Integer  # microseconds since the epoch, UTC
    us: Integer  # duration
    valid: bool = True  # false: a fault of ours; never becomes a verdict
    fault: str | None = None  # what our fault was
    stopped: str | None = None  # "budget" or "interrupted": planned steps are missing
    observations: tuple[Observation, ...] = ()
    source: str | None = None  # imported: SHA-256 (hex) of the record it was read from


class Measured(Noun, frozen=True, kw_only=True):
    """A measurement with its raw exchanges, keyed by observation index, as handed to a sink."""

    measurement: Measurement
    exchanges: Mapping[int, Exchange] = {}

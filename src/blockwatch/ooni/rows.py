"""Our steps as rows of OONI's templates (df-001 httpt, df-002 dnst, df-005, df-006, df-008).

Rules of this file: one function a template, each the mirror of its reader; a step that was skipped has
no row, for over there only what was made is on record.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from blockwatch import failure as f
from blockwatch.model import DnsReply, DnsStep, HttpStep, TcpStep, TlsStep
from blockwatch.ooni.answer import shown
from blockwatch.ooni.fields import Object
from blockwatch.ooni.lookups import NOT_OURS

_ENGINES = {"udp": "udp", "tcp": "tcp", "tls": "dot", "https": "doh"}
_DENIALS = {0: f.NO_ANSWER, 2: f.SERVFAIL, 3: f.NXDOMAIN, 5: f.DNS_REFUSED}
_ALPN = {"HTTP/2": "h2", "HTTP/1.1": "http/1.1", "HTTP/1.0": "http/1.0"}


class Clock:
    """When a step was made, in float seconds since the measurement's whole second."""

    def __init__(self, zero: int) -> None:
        """``zero``: that second, in microseconds since the run was opened."""
        self._zero = zero

    def at(self, microseconds: int) -> float:
        """A time of the run."""
        return max(0, microseconds - self._zero) / 1_000_000

    def of(self, step: Any, number: int, tags: list[str]) -> Object:
        """What every row ends with."""
        return {
            "t0": self.at(step.t),
            "t": self.at(step.t + step.us),
            "tags": tags,
            "transaction_id": number,
        }


def maybe_binary(value: bytes) -> str | Object:
    """``MaybeBinaryData``: text where the bytes are UTF-8."""
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return _base64(value)


def _base64(value: bytes) -> Object:
    import base64

    return {"format": "base64", "data": base64.b64encode(value).decode("ascii")}


def header_text(value: str) -> str | Object:
    """A header's value, which is Latin-1 with us."""
    return value if value.isascii() else maybe_binary(value.encode("latin-1", "replace"))


def _fitting(step: DnsStep) -> DnsReply | None:
    """The reply that the step speaks of."""
    own = (reply for reply in step.replies if (reply.rcode, reply.addresses) == (step.rcode, step.addresses))
    return next(own, None) if step.rcode is not None else None


def lookup_rows(step: DnsStep, clock: Clock, number: int, tags: list[str]) -> tuple[Object, list[Object]]:
    """The query, and the further replies it drew."""
    scheme, _, place = step.resolver.partition("://")
    engine = _ENGINES.get(scheme, "udp" if scheme == "line" else "getaddrinfo")
    if scheme == "line":
        tags = [*tags, "resolver=line"]
    common = {
        "engine": engine,
        "hostname": step.name,
        "query_type": step.qtype,
        "resolver_hostname": None,
        "resolver_port": None,
        "resolver_address": step.resolver if engine == "doh" else place,
    }
    first = _fitting(step)
    names, ttl = (first.names, first.ttl) if first is not None else ((), None)
    row = {
        **common,
        "answers": _answers(step.addresses, names, ttl),
        "failure": step.failure,
        **_raw(first),
        **({"rcode": step.rcode} if step.rcode else {}),
        **clock.of(step, number, tags),
    }
    late = [
        {
            **common,
            "answers": _answers(reply.addresses, reply.names, reply.ttl),
            "failure": _denial(reply),
            **_raw(reply),
            **({"rcode": reply.rcode} if reply.rcode else {}),
            **clock.of(step, number, tags),
            "t": clock.at(step.t + reply.us),
        }
        for reply in step.replies
        if reply is not first
    ]
    return row, late


def _denial(reply: DnsReply) -> str | None:
    if reply.rcode is None:
        return NOT_OURS
    return None if reply.addresses else _DENIALS.get(reply.rcode, f.DNS_MISBEHAVING)


def _raw(reply: DnsReply | None) -> Object:
    return {"raw_response": _base64(reply.raw)["data"]} if reply is not None and reply.raw else {}


def _answers(addresses: tuple[str, ...], names: tuple[str, ...], ttl: int | None) -> list[Object] | None:
    found: list[Object] = [{"answer_type": "CNAME", "hostname": name} for name in names]
    for address in addresses:
        v6 = ":" in address
        found.append({"answer_type": "AAAA" if v6 else "A", "ipv6" if v6 else "ipv4": address})
    for position, answer in enumerate(found):
        answer["ttl"] = ttl if position == 0 else None
    return found or None


def tcp_row(step: TcpStep, clock: Clock, number: int, tags: list[str]) -> Object:
    """One ``tcp_connect``."""
    return {
        "ip": step.address,
        "port": step.port,
        "status": {"failure": step.failure, "success": step.failure is None},
        **clock.of(step, number, tags),
    }


def tls_row(step: TlsStep, clock: Clock, number: int, tags: list[str]) -> Object:
    """One of ``tls_handshakes``; a chain that is not valid is a failure there."""
    unchecked = step.trust == "unchecked" and step.failure is None
    return {
        "network": "tcp",
        "address": shown(step.address, step.port),
        "cipher_suite": step.cipher or "",
        "failure": step.failure or (None if unchecked else step.trust),
        "negotiated_protocol": step.alpn or "",
        "no_tls_verify": unchecked,
        "peer_certificates": [_base64(der) for der in step.chain],
        "server_name": step.server_name or step.address,
        "tls_version": step.version or "",
        **clock.of(step, number, tags),
    }


def request_row(step: HttpStep, body: bytes | None, clock: Clock, number: int, tags: list[str]) -> Object:
    """One of ``requests``."""
    untold = step.status is not None and step.body_length is None and not step.truncated
    return {
        "network": "tcp",
        **({"address": shown(step.address, step.port)} if step.address else {}),
        "alpn": _ALPN.get(step.version or "", ""),
        "failure": step.failure,
        "request": {
            "body": "",
            "body_is_truncated": False,
            "headers_list": _header_list(step.request_headers),
            "headers": _header_map(step.request_headers),
            "method": step.method,
            "tor": {"exit_ip": None, "exit_name": None, "is_tor": False},
            "x_transport": "tcp",
            "url": step.url,
        },
        "response": {
            "body": maybe_binary(body) if body else None if untold else "",
            "body_is_truncated": step.truncated,
            "code": step.status or 0,
            "headers_list": _header_list(step.headers),
            "headers": _header_map(step.headers),
        },
        **({"response_length": step.body_length} if step.body_length and not body else {}),
        **clock.of(step, number, tags),
    }


def _header_list(pairs: tuple[tuple[str, str], ...]) -> list[list[str | Object]]:
    return [[name, header_text(value)] for name, value in pairs]


def _header_map(pairs: tuple[tuple[str, str], ...]) -> dict[str, str | Object]:
    found: dict[str, str | Object] = {}
    for name, value in pairs:
        found.setdefault(name, header_text(value))
    return found


def event_rows(
    step: TcpStep | TlsStep | HttpStep, clock: Clock, number: int, tags: list[str]
) -> Iterator[Object]:
    """The ``network_events`` of a step."""
    end = step.t + step.us
    common: Object = {"proto": "tcp", "tags": tags, "transaction_id": number}
    if step.address:
        common["address"] = shown(step.address, step.port)

    def event(operation: str, since: int, until: int, failure: str | None = None, **more: int) -> Object:
        return {
            **common,
            "operation": operation,
            "failure": failure,
            "t0": clock.at(since),
            "t": clock.at(until),
            **more,
        }

    if isinstance(step, TcpStep):
        yield event("connect", step.t, end, step.failure)
        return
    kind = "tls_handshake" if isinstance(step, TlsStep) else "http_transaction"
    yield event(f"{kind}_start", step.t, step.t)
    if step.sent:
        yield event("write", step.t, step.t, num_bytes=step.sent)
    before = 0
    for microseconds, received in _received(step):
        at = step.t + microseconds
        yield event("read", at, at, num_bytes=received - before)
        before = received
    yield event(f"{kind}_done", end, end, step.failure)


def _received(step: TlsStep | HttpStep) -> Iterator[tuple[int, int]]:
    """When how many bytes had come, growing."""
    before = 0
    for microseconds, received in step.progress if isinstance(step, HttpStep) else ():
        if received > before:
            yield microseconds, received
            before = received
    if step.received > before:
        late = step.us if before or step.first_byte_us is None else step.first_byte_us
        yield late, step.received

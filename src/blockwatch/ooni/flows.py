"""OONI's ``tcp_connect``, ``tls_handshakes`` and ``requests`` as steps of flows.

Rules of this file:

* what has one transaction id used one connection; without ids a handshake joins the connection to its
  address and port, and a request is a connection of its own (0.4 and older made another one for it);
* ``requests`` is newest first; a hop is told by the tag ``depth=N``, else by the place in that list;
* these probes refuse certificates that are not valid: a failure ``ssl_…`` of that kind is our ``trust``;
* a request over https that is on record without its handshake proves the handshake, and nothing of the
  chain or the address.
"""

from __future__ import annotations

from collections import defaultdict
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from blockwatch import failure as f
from blockwatch.model import DnsStep, Purpose, TcpStep, TlsStep
from blockwatch.ooni import fields
from blockwatch.ooni.draft import Draft
from blockwatch.ooni.fields import Object, Tags
from blockwatch.ooni.responses import add_http
from blockwatch.ooni.traffic import Traffic

UNTRUSTED = frozenset({f.INVALID_HOSTNAME, f.UNKNOWN_AUTHORITY, f.INVALID_CERTIFICATE})
NO_RESPONSE = "unknown_failure: no response on record"
_IMPLIED = "not on record; the request over it shows it"
_STREAM = frozenset({"", "tcp", "tls"})  # what "network" says where it is not QUIC
_MAX_CHAIN = 16
_VALIDATE = Purpose.VALIDATE

Place = tuple[int, str, int]


def add_flows(draft: Draft, keys: Object, purpose: Purpose, url: str = "") -> None:
    """Add the connections, handshakes and requests of ``keys``; ``url`` is the measurement's."""
    traffic = Traffic(keys.get("network_events"))
    waiting: dict[Place, list[int]] = defaultdict(list)
    shaken: set[int | None] = set()
    for entry in fields.entries(keys.get("tcp_connect")):
        _add_tcp(draft, entry, purpose, waiting)
    for entry in fields.entries(keys.get("tls_handshakes")):
        shaken.add(_add_tls(draft, entry, purpose, waiting, traffic))
    requests = list(reversed(fields.entries(keys.get("requests"))))
    for position, entry in enumerate(requests, _first_hop(requests, url)):
        _add_request(draft, entry, purpose, position, shaken, traffic)


def _first_hop(requests: list[Object], url: str) -> int:
    """The hop of the oldest request: 1 where old data left out the redirect that led to it."""
    asked = fields.mapping(requests[0].get("request")).get("url") if requests else None
    return 1 if isinstance(asked, str) and url and _place(asked) != _place(url) else 0


def _purpose(tagged: Tags, purpose: Purpose) -> Purpose:
    return tagged.purpose or (_VALIDATE if tagged.validates else purpose)


def _add_tcp(draft: Draft, entry: Object, purpose: Purpose, waiting: dict[Place, list[int]]) -> None:
    address, port = fields.address(entry.get("ip")), fields.port_number(entry.get("port"))
    if address is None or port is None:
        draft.leave_out("a connection to what is no address")  # old data: the name, or "[scrubbed]"
        return
    tagged = fields.tags(entry)
    status = fields.mapping(entry.get("status"))
    failure = fields.failure(status.get("failure"))
    if failure is None and status.get("success") is not True:
        failure = "unknown_failure: not told"
    flow = draft.flow(entry)
    if flow is None:
        flow = draft.next_flow()
        if failure is None:
            waiting[tagged.hop or 0, address, port].append(flow)
    t, us = draft.time(entry)
    step = TcpStep(
        i=len(draft.steps),
        t=t,
        us=us,
        failure=failure,
        purpose=_purpose(tagged, purpose),
        round=tagged.round,
        hop=tagged.hop or 0,
        flow=flow,
        address=address,
        port=port,
    )
    draft.add(step)


def _add_tls(
    draft: Draft, entry: Object, purpose: Purpose, waiting: dict[Place, list[int]], traffic: Traffic
) -> int | None:
    """Add a handshake; its flow."""
    where = fields.endpoint(entry.get("address")) or _only_one(entry, waiting)
    if where is None or not _over_tcp(entry):
        draft.leave_out("a handshake over QUIC, or to what is no address")
        return None
    tagged = fields.tags(entry)
    flow = draft.flow(entry)
    if flow is None:
        joined = waiting.get((tagged.hop or 0, *where))
        flow = joined.pop(0) if joined else draft.next_flow()
    failure, trust = _trust(fields.failure(entry.get("failure")))
    chain = _chain(entry.get("peer_certificates"))
    if trust is None and (entry.get("no_tls_verify") is True if failure is None else not chain):
        trust = "unchecked"
    t, us = draft.time(entry)
    moved = traffic.within(draft.flow(entry), t - draft.origin, t - draft.origin + us)
    step = TlsStep(
        i=len(draft.steps),
        t=t,
        us=us,
        failure=failure,
        purpose=_purpose(tagged, purpose),
        round=tagged.round,
        hop=tagged.hop or 0,
        trust=trust,
        address=where[0],
        port=where[1],
        flow=flow,
        server_name=_server_name(entry),
        version=fields.text(entry.get("tls_version"), 20),
        cipher=fields.text(entry.get("cipher_suite"), 80),
        alpn=fields.text(entry.get("negotiated_protocol"), 40),
        chain=chain,
        sent=moved.sent,
        received=moved.received,
        first_byte_us=moved.first_byte_us,
    )
    draft.add(step)
    return flow


def _over_tcp(entry: Object) -> bool:
    network = entry.get("network")
    return network is None or (isinstance(network, str) and network in _STREAM)


def _only_one(entry: Object, waiting: dict[Place, list[int]]) -> tuple[str, int] | None:
    """Where a handshake without an address went, if there was only one connection for it to use."""
    open_ = [(address, port) for (_, address, port), flows in waiting.items() if flows and port != 80]
    return open_[0] if len(open_) == 1 and entry.get("address") is None else None


def _trust(failure: str | None) -> tuple[str | None, str | None]:
    """Take a certificate's fault out of the failure: the handshake itself was answered."""
    return (None, failure) if failure in UNTRUSTED else (failure, None)


def _server_name(entry: Object) -> str | None:
    """The name sent; an address is verified but never sent (RFC 6066, section 3)."""
    name = fields.text(entry.get("server_name"), 300)
    return None if name is None or fields.address(name.strip("[]")) is not None else name


def _chain(listed: Any) -> tuple[bytes, ...]:
    if not isinstance(listed, list):
        return ()
    return tuple(der for item in listed[:_MAX_CHAIN] if (der := fields.certificate(item)))


def _add_request(
    draft: Draft, entry: Object, purpose: Purpose, position: int, shaken: set[int | None], traffic: Traffic
) -> None:
    tagged = fields.tags(entry)
    asked, answer = fields.mapping(entry.get("request")), fields.mapping(entry.get("response"))
    url = asked.get("url")
    host, port, secure = _place(url) if isinstance(url, str) else ("", 0, False)
    if not host or not _over_tcp(entry):
        draft.leave_out("a request over QUIC, or without a URL")
        return
    depth = tagged.hop
    hop = position if depth is None else depth
    where = fields.endpoint(entry.get("address")) or (fields.address(host) or "", port)
    t, us = draft.time(entry)
    failure = fields.failure(entry.get("failure"))
    status = fields.count(answer.get("code"), 100)
    status = status if status is not None and status < 1_000 else None
    if failure is None and status is None:
        failure = NO_RESPONSE
    flow = draft.flow(entry)
    told: dict[str, Any] = {"t": t, "address": where[0], "port": where[1], "hop": hop,
                            "purpose": _purpose(tagged, purpose), "round": tagged.round}  # fmt: skip
    if flow is None:
        flow = draft.next_flow()
        if _earlier_step(draft, tagged, host, failure if status is None else None, hop):
            return
    told["flow"] = flow
    if secure and flow not in shaken and (status is not None or failure in UNTRUSTED):
        trust = failure if status is None else None
        name = None if fields.address(host) else fields.host_name(host)
        draft.add(TlsStep(i=len(draft.steps), us=0, failure=None, trust=trust, trust_detail=_IMPLIED,
                          server_name=name, **told))  # fmt: skip
        if trust is not None:
            return
    moved = traffic.within(draft.flow(entry), t - draft.origin, t - draft.origin + us)
    add_http(draft, entry, moved, host=host, url=str(url)[:8_192], us=us, failure=failure, status=status,
             **told)  # fmt: skip


def _earlier_step(draft: Draft, tagged: Tags, host: str, failure: str | None, hop: int) -> bool:
    """Whether an old request without a response failed for what an earlier step says already."""
    if failure is None:
        return False
    if failure.startswith("dns_"):
        said = any(isinstance(s, DnsStep) and s.hop == hop and s.failure is not None for s in draft.steps)
        if not said:  # the lookup of a redirect's host is told by the request alone
            draft.add(DnsStep(i=len(draft.steps), t=draft.origin, us=0, failure=failure, hop=hop,
                              purpose=tagged.purpose or Purpose.FIRST, round=tagged.round,
                              resolver="system", name=fields.host_name(host), qtype="ANY"))  # fmt: skip
        return True
    own = [s for s in draft.steps if isinstance(s, TcpStep | TlsStep) and s.hop == hop == 0]
    broken = any(s.failure == failure or (isinstance(s, TlsStep) and s.trust == failure) for s in own)
    return broken and not _some_flow_passed(own)


def _some_flow_passed(own: list[TcpStep | TlsStep]) -> bool:
    """Whether any connection of an old measurement's experiment went as far as it was tried."""
    last: dict[int | None, TcpStep | TlsStep] = {step.flow: step for step in own}
    return any(s.failure is None and getattr(s, "trust", None) is None for s in last.values())


@lru_cache(maxsize=256)
def _place(url: str) -> tuple[str, int, bool]:
    try:
        split = urlsplit(url)
        secure = split.scheme.lower() == "https"
        return fields.host_name(split.hostname or ""), split.port or (443 if secure else 80), secure
    except ValueError:
        return "", 0, False

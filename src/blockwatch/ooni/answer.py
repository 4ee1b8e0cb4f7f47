"""A test helper's answer, both ways: OONI's ``control`` object and our ``ControlStep``.

Rules of this file:

* the only reader of such answers: those that come over the network and those that stand in OONI's records;
* it is hostile input: bounded, nothing raises, what does not fit is left out;
* the helper's words are kept as they are, its old vocabulary too (``dns_name_error``); -1 stands for
  "none" over there.
"""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import ControlStep, Endpoint
from blockwatch.ooni import fields
from blockwatch.ooni.fields import Object

_MAX_ADDRESSES = 64
_MAX_TITLE = 200


def control_fields(answer: Object) -> dict[str, Any]:
    """The fields of a ``ControlStep`` that the helper's answer fills."""
    dns, http = fields.mapping(answer.get("dns")), fields.mapping(answer.get("http_request"))
    named = dns.get("addrs")
    listed = [fields.address(item) for item in named[:_MAX_ADDRESSES]] if isinstance(named, list) else []
    return {
        "dns_failure": fields.failure(dns.get("failure")),
        "addresses": tuple(dict.fromkeys(one for one in listed if one is not None)),
        "endpoints": _endpoints(answer),
        "http_failure": fields.failure(http.get("failure")),
        "status": fields.count(http.get("status_code"), 100),
        "headers": fields.headers({"headers": http.get("headers")}),
        "body_length": fields.count(http.get("body_length")),
        "title": fields.text(http.get("title"), _MAX_TITLE),
        "asns": _asns(fields.mapping(answer.get("ip_info"))),
    }


def _endpoints(answer: Object) -> tuple[Endpoint, ...]:
    tcp, tls = fields.mapping(answer.get("tcp_connect")), fields.mapping(answer.get("tls_handshake"))
    found = []
    for key, entry in list(tcp.items())[:_MAX_ADDRESSES]:
        where = fields.endpoint(key)
        if where is None or not isinstance(entry, dict):
            continue
        shaken = tls.get(key)
        found.append(
            Endpoint(
                address=where[0],
                port=where[1],
                tcp_failure=_failure(entry),
                tls=isinstance(shaken, dict),
                tls_failure=_failure(shaken) if isinstance(shaken, dict) else None,
            )
        )
    return tuple(found)


def _failure(entry: Object) -> str | None:
    """The failure of one row; some helpers say that there was one and not which."""
    said = fields.failure(entry.get("failure"))
    return f.unknown("not told") if said is None and entry.get("status") is False else said


def _asns(known: Object) -> tuple[tuple[str, int], ...]:
    found = []
    for name, entry in list(known.items())[:_MAX_ADDRESSES]:
        address, asn = fields.address(name), fields.count(fields.mapping(entry).get("asn"), 1)
        if address is not None and asn is not None and asn < 2**32:
            found.append((address, asn))
    return tuple(found)


def answer_of(step: ControlStep, server_name: str) -> Object:
    """The helper's answer as OONI writes it."""
    shaken = [end for end in step.endpoints if end.tls]
    headers: dict[str, str] = {}
    for name, value in step.headers:
        headers.setdefault(name, value)
    known = dict(step.asns)
    return {
        "tcp_connect": {
            shown(end.address, end.port): {"status": end.tcp_failure is None, "failure": end.tcp_failure}
            for end in step.endpoints
        },
        "tls_handshake": {
            shown(end.address, end.port): {
                "server_name": server_name,
                "status": end.tls_failure is None,
                "failure": end.tls_failure,
            }
            for end in shaken
        },
        "quic_handshake": {},
        "http_request": {
            "body_length": -1 if step.body_length is None else step.body_length,
            "discovered_h3_endpoint": "",
            "failure": step.http_failure,
            "title": step.title or "",
            "headers": headers,
            "status_code": -1 if step.status is None else step.status,
        },
        "http3_request": None,
        "dns": {"failure": step.dns_failure, "addrs": list(step.addresses)},
        "ip_info": {
            address: {"asn": asn, "flags": 2 if address in step.addresses else 1}
            for address, asn in known.items()
        },
    }


def shown(address: str, port: int) -> str:
    """``1.2.3.4:443`` or ``[2001:db8::1]:443``."""
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"

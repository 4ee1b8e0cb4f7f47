"""OONI's ``queries`` as our lookups.

Rules of this file:

* one query is one step; late and second answers (``x_dns_duplicate_responses``) are further replies of
  the query they answer;
* the system's resolver is ``system`` whatever the engine was called; its address is not kept;
* only questions for addresses (A, AAAA, or both at once) have a place in our records.
"""

from __future__ import annotations

from collections import defaultdict

from blockwatch import failure as f
from blockwatch.model import DnsReply, DnsStep, Purpose
from blockwatch.ooni import fields
from blockwatch.ooni.draft import Draft
from blockwatch.ooni.fields import Object, Tags

_SYSTEM = frozenset({"system", "getaddrinfo", "golang_net_resolver", "go", ""})
_SCHEMES = {"udp": "udp://", "tcp": "tcp://", "dot": "tls://", "doh": ""}
_TYPES = frozenset({"A", "AAAA", "ANY"})
_RCODES = {f.NO_ANSWER: 0, f.NXDOMAIN: 3, f.SERVFAIL: 2, f.DNS_REFUSED: 5}
_MAX_ANSWERS, _MAX_RAW, _MAX_REPLIES = 64, 4_096, 16
NOT_OURS = "dns_reply_with_wrong_query_id"

Key = tuple[str, str, str, str]


def add_lookups(draft: Draft, keys: Object, purpose: Purpose) -> None:
    """Add every query of ``keys`` with all replies to it."""
    further: dict[Key, list[Object]] = defaultdict(list)
    for entry in fields.entries(keys.get("x_dns_duplicate_responses")):
        further[_key(entry)].append(entry)
    for entry in fields.entries(keys.get("queries")):
        _add(draft, entry, purpose, further.pop(_key(entry), []) if further else [])
    for rest in further.values():  # answers to a query that is not on record
        for entry in rest:
            _add(draft, entry, purpose, [])


def _key(entry: Object) -> Key:
    """What a query and the answers to it have in common."""
    names = ("resolver_address", "query_type", "hostname", "transaction_id")
    place, kind, name, number = (str(entry.get(one))[:300] for one in names)
    return place, kind, name, number


def _add(draft: Draft, entry: Object, purpose: Purpose, late: list[Object]) -> None:
    tagged = fields.tags(entry)
    kind, name, resolver = entry.get("query_type"), entry.get("hostname"), resolver_of(entry, tagged)
    if not isinstance(kind, str) or kind not in _TYPES:
        draft.leave_out(f"a lookup of type {str(kind)[:20]}")
        return
    if not isinstance(name, str) or not name or resolver is None:
        draft.leave_out("a lookup without name or resolver")
        return
    t, us = draft.time(entry)
    failure = fields.failure(entry.get("failure"))
    addresses, names, ttl = _answers(draft, entry)
    if failure is None and not addresses and not late:
        draft.leave_out("a lookup that tells neither an address nor a failure")  # it is no denial
        return
    direct = resolver != "system"
    rcode = _rcode(entry, failure) if direct else None
    replies: list[DnsReply] = []
    if direct and (rcode is not None or addresses):
        raw = (fields.base64(entry.get("raw_response")) or b"")[:_MAX_RAW]
        replies.append(
            DnsReply(us=us, rcode=rcode, addresses=addresses, names=names, ttl=ttl, ip_ttl=None, raw=raw)
        )
    if late:
        replies += [_reply(draft, other, t) for other in late[:_MAX_REPLIES]]
        replies.sort(key=lambda reply: reply.us)
    step = DnsStep(
        i=len(draft.steps),
        t=t,
        us=us,
        failure=failure,
        purpose=tagged.purpose or purpose,
        round=tagged.round,
        hop=tagged.hop or 0,
        resolver=resolver,
        name=fields.host_name(name),
        qtype=kind,
        addresses=addresses,
        rcode=rcode,
        replies=tuple(replies),
    )
    draft.add(step)


def _reply(draft: Draft, entry: Object, asked: int) -> DnsReply:
    t, us = draft.time(entry)
    failure = fields.failure(entry.get("failure"))
    addresses, names, ttl = _answers(draft, entry)
    return DnsReply(
        us=max(0, t + us - asked),
        rcode=_rcode(entry, failure),
        addresses=addresses,
        names=names,
        ttl=ttl,
        raw=(fields.base64(entry.get("raw_response")) or b"")[:_MAX_RAW],
    )


def _rcode(entry: Object, failure: str | None) -> int | None:
    """The RCODE as told, or the one that the failure speaks of; ``None``: no reply that fits came."""
    told = fields.count(entry.get("rcode"))
    if told is not None and told < 4_096:
        return told
    return 0 if failure is None else _RCODES.get(failure)


def _answers(draft: Draft, entry: Object) -> tuple[tuple[str, ...], tuple[str, ...], int | None]:
    listed = entry.get("answers")
    if not isinstance(listed, list) or not listed:
        return (), (), None
    addresses: list[str] = []
    names: list[str] = []
    ttl: int | None = None
    for answer in listed[:_MAX_ANSWERS]:
        if not isinstance(answer, dict):
            continue
        given = answer.get("ipv4") or answer.get("ipv6")
        if given:
            found = fields.address(given)
            if found is None:
                draft.leave_out("an answer that is no address")
                continue
            addresses.append(found)
        elif answer.get("answer_type") == "CNAME" and isinstance(answer.get("hostname"), str):
            names.append(fields.host_name(answer["hostname"]))
        ttl = fields.count(answer.get("ttl")) if ttl is None else ttl
    return tuple(addresses), tuple(names), ttl


def resolver_of(entry: Object, tagged: Tags) -> str | None:
    """Our name of the resolver asked; ``None`` where it cannot be told."""
    engine, place = entry.get("engine") or "", entry.get("resolver_address") or ""
    if not isinstance(engine, str) or not isinstance(place, str):
        return None
    if tagged.line:
        return "line"
    if engine in _SYSTEM or (engine == "unknown" and not place):
        return "system"
    if not place or engine not in _SCHEMES:
        return None
    return (_SCHEMES[engine] + place)[:300]

"""The names of a world, and DNS messages by hand: quick, and able to be malformed (RFC 1035).

The ISP's resolver lies as the rules with ``to: isp`` say; the public ones tell the truth. What is
injected on the path is the wire's business.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
import struct
from collections import Counter
from collections.abc import Mapping
from urllib.parse import parse_qs, urlsplit

from blockwatch.followup import ROOT_SERVERS
from blockwatch.lab.servers.malformed import malformed
from blockwatch.lab.servers.town import Town, names
from blockwatch.lab.world import ISP_RESOLVER, ROUTER, DnsRule, Site, World

A, NS, CNAME, SOA, AAAA, ANY, OPT = 1, 2, 5, 6, 28, 255, 41
NOERROR, FORMERR, SERVFAIL, NXDOMAIN, REFUSED = 0, 1, 2, 3, 5
_TTL = 300
_RCODES = {
    "nxdomain": NXDOMAIN, "refused": REFUSED, "servfail": SERVFAIL, "formerr": FORMERR, "empty": NOERROR
}  # fmt: skip
_KINDS = {A: "A", AAAA: "AAAA"}
_ROOTS = frozenset(address for _, address in ROOT_SERVERS)
_EDNS = b"\0" + struct.pack(">HHIH", OPT, 1232, 0, 0)


class Question:
    """The one question of a query."""

    def __init__(self, message: bytes) -> None:
        """Read it; ValueError where the message is no query with one question."""
        if len(message) < 17 or message[2] & 0x80 or message[4:6] != b"\0\1":
            raise ValueError("not a query with one question")
        labels, at = [], 12
        while (size := message[at]) != 0:
            if size > 63 or at + size + 5 >= len(message):
                raise ValueError("bad name in the question")
            labels.append(message[at + 1 : at + 1 + size])
            at += size + 1
        self.end = at + 5
        self.name = b".".join(labels).decode("latin-1").lower()
        self.type = int.from_bytes(message[at + 1 : at + 3], "big")
        self.edns = message[10:12] != b"\0\0"
        self.message = message


class Zone:
    """What every resolver of the lab says."""

    def __init__(self, world: World, town: Town, fixed: tuple[Site, ...]) -> None:
        self._chance = town.chance
        self._sites = {name: site for site in (*fixed, *world.sites) for name in names(site)}
        self._lies = [rule for rule in world.rules if isinstance(rule, DnsRule) and rule.to == "isp"]
        self._unsteady = any(rule.share < 1 for rule in self._lies)
        self._asked: Counter[int] = Counter()
        self._cache: dict[tuple[bytes, str], bytes] = {}

    def answer(self, message: bytes, *, resolver: str, helper: bool) -> bytes | None:
        """The reply of ``resolver`` to ``message``, or null for silence."""
        view = "helper" if helper else "isp" if resolver in (ISP_RESOLVER, ROUTER) else resolver
        cached = self._cache.get((message[2:], view))
        if cached is not None:
            return message[:2] + cached
        try:
            question = Question(message)
        except (ValueError, IndexError):
            return None
        if view == "isp":
            for number, rule in enumerate(self._lies):
                if self._meets(rule, question):
                    self._asked[number] += 1
                    return self._lie(question, rule, self._asked[number], view)
        if resolver in _ROOTS:
            return referral(question)
        return self._truth(question, view)

    def _meets(self, rule: DnsRule, question: Question) -> bool:
        return (
            matches(rule, question.name)
            and (not rule.types or _KINDS.get(question.type) in rule.types)
            and (rule.share >= 1 or self._chance.random() < rule.share)
        )

    def _lie(self, question: Question, rule: DnsRule, asked: int, view: str) -> bytes | None:
        if rule.do == "wildcard":
            truth = self._truth(question, view)
            if truth is None or truth[3] & 15 != NXDOMAIN:
                return truth
        if rule.do in ("answer", "wildcard"):
            found = _of_type(rule.answers, question.type)
            return reply(question, NOERROR, addresses=found, ttl=rule.ttl, alias=rule.alias)
        if rule.do == "drop" or (rule.do == "lose" and asked <= (rule.first or 0)):
            return None
        if rule.do in _RCODES:
            return reply(question, _RCODES[rule.do])
        return self._truth(question, view)

    def _truth(self, question: Question, view: str) -> bytes | None:
        site = self._sites.get(question.name)
        if site is None:
            return reply(question, NXDOMAIN, honest=True)
        says = site.dns
        if "malformed" in says:
            return malformed(str(says["malformed"]), question.message, question.end)
        if "rcode" in says:
            return reply(question, int(str(says["rcode"])))
        word = _word(says, question, view)
        if word:
            return None if word == "drop" else reply(question, _RCODES[word], honest=True)
        alias = str(says["cname"]) if "cname" in says and question.name == site.host else None
        found = _of_type(self._addresses(site, view), question.type)
        answer = reply(
            question, NOERROR, addresses=() if alias == site.host else found, alias=alias, honest=True
        )
        if "rotate" not in says and not (view == "isp" and self._unsteady):
            self._cache[question.message[2:], view] = answer[2:]
        return answer

    def _addresses(self, site: Site, view: str) -> tuple[str, ...]:
        says = site.dns
        if "empty" in says:
            return ()
        given = says.get("views")
        if isinstance(given, dict):
            return _texts(given.get(view, given.get("*")))
        listed = (*_texts(says.get("A")), *_texts(says.get("AAAA")))
        if listed:
            return listed
        if "rotate" in says:
            return tuple(self._chance.sample(site.addresses, int(str(says["rotate"]))))
        return site.addresses

    def truncated(self, message: bytes, *, resolver: str) -> bytes | None:
        """What UDP says of a name whose answers only fit TCP; null for every other name."""
        try:
            question = Question(message)
        except (ValueError, IndexError):
            return None
        site = self._sites.get(question.name)
        told = site.dns.get("tcp_only") if site is not None else None
        if not told or (told == "isp" and resolver not in (ISP_RESOLVER, ROUTER)):
            return None
        short = bytearray(reply(question, NOERROR))
        short[2] |= 0x02  # TC
        return bytes(short)

    def doh_query(self, method: str, target: str, body: bytes) -> bytes | None:
        """The DNS message in an RFC 8484 request; null where there is none."""
        if method == "POST":
            return body
        text = parse_qs(urlsplit(target).query).get("dns", [""])[0]
        try:
            return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)) or None
        except (binascii.Error, ValueError):
            return None


def matches(rule: DnsRule, name: str) -> bool:
    """Whether a lookup of ``name`` meets ``rule``."""
    if rule.match == "substring":
        return rule.name in name
    return name == rule.name or (rule.match == "suffix" and name.endswith("." + rule.name))


def _word(says: Mapping[str, object], question: Question, view: str) -> str:
    """The word that stands in place of addresses for this question; empty: there are addresses."""
    given = says.get("views")
    told = given.get(view, given.get("*")) if isinstance(given, dict) else None
    if question.type == AAAA and "aaaa" in says:
        told = says["aaaa"]
    if question.edns and "edns" in says:
        told = says["edns"]
    return told if isinstance(told, str) else ""


def _texts(value: object) -> tuple[str, ...]:
    return tuple(str(item) for item in value) if isinstance(value, (list, tuple)) else ()


def _of_type(addresses: tuple[str, ...], kind: int) -> tuple[bytes, ...]:
    packed = [ipaddress.ip_address(address).packed for address in addresses]
    wanted = {A: (4,), AAAA: (16,), ANY: (4, 16)}.get(kind, ())
    return tuple(one for one in packed if len(one) in wanted)


def _wire_name(name: str) -> bytes:
    labels = [label.encode("latin-1") for label in name.rstrip(".").split(".")]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def referral(question: Question) -> bytes:
    """What a root server says of any name: no answer, but the server of the top-level domain."""
    top = question.name.rpartition(".")[2]
    server = _wire_name(f"ns.nic.{top}")
    record = _wire_name(top) + struct.pack(">HHIH", NS, 1, _TTL, len(server)) + server
    flags = 0x8000 | (question.message[2] & 0x01) << 8
    head = question.message[:2] + struct.pack(">HHHHH", flags, 1, 0, 1, 0)
    return head + question.message[12 : question.end] + record


def reply(
    question: Question,
    rcode: int,
    *,
    addresses: tuple[bytes, ...] = (),
    alias: str | None = None,
    ttl: int = _TTL,
    honest: bool = False,
) -> bytes:
    """A reply to ``question``: the alias first, then the addresses (4 or 16 bytes each).

    An ``honest`` denial names the zone that it comes from (RFC 2308, 3); a censor's seldom does.
    """
    message, owner, records = question.message, b"\xc0\x0c", []
    if alias is not None:
        target = _wire_name(alias)
        records.append(owner + struct.pack(">HHIH", CNAME, 1, ttl, len(target)) + target)
        owner = target
    for one in addresses:
        kind = A if len(one) == 4 else AAAA
        records.append(owner + struct.pack(">HHIH", kind, 1, ttl, len(one)) + one)
    flags = 0x8080 | (message[2] & 0x01) << 8 | rcode  # QR, RA, RD as asked
    told = [_soa(question)] if honest and not records and rcode in (NOERROR, NXDOMAIN) else []
    head = message[:2] + struct.pack(">HHHHH", flags, 1, len(records), len(told), 1 if question.edns else 0)
    return head + message[12 : question.end] + b"".join((*records, *told)) + (_EDNS if question.edns else b"")


def _soa(question: Question) -> bytes:
    """The SOA record of the zone that the name lies in: the one of its last two labels."""
    labels = question.name.split(".")
    at = 12 + sum(len(label) + 1 for label in labels[:-2])
    names = _wire_name("ns.example.org") + _wire_name("hostmaster.example.org")
    data = names + struct.pack(">IIIII", 1, 7_200, 900, 1_209_600, 900)
    return struct.pack(">HHHIH", 0xC000 | at, SOA, 1, 900, len(data)) + data

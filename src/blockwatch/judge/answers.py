"""What the resolvers said of one name, sorted by how far each can be believed.

Rules of this file:

* facts only; the DNS rules stand in :mod:`blockwatch.judge.rules_dns`;
* differing answers mean nothing by themselves (CDNs answer by place): an address is *good* when a
  chain valid for the name came from it, or when the control or an encrypted resolver gives it too;
* a resolver reached over TLS, HTTPS or TCP cannot be answered for by a stranger on the path as one
  over UDP can: these are the *firm* ones.
"""

from __future__ import annotations

from blockwatch.judge import outcomes
from blockwatch.judge.addresses import bogon, embedded, is_v6, unreal
from blockwatch.judge.case import Peers
from blockwatch.judge.errand import NO_NAME
from blockwatch.judge.names import EXAMPLES, a_label
from blockwatch.judge.once import once
from blockwatch.judge.public import Public, answering_once, at_first
from blockwatch.judge.row import LATEST
from blockwatch.judge.sight import Hop, Lookup
from blockwatch.model import DnsReply

SYSTEM = "system"
LINE = "line"


class Answers:
    """The lookups of one hop's name; ``house``: the line's resolver is a box of the own network."""

    def __init__(self, hop: Hop, peers: Peers, ruleset: int = LATEST, *, house: bool = False) -> None:
        self.ruleset = ruleset
        self._bogon = bogon if ruleset == 1 else unreal
        self.hop, self.peers, self.host, self.control = hop, peers, hop.host, hop.control
        told = [lookup for lookup in hop.lookups if self._about_host(lookup)]
        self.cut = [
            lookup for lookup in told if ruleset > 1 and outcomes.cut(lookup.step)
        ]  # more only fits TCP
        mine = [lookup for lookup in told if lookup not in self.cut] if self.cut else told
        self.system = [lookup for lookup in mine if lookup.step.resolver == SYSTEM]
        self.line = [lookup for lookup in mine if lookup.step.resolver == LINE]
        self.udp = [lookup for lookup in mine if lookup.step.resolver.startswith("udp:")]
        ttls = outcomes.house_ttls(lookup.step for lookup in self.line) if house else frozenset()
        self._far = [x for x in self.udp if ruleset == 1 or not outcomes.next_door(x.step, ttls)]
        self.firm = [lookup for lookup in mine if lookup.step.resolver.startswith(("https:", "tls:", "tcp:"))]

    def _about_host(self, lookup: Lookup) -> bool:
        """Whether a lookup counts: of this name, made at all; no IPv6 address is nothing to speak of."""
        step = lookup.step
        if step.skipped or (step.qtype == "AAAA" and not step.addresses):
            return False
        return step.name == self.host or not self.host

    @once
    def given(self) -> frozenset[str]:
        """Addresses the system resolver gave at any time."""
        return given(self.system)

    @once
    def firm_given(self) -> frozenset[str]:
        """Addresses that firm resolvers gave."""
        return given(self.firm)

    @once
    def control_given(self) -> frozenset[str]:
        """Addresses that the helper resolved for itself."""
        control = self.control
        return frozenset(control.addresses) if control is not None else frozenset()

    @once
    def proven(self) -> frozenset[str]:
        """Addresses from which a chain valid for this name came, here or elsewhere in the run."""
        speaking = [f for f in self.hop.flows if f.valid and _speaks_of(f.tls, self.host)]
        here = {flow.address for flow in speaking if flow.address}  # old records may not name it
        there = {address for address in self.every if (self.host, address) in self.peers.proven}
        return frozenset(here | there)

    @once
    def control_proven(self) -> frozenset[str]:
        """Addresses where the helper's handshake for this name succeeded."""
        ends = self.control.endpoints if self.control is not None else ()
        return frozenset(end.address for end in ends if end.tls and not end.tls_failure)

    @once
    def every(self) -> frozenset[str]:
        """Every address anybody gave."""
        late = frozenset(
            address
            for lookup in (*self.line, *self.udp)
            for reply in lookup.step.replies
            for address in reply.addresses
        )
        return self.given | self.firm_given | self.control_given | given(self.udp) | given(self.line) | late

    @once
    def good(self) -> frozenset[str]:
        """Addresses that are surely the site's, or that a firm witness gives too; or these, translated."""
        known = self.proven | self.control_proven | self.control_given | self.firm_given
        if self.ruleset == 1:
            return known
        lied = {a for a in self.control_given - self.proven if self.proven and self._bogon(a)}  # to both
        return (known - lied) | {a for a in self.given if embedded(a) in known}

    @once
    def elsewhere(self) -> frozenset[str]:
        """Plausible addresses that somebody other than the line's resolver gave."""
        firm = self.control_given | self.firm_given | self.proven | self.control_proven
        seen = firm or (given(self.udp) | self.late)
        return frozenset(address for address in seen if self._bogon(address) is None)

    @once
    def late(self) -> frozenset[str]:
        """Addresses in replies that differ from the first of their query."""
        later = [(x.step, reply) for x in (*self.line, *self.udp) for reply in x.step.replies[1:]]
        return frozenset(a for step, reply in later for a in reply.addresses if a not in step.addresses)

    @once
    def false(self) -> frozenset[str]:
        """Addresses from the system resolver that nobody believable confirms."""
        return self.given - self.good

    @property
    def fails_for_control(self) -> bool:
        """Whether the helper was asked and found no address, for whatever reason; a proxy is not asked."""
        control = self.control
        if control is None or control.addresses or (self.ruleset > 1 and control.helper.startswith("socks5")):
            return False
        return control.dns_failure is not None or control.status is None

    @property
    def gone_for_control(self) -> bool:
        """Whether the name has no address, by the helper's word. A resolver of the helper's that fails
        (SERVFAIL, for instance of a zone whose signatures are broken) says nothing of the name.
        """
        told = self.control.dns_failure if self.control is not None else None
        return self.fails_for_control and (self.ruleset == 1 or told is None or told in NO_NAME)

    @property
    def firm_nxdomain(self) -> bool:
        """Whether a firm resolver says that the name does not exist, and none gives an address."""
        return not self.firm_given and any(lookup.end == outcomes.NXDOMAIN for lookup in self.firm)

    @once
    def how(self) -> str:
        """How the system resolver fails, in the words of the line's own resolver where it hides it."""
        ends = [lookup.end for lookup in self.system if lookup.end != outcomes.SKIPPED]
        plain = next((end for end in reversed(ends) if end != outcomes.UNCLEAR), None)
        if plain is not None and plain != outcomes.TIMEOUT:
            return plain
        said = next((lookup.end for lookup in self.line if lookup.end not in _SILENT), None)
        if said is not None:
            return said
        if self.line or plain == outcomes.TIMEOUT:
            return outcomes.TIMEOUT
        slow = any(lookup.step.us >= 4_000_000 for lookup in self.system)
        return outcomes.TIMEOUT if slow else outcomes.SERVFAIL

    @once
    def contradicted(self) -> tuple[Lookup, ...]:
        """Queries that drew two replies which cannot both be true, whatever other names draw."""
        often = [lookup for lookup in (*self.line, *self.udp) if len(lookup.step.replies) > 1]
        return tuple(lookup for lookup in often if self._contradicts(lookup))

    @once
    def doubled(self) -> tuple[str, ...]:
        """Witnesses of queries that drew two replies which cannot both be true; a control name drew one.

        A router that asks two resolvers and passes on what both say does so for every name.
        """
        if self.ruleset == 1:
            return tuple(lookup.ref for lookup in self.contradicted)
        told = [x for x in self.contradicted if x.step.resolver in self._single]
        return tuple(lookup.ref for lookup in told if self._contradicts(lookup, self._unproven))

    @once
    def _single(self) -> frozenset[str]:
        """Resolvers from which a control name drew one reply; none if it drew two from any of them."""
        return answering_once(self.hop.name_controls)

    def _contradicts(self, lookup: Lookup, apart: bool = True) -> bool:
        replies = [reply for reply in lookup.step.replies if reply.rcode is not None]
        return any(self._differ(replies[0], other, apart) for other in replies[1:])

    def _differ(self, one: DnsReply, other: DnsReply, apart: bool) -> bool:
        """Whether two replies to one query cannot come from one honest resolver.

        A resolver that could not answer (SERVFAIL, REFUSED) contradicts none that could; but one sender's
        packets come the same way, with the same IP TTL.
        """
        if self.ruleset > 1 and not {one.rcode, other.rcode} <= _SAYING:
            ways = {one.ip_ttl, other.ip_ttl}
            return len(ways) == 2 and None not in ways and bool(one.addresses) != bool(other.addresses)
        if bool(one.addresses) != bool(other.addresses) or one.rcode != other.rcode:
            return True
        ours, theirs = set(one.addresses), set(other.addresses)
        if not ours or ours & theirs:
            return False
        odd = [any(self._bogon(address) for address in side) for side in (ours, theirs)]
        known = [bool(side & self.good) for side in (ours, theirs)]
        return odd[0] != odd[1] or (apart and known[0] != known[1])

    @once
    def _unproven(self) -> bool:
        """Whether an address did not prove to be the site's when asked for its chain; or nobody was asked."""
        asked = {flow.address for flow in self.hop.flows if flow.tls and _speaks_of(flow.tls, self.host)}
        return not self.hop.flows or not asked <= self.good

    @property
    def fooled(self) -> list[Lookup]:
        """Lookups at the line's resolver that were answered with what cannot be true."""
        denials = _DENIALS if self.ruleset == 1 else _TOLD
        return [
            lookup
            for lookup in (*self.system, *self.line)
            if lookup.end in denials
            or (self.ruleset > 1 and lookup.ref in self.doubled)
            or (lookup.step.addresses and all(self._bogon(a) is not None for a in lookup.step.addresses))
            or (lookup.step.addresses and not set(lookup.step.addresses) & self.good and bool(self.proven))
        ]

    @once
    def public(self) -> Public:
        """Public resolvers over UDP, and what they said when asked again over TCP."""
        again = [lookup for lookup in self.hop.over_tcp if self._about_host(lookup)]
        return Public(self._far, again, self.good, exists=not self.given and bool(self.firm_given))

    @once
    def udp_false(self) -> tuple[str, ...]:
        """Witnesses of public UDP resolvers that were answered for as the line's resolver is."""
        return self.public.made_up if self.ruleset > 1 else at_first(self.udp, self.good, self.given)

    @once
    def udp_agrees(self) -> tuple[str, ...]:
        """Witnesses of public UDP resolvers that give the very address in doubt, perhaps by place; not where
        another one tells the truth: then who gives it is of that opinion itself.
        """
        if self.ruleset > 1 and self.public.honest:
            return ()
        return tuple(lookup.ref for lookup in self._far if set(lookup.step.addresses) & self.false)

    @property
    def injected(self) -> tuple[str, ...]:
        """Witnesses that answers are made up on the path, whoever is asked."""
        return self.doubled + self.udp_false

    @property
    def only_v6(self) -> bool:
        """Whether the name has IPv6 addresses only, as far as believable witnesses know."""
        known = self.elsewhere
        return bool(known) and all(is_v6(address) for address in known)

    def alive(self) -> bool | None:
        """Whether the line's resolver answers other names; ``None`` where it was not seen."""
        asked = [lookup for lookup in self.hop.name_controls if lookup.step.resolver in (SYSTEM, LINE)]
        if self.ruleset > 1:  # what the path makes up for a control name is no answer of the resolver's
            asked = [x for x in asked if not x.step.addresses or not all(map(self._bogon, x.step.addresses))]
        checked = [lookup.end for lookup in asked]
        if outcomes.OK in checked:
            return True
        if self.ruleset > 1 and self._for_hardly_any():
            return False
        # a name never found here may be blocked itself, but for those that nobody blocks
        found = self.peers.answered.get(SYSTEM, frozenset()).union(EXAMPLES)
        if self.ruleset > 1 and len(checked) >= 2 and all(lookup.step.name in found for lookup in asked):
            return False
        known = self.peers.lives(SYSTEM, self.host)
        if known is not None:
            return known
        return False if checked else None

    def _for_hardly_any(self) -> bool:
        """Whether the system's resolver found hardly any name in the whole run: one of five, or none."""
        found = self.peers.found - {self.host}
        missed = self.peers.unanswered.get(SYSTEM, frozenset()) | self.peers.answered.get(SYSTEM, frozenset())
        return len(found) * 4 <= len(missed - found - {self.host}) and len(missed) >= 3


_DENIALS = frozenset({outcomes.NXDOMAIN, outcomes.EMPTY, outcomes.REFUSED, outcomes.SERVFAIL})
_TOLD = frozenset({outcomes.NXDOMAIN, outcomes.EMPTY})  # these say something of the name
_SAYING = frozenset({0, 3})  # NOERROR and NXDOMAIN (RFC 1035, 4.1.1)
_SILENT = frozenset({outcomes.TIMEOUT, outcomes.UNCLEAR, outcomes.OTHER})


def given(lookups: list[Lookup]) -> frozenset[str]:
    """Every address of the first replies."""
    return frozenset(address for lookup in lookups for address in lookup.step.addresses)


def _speaks_of(step: object, host: str) -> bool:
    """Whether a handshake was about this very name."""
    name = getattr(step, "server_name", None)
    return name is not None and a_label(name) == host

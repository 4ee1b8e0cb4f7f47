"""What public resolvers say of one name over UDP: a word of their own, or one made up on the path.

Rules of this file:

* who makes up answers on the path answers for whoever is asked: one resolver alone that denies a name, or
  gives an address where no site can live, while another one tells the truth, filters by its own rules;
* a denial that brings the SOA of a zone that the name lies in was passed on, or is remembered: not made up;
* over TCP nobody on the path answers as easily. A resolver that says another thing there was answered for;
  one that says the same is of that opinion itself, or the zone is, for those who ask from here;
* two resolvers at least, where no TCP tells.

A real address that others do not give shows nothing either way: sites answer by place.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from blockwatch.judge import outcomes
from blockwatch.judge.addresses import bogon, unreal
from blockwatch.judge.once import once
from blockwatch.judge.sight import FRESH, Lookup
from blockwatch.judge.soa import zone_denies

_TOLD = frozenset({outcomes.NXDOMAIN, outcomes.EMPTY})
_SILENT = frozenset({outcomes.TIMEOUT, outcomes.UNCLEAR, outcomes.OTHER, outcomes.SKIPPED})
_OFTEN = 2  # false answers that what comes over TCP must belie
_RESOLVERS = 2  # that must be answered for


def denies(lookup: Lookup) -> bool:
    """Whether a resolver says that the name, or an address of it, does not exist."""
    return not lookup.step.addresses and lookup.end in _TOLD


def nowhere(lookup: Lookup) -> bool:
    """Whether a resolver gives an address where no site can live."""
    return any(unreal(address) is not None for address in lookup.step.addresses)


class Public:
    """The public resolvers of one hop. ``good``: addresses surely the site's; ``exists``: whether the name is
    known to have one, so that who denies it is wrong.
    """

    def __init__(
        self, over_udp: Iterable[Lookup], over_tcp: Iterable[Lookup], good: frozenset[str], *, exists: bool
    ) -> None:
        self._good, self._exists = good, exists
        self._udp = _by_place(over_udp)
        self._tcp = _by_place(over_tcp)

    @once
    def made_up(self) -> tuple[str, ...]:
        """Witnesses of resolvers that were answered for on the path."""
        shown = [place for place in self._accused if self._belied(place)]
        if sum(len(self._accused[place]) for place in shown) < _OFTEN:
            shown = []
        if not shown and not self.honest and len(self._accused) >= _RESOLVERS:
            shown = [] if any(map(self._repeats, self._accused)) else list(self._accused)
        told = [lookup for place in shown for lookup in (*self._accused[place], *self._tcp.get(place, ()))]
        return tuple(lookup.ref for lookup in told)

    @once
    def echo(self) -> tuple[str, ...]:
        """Witnesses of resolvers that say what cannot be true, and perhaps of their own accord."""
        if self.made_up:
            return ()
        return tuple(lookup.ref for told in self._accused.values() for lookup in told)

    @once
    def replaced(self) -> tuple[str, ...]:
        """Witnesses of resolvers that always give addresses over UDP which nobody knows, and over TCP known
        ones: of two at least, where none tells the truth. Addresses by place would be the same either way.
        """
        found: list[Lookup] = []
        places = 0
        for place, told in self._udp.items():
            again = [x for x in self._tcp.get(place, ()) if x.step.addresses]
            given = [x for x in told if x.step.addresses]
            true = [bool(self._good & set(x.step.addresses)) for x in (*given, *again)]
            if given and again and true == [False] * len(given) + [True] * len(again):
                places += 1
                found += [*given, *again]
        return tuple(x.ref for x in found) if places >= _RESOLVERS and not self.honest else ()

    @once
    def denied(self) -> bool:
        """Whether a resolver denies the name with the zone's own record."""
        return any(zone_denies(x) for told in self._udp.values() for x in told if denies(x))

    @once
    def honest(self) -> bool:
        """Whether some resolver gave good addresses and nothing else."""
        for told in self._udp.values():
            said = [x for x in told if x.step.addresses or denies(x)]
            if said and all(self._good & set(x.step.addresses) for x in said):
                return True
        return False

    @property
    def _accused(self) -> Mapping[str, Sequence[Lookup]]:
        found = {place: [x for x in told if self._false(x)] for place, told in self._udp.items()}
        return {place: false for place, false in found.items() if false}

    def _false(self, lookup: Lookup) -> bool:
        if lookup.step.addresses:
            return nowhere(lookup) and not self._good & set(lookup.step.addresses)
        return self._exists and denies(lookup) and not zone_denies(lookup)

    def _repeats(self, place: str) -> bool:
        """Whether a resolver says over TCP, too, what cannot be true."""
        return any(
            denies(x) or (nowhere(x) and not self._good & set(x.step.addresses))
            for x in self._tcp.get(place, ())
        )

    def _belied(self, place: str) -> bool:
        """Whether a resolver tells the truth over TCP."""
        told = any(self._good & set(x.step.addresses) for x in self._tcp.get(place, ()))
        return told and not self._repeats(place)


def answering_once(controls: Iterable[Lookup]) -> frozenset[str]:
    """Resolvers from which control names drew one reply; none if one drew two from any of them.

    But a control name may be forged itself: then those count from which a name that is on no list and in no
    memory drew one, if that is so of :data:`_RESOLVERS` and it drew two from none.
    """
    fresh: dict[str, int] = {}
    known: dict[str, int] = {}
    for lookup in controls:
        replies = sum(reply.rcode is not None for reply in lookup.step.replies)
        drew = fresh if lookup.step.round == FRESH else known
        if replies:
            drew[lookup.step.resolver] = max(replies, drew.get(lookup.step.resolver, 0))
    twice, forged = (any(replies > 1 for replies in drew.values()) for drew in (fresh, known))
    if twice or (forged and len(fresh) < _RESOLVERS):
        return frozenset()
    return frozenset(fresh if forged else known)


def _by_place(lookups: Iterable[Lookup]) -> dict[str, list[Lookup]]:
    """Lookups by the address and port that was asked."""
    found: dict[str, list[Lookup]] = defaultdict(list)
    for lookup in lookups:
        found[lookup.step.resolver.partition(":")[2]].append(lookup)
    return found


def at_first(over_udp: Iterable[Lookup], good: frozenset[str], given: frozenset[str]) -> tuple[str, ...]:
    """Witnesses of resolvers that ruleset 1 takes for answered for; ``given``: by the system's resolver."""
    found = []
    for lookup in over_udp:
        addresses = frozenset(lookup.step.addresses)
        odd = any(bogon(address) is not None for address in addresses) or bool(addresses & given and good)
        failed = not given and bool(good) and lookup.end not in _SILENT
        if odd and not addresses & good if addresses else failed:
            found.append(lookup.ref)
    return tuple(found)

"""What has nothing to do with the site: names and addresses of this run that work, to hold it against.

Rules of this file:

* only what this run saw working; of other owners and at other addresses than the site's;
* a server that turns away every name but its own proves nothing: so each is sent a name strange to it, too.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from zlib import crc32

from blockwatch.followup import KnownGood
from blockwatch.judge.names import neutral, owner, same_owner
from blockwatch.judge.operators import apart, operators
from blockwatch.judge.scene import Scene

ROUNDS = 3  # of two names; so many controls are enough


@dataclass(frozen=True)
class Ground:
    """Names and addresses of this run that work and have nothing to do with the target."""

    usable: tuple[KnownGood, ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        """Control names."""
        return tuple(dict.fromkeys(good.host for good in self.usable))

    def strange_to(self, good: KnownGood, target: str) -> str:
        """A name that means nothing to the server at ``good``: another control's, else one that is kept for
        examples (RFC 2606); not of the owner of ``target``.
        """
        others = (o for o in self.usable if o.address != good.address and not same_owner(o.host, good.host))
        return next((other.host for other in others), None) or neutral(good.host, target)

    def at(self, number: int) -> KnownGood:
        """The control of a round: another address each time, where there are several."""
        return self.usable[number % len(self.usable)]


def around(scene: Scene, known_good: Sequence[KnownGood], after: Collection[str] = ()) -> Ground:
    """The controls fit for this hop: other owners, other addresses, the right port first; of another
    content network than the site's, if there are any; those at the addresses ``after`` last.
    """
    host, port = scene.hop.host, scene.hop.port
    taken = scene.answers.every | {flow.address for flow in scene.hop.own}
    fit = [good for good in known_good if not same_owner(good.host, host) and good.address not in taken]
    if scene.hop.secure:
        fit = [good for good in fit if good.tls]
    fit.sort(key=lambda good: (good.port != port, not good.tls))
    one_each: dict[str, KnownGood] = {}
    for good in fit:
        one_each.setdefault(good.address, good)
    theirs = operators(taken)
    best = [good for good in one_each.values() if apart(good.address, theirs)] or list(one_each.values())
    best = [good for good in best if good.port == port] or best
    start = crc32(host.encode()) % len(best) if best else 0  # not everybody's rounds at one address
    turned = sorted(best[start:] + best[:start], key=lambda good: good.address in after)
    owners: dict[str, KnownGood] = {}
    for good in turned:
        owners.setdefault(owner(good.host), good)
    first = list(owners.values())  # one of each owner, so that each is a stranger to the others
    rest = [good for good in turned if good not in first]
    return Ground(tuple(sorted([*first, *rest], key=lambda good: good.address in after)[:ROUNDS]))

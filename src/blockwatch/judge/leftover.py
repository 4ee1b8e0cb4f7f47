"""What another site's name may have left behind at an address, so that flows there tell nothing of theirs.

Rules of this file:

* some censors go on dropping what goes to an address for a while after a name they do not like: sites that
  share an address, and all that are compared with one control address, meet what the others' names left;
* and so do other names at an address after the site's own failed there;
* nothing is left where a flow of ours, whatever its name, passed after the other name broke;
* a flow is set aside however it ended: else luck would choose.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence

from blockwatch.judge.names import owner, parts
from blockwatch.judge.outcomes import OK, TRUST
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import NEAR, PLAIN, Flow, Hop, Sight
from blockwatch.judge.speed import CAPITALS

RESIDUE_US = 180_000_000  # no residual block on record lasts longer
_LATE_US = 1_000_000  # a hello that is lost is sent again; only then does it leave anything
_TRIED_US = 3_000_000  # nor does a flow itself give up before

Times = Mapping[str, Sequence[int]]


def sights(scene: Scene) -> list[Sight]:
    """All measurements of the target in this run, in order."""
    made = scene.peers.made.get(scene.sight.hops[0].url, ())
    found = [Sight(one.id, one.observations, one.url) for one in made]
    for sight in found:
        sight.unhear(scene.peers.unfit, scene.peers.gloomy)
    return found or [scene.sight]


def hops_of(scene: Scene) -> list[Hop]:
    """This hop's URL in all measurements of the target in this run."""
    return [hop for sight in sights(scene) for hop in sight.hops if hop.url == scene.hop.url]


class Leftovers:
    """Where flows of one hop's URL may have met what other sites' names left."""

    def __init__(self, scene: Scene, hops: Sequence[Hop]) -> None:
        self._broken = scene.peers.broken
        self._ours = owner(scene.hop.host)
        self._passed: dict[str, list[int]] = defaultdict(list)  # address → when flows that passed began
        for flow in (flow for hop in hops for flow in (*hop.flows, *hop.waits)):
            if _passed(flow):
                self._passed[flow.address].append(_begun(flow))

    def hit(self, flow: Flow) -> bool:
        """Whether another site's name broke at the flow's address shortly before, or while it was on its way:
        many sites are compared with one address at one time, and blocked ones may live there.
        """
        if flow.address not in self._broken:
            return False
        begun = _begun(flow)
        ours = {self._ours, owner(_name(flow))}
        passed = [at - _LATE_US for at in self._passed[flow.address] if at < begun]
        since = max(begun - RESIDUE_US, *passed) if passed else begun - RESIDUE_US
        until = begun + _TRIED_US
        return any(whose not in ours and since <= then <= until for then, whose in self._broken[flow.address])


def unhit(scene: Scene, flows: Sequence[Flow]) -> list[Flow]:
    """Those flows that cannot have met what other sites' names left."""
    if scene.ruleset == 1 or not any(flow.address in scene.peers.broken for flow in flows):
        return list(flows)
    left = Leftovers(scene, hops_of(scene))
    return [flow for flow in flows if not left.hit(flow)]


def behind_its_own(hops: Sequence[Hop]) -> set[Flow]:
    """The flows under other names that failed at an address after the site's own had, with the first that
    passed: its own name may have left that.
    """
    found: set[Flow] = set()
    for hop in hops:
        held: dict[str, list[Flow]] = {}  # address → those that failed since the site's own name did
        for flow in sorted(hop.by(*PLAIN, *CAPITALS, *NEAR), key=_begun):
            behind = held.get(flow.address, [])
            if flow.purpose not in NEAR and not _passed(flow):
                held[flow.address] = behind
            elif flow.address in held and not _passed(flow):
                behind.append(flow)
            if _passed(flow):
                found.update([*behind, flow] if behind else [])
                held.pop(flow.address, None)
        found.update(flow for behind in held.values() for flow in behind)
    return found


def _passed(flow: Flow) -> bool:
    return flow.at("tls") in (OK, TRUST) or flow.responded


def _begun(flow: Flow) -> int:
    """When a flow began, microseconds since the run opened."""
    return min((step.t for step in (flow.tcp, flow.tls, flow.http) if step is not None), default=0)


def _name(flow: Flow) -> str:
    """The name that a flow sent, in its ClientHello or in cleartext."""
    if flow.tls is not None:
        return flow.tls.server_name or ""
    return parts(flow.http.url).host if flow.http is not None else ""

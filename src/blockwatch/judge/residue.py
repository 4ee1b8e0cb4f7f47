"""Residual blocks: where one may linger, so that nothing measured there tells anything yet.

Rules of this file:

* some censors drop everything to an address for a while after a name they do not like; then another
  name fails there too, right after the target's, or connections fail that were taken before;
* before such an address is measured again, a control name is sent there until it passes: the waiting is
  the measurer's, and each try is a step with the purpose ``residue``;
* a clean site, one whose failure other names do not share, and one that nothing shows to be alive is
  not waited for.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from blockwatch.followup import FlowRequest, KnownGood
from blockwatch.judge import matrix
from blockwatch.judge.case import Peers
from blockwatch.judge.ground import around
from blockwatch.judge.outcomes import OK, SKIPPED
from blockwatch.judge.proof import of_failure
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import NEAR, Sight, broke
from blockwatch.model import Observation, Purpose

_MOST = 2  # addresses of one measurement


def lingering(
    observations: Sequence[Observation],
    known_good: Sequence[KnownGood],
    connected: Collection[str],
    answered: Collection[str],
) -> tuple[FlowRequest, ...]:
    """A control name to send to each address where a block may linger; ``()`` where none does.

    ``connected``: every ``address:port`` that took a connection in this run so far; ``answered``: where more
    than that was answered.
    """
    sight = Sight("", observations)
    wanted: list[FlowRequest] = []
    for hop in sight.hops:
        scene = Scene(sight, hop, Peers())
        usable = around(scene, known_good).usable
        for address in _suspected(scene, connected, answered) if usable else ():
            name = usable[0].host
            wanted.append(
                FlowRequest(
                    address=address,
                    port=hop.port,
                    tls=hop.secure,
                    server_name=name if hop.secure else None,
                    url=None if hop.secure else f"http://{matrix.authority(name, hop.port)}/",
                    purpose=Purpose.RESIDUE,
                    hop=hop.number,
                )
            )
    return tuple(wanted[:_MOST])


def _suspected(scene: Scene, connected: Collection[str], answered: Collection[str]) -> list[str]:
    """Addresses that take, or took, connections; the target's every flow broke there, and others too."""
    found = []
    for address in dict.fromkeys(flow.address for flow in scene.usable):
        own = [flow for flow in scene.usable if flow.address == address and flow.at("tcp") != SKIPPED]
        near = [flow for flow in scene.hop.by(*NEAR) if flow.address == address]
        if not own or not all(map(broke, own)):
            continue
        place = f"{address}:{scene.hop.port}"
        if any(flow.at("tcp") == OK for flow in own):
            if any(map(broke, near)) and (place in answered or _alive(scene)):
                found.append(address)
        elif place in connected:
            found.append(address)
    return found


def _alive(scene: Scene) -> bool:
    """Whether the control, or the name's failing at unrelated addresses, shows that it is not just dead."""
    layer = "tls" if scene.hop.secure and scene.tries("tls").failed else "http"
    return scene.control_passed(layer) or bool(of_failure(scene, layer, scene.tries(layer).kind).elsewhere)

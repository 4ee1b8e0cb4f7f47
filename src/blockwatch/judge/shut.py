"""Whether a server may have shut us out for our own questions.

Rules of this file:

* to look into a failure other names are sent to the site's address, or none: some servers, and the boxes
  before them, take that for an attack, and no more connections from that visitor (fail2ban, rate limits);
* no censor's block of an address waits for that: it stands before, or follows the site's name.
"""

from __future__ import annotations

from blockwatch.judge.leftover import sights
from blockwatch.judge.outcomes import OK, SKIPPED
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import NEAR, Flow
from blockwatch.judge.speed import CAPITALS
from blockwatch.model import Purpose

_STRANGE = (*NEAR, *CAPITALS, Purpose.SNI_NONE_ON_TARGET)


def after_our_questions(scene: Scene) -> bool:
    """Whether every address that takes no connection here took all until it was sent another name."""
    return all(_shut(scene, address) for address in {flow.address for flow in scene.tries("tcp").same})


def _shut(scene: Scene, address: str) -> bool:
    asked = False
    for flow in _dialled(scene, address):
        if flow.at("tcp") != OK:
            return asked
        asked = asked or flow.purpose in _STRANGE
    return False


def _dialled(scene: Scene, address: str) -> list[Flow]:
    """Every connection of the run's measurements of this site to the address and port, as it was made."""
    flows = [flow for sight in sights(scene) for flow in sight.flows if flow.address == address]
    made = [flow for flow in flows if flow.port == scene.hop.port and flow.at("tcp") != SKIPPED]
    return sorted(made, key=lambda flow: flow.tcp.t if flow.tcp is not None else 0)

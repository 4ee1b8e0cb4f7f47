"""What an anomaly buys: requests for more steps, named from the observations alone.

Rules of this file:

* a clean site buys nothing; each kind of trouble buys its group of requests once, so that the
  questions end after four calls at most;
* control first within a round, and control addresses change from round to round: sending the target's
  name somewhere may leave a residual block behind;
* what may be read from the answers is not decided here.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.followup import FlowRequest, FollowUp, KnownGood
from blockwatch.judge import injection, inquiries, matrix
from blockwatch.judge.case import Peers
from blockwatch.judge.ground import Ground, around
from blockwatch.judge.names import parts
from blockwatch.judge.pages import wording
from blockwatch.judge.proof import heard_at, same_answer_elsewhere
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Sight
from blockwatch.judge.speed import COMPARED, FACTOR, Speeds
from blockwatch.judge.transfers import LEAST
from blockwatch.judge.trouble import Trouble, at_some, cut_for_both, of
from blockwatch.model import Observation, Purpose

_NOBODY = Peers()
_PAGES = 2  # rounds of two Host headers that a page buys
_MATRIX = frozenset(Purpose) - {
    Purpose.FIRST,
    Purpose.REPEAT,
    Purpose.VALIDATE,
    Purpose.RESOLVER,
    Purpose.NAME_CONTROL,
    Purpose.RESIDUE,
    Purpose.NOBODY,
    Purpose.ROOT,
}


def next_steps(
    observations: Sequence[Observation], known_good: Sequence[KnownGood], attempt: str, tier: int = 1
) -> tuple[FollowUp, ...]:
    """The steps worth making next; ``()`` when nothing more would tell.

    ``observations`` are those of one measurement so far, follow-ups included; ``known_good`` are other
    names and addresses that this run saw working; ``attempt`` is ``"first"`` or ``"retest"``; ``tier`` is
    the highest that was agreed to.
    """
    sight = Sight("", observations)
    scenes = [Scene(sight, hop, _NOBODY) for hop in sight.hops]
    troubled = [(scene, troubles) for scene in scenes if (troubles := of(scene))]
    for scene, troubles in troubled:
        wanted = _for(scene, troubles, known_good, attempt)
        if wanted:
            return wanted
    for scene in scenes:
        looked = _one_look(scene, known_good)
        if looked:
            return looked
    if tier < 2 or attempt != "first":
        return ()
    for scene, troubles in troubled:
        if injection.worth_asking(scene, troubles):
            return tuple(injection.queries(scene, known_good))
    return ()


def _one_look(scene: Scene, known_good: Sequence[KnownGood]) -> tuple[FollowUp, ...]:
    """Where we and the control are cut off alike: the name at one unrelated address, and that one's own."""
    cut = cut_for_both(scene)
    if cut is None or any(flow.purpose in _MATRIX for flow in scene.hop.flows):
        return ()
    ground = around(scene, known_good)
    return tuple(matrix.look(scene, ground, cut)) if ground.usable else ()


def wants_retest(observations: Sequence[Observation]) -> bool:
    """Whether this measurement should be made again at the end of the run."""
    sight = Sight("", observations)
    for hop in sight.hops:
        troubles = of(Scene(sight, hop, _NOBODY))
        if any(trouble is not Trouble.UNWITNESSED for trouble in troubles):
            return True
    return False


def _for(
    scene: Scene, troubles: tuple[Trouble, ...], known_good: Sequence[KnownGood], attempt: str
) -> tuple[FollowUp, ...]:
    ground = around(scene, known_good)
    wanted: list[FollowUp] = []
    for trouble in troubles:
        if trouble is Trouble.DNS and _looked_up_before(scene):
            continue
        if trouble is Trouble.DNS:
            wanted += inquiries.of_name(scene, ground)
        elif trouble is Trouble.TCP:
            wanted += _dials(scene, ground)
        elif trouble in (Trouble.REDIRECT, Trouble.PAGE, Trouble.UNWITNESSED):
            wanted += _witnesses(scene, ground, trouble) or _middlebox(scene, known_good) or _again(scene)
        else:
            wanted += _rounds(scene, ground, trouble, attempt)
    return tuple(dict.fromkeys(wanted))  # two troubles may want the same


def _looked_up_before(scene: Scene) -> bool:
    """Whether an earlier hop asked about this very name: redirects may lead in a circle."""
    earlier = [hop for hop in scene.sight.hops if hop.number < scene.hop.number]
    return any(hop.host == scene.hop.host and hop.name_controls for hop in earlier)


def _dials(scene: Scene, ground: Ground) -> list[FollowUp]:
    """Dial again, twice, and the other web port once; and hear the control twice more."""
    if _repeated(scene):
        return []
    hop = scene.hop
    addresses = list(dict.fromkeys(flow.address for flow in scene.tries("tcp").failed))[:2]
    wanted: list[FollowUp] = [
        matrix.repeat(scene, address, number) for number in (1, 2) for address in addresses
    ]
    if hop.port in (80, 443) and addresses:
        wanted.append(
            FlowRequest(
                address=addresses[0],
                port=523 - hop.port,  # 80 ↔ 443
                tls=False,
                purpose=Purpose.VALIDATE,
                hop=hop.number,
                wait_us=matrix.pause(hop.host, 3),
            )
        )
    return [*wanted, *matrix.control_again(scene)]


def _rounds(scene: Scene, ground: Ground, trouble: Trouble, attempt: str) -> list[FollowUp]:
    """Repeats and the two-name rounds; more repeats where it failed only now and then."""
    layer = trouble.value if trouble is not Trouble.SLOW else "http"
    tries = scene.tries(layer)
    flows = tries.failed or tries.passed
    if not flows:
        return []
    some = at_some(scene, tries)
    address = some[0] if some else flows[0].address
    if not _repeated(scene):
        twice = [matrix.repeat(scene, address, number) for number in (1, 2)]
        return list(twice) if some else matrix.rounds(scene, ground, trouble, address)
    spelled = _spelled(scene, address)
    if trouble is Trouble.SLOW or spelled:
        return spelled
    mixed = bool(tries.failed) and bool(tries.passed)
    if mixed and not any(flow.round >= matrix.MORE for flow in scene.hop.by(Purpose.REPEAT)):
        return matrix.more(scene, ground, trouble, address)
    made = any(f.purpose in _MATRIX and f.round < matrix.DISPUTED for f in scene.hop.flows)
    if not made and attempt == "retest" and ground.usable:
        return [x for x in matrix.rounds(scene, ground, trouble, address) if x.purpose is not Purpose.REPEAT]
    return []


def _spelled(scene: Scene, address: str) -> list[FollowUp]:
    """The name spelled otherwise, where the server gave too little under another name to compare with."""
    speeds = Speeds(scene)
    compared = speeds.other
    asked = any(flow.round >= matrix.SPELLED for flow in scene.hop.by(*COMPARED))
    if scene.hop.secure or asked or len(speeds.slow + speeds.stalled) < 2:
        return []
    same_there = scene.control is not None and any(
        speeds.control_rate < FACTOR * transfer.rate for transfer in speeds.slow
    )
    if same_there or any(transfer.moved >= LEAST for transfer in compared):
        return []
    return matrix.spelled(scene, address)


def _witnesses(scene: Scene, ground: Ground, trouble: Trouble) -> list[FollowUp]:
    """The page again, and a copy of it over TLS from the same address."""
    hop = scene.hop
    if (
        any(flow.purpose is Purpose.VALIDATE and flow.http is not None for flow in hop.flows)
        or scene.response is None
    ):
        return []
    address = scene.response.address
    wanted = matrix.control_heard(scene) if trouble is Trouble.UNWITNESSED else []
    doubtful = trouble is not Trouble.UNWITNESSED or wording(step_of(scene.response))
    if doubtful and not _repeated(scene):
        wanted += [matrix.repeat(scene, address, 1), matrix.repeat(scene, address, 2)]
    if hop.port == 80:
        wanted.append(
            FlowRequest(
                address=address,
                port=443,
                tls=True,
                server_name=hop.host,
                url=f"https://{hop.host}{parts(hop.url).path}",
                purpose=Purpose.VALIDATE,
                round=inquiries.COPY,
                hop=hop.number,
                wait_us=matrix.pause(hop.host, inquiries.COPY),
            )
        )
    return wanted


def _middlebox(scene: Scene, known_good: Sequence[KnownGood]) -> list[FollowUp]:
    """The target's Host on addresses that have nothing to do with it. Once more, and elsewhere if possible,
    where fewer than two of them were heard: answers get lost, and what another site's name left behind at an
    address (a residual block) silences every name there.
    """
    made = [f for f in scene.hop.flows if f.purpose in _MATRIX and f.round < matrix.DISPUTED]
    if scene.response is None or scene.copied:
        return []
    again = bool(made) and max(f.round for f in made) == matrix.STRANGE + _PAGES - 1
    if made and (not again or len(heard_at(scene)) >= _PAGES):
        return []
    ground = around(scene, known_good, after={f.address for f in made})
    first = matrix.ELSEWHERE if made else 0
    return matrix.hosts(scene, ground, scene.response.address, _PAGES, first) if ground.usable else []


def _again(scene: Scene) -> list[FollowUp]:
    """Two repeats of a page without a witness, where an unrelated address gives it too."""
    flow = scene.response
    if flow is None or _repeated(scene) or not same_answer_elsewhere(scene, step_of(flow)).same:
        return []
    return [matrix.repeat(scene, flow.address, number) for number in (1, 2)]


def _repeated(scene: Scene) -> bool:
    return any(flow.purpose is Purpose.REPEAT and flow.port == scene.hop.port for flow in scene.hop.flows)

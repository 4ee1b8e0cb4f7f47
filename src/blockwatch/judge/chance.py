"""Whether one and the same rate of failures explains what we saw and what the control saw.

Rules of this file:

* a server that fails for everybody now and then may fail for us every time while a control, asked once or
  twice, is lucky: what the control saw excludes that only below :data:`LIKELY` (Fisher's exact test);
* counted is the whole run: our own tries, other names at the same address, all that the control tried;
* where the name was shown to matter at unrelated addresses nothing is asked here; nor where a control
  vantage's run stands for the control. At the site's own address a server may fail for one of its names.

Source: R. A. Fisher, The Design of Experiments, 1935, chapter 2.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from math import comb

from blockwatch.judge.errand import shook
from blockwatch.judge.finding import Finding, refs, unclear
from blockwatch.judge.leftover import Leftovers, behind_its_own, hops_of
from blockwatch.judge.matrix import SPELLED, STRANGE
from blockwatch.judge.outcomes import EOF, OK, REFUSED, RESET, SKIPPED, TRUST, of_failure
from blockwatch.judge.proof import ROUNDS
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import CALM, FAR, NEAR, Flow, Hop
from blockwatch.judge.speed import CAPITALS
from blockwatch.model import ControlStep
from blockwatch.verdict import State

LIKELY = 0.01
MIXED = 0.001  # where other names fail at times at the site's address too, as at a server that fails at times
SELDOM = 4  # a line that fails one flow in four fails six in a row once in 4,096 times
_CUT = {RESET, EOF, REFUSED}


@dataclass(frozen=True)
class Fared:
    """How often something passed and failed."""

    passed: int = 0
    failed: int = 0

    def __add__(self, other: Fared) -> Fared:
        return Fared(self.passed + other.passed, self.failed + other.failed)


def likelihood(ours: Fared, theirs: Fared) -> float:
    """How likely it is to fail at least so often more than they, if both fail at one rate: 0 to 1."""
    tries = ours.passed + ours.failed
    failures = ours.failed + theirs.failed
    every = tries + theirs.passed + theirs.failed
    ways = sum(
        comb(tries, k) * comb(every - tries, failures - k)
        for k in range(ours.failed, min(tries, failures) + 1)
        if failures - k <= every - tries
    )
    return ways / comb(every, failures)


def weighed(scene: Scene, layer: str, finding: Finding) -> Finding:
    """A failure that the control did not meet, unless it may be the server's way with everybody."""
    controls = scene.hop.controls
    borrowed = any(step.helper.startswith("run:") for _, step in controls)
    if finding.state is not State.BLOCKED or scene.once or scene.ruleset == 1 or borrowed or not controls:
        return finding
    hops = hops_of(scene)
    own, near, far, calm, _, control = _counted(scene, layer, hops)
    there = far.failed >= ROUNDS and not far.passed and calm.passed >= ROUNDS and not calm.failed
    if there or likelihood(far, calm) < LIKELY:
        return finding  # the name matters, and not to the server
    behind = behind_its_own(hops)  # where others fail, the site's own name may have left it so
    fresh = _counted(scene, layer, hops, lambda flow: flow not in behind)[1]
    here = near.passed >= ROUNDS and not near.failed
    bar = MIXED if near.passed and near.failed else LIKELY
    if not all(_server_may(own, others, control, bar, named=here) for others in (near, fresh)):
        return finding
    tries = control.passed + control.failed
    text = f"{finding.text}; but the control passed {control.passed} of {tries} times"
    text += ", and a server that fails for everybody at times would look the same"
    return unclear(text, refs(finding.witnesses), finding.failed_step)


def _server_may(own: Fared, near: Fared, control: Fared, bar: float, *, named: bool) -> bool:
    """Whether a server that fails at times would have us fail so often, and the control so seldom. Where the
    site's name was shown to matter (to the server, perhaps), other names tell nothing of it.
    """
    if named or likelihood(own, near) < LIKELY:
        return likelihood(own, control) >= LIKELY
    return likelihood(own + near, control) >= bar


def unlike_the_line(scene: Scene, layer: str, finding: Finding) -> Finding:
    """A failure of the site's name, unless the line may do the same to every name: where control names fail
    at their own addresses, too, one rate of failures for all must be all but excluded.
    """
    if finding.state is not State.BLOCKED or scene.once or scene.ruleset == 1:
        return finding
    hops = hops_of(scene)
    own, near, far, usual, strange, _ = _counted(scene, layer, hops)
    named = own + far if far.failed > far.passed else own
    calm = _untouched(scene, layer, hops)  # and those at the site's address: a line would strike them as well
    tries = calm.passed + calm.failed
    if calm.failed * SELDOM < tries or not calm.failed:
        return finding
    if min(likelihood(named, others) for others in (calm, calm + near, usual + strange)) < MIXED:
        return finding
    text = f"{finding.text}; but other names failed so at control addresses, {calm.failed} of {tries} times"
    return unclear(f"{text}: it may be the line", refs(finding.witnesses), finding.failed_step)


def _untouched(scene: Scene, layer: str, hops: Sequence[Hop]) -> Fared:
    """How control names fared at control addresses, but where a residual block may have stood: from the
    site's name failing there until another passed. (Strange names only where one ever passed.)
    """
    kind = scene.tries(layer).kind
    alike = _CUT if kind in _CUT else {kind}
    left = Leftovers(scene, hops)
    strangers = [flow for hop in hops for flow in hop.by(*CALM) if flow.round >= STRANGE]
    open_to = {flow.address for flow in strangers if _end(flow, layer) in (OK, TRUST)}
    held: set[str] = set()  # what was seen decides only of what came later: else luck would choose
    fresh = []
    for flow in (flow for hop in hops for flow in hop.by(*CALM, *FAR)):
        passed = _end(flow, layer) in (OK, TRUST)
        if flow.purpose in CALM and flow.address not in held and not left.hit(flow):
            fresh.append(flow)
        elif flow.purpose in FAR and not passed:
            held.add(flow.address)
        if passed:
            held.discard(flow.address)
    return _of([f for f in fresh if f.round < STRANGE or f.address in open_to], layer, alike)


def by_name(scene: Scene, layer: str) -> bool:
    """Whether what fails now and then does so for the name: one and the same rate for it and for all others,
    in the whole run, would not have it fail so much more often than they (ruleset 1 did not ask).

    What may have met another site's residual block is no failure of the name.
    """
    if scene.ruleset == 1:
        return True
    hops = hops_of(scene)
    left = Leftovers(scene, hops)
    own, near, far, calm, strange, _ = _counted(scene, layer, hops, lambda flow: not left.hit(flow))
    return likelihood(own + far, near + calm + strange) < MIXED


def _counted(
    scene: Scene, layer: str, hops: Sequence[Hop], counts: Callable[[Flow], bool] = lambda flow: True
) -> tuple[Fared, Fared, Fared, Fared, Fared, Fared]:
    """How all fared at ``layer`` in the whole run, at addresses that ever failed: we (in capitals too, unless
    they pass); other names there; the site's name at control addresses; those addresses' own names, and names
    strange to them; and the control.
    Of control addresses those count that turn no strange name away; of flows those that ``counts`` allows.
    """
    own, near, far, calm, strange, control = (Fared() for _ in range(6))
    kind = scene.tries(layer).kind
    alike = _CUT if kind in _CUT else {kind}
    places = {flow.address for hop in hops for flow in hop.own if _end(flow, layer) in alike}
    capitals = _of([flow for hop in hops for flow in hop.by(*CAPITALS)], layer, alike)
    for hop in hops:
        named = [*hop.own, *([] if capitals.passed else hop.by(*CAPITALS))]
        own += _of([flow for flow in named if flow.address in places and counts(flow)], layer, alike)
        others = [f for f in hop.by(*NEAR) if f.address in places and f.round < SPELLED and counts(f)]
        near += _of(others, layer, alike)
        strangers = [f for f in hop.by(*CALM) if f.round >= STRANGE and counts(f)]
        picky = {f.address for f in strangers if f.at(layer) not in (OK, TRUST)}
        far += _of([f for f in hop.by(*FAR) if f.address not in picky and counts(f)], layer, alike)
        calm += _of([f for f in hop.by(*CALM) if f.round < STRANGE and counts(f)], layer, alike)
        strange += _of([f for f in strangers if f.address not in picky], layer, alike)
        for _, step in hop.controls:
            control += _of_control(step, hop, layer, places)
    return own, near, far, calm, strange, control


def _of(flows: list[Flow], layer: str, alike: Collection[str]) -> Fared:
    """How flows fared at a layer: passed (a chain that is not valid is an answer), or failed in this way."""
    ends = Counter(_end(flow, layer) for flow in flows)
    return Fared(ends[OK] + ends[TRUST], sum(ends[end] for end in alike))


def _end(flow: Flow, layer: str) -> str:
    """How a flow ended at a layer; a request not made as its handshake was cut off failed with it."""
    cut = layer == "http" and flow.at("http") == SKIPPED and flow.at("tls") in _CUT
    return flow.at("tls") if cut else flow.at(layer)


def _of_control(step: ControlStep, hop: Hop, layer: str, places: Collection[str]) -> Fared:
    """How a control fared: its own tries of these addresses, and the page that it asked for."""
    if step.failure is not None:
        return Fared()
    page = step.http_failure is None and step.status is not None
    if layer == "http":
        return Fared(page, not page and of_failure(step.http_failure) != OK)
    ends = [end for end in step.endpoints if end.port == hop.port and (layer == "tcp" or end.tls)]
    ends = [end for end in ends if end.address in places] or ends
    fine = [end.tcp_failure is None if layer == "tcp" else shook(end.tls_failure) for end in ends]
    apart = page and (layer == "tcp" or not fine)  # else it came over a handshake that is counted
    return Fared(sum(fine) + apart, len(fine) - sum(fine))

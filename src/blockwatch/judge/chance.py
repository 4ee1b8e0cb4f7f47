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
from collections.abc import Collection
from dataclasses import dataclass
from math import comb

from blockwatch.judge.errand import shook
from blockwatch.judge.finding import Finding, refs, unclear
from blockwatch.judge.matrix import SPELLED, STRANGE
from blockwatch.judge.names import owner, parts
from blockwatch.judge.outcomes import EOF, OK, REFUSED, RESET, SKIPPED, TRUST, of_failure
from blockwatch.judge.proof import ROUNDS
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import CALM, FAR, NEAR, Flow, Hop, Sight
from blockwatch.model import ControlStep
from blockwatch.verdict import State

LIKELY = 0.01
MIXED = 0.001  # where other names fail at times at the site's address too, as at a server that fails at times
SELDOM = 4  # a line that fails one flow in four fails six in a row once in 4,096 times
RESIDUE_US = 180_000_000  # no residual block on record lasts longer
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
    own, near, far, calm, _, control = _counted(scene, layer)
    here = near.passed >= ROUNDS and not near.failed
    there = far.failed >= ROUNDS and not far.passed and calm.passed >= ROUNDS and not calm.failed
    if there or likelihood(far, calm) < LIKELY:
        return finding  # the name matters, and not to the server
    named = here or likelihood(own, near) < LIKELY  # to the server, perhaps: other names tell nothing of it
    bar = MIXED if near.passed and near.failed and not named else LIKELY
    if likelihood(own if named else own + near, control) < bar:
        return finding
    tries = control.passed + control.failed
    text = f"{finding.text}; but the control passed {control.passed} of {tries} times"
    text += ", and a server that fails for everybody at times would look the same"
    return unclear(text, refs(finding.witnesses), finding.failed_step)


def unlike_the_line(scene: Scene, layer: str, finding: Finding) -> Finding:
    """A failure of the site's name, unless the line may do the same to every name: where control names fail
    at their own addresses, too, one rate of failures for all must be all but excluded.
    """
    if finding.state is not State.BLOCKED or scene.once or scene.ruleset == 1:
        return finding
    own, near, far, _, _, _ = _counted(scene, layer)
    named = own + far if far.failed > far.passed else own
    calm = _untouched(scene, layer)  # and those at the site's address: a line would strike them as well
    tries = calm.passed + calm.failed
    if calm.failed * SELDOM < tries or not calm.failed:
        return finding
    if min(likelihood(named, calm), likelihood(named, calm + near)) < MIXED:
        return finding
    text = f"{finding.text}; but other names failed so at control addresses, {calm.failed} of {tries} times"
    return unclear(f"{text}: it may be the line", refs(finding.witnesses), finding.failed_step)


def _untouched(scene: Scene, layer: str) -> Fared:
    """How control names fared at control addresses, but where a residual block may have stood: from the
    site's name failing there until another passed. (Strange names only where one ever passed.)
    """
    kind = scene.tries(layer).kind
    alike = _CUT if kind in _CUT else {kind}
    hops = _hops(scene)
    strangers = [flow for hop in hops for flow in hop.by(*CALM) if flow.round >= STRANGE]
    open_to = {flow.address for flow in strangers if _end(flow, layer) in (OK, TRUST)}
    held: set[str] = set()  # what was seen decides only of what came later: else luck would choose
    fresh = []
    for flow in (flow for hop in hops for flow in hop.by(*CALM, *FAR)):
        passed = _end(flow, layer) in (OK, TRUST)
        if flow.purpose in CALM and flow.address not in held and not _left_by_others(scene, flow):
            fresh.append(flow)
        elif flow.purpose in FAR and not passed:
            held.add(flow.address)
        if passed:
            held.discard(flow.address)
    return _of([f for f in fresh if f.round < STRANGE or f.address in open_to], layer, alike)


def _left_by_others(scene: Scene, flow: Flow) -> bool:
    """Whether another site's name broke at a control address shortly before, or while this flow was on its
    way: many sites are compared with it at one time, and blocked ones may live there.
    """
    steps = [step for step in (flow.tcp, flow.tls, flow.http) if step is not None]
    begun, ended = min((s.t for s in steps), default=0), max((s.t + s.us for s in steps), default=0)
    ours = {owner(scene.hop.host), owner(_name(flow))}
    struck = scene.peers.broken.get(flow.address, ())
    return any(whose not in ours and begun - RESIDUE_US <= then <= ended for then, whose in struck)


def _name(flow: Flow) -> str:
    """The name that a flow sent, in its ClientHello or in cleartext."""
    if flow.tls is not None:
        return flow.tls.server_name or ""
    return parts(flow.http.url).host if flow.http is not None else ""


def by_name(scene: Scene, layer: str) -> bool:
    """Whether what fails now and then does so for the name: one and the same rate for it and for all others,
    in the whole run, would not have it fail so much more often than they (ruleset 1 did not ask).
    """
    if scene.ruleset == 1:
        return True
    own, near, far, calm, strange, _ = _counted(scene, layer)
    return likelihood(own + far, near + calm + strange) < LIKELY


def _counted(scene: Scene, layer: str) -> tuple[Fared, Fared, Fared, Fared, Fared, Fared]:
    """How all fared at ``layer`` in the whole run, at addresses that ever failed: we; other names there; the
    site's name at control addresses; those addresses' own names, and names strange to them; and the control.
    Of control addresses those count that turn no strange name away.
    """
    own, near, far, calm, strange, control = (Fared() for _ in range(6))
    kind = scene.tries(layer).kind
    hops = _hops(scene)
    alike = _CUT if kind in _CUT else {kind}
    places = {flow.address for hop in hops for flow in hop.own if _end(flow, layer) in alike}
    for hop in hops:
        own += _of([flow for flow in hop.own if flow.address in places], layer, alike)
        near += _of([f for f in hop.by(*NEAR) if f.address in places and f.round < SPELLED], layer, alike)
        strangers = [f for f in hop.by(*CALM) if f.round >= STRANGE]
        picky = {f.address for f in strangers if f.at(layer) not in (OK, TRUST)}
        far += _of([f for f in hop.by(*FAR) if f.address not in picky], layer, alike)
        calm += _of([f for f in hop.by(*CALM) if f.round < STRANGE], layer, alike)
        strange += _of([f for f in strangers if f.address not in picky], layer, alike)
        for _, step in hop.controls:
            control += _of_control(step, hop, layer, places)
    return own, near, far, calm, strange, control


def sights(scene: Scene) -> list[Sight]:
    """All measurements of the target in this run, in order."""
    made = scene.peers.made.get(scene.sight.hops[0].url, ())
    found = [Sight(one.id, one.observations, one.url) for one in made]
    for sight in found:
        sight.unhear(scene.peers.unfit, scene.peers.gloomy)
    return found or [scene.sight]


def _hops(scene: Scene) -> list[Hop]:
    """This hop's URL in all of them."""
    return [hop for sight in sights(scene) for hop in sight.hops if hop.url == scene.hop.url]


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
    return Fared(sum(fine) + page, len(fine) - sum(fine))

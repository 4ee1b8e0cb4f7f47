"""What the two-name rounds prove: does the failure follow the name, and who can be making it?

Rules of this file:

* the target's name failing in the same way on an address that has nothing to do with the site cannot
  be the site's doing, if the control name passes there: that is proof without a server of ours. A control
  name with trouble of its own voids its own round, not those of others, if two addresses are left;
* a control name passing on the site's own address while the site's name fails there shows only that
  the name matters: a server may do that too, so it is a sign;
* so is its own name in capitals passing there: to most servers it is the same name, yet some compare bytes;
* an address that serves the site as well, or belongs to the same content network, is not an unrelated one;
* nor does one prove anything at which no third name was seen to pass: many servers know their own alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from blockwatch.judge.leftover import unhit
from blockwatch.judge.matrix import SPELLED, STRANGE
from blockwatch.judge.names import parts
from blockwatch.judge.operators import apart, operators
from blockwatch.judge.outcomes import ALERT, EOF, OK, RESET, SKIPPED, TIMEOUT
from blockwatch.judge.pages import alike, from_cdn
from blockwatch.judge.scene import Scene, answered, step_of
from blockwatch.judge.sight import Flow
from blockwatch.model import HttpStep, Purpose

_SNI = (Purpose.SNI_CONTROL_ON_CONTROL, Purpose.SNI_CONTROL_ON_TARGET, Purpose.SNI_TARGET_ON_CONTROL)
_HOST = (Purpose.HOST_CONTROL_ON_CONTROL, Purpose.HOST_CONTROL_ON_TARGET, Purpose.HOST_TARGET_ON_CONTROL)
_CAPITALS = (Purpose.SNI_CAPITALS_ON_TARGET, Purpose.HOST_CAPITALS_ON_TARGET)
OFTEN = 3  # failures of the name, on all addresses together, before "now and then" is believed
ROUNDS = 3  # rounds of two names before the name is said to matter


@dataclass(frozen=True)
class Proof:
    """What the rounds show of one kind of failure."""

    elsewhere: tuple[str, ...] = ()  # witnesses: the name fails alike on an unrelated address
    here: tuple[str, ...] = ()  # witnesses: a control name passes on the site's address, every round
    capitals: tuple[str, ...] = ()  # witnesses: the name in capitals passes on the site's address, always
    residual: bool = False  # the control name failed too, once the site's name had been sent there
    not_here: tuple[str, ...] = ()  # witnesses: a control name fails alike on the site's address
    times: int = 0  # how often the name failed alike on unrelated addresses
    tried: bool = False  # the rounds were made, as far as the first of them that could tell

    @property
    def witnesses(self) -> tuple[str, ...]:
        """All of them."""
        return self.elsewhere + self.here + self.capitals

    @property
    def only_there(self) -> bool:
        """Whether the rounds were made and did not show the failure at an unrelated address: then the
        server, or its firewall, may refuse this network.
        """
        return self.tried and not self.elsewhere

    @property
    def other(self) -> str:
        """Words for the name that passes where the target's does not."""
        return "another name" if self.elsewhere or self.here else "the same name in capitals"

    @property
    def named(self) -> bool:
        """Whether the name has been shown to be the trigger."""
        return bool(self.witnesses)


def of_failure(scene: Scene, layer: str, kind: str) -> Proof:
    """What the rounds show of the target's name failing at ``layer`` in the way ``kind``."""
    sni = layer == "tls" or scene.hop.secure
    quiet, here, elsewhere = (scene.row(purpose, layer) for purpose in (_SNI if sni else _HOST))
    went_through = answered if layer == "tls" else _responded
    if not (quiet or here or elsewhere):
        return Proof(capitals=_in_capitals(scene, layer, went_through))
    if scene.ruleset > 1:
        quiet, here = _through(quiet, elsewhere, kind), _through(here, elsewhere, kind)
    far = _telling(scene, quiet, _cut_so(scene, elsewhere, kind), went_through, kind)
    quiet = [(end, flow) for end, flow in quiet if flow.round < STRANGE]
    near = [(end, flow) for end, flow in here if end != SKIPPED and flow.round < SPELLED]
    calm = [(end, flow) for end, flow in quiet if end != SKIPPED]
    first_calm = bool(calm) and went_through(calm[0][0])
    later = [end for end, _ in calm[1:]]
    residual = any(_like(end, kind) for end in later)
    all_calm = first_calm and all(went_through(end) or _like(end, kind) for end in later)
    alike = [end for end, _ in far if _like(end, kind)]
    lost = [end for end, _ in far if _like(end, TIMEOUT)] if scene.ruleset > 1 and kind != TIMEOUT else []
    exact = kind in alike and len(alike) >= 2 and len(alike) + len(lost) == len(far)
    passed = {flow.round for end, flow in calm if went_through(end)} if scene.ruleset > 1 else set()
    just_after = {flow.address for end, flow in far if end == kind and flow.round in passed}
    fails_there = exact and kind != ALERT and (all_calm or len(just_after) >= 2)
    passes_here = len(near) >= ROUNDS and all(went_through(end) for end, _ in near)
    return Proof(
        elsewhere=_refs([flow for _, flow in far + calm], layer) if fails_there else (),
        here=_refs([flow for _, flow in near], layer) if passes_here else (),
        capitals=_in_capitals(scene, layer, went_through),
        not_here=_refs([flow for end, flow in near if _like(end, kind)], layer),
        residual=residual,
        tried=bool(far or near),
    )


def _through(
    others: list[tuple[str, Flow]], elsewhere: list[tuple[str, Flow]], kind: str
) -> list[tuple[str, Flow]]:
    """How control names fared: where requests are cut off before any answer comes, one that was answered went
    through, though the rest of its page got lost; and one that was lost altogether says nothing, where a name
    strange to the address passed there in the same round.
    """
    if kind not in (RESET, EOF) or any(began(flow) for end, flow in elsewhere if end == kind):
        return others
    passed = {(flow.address, flow.round - STRANGE) for end, flow in others if end == OK}
    lost = [flow for end, flow in others if end == TIMEOUT and flow.http is not None and not began(flow)]
    excused = {id(flow) for flow in lost if len(lost) == 1 and (flow.address, flow.round) in passed}
    return [
        (OK if end == TIMEOUT and (began(flow) or id(flow) in excused) else end, flow) for end, flow in others
    ]


def _in_capitals(scene: Scene, layer: str, went_through: Callable[[str], bool]) -> tuple[str, ...]:
    asked = [(end, flow) for purpose in _CAPITALS for end, flow in scene.row(purpose, layer)]
    tried = [(end, flow) for end, flow in asked if end != SKIPPED]
    passed = len(tried) >= ROUNDS and all(went_through(end) for end, _ in tried)
    return _refs([flow for _, flow in tried], layer) if passed else ()


def sometimes(scene: Scene, layer: str, kind: str) -> Proof:
    """Like :func:`of_failure` for a failure that comes and goes: one failure elsewhere is enough, if the
    control name passed in every one of at least three rounds.
    """
    sni = layer == "tls" or scene.hop.secure
    quiet, here, elsewhere = (scene.row(purpose, layer) for purpose in (_SNI if sni else _HOST))
    went_through = answered if layer == "tls" else _responded
    told = _telling(scene, quiet, _cut_so(scene, elsewhere, kind), went_through, kind)
    far = [(e, flow) for e, flow in told if e == kind and (scene.ruleset == 1 or not began(flow))]
    clean = unhit(scene, [flow for _, flow in far])
    far = [(end, flow) for end, flow in far if flow in clean]
    quiet = [(end, flow) for end, flow in quiet if flow.round < STRANGE]
    others = [(end, flow) for end, flow in quiet + here if end != SKIPPED and flow.round < SPELLED]
    if not far or kind == ALERT or len(others) < ROUNDS:
        return Proof()
    if not all(went_through(end) for end, _ in others):
        return Proof()
    return Proof(elsewhere=_refs([flow for _, flow in far + others], layer), times=len(far))


def _cut_so(scene: Scene, rounds: list[tuple[str, Flow]], kind: str) -> list[tuple[str, Flow]]:
    """Rounds of requests; a handshake cut off as they were counts with them: a reset may come a little sooner
    or later.
    """
    sooner = f"tls:{kind}" if kind in (RESET, EOF) and scene.ruleset > 1 else ""
    return [(kind if end == sooner else end, flow) for end, flow in rounds]


def began(flow: Flow) -> bool:
    """Whether an answer came in part: what broke then is the transfer, not the request."""
    return flow.http is not None and flow.http.status is not None


@dataclass(frozen=True)
class Elsewhere:
    """Whether unrelated addresses give the answer that came for the site."""

    same: tuple[str, ...] = ()  # witnesses: they do, every time
    tried: bool = False
    by_name: bool = False  # they may give every name a page of its own, as a proxy on the path would
    flows: tuple[Flow, ...] = ()


def same_answer_elsewhere(scene: Scene, step: HttpStep) -> Elsewhere:
    """What unrelated addresses answer to the target's Host, and what they make of other names."""
    broken = () if scene.ruleset == 1 else [f for f in scene.hop.by(_HOST[2]) if _begun_alike(f, step)]
    whole = [flow for flow in scene.hop.by(_HOST[2]) if flow.responded]
    tried = _unrelated(scene, [("", flow) for flow in (*whole, *broken)])
    same = [
        flow
        for _, flow in tried
        if (flow in broken or _alike(flow, step)) and not from_cdn(step_of(flow), servers=scene.ruleset > 1)
    ]
    places = {flow.address for flow in same}
    asked = [flow for flow in scene.hop.by(_HOST[0]) if flow.responded]
    calm = [flow for flow in asked if not _tainted(scene, flow)]
    usual = [flow for flow in calm if flow.address in places]
    compared = any(flow.address in places for flow in asked)
    says_so = any(flow.round >= STRANGE and _alike(flow, step) for flow in usual)
    everybody = not compared or (bool(usual) and all(_alike(flow, step) for flow in usual))
    if says_so or everybody or len(same) < len(tried):  # it must be given every time, to this name only
        mute = scene.ruleset > 1 and not compared and len(same) == len(tried)  # nothing was learnt there
        return Elsewhere(tried=bool(tried) and not mute)
    strange = [flow for flow in usual if flow.round >= STRANGE]
    by_name = not strange or any(_given_its_own(flow, calm) for flow in strange)
    return Elsewhere(_refs(same, "http"), bool(tried), by_name, tuple(same))


def heard_at(scene: Scene) -> set[str]:
    """The unrelated addresses that answered both the target's Host and a control name."""
    others = {flow.address for flow in scene.hop.by(_HOST[0]) if flow.responded and not _tainted(scene, flow)}
    rounds = [("", flow) for flow in scene.hop.by(_HOST[2]) if flow.responded]
    return {flow.address for _, flow in _unrelated(scene, rounds)} & others


def _begun_alike(flow: Flow, step: HttpStep) -> bool:
    """Whether this very answer began and broke off: what is lost of an injected page is never sent again."""
    begun = flow.http if began(flow) and not flow.responded else None
    return begun is not None and bool(step.title) and (begun.status, begun.title) == (step.status, step.title)


def _tainted(scene: Scene, flow: Flow) -> bool:
    """Whether the name sent is itself shown false pages in this run: then it is no control."""
    return flow.http is not None and parts(flow.http.url).host in scene.peers.tainted


def _given_its_own(strange: Flow, calm: list[Flow]) -> bool:
    """Whether a name strange to an address was shown the page there that it has at its own address (or
    we did not see what it has there), and not the address's page.
    """
    if strange.http is None:
        return False
    host = parts(strange.http.url).host
    home = [f for f in calm if f.round < STRANGE and f.http and parts(f.http.url).host == host]
    here = [f for f in calm if f.round < STRANGE and f.address == strange.address]
    if any(_alike(f, strange.http) for f in here):
        return False
    return not home or any(_alike(f, strange.http) for f in home)


def _unrelated(scene: Scene, rounds: list[tuple[str, Flow]]) -> list[tuple[str, Flow]]:
    """Only the rounds at addresses that do not serve the site, nor belong to a content network that does."""
    if not rounds:
        return []
    own = scene.answers.good | scene.answers.given
    theirs = operators(own) if scene.ruleset > 1 else frozenset()
    return [
        (end, flow)
        for end, flow in rounds
        if flow.address not in own and end != SKIPPED and apart(flow.address, theirs)
    ]


def _telling(
    scene: Scene,
    quiet: list[tuple[str, Flow]],
    elsewhere: list[tuple[str, Flow]],
    went_through: Callable[[str], bool],
    kind: str,
) -> list[tuple[str, Flow]]:
    """The rounds at unrelated addresses that do not turn every strange name away."""
    far = _unrelated(scene, elsewhere)
    if scene.ruleset == 1:
        picky = _picky(quiet, went_through, None)
        return [(end, flow) for end, flow in far if flow.address not in picky]
    picky = _picky(quiet, went_through, kind)
    asked = {flow.address for end, flow in quiet if flow.round >= STRANGE and end != SKIPPED}
    return [(end, flow) for end, flow in far if flow.address in asked - picky]


def _picky(quiet: list[tuple[str, Flow]], went_through: Callable[[str], bool], kind: str | None) -> set[str]:
    """Control addresses that turn away another control's name too: they prove nothing.

    Where the address's own name failed just before, a residual block stands there, and turns away everybody.
    A stranger refused at once does not explain silence for the target's name. No ``kind``: ruleset 1, which
    knew neither.
    """
    if kind is None:
        return {flow.address for end, flow in quiet if flow.round >= STRANGE and not went_through(end)}
    held = {(flow.address, flow.round + STRANGE) for end, flow in quiet if not went_through(end)}
    strange = [(end, flow) for end, flow in quiet if flow.round >= STRANGE and not went_through(end)]
    alike = [(end, flow) for end, flow in strange if kind != TIMEOUT or _like(end, kind)]
    return {flow.address for _, flow in alike if (flow.address, flow.round) not in held}


def _alike(flow: Flow, step: HttpStep) -> bool:
    return flow.http is not None and alike(flow.http, step)


def _like(end: str, kind: str) -> bool:
    """Whether a round ended in this way, at this layer or (residual blocking) at one beneath."""
    return end.rpartition(":")[2] == kind


def _responded(end: str) -> bool:
    return end == OK


def _refs(flows: list[Flow], layer: str) -> tuple[str, ...]:
    return tuple(ref for flow in flows for ref in flow.witness(layer))

"""The HTTP rules: failures after the request, slow and frozen transfers, and what was reached.

Rules of this file:

* a request that fails for the control too, in whatever way, is nobody's interference unless an
  unrelated address shows the same for the name;
* a slow transfer is compared with the same address under another name before anything is said.
"""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge import chance, outcomes, proof
from blockwatch.judge.finding import Finding, Note, blocked, down, ok, refs, sign, unclear
from blockwatch.judge.matrix import SPELLED
from blockwatch.judge.rules_transport import REFUSAL, UNCOMPARED
from blockwatch.judge.scene import Scene
from blockwatch.judge.speed import FACTOR, SAME_OFFSET, Speeds
from blockwatch.judge.transfers import LEAST, Transfer
from blockwatch.judge.tries import Tries
from blockwatch.verdict import Grade

_FAILS = frozenset({"timeout", "reset", "eof"})
_CUT = frozenset({"reset", "eof"})
_WORDS = {"timeout": "is answered with silence", "reset": "is reset", "eof": "is cut off"}
UNPROVEN = "under another name it goes faster or on; nothing shows that it does for others elsewhere"
_SLOW_ERRAND_US = 8_000_000  # a helper that needed so long met a slow server


def frozen(scene: Scene) -> Finding | None:
    """The transfer stops at the same offset every time; under another name it does not."""
    speeds = Speeds(scene)
    stalled = speeds.stalled
    if len(stalled) < 2 or _hard_for_control(scene):
        return None
    farthest = max(t.moved for t in stalled)
    past = [t for t in speeds.other if not t.stalled and t.moved > farthest]
    stuck = [t for t in speeds.other if t.stalled]
    text = f"The transfer stops after about {farthest} bytes, {len(stalled)} times"
    witnesses = refs(_of(stalled), _of(past), scene.hop.control_refs)
    whole = scene.control_ok and (scene.control.body_length or 0) > 2 * farthest if scene.control else False
    if len(past) >= 2 and not stuck and scene.ruleset > 1 and not _belied(scene, past, whole):
        return sign("freeze" + _trigger(scene), f"{text}; {UNPROVEN}", witnesses)
    if len(past) >= 2 and not stuck:
        alike = farthest - min(t.moved for t in stalled) <= SAME_OFFSET
        grade = Grade.STRONG if len(stalled) >= 3 and alike else Grade.SIGNS
        return blocked(
            "freeze" + _trigger(scene),
            grade,
            text + "; under another name, or the same spelled otherwise, it goes on",
            witnesses,
        )
    if whole and not stuck and len(stalled) >= 3:
        return sign("freeze", text + "; the control got the page whole", witnesses)
    return None


def throttled(scene: Scene) -> Finding | None:
    """The transfer is slow every time; under another name the same address is fast."""
    speeds = Speeds(scene)
    slow = speeds.slow
    if (
        len(slow) < 2
        or _hard_for_control(scene)
        or len(slow) < len([t for t in speeds.own if t.moved >= LEAST])
    ):
        return None
    quickest = max(t.rate for t in slow)
    fast = [t for t in speeds.other if t.moved >= LEAST and not (t.flow.round >= SPELLED and t.slow)]
    if scene.ruleset > 1:
        fast = _whole(fast)
    text = f"The transfer runs at {quickest // 1000} kB/s at most, {len(slow)} times"
    witnesses = refs(_of(slow), _of(fast), scene.hop.control_refs)
    if len(fast) >= 2 and min(t.rate for t in fast) >= FACTOR * quickest:
        quick = speeds.control_rate >= FACTOR * quickest
        if scene.ruleset > 1 and not _belied(scene, fast, quick):
            return sign("throttle" + _trigger(scene), f"{text}; {UNPROVEN}", witnesses)
        grade = Grade.STRONG if len(slow) >= 3 else Grade.SIGNS
        return blocked(
            "throttle" + _trigger(scene),
            grade,
            text + "; under another name, or the same spelled otherwise, it is five times faster",
            witnesses,
        )
    if not fast and len(slow) >= 3 and speeds.control_rate >= FACTOR * quickest:
        return sign("throttle", text + "; the control got it five times faster", witnesses)
    return None


def _whole(copies: list[Transfer]) -> list[Transfer]:
    """Without the copies that broke, where others came: a control name may be blocked itself."""
    whole = [copy for copy in copies if copy.flow.at("http") == outcomes.OK]
    return whole if len(whole) >= 2 else copies


def _belied(scene: Scene, others: list[Transfer], control: bool) -> bool:
    """Whether the site itself is shown not to be slow for everybody: by the ``control``, or in cleartext by
    its own name spelled otherwise, to which the same host of the server answers.
    """
    return control or (not scene.hop.secure and any(t.flow.round >= SPELLED for t in others))


def http_flaky(scene: Scene) -> Finding | None:
    """Requests for the name are cut now and then, on an unrelated address too; others never are."""
    tries = scene.tries("http")
    if not tries.passed or not tries.failed or tries.kind not in _FAILS:
        return None
    shown = proof.sometimes(scene, "http", tries.kind)
    cut = [flow for flow in tries.same if scene.ruleset == 1 or not proof.began(flow)]
    if not shown.named or not cut or len(cut) + shown.times < proof.OFTEN:
        return None
    if not chance.by_name(scene, "http"):
        return None
    text = f"Requests for the name fail now and then ({len(cut)} times), on an unrelated address too"
    found = sign(f"http.{tries.kind}" + _trigger(scene), text, refs(tries.witnesses, shown.witnesses))
    return replace(found, fitful=scene.ruleset > 1)


def http_by_name(scene: Scene) -> Finding | None:
    """Requests for the name fail on an unrelated address too, where a control name is answered."""
    tries = _all_failed(scene)
    if tries is None or tries.kind not in (*_FAILS, outcomes.GARBAGE):
        return None
    alike = len(tries.same) + scene.cut_at_once(tries)
    shown = proof.of_failure(scene, "http", tries.kind)
    if not shown.elsewhere or alike < 2:
        return None
    grade = Grade.STRONG if alike >= 3 else Grade.SIGNS
    witnesses = refs(tries.witnesses, shown.witnesses, scene.hop.control_refs)
    if tries.kind == outcomes.GARBAGE:
        text = "Something that is not HTTP comes for the name, on an unrelated address too"
        return blocked("http.blockpage", grade, text, witnesses, proven=True)
    text = (
        f"A request for the name {_WORDS[tries.kind]} on an unrelated address too, where others are answered"
    )
    sure = not scene.suspected_residue(tries.same)
    return blocked(f"http.{tries.kind}{_trigger(scene)}", grade, text, witnesses, proven=sure)


def http_down(scene: Scene) -> Finding | None:
    """The request fails for the control too."""
    tries = _all_failed(scene)
    if tries is None or scene.control_failed_at is None:
        return None
    witnesses = refs(tries.witnesses, scene.hop.control_refs)
    return down("http", "The request fails, and fails for the control too", witnesses)


def http_blocked(scene: Scene) -> Finding | None:
    """The request fails, again and again; the control's is answered."""
    tries = _all_failed(scene)
    if tries is None or not (scene.control_ok or scene.followed) or tries.kind not in _FAILS:
        return None
    shown = proof.of_failure(scene, "http", tries.kind)
    early = all(scene.too_early(flow, "http") for flow in tries.same)
    found = _doubted(scene, tries, shown)
    if found is not None:
        return found
    found = _request_cut(scene, tries, shown, early=early)
    return found if shown.elsewhere or early else chance.weighed(scene, "http", found)


def _doubted(scene: Scene, tries: Tries, shown: proof.Proof) -> Finding | None:
    """What forbids to conclude anything from requests that fail."""
    witnesses = refs(tries.witnesses, scene.hop.control_refs)
    if shown.not_here and scene.suspected_residue(tries.same):
        text = (
            "Another site's request broke at this address in the same run, and other names fail there since"
        )
        return unclear(text, refs(tries.witnesses, shown.not_here), "http")
    if tries.kind == "timeout" and not shown.named and _slow_errand(scene):
        return unclear("The request times out here; the control's took long as well", witnesses, "http")
    if tries.kind == "timeout" and _body_began(tries):
        return unclear(
            "The page stops on its way; nothing shows that it does so for the name", witnesses, "http"
        )
    return None


def _request_cut(scene: Scene, tries: Tries, shown: proof.Proof, *, early: bool) -> Finding:
    """What requests prove that fail here and not for the control."""
    witnesses = refs(tries.witnesses, scene.hop.control_refs)
    text = f"The request {_WORDS[tries.kind]} ({len(tries.same)} times); the control's is answered"
    more = scene.cut_at_once(tries)
    if scene.once:
        return sign(f"http.{tries.kind}", text, witnesses)
    if len(tries.same) + more < 2 or tries.rounds + more < 2:
        return unclear(text + "; it was not tried again", witnesses, "http")
    grade = Grade.STRONG if len(tries.same) + more >= 3 else Grade.SIGNS
    mechanism = f"http.{tries.kind}" + (_trigger(scene) if shown.named else "")
    if shown.only_there and not early:
        seen = refs(witnesses[:8], shown.witnesses, shown.not_here)
        return sign(mechanism, f"{text}, at this address only. {REFUSAL}", seen)
    if not shown.tried and not early and scene.ruleset > 1:
        return sign(mechanism, f"{text}; {UNCOMPARED}. {REFUSAL}", witnesses)
    return blocked(mechanism, grade, text, refs(witnesses, shown.witnesses))


def http_alone(scene: Scene) -> Finding | None:
    """The request fails and nothing shows whose doing it is.

    A control name answered at the site's own address shows nothing: a front lives whose back end is dead.
    """
    tries = _all_failed(scene)
    if tries is None:
        return None
    if scene.followed is False:
        return down("http", "The request fails; the control was led to no page either", tries.witnesses)
    return unclear("The request fails; nothing shows whose doing that is", tries.witnesses, "http")


def slow_note(scene: Scene) -> Note | None:
    """The page came slowly, and nothing shows that it is for its name."""
    slow = Speeds(scene).slow
    return Note("The page came slowly; nothing shows that it is for its name", _of(slow)) if slow else None


def transport_reached(scene: Scene) -> Finding | None:
    """A probe that asks for no page has reached what it asked for."""
    if not scene.last or any(flow.http is not None for flow in scene.hop.own):
        return None
    flow = next((f for f in scene.usable if f.at("tls" if scene.hop.secure else "tcp") == outcomes.OK), None)
    return ok("The address answers", refs(flow.witness())) if flow is not None else None


def name_resolves(scene: Scene) -> Finding | None:
    """Nothing but lookups was made, and the line's resolver tells what others tell."""
    answers = scene.answers
    if not scene.last or scene.hop.own or not answers.given:
        return None
    witnesses = tuple(lookup.ref for lookup in answers.system)
    if answers.given & (answers.good | answers.elsewhere):
        return ok("The line's resolver gives addresses that others give too", witnesses)
    return unclear(
        "The line's resolver gives addresses of its own, and nothing shows whose they are", witnesses, "dns"
    )


def _all_failed(scene: Scene) -> Tries | None:
    """The requests, if all failed. With them count handshakes that were cut off as requests were: a reset may
    come a little sooner or later.
    """
    tries = scene.tries("http")
    if not tries.failed or tries.passed:
        return None
    if scene.ruleset == 1 or tries.kind not in _CUT:
        return tries
    before = [flow for flow in scene.tries("tls").failed if flow.at("tls") == tries.kind]
    return Tries("http", [*tries.same, *before], ()) if before else tries


def _trigger(scene: Scene) -> str:
    return ".sni" if scene.hop.secure else ".host"


def _of(transfers: list[Transfer]) -> tuple[str, ...]:
    return tuple(ref for t in transfers for ref in t.flow.witness("http"))


def _slow_errand(scene: Scene) -> bool:
    """Whether the control took long, each time that it was asked: once its own line may have been busy."""
    asked = [scene.control] if scene.control is not None else []
    if scene.ruleset > 1:
        asked += [
            step for _, step in scene.hop.controls if step.failure is None and step.http_failure is None
        ]
    return bool(asked) and min(step.us for step in asked) >= _SLOW_ERRAND_US


def _hard_for_control(scene: Scene) -> bool:
    """Whether the control got no page either, or took as long (ruleset 1 did not ask)."""
    return scene.ruleset > 1 and scene.control is not None and (not scene.control_ok or _slow_errand(scene))


def _body_began(tries: Tries) -> bool:
    return any(map(proof.began, tries.same))

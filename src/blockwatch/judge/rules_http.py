"""The HTTP rules: failures after the request, and what was reached.

Rules of this file:

* a request that fails for the control too, in whatever way, is nobody's interference unless an
  unrelated address shows the same for the name.
"""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge import chance, outcomes, proof
from blockwatch.judge.addresses import is_address
from blockwatch.judge.finding import Finding, blocked, down, ok, refs, sign, unclear
from blockwatch.judge.leftover import unhit
from blockwatch.judge.rules_transport import REFUSAL, UNCOMPARED
from blockwatch.judge.scene import Scene
from blockwatch.judge.tries import Tries
from blockwatch.judge.trouble import at_some
from blockwatch.model import Purpose
from blockwatch.verdict import Grade

_FAILS = frozenset({"timeout", "reset", "eof"})
_CUT = frozenset({"reset", "eof"})
_WORDS = {"timeout": "is answered with silence", "reset": "is reset", "eof": "is cut off"}
_FOR_PAGES = frozenset({"web", "web_connectivity"})  # probes that ask for a page: ours, OONI's
_SLOW_ERRAND_US = 8_000_000  # a helper that needed so long met a slow server


def http_flaky(scene: Scene) -> Finding | None:
    """Requests for the name are cut now and then, on an unrelated address too; others never are."""
    tries = scene.tries("http")
    if not tries.passed or not tries.failed or tries.kind not in _FAILS:
        return None
    shown = proof.sometimes(scene, "http", tries.kind)
    cut = [flow for flow in unhit(scene, tries.same) if scene.ruleset == 1 or not proof.began(flow)]
    if not shown.named or not cut or len(cut) + shown.times < proof.OFTEN:
        return None
    if not chance.by_name(scene, "http"):
        return None
    when = "at some of the site's addresses" if at_some(scene, tries) else "now and then"
    text = f"Requests for the name fail {when} ({len(cut)} times), on an unrelated address too"
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
        found = blocked("http.blockpage", grade, text, witnesses, proven=True)
        return chance.unlike_the_line(scene, "http", found)
    text = (
        f"A request for the name {_WORDS[tries.kind]} on an unrelated address too, where others are answered"
    )
    sure = not scene.suspected_residue(tries.same)
    found = blocked(f"{_step(tries)}.{tries.kind}{_trigger(scene)}", grade, text, witnesses, proven=sure)
    return chance.unlike_the_line(scene, "http", found)


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
    if early:
        return found
    found = chance.unlike_the_line(scene, "http", found)
    return found if shown.elsewhere else chance.weighed(scene, "http", found)


def _doubted(scene: Scene, tries: Tries, shown: proof.Proof) -> Finding | None:
    """What forbids to conclude anything from requests that fail."""
    witnesses = refs(tries.witnesses, scene.hop.control_refs)
    if shown.not_here and scene.suspected_residue(tries.same):
        text = (
            "Another site's request broke at this address in the same run, and other names fail there since"
        )
        return unclear(text, refs(tries.witnesses, shown.not_here), "http")
    if tries.kind == "timeout" and not shown.named and slow_errand(scene):
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
    mechanism = f"{_step(tries)}.{tries.kind}" + (_trigger(scene) if shown.named else "")
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


def transport_reached(scene: Scene) -> Finding | None:
    """A probe that asks for no page has reached what it asked for."""
    if not scene.last or any(flow.http is not None for flow in scene.hop.own) or _lacks_page(scene):
        return None
    flow = next((f for f in scene.usable if f.at("tls" if scene.hop.secure else "tcp") == outcomes.OK), None)
    if flow is None:
        return None
    sure = scene.hop.secure or is_address(scene.hop.host) or scene.ruleset == 1
    if not sure and flow.address not in scene.answers.good:
        text = "An address answers, and nothing that can be believed gives it for the name"
        return unclear(text, refs(flow.witness()), "dns")
    return ok("The address answers", refs(flow.witness()))


def name_resolves(scene: Scene) -> Finding | None:
    """Nothing but lookups was made, and the line's resolver tells what others tell."""
    answers = scene.answers
    if not scene.last or scene.hop.own or not answers.given:
        return None
    witnesses = tuple(lookup.ref for lookup in answers.system)
    first = [x for x in answers.system if x.step.purpose is Purpose.FIRST]
    if scene.ruleset > 1 and not any(x.step.addresses for x in first):  # else it may have been led further
        return unclear("The line's resolver gave addresses only when it was asked again", witnesses, "dns")
    agreed = answers.given & (answers.good | answers.elsewhere)
    if agreed and _lacks_page(scene):
        return None
    if agreed and scene.ruleset > 1 and not answers.good:
        text = "Only resolvers that anybody on the path can answer for give the same addresses"
        return unclear(text, witnesses, "dns")
    if agreed:
        return ok("The line's resolver gives addresses that others give too", witnesses)
    return unclear(
        "The line's resolver gives addresses of its own, and nothing shows whose they are", witnesses, "dns"
    )


def _lacks_page(scene: Scene) -> bool:
    """Whether a page was to be asked for: an address that answers, or a name that resolves, is none."""
    return scene.ruleset > 1 and scene.probe in _FOR_PAGES


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


def _step(tries: Tries) -> str:
    """The step at which most were cut off: where a reset comes late, a few handshakes get through."""
    sooner = sum(flow.at("http") == outcomes.SKIPPED for flow in tries.same)
    return "tls" if sooner * 2 > len(tries.same) else "http"


def _trigger(scene: Scene) -> str:
    return ".sni" if scene.hop.secure else ".host"


def slow_errand(scene: Scene) -> bool:
    """Whether the control took long, each time that it was asked: once its own line may have been busy."""
    asked = [scene.control] if scene.control is not None else []
    if scene.ruleset > 1:
        asked += [
            step for _, step in scene.hop.controls if step.failure is None and step.http_failure is None
        ]
    return bool(asked) and min(step.us for step in asked) >= _SLOW_ERRAND_US


def _body_began(tries: Tries) -> bool:
    return any(map(proof.began, tries.same))

"""The rule on redirects in cleartext: whose are they?

Rules of this file:

* a redirect is the site's when it leads to the control's page, or a copy over TLS has it too;
* it is a middlebox's when an unrelated address gives the same to the site's name.
"""

from __future__ import annotations

from blockwatch.judge import pages, proof, rules_known
from blockwatch.judge.addresses import is_address
from blockwatch.judge.both import shown_to_both
from blockwatch.judge.finding import Finding, blocked, refs, sign, unclear
from blockwatch.judge.household import tempered
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.settled import settled
from blockwatch.judge.sight import Flow, redirect_of
from blockwatch.judge.whose import copy, middlebox
from blockwatch.model import HttpStep
from blockwatch.verdict import Grade


def false_redirect(scene: Scene) -> Finding | None:
    """A cleartext redirect to a stranger that the control did not get."""
    return tempered(_strange_redirect(scene), scene, scene.response)


def _strange_redirect(scene: Scene) -> Finding | None:
    flow = scene.response
    target = redirect_of(step_of(flow)) if flow is not None else ""
    if flow is None or not target or scene.hop.secure:
        return None
    own = same_owner(parts(target).host, scene.hop.host)
    if own and not scene.astray:
        return None
    step = step_of(flow)
    repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
    witnesses = refs(*(f.witness("http") for f in repeats), scene.hop.control_refs)
    confirmed = scene.final_agrees or copy(scene, step) == "same"
    doubted = shown_to_both(scene, flow)
    if doubted is not None:
        return doubted
    known = None if confirmed else rules_known.censors_redirect(scene, step)
    shown = proof.same_answer_elsewhere(scene, step)
    if known is not None:
        fine = scene.control_ok and scene.control is not None and (scene.control.status or 600) < 400
        found = settled(scene, known, "http.redirect", repeats, shown, differs=fine)
        if found is not None:
            return found
    text = f"An unrelated address gives the same redirect to {parts(target).host} when asked for the name"
    handed = shown.by_name and pages.handed_on(step)
    vague = handed and not _telling(scene, step) and copy(scene, step) != "different"
    proven = middlebox(scene, step, shown, "http.redirect.host", text, doubt=confirmed or vague)
    if proven is not None:
        return proven
    if confirmed or own:
        return None
    return _doubtful_redirect(scene, step, target, repeats, witnesses, shown)


def _doubtful_redirect(
    scene: Scene,
    step: HttpStep,
    target: str,
    repeats: list[Flow],
    witnesses: tuple[str, ...],
    shown: proof.Elsewhere,
) -> Finding | None:
    """A redirect to a stranger that neither control nor TLS confirms and no round has proven.

    Where unrelated addresses were asked for the name and none gives it, it may be the server's own.
    """
    host, telling = parts(target).host, _telling(scene, step)
    others = scene.peers.others(scene.peers.redirected, pages.destination(target), scene.hop.host)
    fine = _control_led_on(scene)
    stray = fine and (is_address(host) or telling or len(others) >= 2)
    own = shown.tried and not shown.same and not telling
    if copy(scene, step) == "different" and fine and len(repeats) >= 2 and not own:
        text = f"In cleartext the site redirects to {host}; over TLS the same address does not"
        return (
            blocked("http.redirect", Grade.STRONG, text, witnesses)
            if telling and not shown.tried
            else sign("http.redirect", text, witnesses)
        )
    if stray and scene.enough(len(repeats)) and not own:
        text = f"A redirect to {host}, {len(repeats)} times; the control got a page of its own instead"
        return sign("http.redirect", text, witnesses)
    if shown.tried and not stray and not shown.same and _unbelied(scene, step):
        return None
    return unclear(f"A cleartext redirect to {host} that nothing confirms", witnesses, "http")


def _unbelied(scene: Scene, step: HttpStep) -> bool:
    """Whether a witness was there, and none speaks against a redirect that no other address gives: a copy
    over TLS that is no such redirect, or a control's page which is not built like that at its end.
    """
    if scene.control is None or not scene.control_ok:
        return scene.control is not None
    if copy(scene, step) == "different":
        return False
    end = scene.sight.hops[-1].response
    kin = end is not None and pages.kindred(step_of(end), scene.control)
    return kin or not _control_led_on(scene)


def _control_led_on(scene: Scene) -> bool:
    """Whether the control was given a page, or a redirect of its own: refused, it may miss this one."""
    control = scene.control
    return control is not None and scene.control_ok and not pages.turned_away(control)


def _telling(scene: Scene, step: HttpStep) -> bool:
    return pages.telling_path(redirect_of(step)) or rules_known.redirect_known(scene, step) is not None

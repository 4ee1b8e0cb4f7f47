"""Page rules of ruleset 1 that a later ruleset weighs otherwise, as they were.

Rules of this file: nothing here is ever changed, nor used by anything but the rows of ruleset 1.
"""

from __future__ import annotations

from blockwatch.judge import pages, proof, rules_known
from blockwatch.judge.addresses import is_address
from blockwatch.judge.finding import Finding, blocked, down, ok, refs, refused, sign, unclear
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, redirect_of
from blockwatch.model import HttpStep, Purpose
from blockwatch.verdict import Grade

_WORDS = {"timeout": "is answered with silence", "reset": "is reset", "eof": "is cut off"}


def false_redirect(scene: Scene) -> Finding | None:
    """A cleartext redirect to a stranger that the control did not get."""
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
    confirmed = scene.final_agrees or _copy(scene, step) == "same"
    known = None if confirmed else rules_known.censors_redirect(scene, step)
    if known is not None:
        text = f"The redirect is a censor's on record: {rules_known.said(scene, known)}"
        return blocked("http.redirect", Grade.CONFIRMED, text, witnesses)
    shown = proof.same_answer_elsewhere(scene, step)
    text = f"An unrelated address gives the same redirect to {parts(target).host} when asked for the name"
    proven = _middlebox(scene, step, shown, "http.redirect.host", text, doubt=confirmed)
    if proven is not None:
        return proven
    if confirmed or own:
        return None
    return _doubtful_redirect(scene, step, target, repeats, witnesses, shown.tried)


def _doubtful_redirect(
    scene: Scene, step: HttpStep, target: str, repeats: list[Flow], witnesses: tuple[str, ...], tried: bool
) -> Finding | None:
    """A redirect to a stranger that neither control nor TLS confirms and no round has proven."""
    host = parts(target).host
    others = scene.peers.others(scene.peers.redirected, pages.destination(target), scene.hop.host)
    stray = scene.control_ok and (is_address(host) or _telling(scene, step) or len(others) >= 2)
    if _copy(scene, step) == "different" and scene.control_ok and len(repeats) >= 2:
        text = f"In cleartext the site redirects to {host}; over TLS the same address does not"
        return blocked("http.redirect", Grade.STRONG, text, witnesses)
    if stray and scene.enough(len(repeats)):
        text = f"A redirect to {host}, {len(repeats)} times; the control got a page of its own instead"
        return sign("http.redirect", text, witnesses)
    if tried and not stray:
        return None
    return unclear(f"A cleartext redirect to {host} that nothing confirms", witnesses, "http")


def _telling(scene: Scene, step: HttpStep) -> bool:
    return pages.telling_path(redirect_of(step)) or rules_known.redirect_known(scene, step) is not None


def cleartext_page(scene: Scene) -> Finding | None:
    """In cleartext the page is the site's if the control or a copy over TLS agrees."""
    flow = scene.response
    if not scene.last or flow is None or scene.hop.secure:
        return None
    step = step_of(flow)
    witnesses = refs(flow.witness("http"), scene.hop.control_refs)
    agreed = pages.agrees(step, scene.control)
    if agreed == "same" or _copy(scene, step) == "same":
        return _site_page(scene, step, scene.text(flow) if pages.may_challenge(step) else "", witnesses)
    text = scene.text(flow)
    known = rules_known.censors_page(scene, flow)
    if known is not None:
        what = f"The page is a censor's on record: {rules_known.said(scene, known)}"
        return blocked("http.blockpage", Grade.CONFIRMED, what, witnesses)
    shown = proof.same_answer_elsewhere(scene, step)
    words = "An unrelated address gives the same page when asked for the name"
    doubt = agreed != "different" and not pages.wording(step, text)
    proven = _middlebox(scene, step, shown, "http.blockpage.host", words, doubt=doubt)
    if proven is not None:
        return proven
    return _doubtful_page(scene, step, text, witnesses, shown)


def _middlebox(
    scene: Scene, step: HttpStep, shown: proof.Elsewhere, mechanism: str, text: str, *, doubt: bool
) -> Finding | None:
    """An unrelated address gives this very answer to the site's name.

    Where such addresses give every name a page of its own (a proxy on the path, a farm of servers), the
    answer may yet be the site's: then it counts only if it came before the site can have sent it, or, as
    a sign, if something else speaks against it (no ``doubt``).
    """
    if not shown.same:
        return None
    repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
    witnesses = refs(*(f.witness("http") for f in repeats[:4]), shown.same, scene.hop.control_refs)
    if not shown.by_name:
        grade = Grade.CONFIRMED if len(shown.same) >= 2 and scene.control_ok else Grade.STRONG
        return blocked(mechanism, grade, text, witnesses, proven=True)
    flows = [*repeats, *shown.flows]
    early = sum(scene.too_early(flow, "http") for flow in flows)
    if early >= 3 and early * 3 >= len(flows) * 2:
        text += ", sooner than a server can answer"
        return blocked(mechanism, Grade.STRONG, text, witnesses, proven=True)
    if doubt or len(repeats) < 2 or (step.body_length or 0) > pages.SMALL:
        return None
    if pages.structured_like(step, scene.control):
        return None
    return sign(mechanism, text, witnesses)


def _site_page(scene: Scene, step: HttpStep, text: str, witnesses: tuple[str, ...]) -> Finding:
    """The page is the site's; what does it say?"""
    status = step.status or 0
    if pages.refusal(step, scene.control, text):
        return refused(f"The server itself refuses (status {status}), the control too", witnesses)
    if status >= 500:
        return down("http", f"The server errs for the control too (status {status})", witnesses)
    return ok(f"The page (status {status}) agrees with the control's or with a copy over TLS", witnesses)


def _doubtful_page(
    scene: Scene, step: HttpStep, text: str, witnesses: tuple[str, ...], shown: proof.Elsewhere
) -> Finding:
    """A cleartext page that differs from what it should be, and no round has proven a middlebox."""
    agreed, copy = pages.agrees(step, scene.control), _copy(scene, step)
    tried = shown.tried and not shown.same
    repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
    small = (step.body_length or 0) <= pages.SMALL
    others = scene.peers.others(scene.peers.pages, pages.page_key(step), scene.hop.host)
    if agreed == "different" and small and len(repeats) >= 2:
        if copy == "different" and scene.copy_agrees:
            return blocked(
                "http.blockpage",
                Grade.STRONG,
                "In cleartext another page comes than over TLS and for the control",
                witnesses,
            )
        if len(others) >= 2:
            return blocked(
                "http.blockpage",
                Grade.STRONG,
                "The same page comes for several unrelated sites; the control gets others",
                witnesses,
            )
    if pages.structured_like(step, scene.control):
        return ok("The page differs from the control's in text only", witnesses)
    if pages.refusal(step, scene.control, text) and tried and not pages.wording(step, text):
        return refused(f"The server itself refuses (status {step.status})", witnesses)
    refuses = pages.refusal(step, scene.control, text)
    often = len(repeats) >= 2 or (scene.once and not refuses)
    if agreed == "different" and small and often and rules_known.speaks(scene, step, text):
        return sign(
            "http.blockpage",
            "A page that speaks of blocking; the control gets another one",
            witnesses,
        )
    if pages.refusal(step, scene.control, text) and agreed != "none" and not shown.same:
        return refused(f"The server refuses (status {step.status}), in cleartext", witnesses)
    sizeable = bool(step.title) and (step.body_length or 0) >= pages.TINY
    if agreed == "void" and (tried or (shown.tried and sizeable)) and not pages.wording(step, text):
        return ok("The page comes; the control was refused, and no middlebox speaks for the site", witnesses)
    if agreed == "different" and tried and not small and not pages.wording(step, text):
        return ok("The page differs from the control's, and no middlebox speaks for the site", witnesses)
    if agreed == "none":
        return unclear("A cleartext page with nothing to compare it with", witnesses, "http")
    return unclear("The page differs from the control's; nothing shows whose it is", witnesses, "http")


def _copy(scene: Scene, step: HttpStep) -> str:
    """What a copy of the page over TLS, from the site's own address, says: same, different or none."""
    for flow in scene.hop.by(Purpose.VALIDATE):
        if not (flow.valid and flow.responded) or flow.http is None:
            continue
        ours, theirs = redirect_of(step), redirect_of(flow.http)
        if pages.alike(flow.http, step) or (
            ours and theirs and same_owner(parts(ours).host, parts(theirs).host)
        ):
            return "same"
        if step.title and flow.http.title == step.title and flow.http.status == step.status:
            return "same"
        return "different"
    return "none"


def request_fails_alone(scene: Scene) -> Finding | None:
    """The request fails and nothing shows whose doing it is."""
    tries = scene.tries("http")
    if not tries.failed or tries.passed:
        return None
    shown = proof.of_failure(scene, "http", tries.kind)
    if shown.here and scene.control is None and tries.kind in _WORDS and len(tries.same) >= 3:
        text = f"A request for the name {_WORDS[tries.kind]} on an address where a control name is answered"
        trigger = ".sni" if scene.hop.secure else ".host"
        return sign(f"http.{tries.kind}{trigger}", text, refs(tries.witnesses, shown.here))
    if scene.followed is False:
        return down("http", "The request fails; the control was led to no page either", tries.witnesses)
    return unclear("The request fails; nothing shows whose doing that is", tries.witnesses, "http")

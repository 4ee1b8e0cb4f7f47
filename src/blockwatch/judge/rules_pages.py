"""The page rules: whose redirect, whose page is it?

Rules of this file:

* over a chain valid for the name, what the server says is the server's word: it can refuse, err or
  redirect, and none of that is interference;
* in cleartext anybody on the path may have spoken: a page or redirect is the site's when the control or
  a copy over TLS agrees, a middlebox's when an unrelated address gives the same to the site's name.
"""

from __future__ import annotations

from blockwatch.judge import pages, proof, rules_known
from blockwatch.judge.addresses import is_address
from blockwatch.judge.both import shown_to_both
from blockwatch.judge.finding import Finding, blocked, down, ok, refs, refused, sign, unclear
from blockwatch.judge.household import tempered
from blockwatch.judge.names import owner
from blockwatch.judge.operators import apart, network, operators
from blockwatch.judge.outcomes import OK
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.settled import settled
from blockwatch.judge.sight import REDIRECTS, Flow
from blockwatch.judge.transfers import transfer
from blockwatch.judge.whose import copy, middlebox
from blockwatch.model import HttpStep, Purpose
from blockwatch.verdict import Grade


def page_over_tls(scene: Scene) -> Finding | None:
    """Over a valid chain the answer is the server's own."""
    flow = scene.reached
    if not scene.last or flow is None or flow.http is None or not scene.hop.secure:
        return None
    if scene.ruleset > 1 and scene.stopped and flow.http.status in REDIRECTS:
        return unclear(
            "The site leads on, and the measurement was stopped there", refs(flow.witness()), "http"
        )
    if scene.ruleset > 1 and _in_part(scene):
        text = "The page came in part only, slowly, and not at all when it was asked for again"
        return unclear(text, refs(flow.witness(), scene.tries("http").witnesses), "http")
    return _server_says(scene, flow, flow.http)


def _in_part(scene: Scene) -> bool:
    """Whether no transfer of the page ended before our patience did, and others failed."""
    moved = [transfer(flow) for flow in scene.usable if flow.responded]
    failed = [
        f for layer in ("tls", "http") for f in scene.tries(layer).failed if f.purpose is Purpose.REPEAT
    ]
    return len(failed) >= 2 and all(one is not None and one.unfinished for one in moved)


def page_at_address(scene: Scene) -> Finding | None:
    """Over a chain valid for the address, where the URL has no name, the answer is the server's own."""
    hop = scene.hop
    if not scene.last or not hop.secure or not is_address(hop.host):
        return None
    for flow in scene.usable:
        if flow.http is not None and flow.responded and flow.at("tls") == OK and flow.address == hop.host:
            return _server_says(scene, flow, flow.http)
    return None


def _server_says(scene: Scene, flow: Flow, step: HttpStep) -> Finding:
    """What the server itself, and nobody else, has said."""
    witnesses = refs(flow.witness(), scene.hop.control_refs)
    status = step.status or 0
    if scene.only_elsewhere(flow):
        return unclear("The site answers, but not where the line's resolver leads", witnesses, "dns")
    if pages.refusal(step, scene.control, scene.text(flow) if pages.may_challenge(step) else ""):
        return refused(f"The server itself refuses (status {status}) over a valid chain", witnesses)
    if status >= 500 and (
        scene.control_failed_at or (scene.control is not None and (scene.control.status or 0) >= 500)
    ):
        return down("http", f"The server errs for the control too (status {status})", witnesses)
    if status >= 500 and scene.control is None:
        return unclear(
            f"The server errs (status {status}); nothing shows whether for others", witnesses, "http"
        )
    return ok(f"The site answers (status {status}) over a chain valid for its name", witnesses)


def cleartext_page(scene: Scene) -> Finding | None:
    """In cleartext the page is the site's if the control or a copy over TLS agrees."""
    return tempered(_page_in_cleartext(scene), scene, scene.response)


def _page_in_cleartext(scene: Scene) -> Finding | None:
    flow = scene.response
    if not scene.last or flow is None or scene.hop.secure:
        return None
    step = step_of(flow)
    witnesses = refs(flow.witness("http"), scene.hop.control_refs)
    agreed = rules_known.agreed(scene, flow)
    if agreed == "same" or copy(scene, step) == "same":
        doubted = shown_to_both(scene, flow)
        if doubted is not None:
            return doubted
        return _site_page(scene, step, scene.text(flow) if pages.may_challenge(step) else "", witnesses)
    text = scene.text(flow)
    known = rules_known.censors_page(scene, flow)
    shown = proof.same_answer_elsewhere(scene, step)
    if known is not None:
        repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
        differs = agreed == "different" and scene.control is not None and (scene.control.status or 600) < 400
        found = settled(scene, known, "http.blockpage", repeats, shown, differs=differs)
        if found is not None:
            return found
    words = "An unrelated address gives the same page when asked for the name"
    mute = not rules_known.speaks(scene, step, text)
    kin = mute and pages.built_alike(step, scene.control)
    doubt = kin or (mute and (agreed != "different" or _larger(scene, step)))
    handed = shown.by_name and pages.handed_on(step)
    doubt |= mute and (handed or len({f.address for f in shown.flows}) < 2) and not _copy_denies(scene, step)
    proven = middlebox(scene, step, shown, "http.blockpage.host", words, doubt=doubt, kin=kin)
    if proven is not None:
        return proven
    return _doubtful_page(scene, flow, text, witnesses, shown)


def _larger(scene: Scene, step: HttpStep) -> bool:
    """Whether the page is larger than the control's: block pages are the smaller ones."""
    theirs = scene.control.body_length if scene.control is not None else None
    return theirs is not None and (step.body_length or 0) > theirs


def _site_page(scene: Scene, step: HttpStep, text: str, witnesses: tuple[str, ...]) -> Finding:
    """The page is the site's; what does it say?"""
    status = step.status or 0
    if pages.refusal(step, scene.control, text):
        return refused(f"The server itself refuses (status {status}), the control too", witnesses)
    if status >= 500:
        return down("http", f"The server errs for the control too (status {status})", witnesses)
    return ok(f"The page (status {status}) agrees with the control's or with a copy over TLS", witnesses)


def _doubtful_page(
    scene: Scene, flow: Flow, text: str, witnesses: tuple[str, ...], shown: proof.Elsewhere
) -> Finding:
    """A cleartext page that differs from what it should be, and no round has proven a middlebox."""
    step = step_of(flow)
    agreed, speaks = rules_known.agreed(scene, flow), rules_known.speaks(scene, step, text)
    tried = shown.tried and not shown.same
    repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
    small = (step.body_length or 0) <= pages.SMALL
    refuses = pages.refusal(step, scene.control, text)
    if agreed == "different" and small and len(repeats) >= 2 and not tried and not refuses:
        said = _belied(scene, step)
        if said:
            return _own_perhaps(Grade.STRONG if speaks else Grade.SIGNS, said, witnesses)
    belied = _copy_denies(scene, step) or (agreed == "void" and copy(scene, step) == "different")
    if pages.kindred(step, scene.control) and not speaks and not belied:
        return ok("The page differs from the control's in text only", witnesses)
    if speaks and tried and pages.structured_like(step, scene.control):
        text = "The page speaks of blocking, but is built like the control's: it may be the site's own"
        return unclear(text, witnesses, "http")
    if refuses and tried and agreed == "different" and _copy_denies(scene, step):
        return _refused_by_whom(step, witnesses, often=len(repeats) >= 2 and (speaks or step.status == 451))
    if refuses and tried:
        text = (
            f"A refusal (status {step.status}) comes in cleartext, from this address alone: the server's own"
        )
        if agreed == "different" and (speaks or step.status == 451):
            return unclear(f"{text}, or a filter's that stands before it", witnesses, "http")
        return refused(text, witnesses)
    often = len(repeats) >= 2 or (scene.once and not refuses)
    if agreed == "different" and small and often and speaks:
        return sign(
            "http.blockpage",
            "A page that speaks of blocking; the control gets another one",
            witnesses,
        )
    if refuses and agreed != "none" and not shown.same:
        return refused(f"The server refuses (status {step.status}), in cleartext", witnesses)
    sizeable = bool(step.title) and (step.body_length or 0) >= pages.TINY
    if agreed == "void" and (tried or (shown.tried and sizeable)) and not speaks and not belied:
        return ok("The page comes; the control was refused, and no middlebox speaks for the site", witnesses)
    if agreed == "none":
        return unclear("A cleartext page with nothing to compare it with", witnesses, "http")
    return unclear("The page differs from the control's; nothing shows whose it is", witnesses, "http")


def _refused_by_whom(step: HttpStep, witnesses: tuple[str, ...], *, often: bool) -> Finding:
    """A refusal in cleartext, where over TLS the same address refuses nobody here."""
    text = f"A refusal (status {step.status}) comes in cleartext; over TLS the same address gives us the page"
    return sign("http.blockpage", text, witnesses) if often else unclear(text, witnesses, "http")


def _copy_denies(scene: Scene, step: HttpStep) -> bool:
    """Whether a copy over TLS, from the same address, is the control's page, and this one is not."""
    return copy(scene, step) == "different" and scene.copy_agrees


def _belied(scene: Scene, step: HttpStep) -> str:
    """What shows that a page which no round was made about is not the site's; empty: nothing."""
    if (step.status or 0) >= 500:
        return ""  # a server's error comes and goes
    if _copy_denies(scene, step):
        return "In cleartext another page comes than over TLS and for the control"
    if len(_elsewhere(scene, step)) >= 2 and (step.status or 0) < 400:
        return "The same page comes for several unrelated sites; the control gets others"
    return ""


def _elsewhere(scene: Scene, step: HttpStep) -> set[str]:
    """Other owners whose names were shown this page, but by servers of another hoster or content network: one
    hoster's customers show the same notice.
    """
    ours = {flow.address for flow in scene.hop.own}
    theirs, networks = operators(ours), {network(address) for address in ours}
    return {
        whose
        for whose, address in scene.peers.shown_at.get(pages.page_key(step), ())
        if whose != owner(scene.hop.host) and network(address) not in networks and apart(address, theirs)
    }


def _own_perhaps(grade: Grade, text: str, witnesses: tuple[str, ...]) -> Finding:
    """A page that the server itself may send: more than a sign only if it speaks of blocking."""
    if grade is Grade.SIGNS:
        return sign("http.blockpage", text, witnesses)
    return blocked("http.blockpage", grade, text, witnesses)

"""What is on record of pages and redirects: when a fingerprint may settle one.

Rules of this file:

* never against a witness: not where the control or a copy over TLS got the same page;
* what a page or redirect proves: :mod:`blockwatch.judge.settled`; what an address does: ``rules_record``;
* a fingerprint of a body counts in a small page, or in the title or beginning of a large one;
* the fingerprint is named; a mere sign only adds to a doubt that is there;
* whether the country fits is told, and decides nothing.
"""

from __future__ import annotations

from blockwatch.judge import pages
from blockwatch.judge.fingerprints import Fingerprint
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, redirect_of
from blockwatch.model import HttpStep


def page_known(scene: Scene, step: HttpStep, text: str) -> Fingerprint | None:
    """What is on record of a page (``text``: its body; where that is not at hand, its title must do)."""
    titled = f"<title>{step.title}</title>" if step.title else ""
    text = text or titled
    known = scene.on_record.pack.page(step.headers, text)
    large = max(step.body_length or 0, len(text)) > pages.SMALL
    if known is None or not large or scene.ruleset == 1:
        return known
    return scene.on_record.pack.page(step.headers, f"{text[: pages.BEGINNING]}\n{titled}")


def censors_page(scene: Scene, flow: Flow) -> Fingerprint | None:
    """What settles that a page is a censor's: not if it is the control's page."""
    step = step_of(flow)
    if scene.ruleset == 1 and pages.structured_like(step, scene.control):
        return None
    if (agreed(scene, flow) if scene.ruleset > 1 else pages.agrees(step, scene.control)) == "same":
        return None
    known = page_known(scene, step, scene.text(flow))
    return known if known is not None and known.settles else None


def agreed(scene: Scene, flow: Flow) -> str:
    """:func:`pages.agrees`, but a small page that has only words of its title in common with the control's is
    another one if it is on record, or speaks of blocking where the control's does not.
    """
    step, control = step_of(flow), scene.control
    said_so = pages.agrees(step, control)
    if control is None or said_so != "same" or not pages.half_alike(step, control):
        return said_so
    if (step.body_length or 0) > pages.SMALL:
        return said_so
    if pages.speaks_instead(step, control, scene.text(flow)):
        return "different"
    known = page_known(scene, step, scene.text(flow))
    return "different" if known is not None and known.settles else said_so


def redirect_known(scene: Scene, step: HttpStep) -> Fingerprint | None:
    """What is on record of a redirect's destination, as sent and absolute."""
    sent = [value for name, value in step.headers if name.lower() == "location"]
    return scene.on_record.pack.redirect(*sent[:4], redirect_of(step))


def censors_redirect(scene: Scene, step: HttpStep) -> Fingerprint | None:
    """What settles that a redirect is a censor's: its destination, or the page there, if the control got
    another one.
    """
    known = redirect_known(scene, step)
    if known is not None and known.settles:
        return known
    end = scene.sight.hops[-1].response
    if end is None or end is scene.response or not scene.control_ok:
        return None
    return censors_page(scene, end)


def speaks(scene: Scene, step: HttpStep, text: str) -> bool:
    """Whether a page reads like a block page by its words or by any fingerprint: a sign, never proof."""
    if pages.wording(step, text):
        return True
    return not pages.challenge(step, text) and page_known(scene, step, text) is not None


def said(scene: Scene, known: Fingerprint) -> str:
    """A fingerprint's name for a sentence, and the country if another one is expected."""
    return known.shown + known.elsewhere(scene.on_record.country)


def told_both(scene: Scene, flow: Flow) -> bool:
    """Whether a small page in cleartext is on record as a censor's, or speaks of blocking in its title, or a
    redirect is on record, and the control got the very same.
    """
    step = step_of(flow)
    if scene.ruleset == 1 or scene.hop.secure or (step.body_length or 0) > pages.SMALL:
        return False
    target = redirect_of(step)
    if target:
        known = redirect_known(scene, step)
        strange = not same_owner(parts(target).host, scene.hop.host)
        return strange and scene.final_agrees and known is not None and known.settles
    if agreed(scene, flow) != "same":
        return False
    known = page_known(scene, step, scene.text(flow))
    says = (step.status or 600) < 400 and pages.telling((step.title or "").lower())
    return says or (known is not None and known.settles)

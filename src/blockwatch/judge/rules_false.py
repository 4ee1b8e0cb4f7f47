"""The DNS rules of false addresses: what the line's resolver gives is not the site.

Rules of this file:

* an address that only the line's resolver gives may be one that the site has left, or another of its own:
  without an artefact that no honest resolver shows it is a sign, however often it is seen;
* two resolvers that agree may both be told by place: it shows an injection only of an address that cannot
  be the site's, or beside a second, contradicting reply;
* an address that knows the site (its own certificate, a page for this name alone) accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.judge.addresses import SOMEWHERE, bogon
from blockwatch.judge.case import destination, page_key
from blockwatch.judge.certs import names_host
from blockwatch.judge.chains import HARMLESS, Cause, cause_of
from blockwatch.judge.finding import Finding, blocked, refs, sign, unclear
from blockwatch.judge.names import owner, parts, same_owner
from blockwatch.judge.outcomes import TRUST, UNTRUSTED
from blockwatch.judge.pages import SMALL, TINY, agrees, alike, telling_path
from blockwatch.judge.rules_dns import of
from blockwatch.judge.rules_known import censors_page, speaks
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, Lookup, ending, redirect_of
from blockwatch.model import HttpStep, Purpose
from blockwatch.verdict import Grade

LEFT = "An address that the site has left would look the same"
PLACE = "A server of the site's that is meant for this place would look the same"
_ORDINARY = frozenset({Cause.NAME, Cause.INCOMPLETE})  # faults that one honest edge of a site may have


def bogon_answer(scene: Scene) -> Finding | None:
    """The line's resolver gives addresses where no site can live; others know real ones."""
    answers = scene.answers
    unreal = [address for address in answers.given - answers.good if bogon(address) is not None]
    if not unreal or not answers.elsewhere or len(unreal) < len(answers.given):
        return None
    lookups = [
        lookup for lookup in (*answers.system, *answers.line) if set(lookup.step.addresses) & set(unreal)
    ]
    nowhere = any(bogon(address) not in SOMEWHERE for address in unreal)
    shown = ", ".join(sorted(unreal)[:2])
    text = f"The line's resolver answers {shown}, where no site can be; others give real addresses"
    mechanism = "dns.bogon" if nowhere else "dns.redirect"
    return _false_answer(scene, lookups, mechanism, text, proved=bool(answers.proven), foreign=True)


def false_certificate(scene: Scene) -> Finding | None:
    """At the resolver's address nobody can prove to be the site; at another address somebody does."""
    answers = scene.answers
    if not answers.false or answers.given & answers.good:
        return None
    if not (answers.proven | answers.control_proven) - answers.given:
        return None
    strangers = [flow for flow in _validations(scene, answers.false) if flow.at("tls") == TRUST]
    if not strangers and not _control_finds_nobody(scene):
        return None
    cause = cause_of(scene, strangers)
    if strangers and cause in HARMLESS:
        text = "The resolver's address has the site's own certificate, only broken; another has a valid one"
        return unclear(text, refs(*(flow.witness("tls") for flow in strangers)), "dns")
    honest = _in_cleartext(scene)
    if honest:
        return unclear(honest, refs(*(flow.witness("tls") for flow in strangers)), "dns")
    text = "The line's resolver gives an address without a valid certificate for the name; another has one"
    proof = [flow for flow in scene.hop.flows if flow.valid and flow.address in answers.proven]
    witnesses = [ref for flow in (*strangers, *proof) for ref in flow.witness("tls")]
    found = _false_answer(
        scene, answers.system, "dns.redirect", text, witnesses, proved=bool(strangers), empty=not strangers
    )
    if strangers and cause in _ORDINARY and not answers.doubled and found.firm:
        return sign(found.mechanism or "dns.redirect", f"{text}. {PLACE}", found.witnesses)
    return found


def other_certificate(scene: Scene) -> Finding | None:
    """Certificates are broken at both addresses, but only the other one is made out for the name."""
    answers = scene.answers
    if not answers.false or answers.given & answers.good or not answers.elsewhere:
        return None
    here = [flow for flow in _validations(scene, answers.false) if flow.tls is not None and flow.tls.chain]
    there = [
        flow for flow in _validations(scene, answers.elsewhere) if flow.tls is not None and flow.tls.chain
    ]
    if not here or not there or any(_named(flow, scene) for flow in here):
        return None
    if not any(_named(flow, scene) for flow in there):
        return None
    text = "Only the control's address, not the resolver's, shows a certificate made out for the name"
    witnesses = [ref for flow in (*here, *there) for ref in flow.witness("tls")]
    return _false_answer(scene, answers.system, "dns.redirect", text, witnesses)


def false_page(scene: Scene) -> Finding | None:
    """The resolver's address shows another page than the site's own address does."""
    answers = scene.answers
    if not answers.false or answers.given & answers.good or not answers.elsewhere or scene.hop.secure:
        return None
    here = [flow for flow in scene.hop.own if flow.address in answers.false and flow.responded]
    there = [flow for flow in scene.hop.own if flow.address in answers.elsewhere and flow.responded]
    known = next((flow for flow in here if censors_page(scene, flow) is not None), None)
    agreeing = [flow for flow in there if agrees(step_of(flow), scene.control) == "same"]
    differing = [flow for flow in here if agrees(step_of(flow), scene.control) == "different"]
    many = bool(here) and _many_get(scene, here[0])
    shared = _shared(scene)
    if scene.control is None and here and there and not alike(step_of(here[0]), step_of(there[0])):
        # nobody saw the true page, but other sites' names lead to this one as well
        differing = here if many else []
    silent = not here and _nobody_there(scene)
    speaking = known is not None or any(speaks(scene, step_of(flow), scene.text(flow)) for flow in here)
    unseen = speaking and bool(differing) and not agreeing  # nobody here saw the site's own page: a sign
    if known is None and not (agreeing and (differing or silent)) and not ((differing and shared) or unseen):
        return None
    witnesses = [ref for flow in (*here[:2], *agreeing[:2]) for ref in flow.witness("http")]
    if not (speaking or many or shared or answers.injected):
        honest = _perhaps_the_sites(scene, here)
        if honest:
            return unclear(honest, tuple(witnesses), "dns")
    text = "The line's resolver leads to another server than the site's: its page is not the site's page"
    proved = bool(answers.elsewhere) and (known is not None or bool(agreeing and differing))
    foreign = many or known is not None or (speaking and not unseen and not answers.udp_agrees)
    return _false_answer(
        scene, answers.system, "dns.redirect", text, witnesses, proved=proved, foreign=foreign, empty=silent
    )


def _in_cleartext(scene: Scene) -> str:
    """Why a cleartext page at the disputed addresses may be the site's, whatever certificate they have.

    A node that serves a site in cleartext alone may have none for it. Empty where the page tells otherwise.
    """
    here = [flow for flow in scene.hop.own if flow.address in scene.answers.false and flow.responded]
    if scene.hop.secure or not here or scene.answers.injected or _shared(scene) or _many_get(scene, here[0]):
        return ""
    if any(speaks(scene, step_of(flow), scene.text(flow)) for flow in here):
        return ""
    return _perhaps_the_sites(scene, here)


def _perhaps_the_sites(scene: Scene, here: list[Flow]) -> str:
    """Why the page of a disputed address may be the site's own all the same; empty: it hardly is."""
    pages = [step_of(flow) for flow in here]
    if not pages:
        return ""
    if _of_its_own(scene, here):
        text = "The resolver's address shows this name a page of its own, and not the one seen elsewhere"
        return f"{text}; it may be one of the site's"
    if _strangers_at(scene, here):
        return ""
    if all(_leads_home(scene, page) for page in pages):
        return "The resolver's address leads to the site itself; no other name was asked for there"
    if all((page.body_length or 0) > SMALL for page in pages):
        return "The resolver's address shows another page, a large one; no other name was asked for there"
    return ""


def _of_its_own(scene: Scene, here: list[Flow]) -> bool:
    """Whether the disputed address gives this name a page, or a redirect to the site itself, that it gives no
    other name that was asked there: then it knows the site, as an old or another server of the site does.
    """
    others = [flow for flow in _strangers_at(scene, here) if flow.responded]
    pages = [step_of(flow) for flow in here]
    telling = all(
        _leads_home(scene, page) if redirect_of(page) else (page.body_length or 0) >= TINY for page in pages
    )
    return bool(others) and telling and not any(_same(scene, f, page) for f in others for page in pages)


def _strangers_at(scene: Scene, here: list[Flow]) -> list[Flow]:
    """Flows that sent another name to the disputed addresses."""
    places = {flow.address for flow in here}
    return [flow for flow in scene.hop.by(Purpose.HOST_CONTROL_ON_TARGET) if flow.address in places]


def _same(scene: Scene, other: Flow, page: HttpStep) -> bool:
    """Whether another name got this answer too: a server may lead every name to a place of that name's."""
    theirs = redirect_of(step_of(other))
    asked = parts(step_of(other).url).host
    if theirs and _leads_home(scene, page) and same_owner(parts(theirs).host, asked):
        return True
    return alike(step_of(other), page)


def _leads_home(scene: Scene, page: HttpStep) -> bool:
    """Whether an answer redirects to the site's owner: by its domain, or by the name it has under another."""
    target = parts(redirect_of(page))
    ours, theirs = owner(scene.hop.host), owner(target.host)
    brand = ours.partition(".")[0]
    own = ours == theirs or (len(brand) > 3 and brand == theirs.partition(".")[0])
    return bool(target.host) and own and not telling_path(target.path)


def _false_answer(
    scene: Scene,
    lookups: list[Lookup],
    mechanism: str,
    text: str,
    witnesses: Sequence[str] = (),
    *,
    proved: bool = False,
    foreign: bool = False,
    empty: bool = False,
) -> Finding:
    """A verdict on a false address: by evidence, made up on the path or given by the resolver itself.

    ``proved``: the site was found at another address. That does not yet prove this one false: it may be a
    server that the site has left, or another of its own. What does is an artefact: answers made up on the
    path, one false address for many owners' names, or what a censor's server alone shows (``foreign``).
    ``empty``: nobody is at the false address, for the control either.
    """
    answers = scene.answers
    agreed, shared = answers.udp_agrees, _shared(scene)
    injected = answers.injected or (agreed if shared else ())
    shown = refs(of(lookups), witnesses, injected or agreed, scene.hop.control_refs)
    name = "dns.injection" if injected else mechanism
    if not injected and (empty or not foreign) and not shared:
        return sign(name, f"{text}. {PLACE if agreed else LEFT}", shown)
    certain = Grade.CONFIRMED if proved and not empty else Grade.STRONG
    grade = certain if len(lookups) >= 2 else Grade.SIGNS
    return blocked(name, grade, text, shown, proven=proved and len(answers.doubled) >= 2)


def _shared(scene: Scene) -> bool:
    """Whether every false address is given for names of at least two other owners, and nobody's valid
    certificate was seen there.
    """
    peers, host = scene.peers, scene.hop.host
    living = {address for _, address in peers.proven}
    false = scene.answers.false
    return bool(false) and all(
        a not in living and len(peers.others(peers.shared, a, host)) >= 2 for a in false
    )


def _validations(scene: Scene, addresses: frozenset[str]) -> list[Flow]:
    """Handshakes for this very name at these addresses."""
    host = scene.hop.host
    return [
        flow
        for flow in scene.hop.flows
        if flow.address in addresses and flow.tls is not None and (flow.tls.server_name or "").lower() == host
    ]


def _control_finds_nobody(scene: Scene) -> bool:
    """Whether the helper, too, met nobody or a stranger at every false address."""
    control = scene.control
    if control is None:
        return False
    for address in scene.answers.false:
        ends = [end for end in control.endpoints if end.address == address]
        dead = all(end.tcp_failure or end.tls_failure for end in ends)
        strange = any(end.tls_failure in UNTRUSTED for end in ends)
        if not ends or not (dead or strange):
            return False
    return bool(scene.answers.false)


def _nobody_there(scene: Scene) -> bool:
    """Whether every flow to the false addresses failed, twice or more, and the control met nobody there."""
    false = scene.answers.false
    ends = [ending(flow)[0] for flow in scene.hop.own if flow.address in false]
    met = (
        [end for end in scene.control.endpoints if end.address in false] if scene.control is not None else []
    )
    return len(ends) >= 2 and all(ends) and all(end.tcp_failure for end in met)


def _many_get(scene: Scene, flow: Flow) -> bool:
    """Whether this very page or redirect came for at least two other owners' names in the run."""
    step = step_of(flow)
    target = redirect_of(step)
    known, key = (
        (scene.peers.redirected, destination(target)) if target else (scene.peers.pages, page_key(step))
    )
    return len(scene.peers.others(known, key, scene.hop.host)) >= 2


def _named(flow: Flow, scene: Scene) -> bool:
    return flow.tls is not None and names_host(flow.tls.chain, scene.hop.host)

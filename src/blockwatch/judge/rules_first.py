"""Rules of ruleset 1 that a later ruleset weighs otherwise, as they were.

Rules of this file: nothing here is ever changed, nor used by anything but the rows of ruleset 1.
"""

from __future__ import annotations

from blockwatch.judge.addresses import SOMEWHERE, bogon
from blockwatch.judge.answers import Answers
from blockwatch.judge.certs import issuer_key, local_interceptor, names_host
from blockwatch.judge.chains import chain_of
from blockwatch.judge.finding import Finding, Note, blocked, refs, unclear
from blockwatch.judge.outcomes import TRUST, UNTRUSTED
from blockwatch.judge.pages import agrees, alike, destination, page_key
from blockwatch.judge.rules_dns import of
from blockwatch.judge.rules_known import censors_page
from blockwatch.judge.rules_transport import all_failed, mixed
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, Lookup, ending, redirect_of
from blockwatch.model import Purpose
from blockwatch.verdict import Grade


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
    return _false_answer(scene, lookups, "dns.bogon" if nowhere else "dns.redirect", text, answers.proven)


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
    text = "The line's resolver gives an address without a valid certificate for the name; another has one"
    proof = [flow for flow in scene.hop.flows if flow.valid and flow.address in answers.proven]
    witnesses = [ref for flow in (*strangers, *proof) for ref in flow.witness("tls")]
    proved = answers.proven if strangers else ()
    return _false_answer(scene, answers.system, "dns.redirect", text, proved, witnesses, empty=not strangers)


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
    return _false_answer(scene, answers.system, "dns.redirect", text, (), witnesses)


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
    shared = all(len(scene.peers.others(scene.peers.shared, a, scene.hop.host)) >= 2 for a in answers.false)
    if scene.control is None and here and there and not alike(step_of(here[0]), step_of(there[0])):
        # nobody saw the true page, but other sites' names lead to this one as well
        differing = here if _many_get(scene, here[0]) else []
    silent = not here and _nobody_there(scene)
    if known is None and not (agreeing and (differing or silent)) and not (differing and shared):
        return None
    text = "The line's resolver leads to another server than the site's: its page is not the site's page"
    witnesses = [ref for flow in (*here[:2], *agreeing[:2]) for ref in flow.witness("http")]
    proof = answers.elsewhere if known is not None or (agreeing and differing) else ()
    return _false_answer(scene, answers.system, "dns.redirect", text, proof, witnesses, empty=silent)


def _false_answer(
    scene: Scene,
    lookups: list[Lookup],
    mechanism: str,
    text: str,
    proof: object,
    witnesses: list[str] | None = None,
    *,
    empty: bool = False,
) -> Finding:
    """A verdict on a false address: by evidence, made up on the path or given by the resolver itself.

    ``empty``: nobody is at that address, for the control either; where only the line's resolver gives it, it
    may be an address that the site has left.
    """
    answers = scene.answers
    injected = answers.injected or _udp_agrees(answers)
    grade = (
        Grade.CONFIRMED if proof and len(lookups) >= 2 else Grade.STRONG if len(lookups) >= 2 else Grade.SIGNS
    )
    if empty and not injected:
        grade = Grade.SIGNS
    name = "dns.injection" if injected else mechanism
    shown = refs(of(lookups), witnesses or (), injected, scene.hop.control_refs)
    return blocked(name, grade, text, shown, proven=bool(proof) and len(answers.doubled) >= 2)


def _udp_agrees(answers: Answers) -> tuple[str, ...]:
    """Public UDP resolvers that give the very false address the line's resolver gives."""
    return tuple(lookup.ref for lookup in answers.udp if set(lookup.step.addresses) & answers.false)


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


def local_interception(scene: Scene) -> Finding | None:
    """An antivirus or proxy on this side signs certificates of its own."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    chain = chain_of(tries.same[0])
    name = local_interceptor(chain)
    if name is None and not _signs_everything(scene, issuer_key(chain)):
        return None
    text = f"Certificates are made out by a program or proxy of this side ({name or 'control names too'})"
    return unclear(text, tries.witnesses, "tls")


def _signs_everything(scene: Scene, issuer: str) -> bool:
    """Whether this issuer signs for names that no state would touch."""
    if not issuer:
        return False
    if issuer in scene.peers.control_issuers:
        return True
    calm = scene.hop.by(Purpose.SNI_CONTROL_ON_CONTROL)
    if any(flow.at("tls") == TRUST and issuer_key(chain_of(flow)) == issuer for flow in calm):
        return True
    others = scene.peers.others(scene.peers.issuers, issuer, scene.hop.host)
    return len(others) >= 1 and not scene.peers.proven


def some_addresses(scene: Scene) -> Note | None:
    """Some addresses of the site fail while others work."""
    for tries in mixed(scene, "tcp", "tls"):
        fine = {flow.address for flow in tries.passed}
        lost = [flow for flow in tries.failed if flow.address not in fine]
        if lost:
            text = f"Some of the site's addresses fail ({tries.layer}), others work"
            return Note(text, refs(*(flow.witness(tries.layer) for flow in lost)), partial=True)
    return None

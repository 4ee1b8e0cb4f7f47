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

from blockwatch import asn
from blockwatch.failure import UNKNOWN_AUTHORITY
from blockwatch.judge.addresses import SOMEWHERE, unreal
from blockwatch.judge.answers import given
from blockwatch.judge.certs import issuer_key, names_host
from blockwatch.judge.chains import HARMLESS, Cause, cause_of, chain_of
from blockwatch.judge.finding import Finding, blocked, refs, sign, unclear
from blockwatch.judge.household import answer_doubt, on_the_line, proxied, tempered
from blockwatch.judge.nodes import in_cleartext, many_get, perhaps_the_sites, shared
from blockwatch.judge.outcomes import TRUST, UNTRUSTED
from blockwatch.judge.pages import agrees, alike
from blockwatch.judge.rules_dns import of
from blockwatch.judge.rules_known import censors_page, speaks
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, Lookup, ending
from blockwatch.verdict import Grade

LEFT = "An address that the site has left would look the same"
DEAD = "nobody is there for the control either, which reached the site elsewhere: a dead server of the site's"
TABLE = "Its resolver could not be asked by ourselves: a table of this machine's own would look the same"
OVER_TCP = "Public resolvers give it over UDP alone, and the site's over TCP"
PLACE = "A server of the site's that is meant for this place would look the same"
PROXY = "This line gives other names special-purpose addresses, too, each its own: a proxy of this side's"
# Iran's: OONI blocking-fingerprints (fingerprints_dns.csv); Aryan et al., FOCI 2013
_KNOWN_PRIVATE = frozenset({"10.10.34.34", "10.10.34.35", "10.10.34.36"})
_SCATTERED = 2  # networks
_ORDINARY = frozenset({Cause.NAME, Cause.INCOMPLETE})  # faults that one honest edge of a site may have


def bogon_answer(scene: Scene) -> Finding | None:
    """The line's resolver gives addresses where no site can live; others know real ones."""
    answers = scene.answers
    nobodys = [address for address in answers.given - answers.good if unreal(address) is not None]
    if not nobodys or not answers.elsewhere or len(nobodys) < len(answers.given):
        return None
    lookups = [
        lookup for lookup in (*answers.system, *answers.line) if set(lookup.step.addresses) & set(nobodys)
    ]
    nowhere = any(unreal(address) not in SOMEWHERE for address in nobodys)
    shown = ", ".join(sorted(nobodys)[:2])
    if given(answers.line) & answers.elsewhere and not answers.injected:
        text = f"This system gives {shown}, its resolver asked by ourselves does not"
        text += ": a table of this machine's own, perhaps"
        return unclear(text, of([*lookups, *answers.line]), "dns")
    text = f"The line's resolver answers {shown}, where no site can be; others give real addresses"
    mechanism = "dns.bogon" if nowhere else "dns.redirect"
    # a provider's own portal or cache may have a private address: that alone is no artefact
    here = [flow for flow in scene.hop.own if flow.address in nobodys and flow.responded]
    speaking = any(speaks(scene, step_of(flow), scene.text(flow)) for flow in here)
    foreign = nowhere or speaking or set(nobodys) <= _KNOWN_PRIVATE
    found = _false_answer(scene, lookups, mechanism, text, proved=bool(answers.proven), foreign=foreign)
    if scene.ruleset > 1 and found.grade and not answers.injected and not given(answers.line) & set(nobodys):
        return sign(found.mechanism or mechanism, f"{text}. {TABLE}", found.witnesses)
    return found


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
    if _one_signs_both(scene, strangers):
        return None
    cause = cause_of(scene, strangers)
    if strangers and cause in HARMLESS:
        text = "The resolver's address has the site's own certificate, only broken; another has a valid one"
        return unclear(text, refs(*(flow.witness("tls") for flow in strangers)), "dns")
    honest = in_cleartext(scene)
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
    many = bool(here) and many_get(scene, here[0])
    common = shared(scene)
    if scene.control is None and here and there and not alike(step_of(here[0]), step_of(there[0])):
        # nobody saw the true page, but other sites' names lead to this one as well
        differing = here if many else []
    silent = not here and _nobody_there(scene)
    speaking = known is not None or any(speaks(scene, step_of(flow), scene.text(flow)) for flow in here)
    unseen = speaking and bool(differing) and not agreeing  # nobody here saw the site's own page: a sign
    if known is None and not (agreeing and (differing or silent)) and not ((differing and common) or unseen):
        return None
    witnesses = [ref for flow in (*here[:2], *agreeing[:2]) for ref in flow.witness("http")]
    if not (speaking or many or answers.injected):
        honest = perhaps_the_sites(scene, here)
        if honest:
            return unclear(honest, tuple(witnesses), "dns")
    text = "The line's resolver leads to another server than the site's: its page is not the site's page"
    proved = bool(answers.elsewhere) and (known is not None or bool(agreeing and differing))
    # registrars and hosters, too, show pages that speak of a site's being blocked, in networks of their own
    near = all(on_the_line(scene, (flow.address for flow in here)))
    spoken = speaking and near and not unseen and not answers.udp_agrees
    foreign = many or known is not None or spoken
    found = _false_answer(
        scene,
        answers.system,
        "dns.redirect",
        text,
        witnesses,
        proved=proved,
        foreign=foreign,
        empty=silent,
        recorded=known is not None,
    )
    return tempered(found, scene, here[0] if here else None)


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
    recorded: bool = False,
) -> Finding:
    """A verdict on a false address: by evidence, made up on the path or given by the resolver itself.

    ``proved``: the site was found at another address. That does not yet prove this one false: it may be a
    server that the site has left, or another of its own. What does is an artefact: answers made up on the
    path, one false address for many owners' names, or what a censor's server alone shows (``foreign``).
    ``empty``: nobody is at the false address, for the control either; that several owners share it shows
    no more, as a hoster moves with all its customers. ``recorded``: what is shown there is on
    record as a censor's; else a filter of this side may be what answers.
    """
    answers = scene.answers
    if proxied(scene):
        controls = [lookup.ref for lookup in scene.hop.name_controls]
        return unclear(f"{text}. {PROXY}", refs(of(lookups), controls), "dns")
    if mechanism != "dns.bogon" and len(lookups) < 2 and not scene.once:
        return unclear(f"{text}; it was not asked again", refs(of(lookups), witnesses), "dns")
    agreed, common = answers.udp_agrees, shared(scene)
    injected = answers.injected or (agreed if common and not empty else ())
    replaced = answers.public.replaced
    shown = refs(of(lookups), witnesses, injected or replaced or agreed, scene.hop.control_refs)
    name = "dns.injection" if injected or replaced else mechanism
    if empty and not (injected or common or replaced) and _dead_for_control(scene):
        return unclear(f"{text}; {DEAD}", shown, "dns")
    private = any(unreal(address) in SOMEWHERE for address in answers.false)
    if not injected and (empty or not (foreign or common)):
        why = OVER_TCP if replaced else PLACE if agreed or private else LEFT
        return sign(name, f"{text}. {why}", shown)
    doubt = "" if recorded else answer_doubt(scene)
    if doubt:
        return sign(name, f"{text}. {doubt}", shown)
    certain = Grade.CONFIRMED if proved and not empty else Grade.STRONG
    grade = certain if len(lookups) >= 2 else Grade.SIGNS
    return blocked(name, grade, text, shown, proven=proved and len(answers.doubled) >= 2)


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


def _dead_for_control(scene: Scene) -> bool:
    """Whether the helper dialled every false address and could not connect to any."""
    control, false = scene.control, scene.answers.false
    ends = [end for end in control.endpoints if end.address in false] if control is not None else []
    places = [asn.lookup(address) for address in false if ":" not in address]  # IPv6 may be another's
    networks = {place.asn for place in places if place is not None}
    if len(networks) >= _SCATTERED:
        return False  # no site's servers for one place, all of them dead
    return {end.address for end in ends} == false and all(end.tcp_failure for end in ends)


def _nobody_there(scene: Scene) -> bool:
    """Whether every flow to the false addresses failed, twice or more, and the control met nobody there."""
    false = scene.answers.false
    ends = [ending(flow)[0] for flow in scene.hop.own if flow.address in false]
    met = (
        [end for end in scene.control.endpoints if end.address in false] if scene.control is not None else []
    )
    return len(ends) >= 2 and all(ends) and all(end.tcp_failure for end in met)


def _one_signs_both(scene: Scene, strangers: list[Flow]) -> bool:
    """Whether the chains shown to us at addresses that are surely the site's are no better, and from the same
    unknown authority, and made out for the name: somebody on this line signs everything, so certificates tell
    nothing of addresses.
    """
    makers = _unknown_makers(strangers) if all(_named(flow, scene) for flow in strangers) else frozenset()
    return bool(makers) and makers <= _unknown_makers(_validations(scene, scene.answers.good))


def _unknown_makers(flows: list[Flow]) -> frozenset[str]:
    """Who made the chains out, where nobody knows their authority."""
    unknown = [flow for flow in flows if flow.tls is not None and flow.tls.trust == UNKNOWN_AUTHORITY]
    return frozenset(issuer_key(chain_of(flow)) for flow in unknown) - {""}


def _named(flow: Flow, scene: Scene) -> bool:
    return flow.tls is not None and names_host(flow.tls.chain, scene.hop.host)

"""The rule of addresses on record: when a fingerprint may settle a DNS answer.

Rules of this file:

* never against a witness: not for an address that is proven, that the control or an encrypted resolver gives
  too, or that has the site's own certificate, only broken;
* what settles is ``confirmed`` only if others give another address: a site may live at one on record;
* the fingerprint is named; whether the country fits is told, and decides nothing.
"""

from __future__ import annotations

from blockwatch.judge.certs import names_host
from blockwatch.judge.chains import HARMLESS, cause_of, chain_of
from blockwatch.judge.finding import Finding, blocked, refs, sign
from blockwatch.judge.fingerprints import VAGUE
from blockwatch.judge.household import answer_doubt
from blockwatch.judge.outcomes import TRUST
from blockwatch.judge.rules_known import said
from blockwatch.judge.scene import Scene
from blockwatch.verdict import Grade

PRODUCT = "prod"  # scope of fingerprints: a product that anybody may run


def address_known(scene: Scene) -> Finding | None:
    """The line's resolver gives an address on record as a censor's, and nobody believable gives it too."""
    answers = scene.answers
    if not answers.given or answers.given & answers.good or _own_chain(scene):
        return None
    named = {address: scene.on_record.pack.address(address) for address in sorted(answers.given)}
    hits = [known for known in named.values() if known is not None]
    if not hits or len(hits) < len(named):
        return None
    best = max(hits, key=lambda known: (known.settles, known.confidence))
    apart = answers.elsewhere - answers.given
    witnesses = refs((lookup.ref for lookup in answers.system), scene.hop.control_refs)
    shown = f"{', '.join(list(named)[:2])}, on record as {said(scene, best)}"
    if best.settles:
        text = f"The line's resolver gives a censor's address: {shown}"
        if not apart:
            return sign("dns.redirect", f"{text}. Nobody was found to give another one", witnesses)
        injected = answers.injected or answers.udp_agrees
        doubt = answer_doubt(scene) if best.scope == PRODUCT else ""
        if doubt:
            return sign("dns.redirect", f"{text}. {doubt}", witnesses)
        mechanism = "dns.injection" if injected else "dns.redirect"
        return blocked(mechanism, Grade.CONFIRMED, text, refs(witnesses, injected))
    if not apart:
        return None
    mechanism = "dns.bogon" if best.scope == VAGUE else "dns.redirect"
    return sign(mechanism, f"The line's resolver gives {shown}; others give other addresses", witnesses)


def _own_chain(scene: Scene) -> bool:
    """Whether the address has the site's own certificate, only broken: then the site lives there."""
    host, given = scene.hop.host, scene.answers.given
    shown = [flow for flow in scene.hop.flows if flow.address in given and flow.at("tls") == TRUST]
    named = [flow for flow in shown if names_host(chain_of(flow), host)]
    return bool(named) and cause_of(scene, named) in HARMLESS

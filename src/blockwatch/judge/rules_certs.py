"""The certificate rules: an untrusted chain is the site's own, this side's antivirus's, or a censor's.

Rules of this file:

* local interception is excluded first: an issuer that signs for control names too is not a censor;
* what decides is why the chain is not trusted: wrong dates, another name or a missing intermediate are
  ordinary faults of one server, and a sign at most;
* a made-up chain alone is nobody's fault in particular: a control, or an unrelated address, must show it;
* one that comes at the site's address only may be the site's, for visitors of this country; and only an
  authority on record is surely no company's gateway: ``confirmed`` needs one.
"""

from __future__ import annotations

from collections.abc import Iterable

from blockwatch.failure import INVALID_CERTIFICATE, INVALID_HOSTNAME
from blockwatch.judge import certs
from blockwatch.judge.certs import issuer_key, local_interceptor, names_host
from blockwatch.judge.chains import HARMLESS, SAID, Cause, cause, chain_of, forged_elsewhere
from blockwatch.judge.finding import Finding, Note, blocked, down, refs, sign, unclear
from blockwatch.judge.matrix import STRANGE
from blockwatch.judge.outcomes import OK, TRUST
from blockwatch.judge.rules_transport import all_failed, with_control
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Flow
from blockwatch.judge.tries import Tries
from blockwatch.model import Purpose
from blockwatch.verdict import Grade


def local_interception(scene: Scene) -> Finding | None:
    """An antivirus or proxy on this side signs certificates of its own."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    chain = chain_of(tries.same[0])
    name = local_interceptor(chain, filters=True)
    ordinary = any(flow.tls is not None and flow.tls.trust == INVALID_HOSTNAME for flow in tries.same)
    if name is None and (ordinary or not _signs_everything(scene, issuer_key(chain))):
        return None
    text = f"Certificates are made out by a program or proxy of this side ({name or 'control names too'})"
    return unclear(text, tries.witnesses, "tls")


def national_root(scene: Scene) -> Note | None:
    """The chain names a national root, which is lawful on the state's own sites."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    named = [flow for flow in tries.same if certs.national_root(chain_of(flow))]
    text = "The certificate names Kazakhstan's national root, which is lawful on the state's own sites"
    return Note(text, refs(*(flow.witness("tls") for flow in named))) if named else None


def state_build(scene: Scene) -> Finding | None:
    """A chain built like a state's interception comes for the name, only for it, and no control belies it."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST or tries.rounds < 2:
        return None
    if scene.control is not None and not _stale_for_control(scene):
        return None
    if not _all_built_by_state(scene, tries):
        return None
    asked = scene.hop.by(Purpose.SNI_NONE_ON_TARGET, Purpose.SNI_CONTROL_ON_TARGET)
    others = [flow for flow in asked if chain_of(flow) and flow.at("tls") in (OK, TRUST)]
    if not others or any(certs.state_root(chain_of(flow)) for flow in others):
        return None
    text = (
        "A chain of a state's interception authority, built as on record, comes for the name; without it the"
    )
    text += " same address sends another"
    return blocked("tls.mitm.sni", Grade.STRONG, text, _witnesses(scene, tries, others))


def _all_built_by_state(scene: Scene, tries: Tries) -> bool:
    """Whether each chain is built so; a state's own sites may bear its authorities' certificates."""
    host = scene.hop.host
    return not host.endswith(".kz") and all(certs.built_by_state(chain_of(flow), host) for flow in tries.same)


def _stale_for_control(scene: Scene) -> bool:
    """Whether the control met a certificate that leads to a public authority, and is not valid otherwise."""
    ends = [end.tls_failure for end in scene.control.endpoints if end.tls] if scene.control else []
    return bool(ends) and all(end in (INVALID_CERTIFICATE, INVALID_HOSTNAME) for end in ends)


def state_interception(scene: Scene) -> Finding | None:
    """The chain comes from an authority on record as a state's interception root."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    name = next((root for flow in tries.same if (root := certs.state_root(chain_of(flow)))), None)
    valid = _valid_for_control(scene)
    if name is None or (scene.control is not None and not valid and _met_certificate(scene)):
        return None
    text = f"The certificate is made out by {name}, an interception authority on record"
    elsewhere = forged_elsewhere(scene, tries)
    if elsewhere:
        text += ", at an unrelated address too"
    witnesses = _witnesses(scene, tries, elsewhere)
    bare = _true_without_name(scene)
    odd = any(certs.peculiar(chain_of(flow)) for flow in tries.same) and (scene.ruleset == 1 or bare)
    if tries.rounds < 2 or not (valid or elsewhere or odd):
        return sign("tls.mitm", text, witnesses)
    seen = elsewhere or bare or scene.ruleset == 1
    return blocked("tls.mitm", Grade.CONFIRMED if valid and seen else Grade.STRONG, text, witnesses)


def certificate_broken(scene: Scene) -> Finding | None:
    """The certificate is not valid for the control either."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST or scene.control is None or _valid_for_control(scene):
        return None
    if scene.control_failed_at is None or not _met_certificate(scene):
        return None
    if scene.ruleset > 1 and _stale_for_control(scene) and _all_built_by_state(scene, tries):
        text = "A chain of a state's interception authority comes here; the control meets the site's own"
        return sign("tls.mitm", text, with_control(scene, tries))
    return down("tls", "The certificate is not valid, and the control fails too", with_control(scene, tries))


def interception(scene: Scene) -> Finding | None:
    """A chain that somebody made up comes here; the control, or an unrelated address, shows that it is."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    why = cause(scene, tries)
    if why in HARMLESS:
        return None
    valid = _valid_for_control(scene) and _same_place(scene, tries)
    elsewhere = forged_elsewhere(scene, tries) if tries.rounds >= 2 else ()
    if elsewhere:
        text = f"{SAID[why]}, at unrelated addresses too, where other names get their own"
        witnesses = _witnesses(scene, tries, elsewhere)
        if not valid and why is not Cause.FORGED:
            return sign("tls.mitm.sni", text, witnesses)
        settled = Grade.CONFIRMED if valid and scene.ruleset == 1 else Grade.STRONG
        return _made_up(scene, settled, text, witnesses)
    bare = _true_without_name(scene)
    witnesses = _witnesses(scene, tries, bare)
    if why is not Cause.FORGED:
        return _perhaps(scene, tries, why, witnesses)
    if tries.rounds >= 2 and bare:
        text = f"{SAID[why]}; without the site's name the same address sends the true one"
        if not valid:
            return sign("tls.mitm.sni", f"{text}. The server's own configuration could do that", witnesses)
        settled = Grade.CONFIRMED if scene.ruleset == 1 else Grade.STRONG
        return _made_up(scene, settled, text, witnesses)
    if not valid:
        return None
    text = f"{SAID[why]}; the control gets a valid one"
    if tries.rounds < 2 and not scene.once:
        return unclear(f"{text}; it was not asked for again", witnesses, "tls")
    if scene.ruleset > 1:
        return sign(
            "tls.mitm", f"{text}. A chain that the site shows to this country would look the same", witnesses
        )
    if tries.rounds < 3:
        return sign("tls.mitm", text, witnesses)
    return blocked("tls.mitm", Grade.STRONG, text, witnesses)


def _made_up(scene: Scene, grade: Grade, text: str, witnesses: tuple[str, ...]) -> Finding:
    """A chain that the site cannot have sent, by an authority that is on nobody's record."""
    if scene.ruleset > 1:
        text += ". A company's gateway with rules of its own would look the same"
    return blocked("tls.mitm.sni", grade, text, witnesses, proven=scene.ruleset > 1)


def _perhaps(scene: Scene, tries: Tries, why: Cause, witnesses: tuple[str, ...]) -> Finding | None:
    """A fault that one edge of the site may have: a sign only if the control got a valid chain from this
    very address, again and again.
    """
    same = {flow.address for flow in tries.same} <= scene.answers.control_proven
    if not same or not (tries.rounds >= 2 or scene.once):
        return None
    return sign("tls.mitm", f"{SAID[why]}; at the same address the control gets a valid one", witnesses)


def certificate_alone(scene: Scene) -> Finding | None:
    """The certificate is not valid, and nothing shows that somebody else than the site made it."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    text = f"{SAID[cause(scene, tries)]}; nothing shows that it is not the server's own"
    return unclear(text, with_control(scene, tries), "tls")


def _witnesses(scene: Scene, tries: Tries, others: Iterable[Flow]) -> tuple[str, ...]:
    return refs(tries.witnesses[:6], *(flow.witness("tls") for flow in others), scene.hop.control_refs)


def _valid_for_control(scene: Scene) -> bool:
    """Whether the helper's handshake for this name was valid."""
    return (scene.hop.secure and scene.control_ok) or bool(scene.answers.control_proven)


def _met_certificate(scene: Scene) -> bool:
    """Whether the helper got as far as a certificate, or failed in the handshake itself; what stopped it
    before tells nothing of certificates.
    """
    return scene.ruleset == 1 or scene.control_failed_at in ("tls", "http")


def _same_place(scene: Scene, tries: Tries) -> bool:
    """Whether the untrusted chain came from an address that is the site's, as far as anybody can tell."""
    good = scene.answers.good
    return any(flow.address in good for flow in tries.same) or not scene.answers.every


def _true_without_name(scene: Scene) -> list[Flow]:
    """Handshakes with the site's address, without its name, that brought its true chain."""
    asked = scene.hop.by(Purpose.SNI_NONE_ON_TARGET, Purpose.SNI_CONTROL_ON_TARGET)
    return [flow for flow in asked if _true_chain(flow, scene)]


def _true_chain(flow: Flow, scene: Scene) -> bool:
    """Whether this handshake, without the site's name, brought a trusted chain that names the site."""
    if flow.tls is None or flow.tls.trust not in (None, INVALID_HOSTNAME) or flow.tls.failure:
        return False
    return names_host(flow.tls.chain, scene.hop.host)


def _signs_everything(scene: Scene, issuer: str) -> bool:
    """Whether this issuer signs for names that no state would touch."""
    if not issuer:
        return False
    if issuer in scene.peers.control_issuers:
        return True
    calm = [flow for flow in scene.hop.by(Purpose.SNI_CONTROL_ON_CONTROL) if flow.round < STRANGE]
    if any(flow.at("tls") == TRUST and issuer_key(chain_of(flow)) == issuer for flow in calm):
        return True
    others = scene.peers.others(scene.peers.issuers, issuer, scene.hop.host)
    return len(others) >= 1 and not scene.peers.proven

"""The certificate rules: an untrusted chain is the site's own, this side's antivirus's, or a censor's.

Rules of this file:

* local interception is excluded first: an issuer that signs for control names too is not a censor;
* an untrusted chain alone is nobody's fault in particular: a control, or the same address without the
  name, must show another chain.
"""

from __future__ import annotations

from blockwatch.judge.certs import issuer_key, local_interceptor, names_host, state_root
from blockwatch.judge.finding import Finding, blocked, down, refs, sign, unclear
from blockwatch.judge.outcomes import TRUST
from blockwatch.judge.rules_transport import all_failed, with_control
from blockwatch.judge.scene import Scene, Tries
from blockwatch.judge.sight import Flow
from blockwatch.model import Purpose
from blockwatch.verdict import Grade


def local_interception(scene: Scene) -> Finding | None:
    """An antivirus or proxy on this side signs certificates of its own."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    chain = _chain(tries.same[0])
    name = local_interceptor(chain)
    if name is None and not _signs_everything(scene, issuer_key(chain)):
        return None
    text = f"Certificates are made out by a program or proxy of this side ({name or 'control names too'})"
    return unclear(text, tries.witnesses, "tls")


def state_interception(scene: Scene) -> Finding | None:
    """The chain comes from an authority on record as a state's interception root."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    name = next((root for flow in tries.same if (root := state_root(_chain(flow)))), None)
    if name is None or (scene.control is not None and not _valid_for_control(scene)):
        return None
    sure = tries.rounds >= 2 and _valid_for_control(scene)
    grade = Grade.CONFIRMED if sure else Grade.STRONG if tries.rounds >= 2 else Grade.SIGNS
    text = f"The certificate is made out by {name}, an interception authority on record"
    return blocked("tls.mitm", grade, text, with_control(scene, tries))


def certificate_broken(scene: Scene) -> Finding | None:
    """The certificate is not valid for the control either."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST or scene.control is None or _valid_for_control(scene):
        return None
    if scene.control_failed_at is None:
        return None
    return down("tls", "The certificate is not valid, and the control fails too", with_control(scene, tries))


def interception(scene: Scene) -> Finding | None:
    """An untrusted chain comes here; the control, or the same address without SNI, sends a valid one."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    bare = [
        flow
        for flow in scene.hop.by(Purpose.SNI_NONE_ON_TARGET, Purpose.SNI_CONTROL_ON_TARGET)
        if _true_chain(flow, scene)
    ]
    witnesses = refs(tries.witnesses, *(flow.witness("tls") for flow in bare), scene.hop.control_refs)
    if tries.rounds >= 2 and bare:
        text = "An untrusted certificate comes for the name; without it the same address sends the true one"
        return blocked("tls.mitm.sni", Grade.CONFIRMED if scene.control_ok else Grade.STRONG, text, witnesses)
    if not _valid_for_control(scene) or not _same_place(scene, tries):
        return None
    if tries.rounds < 2 and scene.once:
        return sign("tls.mitm", "An untrusted certificate comes; the control's is valid", witnesses)
    if tries.rounds < 2:
        return unclear("An untrusted certificate came once and was not asked for again", witnesses, "tls")
    grade = Grade.STRONG if tries.rounds >= 3 else Grade.SIGNS
    return blocked(
        "tls.mitm",
        grade,
        "An untrusted certificate comes for the name; the control gets a valid one",
        witnesses,
    )


def certificate_alone(scene: Scene) -> Finding | None:
    """The certificate is not valid, and nothing shows whether it is for others."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != TRUST:
        return None
    text = "The certificate is not valid; nothing shows whether it is for others"
    return unclear(text, with_control(scene, tries), "tls")


def _chain(flow: Flow) -> tuple[bytes, ...]:
    return flow.tls.chain if flow.tls is not None else ()


def _valid_for_control(scene: Scene) -> bool:
    """Whether the helper's handshake for this name was valid."""
    return (scene.hop.secure and scene.control_ok) or bool(scene.answers.control_proven)


def _same_place(scene: Scene, tries: Tries) -> bool:
    """Whether the untrusted chain came from an address that is the site's, as far as anybody can tell."""
    good = scene.answers.good
    return any(flow.address in good for flow in tries.same) or not scene.answers.every


def _true_chain(flow: Flow, scene: Scene) -> bool:
    """Whether this handshake, without the site's name, brought a trusted chain that names the site."""
    if flow.tls is None or flow.tls.trust not in (None, "ssl_invalid_hostname") or flow.tls.failure:
        return False
    return names_host(flow.tls.chain, scene.hop.host)


def _signs_everything(scene: Scene, issuer: str) -> bool:
    """Whether this issuer signs for names that no state would touch."""
    if not issuer:
        return False
    if issuer in scene.peers.control_issuers:
        return True
    calm = scene.hop.by(Purpose.SNI_CONTROL_ON_CONTROL)
    if any(flow.at("tls") == TRUST and issuer_key(_chain(flow)) == issuer for flow in calm):
        return True
    others = scene.peers.others(scene.peers.issuers, issuer, scene.hop.host)
    return len(others) >= 1 and not scene.peers.proven

"""Why a chain is not trusted: an ordinary fault of a server, or a chain that somebody made up.

Rules of this file:

* OpenSSL builds the chain before it looks at the name and the dates (``verify_chain``): where it
  complains of those only, the chain leads to a public authority, which signs for no censor;
* an incomplete chain may be a server that forgot an intermediate, and a leaf for another name a
  server's default: every such fault can be that of one edge of the site;
* where several chains came, the most harmless cause counts.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from enum import IntEnum

from blockwatch import failure as f
from blockwatch.judge.certs import issuer_key, names_host, read_leaf
from blockwatch.judge.outcomes import OK, TRUST
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Flow
from blockwatch.judge.tries import Tries
from blockwatch.model import Purpose, TlsStep

_CODE = re.compile(r"X509 (\d+)")
_DATES = frozenset({9, 10})  # X509_V_ERR_CERT_NOT_YET_VALID, _HAS_EXPIRED


class Cause(IntEnum):
    """Why a chain is not trusted, the most harmless first."""

    DATES = 0  # it leads to a public authority and is for the name; only its dates are wrong
    KNOWN = 1  # its leaf is the very one that is valid elsewhere: an intermediate is missing
    NAME = 2  # it leads to a public authority, for another name
    STRANGER = 3  # unknown authority, and not even for the name
    INCOMPLETE = 4  # for the name, by an issuer whose own certificate nobody sent
    UNREAD = 5  # we cannot tell
    FORGED = 6  # for the name, down from a root of its own that nobody trusts


HARMLESS = frozenset({Cause.DATES, Cause.KNOWN})
SAID = {
    Cause.DATES: "The certificate leads to a public authority and is for the name; only its dates are wrong",
    Cause.KNOWN: "The certificate is the site's own, sent without an intermediate",
    Cause.NAME: "The certificate is a public one for another name",
    Cause.STRANGER: "The certificate is somebody's for another name",
    Cause.INCOMPLETE: "The certificate comes without its issuer's",
    Cause.UNREAD: "The certificate is not valid",
    Cause.FORGED: "The certificate is made out by an authority that nobody trusts",
}


def chain_of(flow: Flow) -> tuple[bytes, ...]:
    """The chain that a flow brought."""
    return flow.tls.chain if flow.tls is not None else ()


def cause(scene: Scene, tries: Tries) -> Cause:
    """Why the chains of failed handshakes are not trusted."""
    return cause_of(scene, tries.same)


def cause_of(scene: Scene, flows: Sequence[Flow]) -> Cause:
    """Why the chains that these flows brought are not trusted."""
    true = {chain_of(flow)[0] for flow in scene.hop.flows if flow.at("tls") == OK and chain_of(flow)}
    steps = [flow.tls for flow in flows if flow.tls is not None]
    return min((_of_step(step, scene.hop.host, true) for step in steps), default=Cause.UNREAD)


def _of_step(step: TlsStep, host: str, true: set[bytes]) -> Cause:
    told = _CODE.match(step.trust_detail or "")
    if step.trust == f.INVALID_CERTIFICATE and told is not None and int(told[1]) in _DATES:
        return Cause.DATES
    if step.trust == f.INVALID_HOSTNAME:
        return Cause.NAME
    leaf = read_leaf(step.chain)
    if leaf is None:
        return Cause.UNREAD
    if not names_host(step.chain, host):
        return Cause.STRANGER
    if leaf.rooted:
        return Cause.FORGED
    return Cause.KNOWN if step.chain[0] in true else Cause.INCOMPLETE


def forged_elsewhere(scene: Scene, tries: Tries) -> tuple[Flow, ...]:
    """Flows that got a chain of the same issuer for the target's name at unrelated addresses, twice or
    more, where control names get valid chains of their own: no server there can have made it.
    """
    issuers = {issuer_key(chain_of(flow)) for flow in tries.same} - {""}
    own = scene.answers.good | scene.answers.given
    calm = {flow.address for flow in scene.hop.by(Purpose.SNI_CONTROL_ON_CONTROL) if flow.at("tls") == OK}
    sent = [
        flow
        for flow in scene.hop.by(Purpose.SNI_TARGET_ON_CONTROL)
        if flow.at("tls") == TRUST and flow.address in calm - own
    ]
    same = [
        flow
        for flow in sent
        if issuer_key(chain_of(flow)) in issuers and names_host(chain_of(flow), scene.hop.host)
    ]
    return tuple(same) if len(same) >= 2 else ()

"""How the helper fared on its errand, said in our steps.

Rules of this file: a chain that is not valid was an answer; where the helper says less than we ask, the
last step that it surely made counts.
"""

from __future__ import annotations

from collections.abc import Collection

from blockwatch import failure as f
from blockwatch.judge import outcomes
from blockwatch.judge.addresses import is_address
from blockwatch.judge.sight import Hop
from blockwatch.model import ControlStep

NO_NAME = frozenset({f.NXDOMAIN, f.NO_ANSWER, "dns_name_error"})  # the last: as older helpers say it


def shook(failure: str | None) -> bool:
    """Whether the helper's handshake was answered with a chain, valid or not."""
    return failure is None or failure in outcomes.UNTRUSTED


def heard(control: ControlStep | None, ruleset: int) -> ControlStep | None:
    """The helper's answer, if it tells anything of the site: not where its own resolver failed, nor where
    it would not ask (what it refuses it calls an unknown error).
    """
    if control is None or ruleset == 1 or control.failure is not None:
        return control
    nothing = not control.addresses and not control.endpoints and control.status is None
    deaf = control.dns_failure is not None and control.dns_failure not in NO_NAME
    refused = control.dns_failure is None and control.http_failure == "unknown_error"
    return None if nothing and (deaf or refused) else control


def failed_at(control: ControlStep, hop: Hop) -> str | None:
    """The step at which the helper failed; ``None``: it did not, or its own line did."""
    if control.failure is not None or (control.http_failure is None and control.status is not None):
        return None
    ends = [end for end in control.endpoints if end.port == hop.port]
    literal = is_address(hop.host)
    if not literal and not control.addresses and (control.dns_failure or control.http_failure):
        return "dns"
    if ends and all(end.tcp_failure for end in ends):
        return "tcp"
    tried = [end for end in ends if end.tls]
    if hop.secure and tried and all(end.tls_failure for end in tried):
        return "tls"
    return "http" if control.http_failure else None


def no_page_either(control: ControlStep | None, hop: Hop) -> bool:
    """Whether the helper failed after its connection, and not over a certificate: a shield in front of a dead
    site takes connections, and so does a server that has too much to do.
    """
    if control is None or failed_at(control, hop) not in ("tls", "http"):
        return False
    met = {control.http_failure, *(end.tls_failure for end in control.endpoints)}
    return not met & outcomes.UNTRUSTED


def dead_for(control: ControlStep | None, hop: Hop, addresses: Collection[str]) -> bool:
    """Whether the helper tried these very addresses and could not connect to any."""
    ends = control.endpoints if control is not None else ()
    ours = [end for end in ends if end.address in addresses and end.port == hop.port]
    return bool(ours) and all(end.tcp_failure for end in ours)

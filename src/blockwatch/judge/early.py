"""Whether the time that connections take here tells how far away their servers are.

Rules of this file: it does not where true answers come sooner than a connection took (a radio that wakes up,
Wi-Fi that saves power, a proxy that looks at every SYN first): whoever answers sooner is no liar there.
"""

from __future__ import annotations

from blockwatch.judge.outcomes import OK
from blockwatch.judge.sight import CALM, Flow, Hop

SYN_AGAIN_US = 900_000  # after a second without an answer a SYN is sent again (RFC 6298, 2.1)


def too_early(came_us: int, rtt_us: int) -> bool:
    """Whether an answer came sooner than its sender can have sent it: within 0.8 of a round trip."""
    return 0 < came_us < rtt_us * 4 // 5


def belied(hop: Hop) -> bool:
    """Whether a true answer came sooner than its own connection took: a chain valid for the name sent, which
    nobody on the path can make up, or a control name's page from its own address.
    """
    return any(_sooner(flow) for flow in hop.flows)


def _sooner(flow: Flow) -> bool:
    if flow.tcp is None or flow.at("tcp") != OK or flow.tcp.us >= SYN_AGAIN_US:
        return False
    if flow.tls is not None:
        return flow.at("tls") == OK and too_early(flow.tls.first_byte_us or 0, flow.tcp.us)
    return (
        flow.http is not None
        and flow.purpose in CALM
        and flow.responded
        and too_early(flow.http.first_byte_us or 0, flow.tcp.us)
    )

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
    """Whether true answers came sooner than their own connections took, as a rule: two, and half of all.

    True is a chain valid for the name sent, which nobody on the path can make up, or a control name's page
    from its own address. One alone may be a connection that waited once, as on any busy line.
    """
    times = [(flow.tcp.us, came) for flow in hop.flows if flow.tcp is not None and (came := _true_us(flow))]
    sooner = sum(too_early(came, took) for took, came in times)
    return sooner >= 2 and sooner * 2 >= len(times)


def _true_us(flow: Flow) -> int | None:
    """After how long a true answer began; ``None``: none did, or its connection tells nothing."""
    if flow.tcp is None or flow.at("tcp") != OK or flow.tcp.us >= SYN_AGAIN_US:
        return None
    if flow.tls is not None:
        return flow.tls.first_byte_us if flow.at("tls") == OK else None
    calm = flow.http is not None and flow.purpose in CALM and flow.responded
    return flow.http.first_byte_us if calm and flow.http is not None else None

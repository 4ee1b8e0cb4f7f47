"""How one step ended, in the few words that the rules are written with.

Rules of this file:

* an outcome is said of one step alone; nothing is compared here;
* trust is not failure: a handshake that ended with an untrusted chain was answered by somebody;
* time-outs of the kernel and of ours are one outcome, as are the ways in which a flow is cut by RST.
"""

from __future__ import annotations

from collections.abc import Iterable

from blockwatch import failure as f
from blockwatch.model import DnsStep, HttpStep, TcpStep, TlsStep

OK = "ok"
SKIPPED = "skipped"
TIMEOUT = "timeout"
RESET = "reset"
EOF = "eof"
REFUSED = "refused"
UNREACHABLE = "unreachable"
LOCAL = "local"  # the volunteer's own firewall
ALERT = "alert"
PLAINTEXT = "plaintext"
TRUST = "trust"  # answered, but the chain is not valid for the name
GARBAGE = "garbage"  # what came is not HTTP
OTHER = "other"

# DNS only.
NXDOMAIN = "nxdomain"
EMPTY = "empty"
SERVFAIL = "servfail"
UNCLEAR = "unclear"  # EAI_AGAIN: time-out, REFUSED or SERVFAIL

_UNSPENT = frozenset({64, 128, 255})  # what systems send packets with
UNTRUSTED = frozenset({f.INVALID_HOSTNAME, f.UNKNOWN_AUTHORITY, f.INVALID_CERTIFICATE})

_PLAIN = {
    f.TIMEOUT: TIMEOUT,
    f.TIMED_OUT: TIMEOUT,
    f.RESET: RESET,
    f.ABORTED: RESET,
    f.NETWORK_RESET: RESET,
    f.EOF: EOF,
    f.REFUSED: REFUSED,
    f.HOST_UNREACHABLE: UNREACHABLE,
    f.NETWORK_UNREACHABLE: UNREACHABLE,
    f.NETWORK_DOWN: LOCAL,
    f.PERMISSION_DENIED: LOCAL,
    f.INTERRUPTED: LOCAL,
    f.HTTP_GARBAGE: GARBAGE,
    f.FAILED_HANDSHAKE: ALERT,
    f.NXDOMAIN: NXDOMAIN,
    "android_dns_cache_no_data": NXDOMAIN,  # OONI df-007: to be treated like it
    f.NO_ANSWER: EMPTY,
    f.DNS_REFUSED: REFUSED,
    f.SERVFAIL: SERVFAIL,
    f.DNS_TEMPORARY: UNCLEAR,
    f.DNS_NON_RECOVERABLE: SERVFAIL,
}


def cut(step: DnsStep) -> bool:
    """Whether a reply said only that the answer does not fit UDP (TC): that says nothing of the name."""
    return step.error == "TC" and not step.addresses


def next_door(step: DnsStep, house: frozenset[int] = frozenset()) -> bool:
    """Whether every reply to a query came from a machine of the own network: no router lowered its IP TTL, or
    it is one of those that replies of a box of the house have (``house``).

    A router at home that takes all lookups to itself, whoever is asked, is no censor on the path.
    """
    ttls = {reply.ip_ttl for reply in step.replies}
    return bool(ttls) and ttls <= _UNSPENT | house


def house_ttls(of_line: Iterable[DnsStep]) -> frozenset[int]:
    """The IP TTLs with which boxes of a house answer whose resolver is one of them: it may be a container or
    stand behind a second router, so one less than what systems send; and what its own replies have, up to
    three less (an injector beyond the line has another distance as a rule).
    """
    own = {reply.ip_ttl for step in of_line for reply in step.replies if reply.ip_ttl is not None}
    near = {ttl for ttl in own if any(0 <= full - ttl <= 3 for full in _UNSPENT)}
    return frozenset(near | {full - 1 for full in _UNSPENT})


def of_failure(failure: str | None) -> str:
    """The outcome that a failure string speaks of."""
    if failure is None:
        return OK
    if failure in UNTRUSTED:
        return TRUST
    return _PLAIN.get(failure, OTHER)


def outcome(step: DnsStep | TcpStep | TlsStep | HttpStep) -> str:
    """How ``step`` ended."""
    if step.skipped:
        return SKIPPED
    if isinstance(step, TlsStep):
        return _of_tls(step)
    if isinstance(step, DnsStep) and step.failure is None and not step.addresses:
        return EMPTY
    return of_failure(step.failure)


def _of_tls(step: TlsStep) -> str:
    if step.failure is None:
        return OK if step.trust is None else TRUST
    if step.plaintext:
        return PLAINTEXT
    if step.alert is not None:
        return ALERT
    return of_failure(step.failure)

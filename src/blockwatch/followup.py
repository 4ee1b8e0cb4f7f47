"""What an anomaly buys: requests that the judge names and the measurer carries out.

The measurer knows nothing of their meaning; it makes the steps and records them with the given
``purpose`` and ``round``. All of them are plain descriptions of steps.
"""

from __future__ import annotations

from blockwatch.model import Noun, Purpose


class KnownGood(Noun, frozen=True, kw_only=True):
    """A name and address that this run has seen working: a control with no server of ours."""

    host: str
    address: str
    port: int
    tls: bool  # true: its chain was valid for host


class FlowRequest(Noun, frozen=True, kw_only=True, tag_field="do", tag="flow"):
    """Dial, and then as far as asked: TLS if ``tls``, a GET if ``url``."""

    address: str
    port: int
    tls: bool
    server_name: str | None = None  # SNI; null with tls: send none
    url: str | None = None  # request this; null: stop before HTTP
    host: str | None = None  # Host header if it differs from the URL's
    insecure: bool = False  # go on to HTTP although the chain is not valid for server_name
    plain: bool = False  # offer HTTP/1.1 only
    purpose: Purpose
    round: int = 0
    hop: int = 0
    wait_us: int = 0  # before it, jitter included


# Two of the thirteen root servers, run by RIPE NCC and by the WIDE Project: both older than any censor's
# box and no part of a government. Source: the root hints, https://www.internic.net/domain/named.root
ROOT_SERVERS = (("k.root-servers.net", "193.0.14.129"), ("m.root-servers.net", "202.12.27.33"))


class LookupRequest(Noun, frozen=True, kw_only=True, tag_field="do", tag="lookup"):
    """Ask one resolver for one name."""

    resolver: str  # as in DnsStep.resolver
    name: str
    purpose: Purpose
    round: int = 0
    hop: int = 0
    window_us: int = 4_000_000  # how long to listen for more replies
    wait_us: int = 0
    single: bool = False  # over UDP: one datagram of each type, whatever comes back; no repeat, no TCP
    recursive: bool = True  # recursion desired (RD); a server of a zone is asked without


class ControlRequest(Noun, frozen=True, kw_only=True, tag_field="do", tag="control"):
    """Ask the helper (again) about a URL."""

    url: str
    addresses: tuple[str, ...] = ()
    purpose: Purpose
    round: int = 0
    hop: int = 0
    wait_us: int = 0


FollowUp = FlowRequest | LookupRequest | ControlRequest

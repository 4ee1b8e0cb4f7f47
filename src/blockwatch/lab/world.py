"""The nouns of the lab: a scenario is one readable row; a world is rows with addresses filled in.

Host names in rows are written ``@a@`` (host of site ``a``), ``@a.ip@`` / ``@a.ip1@`` (its
addresses; ``ip`` is the first, ``ip1`` the second, …); a world has them replaced.
"""

from __future__ import annotations

from dataclasses import dataclass, field

# Addresses of the lab's fixed parts. They look public, as a real judge takes documentation ranges
# for bogons; the namespaces have no route out.
PROBE_V4 = "95.56.8.20"  # AS9198
SWEDEN = "193.10.0.20"  # AS1653, another place for the probe
PROBE_V6 = "2a00:1d58:8::20"
ISP_RESOLVER = "95.56.8.1"
ROUTER = "192.168.1.1"  # a home router that asks the ISP's resolver
PUBLIC_RESOLVERS = ("8.8.8.8", "9.9.9.10", "1.1.1.1")  # UDP, TCP, DoT on 853, DoH on 443
HELPER = "139.59.20.20"
HELPER_HOST = "th.example.org"
EXAMPLE_HOST, EXAMPLE = "example.com", "23.192.228.80"  # which probes look up as a name that nobody blocks
ERRING_HELPER_HOST = "first-helper.example.org"  # of rows with a helper that errs
PORTAL = "10.77.0.3"
BLOCK_PAGES = ("92.46.33.7", "83.224.65.41")  # http servers that show a block page to everybody
REGISTRY_HOST = "reestr.mitc.uz"  # a block page by name, on the first of them


@dataclass(frozen=True, kw_only=True)
class DnsRule:
    """Interference with lookups of one name (or many)."""

    name: str
    match: str = "exact"  # exact | suffix | substring ("" with substring: every name)
    to: str = "any"  # "any": on the path, UDP, whoever is asked; "isp": the ISP's resolver itself lies
    do: str = "answer"  # answer | nxdomain | refused | servfail | empty | drop | dup | delay | lose |
    # divert: the ISP's resolver answers in the name of whoever was asked |
    # wildcard, to "isp": as answer, for names that do not exist
    answers: tuple[str, ...] = ()
    ttl: int = 60
    race: bool = True  # false: the true answer never arrives
    true_after: float = 0.0  # extra seconds the true answer takes
    ttl0: int = 64  # initial IP TTL of what is injected
    ipid: int | None = None
    first: int | None = None  # "lose": only the first N queries
    alias: str | None = None  # "answer", to "isp": an alias before the addresses
    types: tuple[str, ...] = ()  # "A", "AAAA": only queries of these types
    share: float = 1.0  # to "isp": share of the queries hit


@dataclass(frozen=True, kw_only=True)
class TlsRule:
    """Interference by the server name of a (reassembled) ClientHello."""

    sni: str
    match: str = "exact"
    ip: str | None = None  # only towards this address
    do: str = "drop"  # drop | rst | fin | page | throttle | freeze | slow | rstserver | dropdown |
    # rstafter
    both: bool = True  # rst: to both sides
    share: float = 1.0  # share of flows hit
    residual: float = 0.0  # seconds during which further flows to the same address:port are hit too
    mute: bool = False  # residual: SYNs are dropped, too
    rate: int = 0  # throttle: kB/s
    after: int = 0  # freeze, rstafter: bytes from the server that still pass
    delay_ms: int = 300  # slow: extra delay, with 10 % loss
    response: bytes = b""  # page: plain bytes sent instead of a ServerHello, then FIN
    ttl0: int = 64
    ipid: int | None = None


@dataclass(frozen=True, kw_only=True)
class HttpRule:
    """Interference by the Host header of a cleartext request."""

    host: str
    match: str = "exact"
    ip: str | None = None
    path: str = ""  # only requests whose first line has this in it
    do: str = "drop"  # as in TlsRule; race: as page, but the flow goes on and the true answer follows
    both: bool = True
    share: float = 1.0
    residual: float = 0.0
    mute: bool = False
    rate: int = 0
    after: int = 0
    delay_ms: int = 300
    response: bytes = b""  # page: injected instead of the true answer, then the flow ends
    ttl0: int = 64
    ipid: int | None = None


@dataclass(frozen=True, kw_only=True)
class TcpRule:
    """Interference with packets to one address."""

    ip: str
    port: int = 0  # 0: all ports
    do: str = "drop"  # drop (every packet) | rst (answers the SYN)
    after: int = 0  # so many connections are let through before it begins


@dataclass(frozen=True, kw_only=True)
class OfflineRule:
    """No packet passes."""


@dataclass(frozen=True, kw_only=True)
class PortalRule:
    """Captive portal: cleartext HTTP of everybody is redirected to ``ip``, other TCP is dropped."""

    ip: str = PORTAL


@dataclass(frozen=True, kw_only=True)
class Outage:
    """The probe's own line fails for a while."""

    begins: float  # seconds after the probe's first packet
    seconds: float
    what: str = "line"  # line: no packet passes | names: no lookup passes (port 53) |
    # portal: as PortalRule | switch: as line, and no connection from before is ever heard again


Rule = DnsRule | TlsRule | HttpRule | TcpRule | OfflineRule | PortalRule | Outage


@dataclass(frozen=True, kw_only=True)
class Mitm:
    """An interception box: TLS to these names is answered with a forged chain."""

    site: str  # key of the site; in a world: its host name
    style: str  # isca | qaznet | av | gateway | nameless | company | lone | stranger


@dataclass(frozen=True, kw_only=True)
class Serve:
    """What a server does on one port; ``kind`` names the behaviour, ``args`` its numbers."""

    kind: str  # page | status | redirect | reset | hang | slow | slowbody | drip | large | gzip |
    # dynamic | challenge | parked | flaky | empty | loop | chain | raw | garbage | bomb | …
    args: dict[str, object] = field(default_factory=dict)
    audience: str = "all"  # "probe" or "helper": only that one sees it, the other gets a page


@dataclass(frozen=True, kw_only=True)
class Manners:
    """How the owner of an address treats connections, before any request is answered."""

    unknown_sni: str = ""  # to TLS for names that are not served there: reset | alert | close | hang
    unknown_host: str = ""  # to requests for names that are not served there: a status | reset | hang
    fence: tuple[str, ...] = ()  # TLS of the probe for these names is reset
    tls_flaky: float = 0.0  # share of handshakes that are reset
    tls_delay: float = 0.0  # seconds before a handshake is answered
    limit: int | None = None  # so many connections a client; what is `over` meets the next ones
    over: str = "reset"  # reset | hang | close
    tls12: bool = False  # speaks TLS 1.2 at most
    client_cert: bool = False  # wants a certificate of the client


@dataclass(frozen=True, kw_only=True)
class Site:
    """One web site of the far side."""

    key: str
    http: Serve | None = Serve(kind="page")
    https: Serve | None = Serve(kind="page")
    paths: dict[str, Serve] = field(default_factory=dict)  # over both schemes, by path
    ports: dict[int, tuple[str, Serve]] = field(default_factory=dict)  # other ports: ("https", …)
    n: int = 1  # IPv4 addresses
    v6: int = 0  # IPv6 addresses
    pool: str = "hosting"  # hosting | cloudflare | aws: which network its addresses look like
    cert: str = "good"  # good | expired | wrong | untrusted | self
    host: str | None = None  # a fixed name; otherwise one is given
    aliases: tuple[str, ...] = ()
    share: str | None = None  # has the addresses of that site
    dns: dict[str, object] = field(default_factory=dict)  # {"rcode": 3} | {"A": […]} | {"rotate": 2} |
    # {"views": {"isp": […], "helper": "servfail", "*": […]}} | {"aaaa": "drop"} | {"edns": "formerr"} |
    # {"tcp_only": True} ("isp": its resolver alone);
    # a word instead of addresses: nxdomain | servfail | refused | formerr | empty | drop
    manners: Manners | None = None
    raw443: str | None = None  # "hang": accepts, never answers a ClientHello
    addresses: tuple[str, ...] = ()  # filled in by the world


@dataclass(frozen=True, kw_only=True)
class Allowed:
    """One allowed verdict: state, mechanism prefixes (the first is the exact one), grades."""

    state: str
    mechanisms: tuple[str, ...] = ()
    grades: tuple[str, ...] | None = None


@dataclass(frozen=True, kw_only=True)
class Expected:
    """One target of a scenario and the truth about it."""

    url: str
    truth: tuple[Allowed, ...]
    slow: bool = False  # moves much or waits long
    see: str = ""  # what a plain client sees at the probe: "ok", "dns.nxdomain", "tls.reset",
    # "http.status:403", "tls.cert:expired", "throttle", "freeze"; "any": not fixed


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """One situation: a row of ``lab/scenarios``."""

    id: str
    desc: str
    family: str  # clean | dns | tcp | tls | http | throttle | down | refused | noise | global
    targets: tuple[Expected, ...]
    sites: tuple[Site, ...]
    rules: tuple[Rule, ...] = ()
    world: str = "main"  # one of lab.conditions: rows of one world can share a lab
    mitm: tuple[Mitm, ...] = ()
    dead: tuple[str, ...] = ()
    source: str = ""


@dataclass(frozen=True, kw_only=True)
class TargetTruth:
    """What a run in a world must say of one target."""

    scenario: str
    target: str  # target id in the world's targets.yaml
    url: str
    truth: tuple[Allowed, ...]
    see: str = ""  # what a plain client sees, as in :class:`Expected`


@dataclass(frozen=True, kw_only=True)
class World:
    """Rows with every name and address filled in, and the conditions of the whole network."""

    name: str
    sites: tuple[Site, ...]
    rules: tuple[Rule, ...] = ()
    mitm: tuple[Mitm, ...] = ()
    dead: tuple[str, ...] = ()  # addresses that answer nothing, for everybody
    truths: tuple[TargetTruth, ...] = ()
    delay_ms: float = 10.0  # one way, probe to any server
    delays_ms: dict[str, float] = field(default_factory=dict)  # one way, by address
    back_ms: float = 0.0  # that packets to the probe take longer than those it sends
    jitter_ms: float = 0.0
    rate_kbit: float = 0.0  # of the probe's own line, each way; 0: no limit
    queue_ms: float = 1500.0  # how long a packet may wait for the line; then it is lost
    loss: float = 0.0  # share of packets lost each way between probe and servers
    hops: int = 8
    censor_hop: int = 4
    helper: bool = True  # whether a helper is offered to the probe
    helpers: tuple[str, ...] = (HELPER_HOST,)  # hosts of those offered, the first to be asked first
    resolver: str = ISP_RESOLVER  # whom the probe's system asks: or ROUTER
    tier: int = 1  # the tier of risk that a run is made with
    ipv6: bool = False  # whether the probe has IPv6
    probe: str = PROBE_V4  # where the probe is; SWEDEN for one that no censor of the rows' countries reaches
    seed: int = 1

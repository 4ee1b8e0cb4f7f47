"""The first and last line of a run's log: what was known of the vantage and how the run went."""

from __future__ import annotations

from blockwatch.model import Integer, Measurement, Noun
from blockwatch.target import Order, Search, Target


class LineCheck(Noun, frozen=True, kw_only=True):
    """One check of the volunteer's own line; never a finding about a site."""

    kind: str  # "connectivity", "portal" or "clock"
    when: str  # "before", "during" or "after"
    t: Integer  # microseconds since the run was opened
    ok: bool | None  # null: could not be told
    detail: str  # one plain sentence; never an address of the volunteer's
    offset_us: Integer | None = None  # clock: ours minus theirs


class Vantage(Noun, frozen=True, kw_only=True):
    """The network a run was made on; its address is never kept."""

    asn: Integer | None = None
    country: str | None = None  # ISO 3166-1 alpha-2
    network: str | None = None  # name of the AS
    learned_from: str | None = None  # "interface", "helper", "stun", … ; null: not learned
    declared_isp: str | None = None  # as the volunteer says
    ipv4: bool = False  # a default route exists
    ipv6: bool = False
    resolver_asn: Integer | None = None  # of the system resolver, where it has a public address
    resolver_local: bool | None = None  # whether it has none: a router's or a filter's on the own network,
    # or this machine's own; null: not known


class RunOpen(Noun, frozen=True, kw_only=True, tag_field="type", tag="run_open"):
    """What is fixed when a run begins."""

    format: Integer = 1
    run: str  # run id: 16 lower-case hex digits, random
    started: Integer  # microseconds since the epoch, UTC
    software: str  # "blockwatch 0.1.0"
    versions: tuple[tuple[str, str], ...] = ()  # ("python", "3.11.7"), ("openssl", …), ("certifi", …)
    label: str | None = None
    campaign: str | None = None
    vantage: Vantage = Vantage()
    targets: tuple[Target, ...] = ()
    orders: tuple[Order, ...] = ()
    searches: tuple[Search, ...] = ()
    targets_sha256: str | None = None  # of the canonical form of the three above
    probes: tuple[str, ...] = ()  # "web 1"
    resolvers: tuple[str, ...] = ()  # as in DnsStep.resolver; the line's own only as "system"
    helpers: tuple[str, ...] = ()
    control: str | None = None  # a proxy's URL without credentials
    ca_sha256: str | None = None  # of an extra --ca-file
    tier: Integer = 1
    consent: str | None = None  # version of the consent text agreed to; of each tier, separated by ", "
    concurrency: Integer = 0
    max_bytes: Integer | None = None
    max_us: Integer | None = None
    asn_table: str | None = None  # date and hash of the table used
    checks: tuple[LineCheck, ...] = ()
    clock_offset_us: Integer | None = None
    previous_root: str | None = None  # root of the run before it in its chain, hex
    key: str | None = None  # verifier key (C2SP signed-note) that seals the run; null: unsigned
    retest_of: str | None = None  # run id
    resumes: str | None = None  # id of the run that stopped before its end and that this one goes on from
    rest: tuple[Integer, ...] = ()  # resuming: what was left, as numbers (from 0) of the tasks of the plan
    beside: tuple[Integer, ...] = ()  # resuming: what is measured once more, to compare with
    imported: str | None = None  # "ooni <report id>": measured by another program, read from its records


class RunClose(Noun, frozen=True, kw_only=True, tag_field="type", tag="run_close"):
    """How a run ended; missing where it was killed."""

    ended: Integer  # microseconds since the epoch, UTC
    us: Integer  # length of the run
    reason: str  # "done", "interrupted", "budget", "time", "line", "disk" or "fault"
    planned: Integer  # measurements planned at the beginning
    measured: Integer  # measurements in the log
    bytes_sent: Integer = 0
    bytes_received: Integer = 0
    checks: tuple[LineCheck, ...] = ()


Record = RunOpen | Measurement | RunClose
"""One line of ``measurements.jsonl``."""

"""What a run would do, without doing it.

Rules of this file: pure; nothing here opens a connection or reads a clock. Estimates are for a clean
line and say so; the order of tasks is the order of the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from blockwatch.errors import ConfigError, UsageError
from blockwatch.followup import ROOT_SERVERS
from blockwatch.model import Noun
from blockwatch.net.resolver import parse_resolver
from blockwatch.net.socks import parse_proxy
from blockwatch.net.url import BadUrl, parse_endpoint, parse_url
from blockwatch.registry import Probe
from blockwatch.runner.known import KNOWN
from blockwatch.target import Target, TargetsFile

# none that filters: 9.9.9.10 is Quad9 without the filter that 9.9.9.9 has, which denies names by design
DEFAULT_RESOLVERS = ("udp://8.8.8.8:53", "udp://9.9.9.10:53", "https://cloudflare-dns.com/dns-query")
DEFAULT_STUN = "stun.cloudflare.com:3478"
LINE_HOSTS = tuple(parse_url(known.url).host for known in KNOWN)
_BYTES_A_PAGE = 150_000  # median page head, TLS, lookups, control; unknown pages vary widely
_BYTES_A_LOOKUP = 3_000
_SECONDS_A_TASK = 3.0  # one after another on a line of 100 ms


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a user can choose about a run."""

    probes: tuple[str, ...] = ("web",)
    resolvers: tuple[str, ...] = DEFAULT_RESOLVERS  # besides the system's, which is always asked
    helpers: tuple[str, ...] = ()  # URLs of test helpers, in order of preference
    control: str | None = None  # socks5://HOST:PORT
    ca_file: Path | None = None  # PEM; trusted besides certifi's roots
    interface: str | None = None
    concurrency: int = 50
    max_bytes: int | None = None
    max_us: int | None = None
    tier: int = 1
    label: str | None = None
    campaign: str | None = None
    isp: str | None = None  # as declared by the volunteer
    consent: str | None = None  # versions of the texts agreed to
    stun: str | None = DEFAULT_STUN  # HOST:PORT to learn the own network from; None: do not


class PlannedTask(Noun, frozen=True, kw_only=True):
    """One measurement to make."""

    target: str
    url: str
    probe: str
    role: str = "target"


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """A whole run before it is made."""

    settings: Settings
    targets: TargetsFile
    tasks: tuple[PlannedTask, ...]  # those to be made; where it resumes a run, what that one left
    probes: Mapping[str, Probe]  # those used
    hosts: tuple[str, ...]  # every host that will be contacted, resolvers and helpers included
    bytes: int  # estimate
    seconds: int  # estimate
    categories: tuple[str, ...]  # of the targets of these tasks
    resumes: str | None = None  # id of the run that it goes on from
    rest: tuple[int, ...] = ()  # numbers, among all tasks of the list, of what that one left
    beside: tuple[int, ...] = ()  # of what is made once more, to compare with; first in ``tasks``


def make_plan(targets: TargetsFile, probes: Mapping[str, Probe], settings: Settings) -> Plan:
    """Order the tasks (controls first) and estimate them; raises UsageError and ConfigError."""
    chosen = _choose(probes, settings)
    resolvers = tuple(parse_resolver(text) for text in settings.resolvers)
    for helper in settings.helpers:
        _check_helper(helper)
    if settings.concurrency < 1:
        raise UsageError("--concurrency must be 1 or more")
    plan = Plan(
        settings=msgspec.structs.replace(settings, resolvers=tuple(r.text for r in resolvers)),
        targets=targets,
        tasks=tasks_of(targets.targets, chosen),
        probes=chosen,
        hosts=(),
        bytes=0,
        seconds=0,
        categories=(),
    )
    return estimated(plan)


def tasks_of(targets: Iterable[Target], probes: Iterable[str]) -> tuple[PlannedTask, ...]:
    """Every measurement of a list, in the order of a run: controls first."""
    names = tuple(probes)
    return tuple(
        PlannedTask(target=target.id, url=url, probe=name, role=target.role)
        for target in sorted(targets, key=lambda target: target.role != "control")
        for url in target.urls
        for name in names
    )


def estimated(plan: Plan) -> Plan:
    """``plan`` with the hosts, bytes, seconds and categories of its tasks."""
    settings, tasks = plan.settings, plan.tasks
    wanted = {task.target for task in tasks}
    categories = {target.category for target in plan.targets.targets if target.id in wanted}
    resolvers = tuple(parse_resolver(text) for text in settings.resolvers)
    proxy = parse_proxy(settings.control).host if settings.control else ""
    hosts = [_host(task) for task in tasks]
    hosts += [r.host for r in resolvers if r.host] + [urlsplit(h).hostname or "" for h in settings.helpers]
    hosts += [proxy, *LINE_HOSTS]
    hosts += [settings.stun.rpartition(":")[0]] if settings.stun else []
    hosts += [name for name, _ in ROOT_SERVERS] if settings.tier > 1 else []
    pages = sum(1 for task in tasks if task.probe not in ("dns", "reach"))
    seconds = 4 + len(tasks) * _SECONDS_A_TASK / min(settings.concurrency, max(1, len(tasks)))
    return msgspec.structs.replace(
        plan,
        hosts=tuple(dict.fromkeys(host for host in hosts if host)),
        bytes=pages * _BYTES_A_PAGE + len(tasks) * _BYTES_A_LOOKUP,
        seconds=round(seconds),
        categories=tuple(sorted(filter(None, categories))),
    )


def _choose(probes: Mapping[str, Probe], settings: Settings) -> dict[str, Probe]:
    chosen: dict[str, Probe] = {}
    for name in settings.probes:
        if name not in probes:
            raise UsageError(f"no probe named {name!r}", remedy=f"there are: {', '.join(sorted(probes))}")
        if probes[name].tier > settings.tier:
            remedy = f"it needs --tier {probes[name].tier}, and consent to that tier"
            raise UsageError(f"probe {name!r} carries more risk than tier {settings.tier}", remedy=remedy)
        chosen[name] = probes[name]
    if not chosen:
        raise UsageError("no probe chosen", remedy=f"there are: {', '.join(sorted(probes))}")
    return chosen


def _check_helper(helper: str) -> None:
    try:
        parse_url(helper)
    except BadUrl as error:
        remedy = "write https://HOST/ or https://HOST:PORT/PATH"
        raise UsageError(f"not a helper's URL: {error}", where=helper[:100], remedy=remedy) from None


def _host(task: PlannedTask) -> str:
    url = task.url
    try:
        return parse_endpoint(url)[1] if url.startswith(("tcp:", "tls:")) else parse_url(url).host
    except BadUrl as error:
        where, remedy = f"target {task.target}: {url[:100]}", "correct this address, or leave it out"
        raise ConfigError(f"cannot be measured: {error}", where=where, remedy=remedy) from None

"""What a run is made with, as far as it decides what is measured and how: the same in its first line and in
the run that resumes it.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from blockwatch.errors import ConfigError
from blockwatch.model import Noun
from blockwatch.net.socks import parse_proxy
from blockwatch.run import RunOpen
from blockwatch.runner.plan import Plan, PlannedTask, tasks_of


class Scope(Noun, frozen=True, kw_only=True):
    """What must be the same in a run and in the one that resumes it."""

    tasks: tuple[PlannedTask, ...]
    probes: tuple[str, ...]
    resolvers: tuple[str, ...]
    helpers: tuple[str, ...]
    control: str | None
    ca_sha256: str | None
    tier: int
    campaign: str | None
    isp: str | None


_OPTION = {
    "tasks": "the list of targets (--targets)",
    "probes": "the questions (--probe), or their version",
    "resolvers": "--resolver",
    "helpers": "--helper",
    "control": "--control",
    "ca_sha256": "--ca-file",
    "tier": "--tier",
    "campaign": "--campaign",
    "isp": "--isp",
}


def scope_of(plan: Plan) -> Scope:
    """Of a whole plan that was not begun. Raises ``ConfigError`` where a file cannot be read."""
    settings = plan.settings
    return Scope(
        tasks=plan.tasks,
        probes=tuple(probe.label for probe in plan.probes.values()),
        resolvers=("system", *settings.resolvers),
        helpers=settings.helpers,
        control=parse_proxy(settings.control).shown if settings.control else None,
        ca_sha256=file_sha256(settings.ca_file) if settings.ca_file else None,
        tier=settings.tier,
        campaign=settings.campaign,
        isp=settings.isp,
    )


def scope_of_run(first: RunOpen) -> Scope:
    """Of a run, by its first line."""
    return Scope(
        tasks=tasks_of(first.targets, (label.partition(" ")[0] for label in first.probes)),
        probes=first.probes,
        resolvers=first.resolvers,
        helpers=first.helpers,
        control=first.control,
        ca_sha256=first.ca_sha256,
        tier=first.tier,
        campaign=first.campaign,
        isp=first.vantage.declared_isp,
    )


def differences(one: Scope, other: Scope) -> list[str]:
    """In words, what is not the same."""
    return [words for name, words in _OPTION.items() if getattr(one, name) != getattr(other, name)]


def file_sha256(path: Path) -> str:
    """Of the whole file, lower-case hex; raises :class:`ConfigError`."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        remedy = "Name a file that you may read."
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None

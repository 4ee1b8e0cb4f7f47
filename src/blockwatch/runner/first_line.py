"""The first line of a run: everything that is fixed when it begins."""

from __future__ import annotations

import hashlib
import ssl
import sys
from pathlib import Path

import trio

import blockwatch
from blockwatch import asn, codec
from blockwatch.errors import ConfigError
from blockwatch.net.socks import parse_proxy
from blockwatch.run import RunOpen, Vantage
from blockwatch.runner.line import Line
from blockwatch.runner.plan import Plan


def first_line(
    plan: Plan,
    *,
    run_id: str,
    started: int,
    vantage: Vantage,
    line: Line,
    previous_root: str | None,
    retest_of: str | None,
) -> RunOpen:
    """Put together what is known; ``started`` in microseconds since the epoch."""
    settings, targets = plan.settings, plan.targets
    return RunOpen(
        run=run_id,
        started=started,
        software=f"blockwatch {blockwatch.__version__}",
        versions=_versions(),
        label=settings.label,
        campaign=settings.campaign,
        vantage=vantage,
        targets=targets.targets,
        orders=targets.orders,
        searches=targets.searches,
        targets_sha256=hashlib.sha256(codec.canonical(targets)).hexdigest(),
        probes=tuple(probe.label for probe in plan.probes.values()),
        resolvers=("system", *settings.resolvers),
        helpers=settings.helpers,
        control=parse_proxy(settings.control).shown if settings.control else None,
        ca_sha256=file_sha256(settings.ca_file) if settings.ca_file else None,
        tier=settings.tier,
        consent=settings.consent,
        concurrency=settings.concurrency,
        max_bytes=settings.max_bytes,
        max_us=settings.max_us,
        asn_table=asn.table_id(),
        checks=tuple(line.checks),
        clock_offset_us=line.clock_offset_us,
        previous_root=previous_root,
        retest_of=retest_of,
        resumes=plan.resumes,
        rest=plan.rest,
        beside=plan.beside,
    )


def _versions() -> tuple[tuple[str, str], ...]:
    import certifi

    python = ".".join(str(part) for part in sys.version_info[:3])
    return (
        ("python", python),
        ("openssl", ssl.OPENSSL_VERSION),
        ("certifi", certifi.__version__),
        ("trio", trio.__version__),
        ("platform", sys.platform),
    )


def file_sha256(path: Path) -> str:
    """Of the whole file, lower-case hex; raises :class:`ConfigError`."""
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        remedy = "Name a file that you may read."
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path), remedy=remedy) from None

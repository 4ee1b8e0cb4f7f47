"""The first line of a run: everything that is fixed when it begins."""

from __future__ import annotations

import hashlib
import ssl
import sys

import trio

import blockwatch
from blockwatch import asn, codec
from blockwatch.run import RunOpen, Vantage
from blockwatch.runner.line import Line
from blockwatch.runner.plan import Plan
from blockwatch.runner.scope import scope_of


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
    settings, targets, scope = plan.settings, plan.targets, scope_of(plan)
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
        probes=scope.probes,
        resolvers=scope.resolvers,
        helpers=scope.helpers,
        control=scope.control,
        ca_sha256=scope.ca_sha256,
        tier=scope.tier,
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

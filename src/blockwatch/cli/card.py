"""The card of one measurement: for reading, for a screenshot, for finding the bytes."""

from __future__ import annotations

from collections.abc import Iterator

from blockwatch.analysis.orders import in_force, orders_on, searches_on
from blockwatch.cli.table import console, print_table
from blockwatch.cli.words import duration, harmless, moment_here, said, size
from blockwatch.evidence.covered import CoveredRun
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import ControlStep, DnsStep, HttpStep, Measurement, Observation, TcpStep, TlsStep
from blockwatch.store import Run
from blockwatch.verdict import Verdict

_FORCE = {
    True: "in force here then, by the list",
    False: "not in force here then, by the list",
    None: "whether in force here then the list does not say",
}


def print_card(run: CoveredRun, measurement: Measurement, line: int, verdict: Verdict | None) -> None:
    """Print what was done, what it means, and where the evidence lies (``line`` of the log, from 1)."""
    out = console()
    for name, value in _facts(run, measurement, verdict):
        out.print(f"{name:<10} {harmless(value, 600)}", soft_wrap=True)
    if verdict is not None:
        for reason in verdict.why:
            witnesses = ", ".join(f"step {w.rpartition('#')[2]}" for w in reason.witnesses if "#" in w)
            out.print(f"  - {harmless(reason.text, 500)} [{reason.rule}{': ' * bool(witnesses)}{witnesses}]",
                      soft_wrap=True)  # fmt: skip
    rows = [
        (str(step.i), kind(step), what(step), f"{step.t / 1e6:.3f} s", duration(step.us), end(step))
        for step in measurement.observations
    ]
    print_table(("step", "kind", "what", "at", "took", "what happened"), rows)
    out.print(f"evidence   {harmless(run.folder / LOG_FILE, 600)} line {line}", soft_wrap=True)
    out.print(f"seal       {sealed(run, line)}", soft_wrap=True)
    for step in measurement.observations:
        if isinstance(step, HttpStep):
            for side, ref in (("request", step.request), ("response", step.response)):
                if ref is not None:
                    place = f"{WARC_FILE} from byte {ref.offset}, {ref.length} bytes, SHA-256 {ref.sha256}"
                    out.print(f"           step {step.i} {side}: {place}", soft_wrap=True)


def sealed(run: CoveredRun, line: int) -> str:
    """Say whether a line of the log (from 1) is under a seal."""
    covered = run.coverage
    if covered.covers(line):
        return f"line {line} is under a good seal of {covered.key} (whose key, since when: blockwatch verify)"
    return f"NO SEAL covers line {line}: nothing shows that nobody altered it or made it up"


def _facts(run: Run, measurement: Measurement, verdict: Verdict | None) -> Iterator[tuple[str, str]]:
    vantage = run.open.vantage
    yield "id", measurement.id
    yield "target", f"{measurement.target}   {measurement.url}"
    yield "when", f"{moment_here(measurement.started)}, for {duration(measurement.us)}"
    network = (
        f"AS{vantage.asn} {vantage.network or ''} {vantage.country or ''}" if vantage.asn else "not known"
    )
    yield (
        "network",
        " ".join(network.split()) + (f" (said: {vantage.declared_isp})" if vantage.declared_isp else ""),
    )
    yield (
        "probe",
        f"{measurement.probe} {measurement.probe_version}, {measurement.attempt}, {run.open.software}",
    )
    if not measurement.valid:
        yield "fault", f"a fault of ours, no finding: {measurement.fault or 'unknown'}"
    if measurement.stopped:
        yield "stopped", f"planned steps are missing: {measurement.stopped}"
    yield from _orders(run, measurement)
    if verdict is not None:
        how = f": {verdict.mechanism}" if verdict.mechanism else ""
        scope = " (the run's verdict on this address)" if verdict.final else ""
        yield "found", f"{said(verdict)}{how}{scope}   ruleset {verdict.ruleset}"


def _orders(run: Run, measurement: Measurement) -> Iterator[tuple[str, str]]:
    """What the run's own list knows of orders against the target."""
    for one in orders_on(run.open, measurement.target):
        then = _FORCE[in_force(one, measurement.started, run.open.vantage.asn)]
        begin, end = one.effective_from or one.issued, one.effective_to
        days = f"{begin or 'an unknown day'} to {end or 'an unknown day'}"
        named = f"{one.scope or 'what'} {' '.join(one.names)}" if one.names else None
        told = [one.kind, one.issuer, one.number, named, f"{days} ({then})", one.source]
        yield "order", f"{one.id}: {', '.join(filter(None, told))} (checked {one.checked_on})"
    for search in searches_on(run.open, measurement.target):
        yield "searched", f"{search.on}: {search.found}, {search.source}"


def kind(step: Observation) -> str:
    """What kind of step it is, and why it was made if not as a first try."""
    name = type(step).__name__.removesuffix("Step").lower()
    return name if step.purpose == "first" else f"{name} ({step.purpose.value})"


def what(step: Observation) -> str:
    """What was asked of whom."""
    if isinstance(step, DnsStep):
        return f"{step.name} {step.qtype} from {step.resolver}"
    if isinstance(step, TcpStep):
        return f"{step.address} port {step.port}"
    if isinstance(step, TlsStep):
        return f"{step.address} port {step.port} for {step.server_name or 'no name'}"
    if isinstance(step, HttpStep):
        return f"{step.method} {step.url} from {step.address}"
    return f"{step.url} as seen by {step.helper}"


def end(step: Observation) -> str:
    """What happened, in the network's words; not yet harmless."""
    if step.skipped:
        return "not tried: an earlier step failed"
    if step.failure is not None:
        return step.failure + (f" ({step.error})" if step.error else "")
    if isinstance(step, DnsStep):
        late = f"; {len(step.replies)} replies came" if len(step.replies) > 1 else ""
        return ", ".join(step.addresses) + late
    if isinstance(step, TlsStep):
        return f"{step.version}, chain of {len(step.chain)}: {step.trust or 'valid for the name'}"
    if isinstance(step, HttpStep):
        cut = " (cut)" if step.truncated else ""
        return f"{step.status}, {size(step.body_length or 0)}{cut}, {step.title or 'no title'}"
    if isinstance(step, ControlStep):
        return f"{step.status or step.http_failure or 'no page'}, {step.title or 'no title'}"
    return "open"

"""Which run or record was checked: a transcript must say so, as a path and a folder's name say nothing.

Rules of this file: everything in the sentence is what the evidence itself says; times are those of its own
clock.
"""

from __future__ import annotations

import re

from blockwatch.evidence.report import Report
from blockwatch.evidence.verify_times import moment

OTHER_NAME = "the name of its folder says another run or another time than what is inside"
_NAME = re.compile(r"([0-9]{8})T([0-9]{6})Z-(?:.*-)?([0-9a-f]{16})", re.DOTALL)


def which(report: Report) -> str | None:
    """One sentence, not yet harmless; ``None``: not even the id of the run can be read."""
    if report.run is None or report.kind == "folder":
        return None
    root = f"root {report.root}" if report.root else "its root is not known"
    if report.kind == "growth":
        return f"run {report.run}, {report.lines} lines, {root}"
    begun = moment(report.started) if report.started is not None else "an unknown time"
    ended = moment(report.ended) if report.ended is not None else "no known end"
    network = f"AS{report.asn}" if report.asn is not None else "AS unknown"
    when = f"{begun} to {ended} by its own clock, {network}"
    if report.kind == "proof":
        return (
            f"record {report.record} of run {report.run}, {when}, {root}: {report.url}"  # long, perhaps: last
        )
    return f"run {report.run}, {when}, {report.measurements} measurements, {root}"


def is_named_otherwise(name: str, report: Report) -> bool:
    """Whether a run's folder bears the name that blockwatch would give to another one."""
    match = _NAME.fullmatch(name)
    if match is None or report.run is None or report.started is None:
        return False
    return (match[1] + match[2], match[3]) != (re.sub(r"\D", "", moment(report.started)), report.run)

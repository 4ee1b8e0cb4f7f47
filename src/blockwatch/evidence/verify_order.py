"""Checking the order in time of the runs of a chain: one that is named by another was there before that one.

Rules of this file: only a run with nothing wrong whose first line is under a good seal says what was before
it; runs that were read from another program's records are in no chain.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.verify import Checked
from blockwatch.evidence.verify_times import bounds, named_too_early


def check_order(runs: Sequence[Checked]) -> None:
    """Find runs that ended, by their own word, after a run that names them had been stamped."""
    links = []
    for one in runs:
        report = one.report
        says = report.sound and one.signed_start and not report.imported
        links.append((report.key, report.root, report.previous if says else None, one.by if says else None))
    for one, by in zip(runs, bounds(links), strict=True):
        finding, note = named_too_early(by, one.until, one.offset, LOG_FILE)
        if finding or note:
            one.report = msgspec.structs.replace(
                one.report,
                findings=(*one.report.findings, *([finding] if finding else [])),
                notes=(*one.report.notes, *([note] if note else [])),
            )

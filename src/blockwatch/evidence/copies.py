"""Two copies of one run: which goes on, which is sealed further, and making one the longer.

Rules of this file: a copy is judged by what checking it as ``blockwatch verify`` does shows, not by what it
says of itself; a log grows by replacing it with one that begins with the same lines.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from functools import partial
from itertools import islice, zip_longest
from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import Allowed, allowed_by
from blockwatch.evidence.disk import in_words, sync_folder
from blockwatch.evidence.log import LOG_FILE, read_lines
from blockwatch.evidence.naming import DERIVED, STAMPS_FOLDER
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.reading import last_byte, read_run
from blockwatch.evidence.report import BESIDE, Report
from blockwatch.evidence.summary import write_summary
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_bytes import first_member
from blockwatch.evidence.vouchers import add_vouchers
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Measurement

_PIECE = 1_048_576  # bytes compared at once


def without(folder: Path, error: EvidenceError) -> str:
    """The words of an error, with places named from within the folder."""
    place = error.where.replace(f"{folder}/", "")
    return f"{place}: {error.what}" if place else error.what


def checked(staged: Path, wanted: str) -> Report:
    """Hold it against itself as ``blockwatch verify`` does; the first finding is an ``EvidenceError``."""
    report = verify_run(staged, Reader()).report
    for finding in report.findings:
        if finding.kind not in BESIDE:
            raise EvidenceError(finding.what, where=finding.where)
    if report.run != wanted:
        raise EvidenceError(f"the log says it is run {(report.run or '')[:40]!a}", where=LOG_FILE)
    return report


def held(kept: Path) -> Report:
    """What is known of the copy kept here; ``EvidenceError`` where log, bytes or seals are damaged."""
    report = verify_run(kept, Reader()).report
    for finding in report.findings:
        if finding.kind not in BESIDE and not finding.where.startswith(STAMPS_FOLDER):
            raise EvidenceError(finding.what, where=finding.where)
    return report


def stronger(new: Report, ours: Report, allowed: Sequence[Allowed] = ()) -> bool:
    """Whether a copy that contradicts the kept one is sealed further; first of all, by an ``allowed`` key.

    Seals by one key can be compared. Where the two name different keys anybody may have made either: the
    first stays, unless nothing at all of it is sealed.
    """
    if _listed(new, allowed) != _listed(ours, allowed):
        return _listed(new, allowed)
    if new.key != ours.key and ours.sealed:
        return False
    return new.sealed > ours.sealed


def _listed(report: Report, allowed: Sequence[Allowed]) -> bool:
    if report.key is None or not report.sealed or report.started is None:
        return False
    return allowed_by(allowed, parse_campaign_key(report.key), report.started) is not None


def longer_here(ours: Report, new: Report) -> str:
    """Say that the kept copy is longer, and what that is worth."""
    unsealed = ours.lines - max(ours.sealed, new.sealed)
    if ours.key is None or not unsealed:
        return "a longer copy is kept here"
    return f"a longer copy is kept here; no seal covers its last {unsealed} lines"


def compare(kept: Path, new: Path) -> int | None:
    """0: the same lines; 1: the new log goes on; -1: the kept one does; ``None``: they differ."""
    for ours, theirs in zip_longest(read_lines(kept, []), read_lines(new, [])):
        if ours is None:
            return 1
        if theirs is None:
            return -1
        if ours != theirs:
            return None
    return 0


def cut(folder: Path, lines: int) -> None:
    """Leave so many lines of a run, and the captured bytes that they refer to."""
    log, bodies = folder / LOG_FILE, folder / WARC_FILE
    size = end = 0
    for line, record in islice(read_run(folder).lines(), lines):
        size += len(line) + 1
        if isinstance(record, Measurement):
            end = max(end, last_byte(record))
    with in_words(folder):
        os.truncate(log, size)
        if bodies.is_file():
            with bodies.open("rb") as file:  # of which no line speaks: what the file is of
                end = max(end, first_member(file, read_run(folder).open.run))
            os.truncate(bodies, end)


def _goes_on(short: Path, longer: Path) -> bool:
    """Whether one file begins with all of the other; one that is not there is empty."""
    if not short.is_file():
        return True
    if not longer.is_file():
        return not short.stat().st_size
    with short.open("rb") as ours, longer.open("rb") as theirs:
        return all(piece == theirs.read(len(piece)) for piece in iter(partial(ours.read, _PIECE), b""))


def differ(kept: Path, staged: Path) -> bool:
    """Whether :func:`extend` would take captured bytes away, which no line refers to."""
    ours, theirs = kept / WARC_FILE, staged / WARC_FILE
    with in_words(ours):
        return not (_goes_on(ours, theirs) or _goes_on(theirs, ours))


def extend(kept: Path, staged: Path, spare: Path) -> tuple[str, ...]:
    """Make the kept run the longer one, each step leaving one that can be read; gives stamps left out."""
    with in_words(kept):
        for name in DERIVED:
            (kept / name).unlink(missing_ok=True)
        fewer = _goes_on(staged / WARC_FILE, kept / WARC_FILE)  # as cut leaves them: ours hold them all
        for name in (LOG_FILE,) if fewer else (WARC_FILE, LOG_FILE):
            if (staged / name).is_file():
                (staged / name).replace(kept / name)
                sync_folder(kept)
    _, left_out = add_vouchers(kept, staged, spare)
    if read_run(kept).close is not None:
        write_summary(kept)
    return left_out

"""Checking the proof that a log only grew, alone: two seals, and that one goes on from the other.

Rules of this file: what does not hold is a finding; what the lines say, and when, is not shown by it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.growth import GROWTH_TYPE, MAX_GROWTH, check_growth
from blockwatch.evidence.report import Finding, Level, Report
from blockwatch.evidence.timestamps import read_bounded
from blockwatch.evidence.verify import Reader


class _Kind(msgspec.Struct):
    """As much of a proof as tells which kind it is."""

    type: str = ""


def is_growth(path: Path) -> bool:
    """Whether a proof is of this kind."""
    try:
        raw = read_bounded(path, MAX_GROWTH)
        return len(raw) <= MAX_GROWTH and msgspec.json.decode(raw, type=_Kind).type == GROWTH_TYPE
    except (EvidenceError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _last_day(lines: Sequence[Allowed], now: int | None) -> date | None:
    """The last day of a key all of whose days are over; ``None``: they are not."""
    over = [one.until for one in lines if one.until and (now is None or not one.before_its_end(now))]
    return max(over) if over and len(over) == len(lines) else None


def verify_growth(path: Path, reader: Reader) -> Report:
    """Check one file; a fault in it is a finding of the report."""
    try:
        grown = check_growth(read_bounded(path, MAX_GROWTH), str(path))
    except EvidenceError as error:
        finding = Finding(kind="damage", where=path.name, what=error.what)
        return Report(path=str(path), kind="growth", findings=(finding,))
    lines = [each for each in reader.keys or () if each.key == grown.key]
    stranger = Finding(kind="signer", where=path.name, what="sealed by a key that you did not name")
    first, size = grown.earlier.size, grown.later.size
    notes = [
        f"the first {first} of {size} lines are those under the earlier seal: the log only grew",
        "what the lines say, and when they were written, it does not show",
    ]
    day = _last_day(lines, reader.now)
    if day is not None:
        words = "and there is no time in a proof of this kind: it reaches no grade of --require"
        notes.append(f"its key was good until {day} only, {words}")
    return Report(
        path=str(path),
        kind="growth",
        run=grown.later.run,
        level=Level.SEALED,
        key=str(grown.key),
        signer=lines[0].name if lines else None,
        lines=size,
        sealed=size,
        root=grown.later.root.hex(),
        days_unproven=day is not None,
        findings=(stranger,) if reader.keys is not None and not lines else (),
        notes=tuple(notes),
    )

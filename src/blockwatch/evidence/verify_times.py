"""The times that a log tells of, held against one another and against what others confirmed.

Rules of this file:

* they are the word of the machine that measured: what refutes them is outside time, or that they do not fit
  together (a clock that was set while the run went on);
* outside time shows that something existed by a moment, so it refutes only what says that it came later;
* of a clock that nobody checked, or that was set, nothing is a contradiction: it is told in a sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime

from blockwatch.evidence.report import MAX_OFFSET_US, Finding
from blockwatch.evidence.timestamps import Stamp
from blockwatch.model import Measurement
from blockwatch.run import RunClose, RunOpen

SLACK_US = MAX_OFFSET_US


class Times:
    """When what a log tells of happened, by its own clock; microseconds since the epoch."""

    def __init__(self) -> None:
        self.latest = 0  # end of what was read so far
        self._started = self._first = self._last = 0
        self._wrong = False  # they cannot all be of one clock that ran through

    def begin(self, opened: RunOpen) -> None:
        """Take the first line."""
        self._started = self._first = self._last = self.latest = opened.started

    def measured(self, one: Measurement) -> None:
        """Take a measurement."""
        self._first = min(self._first, one.started)
        self._last = max(self._last, one.started + one.us)
        self.latest = max(self.latest, self._last)

    def end(self, close: RunClose) -> None:
        """Take the last line."""
        backwards = close.ended - self._started < close.us - SLACK_US
        self._wrong = backwards or self._last > close.ended + SLACK_US
        self.latest = max(self.latest, close.ended)

    @property
    def were_set(self) -> bool:
        """Whether the clock was set back while the run went on, or stood wrong for a part of it."""
        return self._wrong or self._first < self._started - SLACK_US


def sure_offset(opened: RunOpen, measurements: Iterable[Measurement], close: RunClose | None) -> int | None:
    """How far ahead (microseconds) the clock of all times in a run was; ``None``: not told, or it was set."""
    times = Times()
    times.begin(opened)
    for one in measurements:
        times.measured(one)
    if close is not None:
        times.end(close)
    checks = (*opened.checks, *(close.checks if close is not None else ()))
    told = [check.offset_us for check in checks if check.offset_us is not None]
    told += [opened.clock_offset_us] if opened.clock_offset_us is not None else []
    if not told or times.were_set or max(told) - min(told) > MAX_OFFSET_US:
        return None
    return told[-1] if opened.clock_offset_us is not None else max(told, key=abs)


def too_early(
    stamp: Stamp, ended: int, offset: int | None, where: str | None = None
) -> tuple[Finding | None, str | None]:
    """Find a stamp that is older than the end of what it covers (by the clock of the machine that measured).

    A contradiction where that clock can be believed (``offset``), otherwise a sentence; ``None`` where
    nothing is odd.
    """
    what = f"older than what it is over: by {moment(stamp.not_after or 0)}, and that"
    found, note = _refuted(stamp.not_after, ended, offset, where or stamp.file, what)
    return found, f"{stamp.file} is {note}" if note else None


def named_too_early(
    by: int | None, ended: int, offset: int | None, where: str
) -> tuple[Finding | None, str | None]:
    """The same for a run and the moment by which another one existed that names it."""
    what = f"a run that names this one is older than it: that existed by {moment(by or 0)}, and this one"
    return _refuted(by, ended, offset, where, what)


def _refuted(
    by: int | None, ended: int, offset: int | None, where: str, what: str
) -> tuple[Finding | None, str | None]:
    if by is None or by + SLACK_US >= ended - (offset or 0):
        return None, None
    what = f"{what} ended {moment(ended - (offset or 0))}"
    if offset is None:
        return None, f"{what}, by a clock that nobody checked, or that was set"
    return Finding(kind="contradiction", where=where, what=what), None


def moment(us: int) -> str:
    """Microseconds since the epoch for reading, UTC; a time beyond all calendars as its number."""
    try:
        return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    except (OverflowError, ValueError, OSError):
        return f"{us} microseconds after 1970"


def bounds(links: Sequence[tuple[str | None, str | None, str | None, int | None]]) -> list[int | None]:
    """By when each run of some chains existed, because one that names it did; microseconds since the epoch.

    A link is the key of a run, its root, the root before it, and by when the run itself existed (null: nobody
    outside says). Roots cannot run in a circle.
    """
    place: dict[tuple[str | None, str | None], int] = {
        (key, root): number for number, (key, root, _, _) in enumerate(links) if root and key
    }
    found: list[int | None] = [None] * len(links)
    for key, _, previous, by in links:
        before = place.get((key, previous))
        while by is not None and before is not None:
            known = found[before]
            if known is not None and known <= by:
                break
            found[before] = by
            _, _, previous, own = links[before]
            by = by if own is None else min(by, own)
            before = place.get((key, previous))
    return found

"""OONI's measurements judged as they are read, without being kept.

Rules of this file:

* the verdicts are those of the same measurements imported and judged, but that a report is judged in parts
  where its measurements lie too far apart in the files to be held at once;
* what is held at once is bounded in bytes, not in measurements: it does not grow with the files;
* nothing is read from disk here: records come in, verdicts go out.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from typing import NamedTuple

from blockwatch.judge.fingerprints import OURS, Pack
from blockwatch.judge.rules import LATEST
from blockwatch.judge.verdicts import judge_run
from blockwatch.model import HttpStep, Measurement
from blockwatch.ooni import Damage, Head, Read, Record, Unreadable, head_of, read_measurement, run_open_of
from blockwatch.verdict import Verdict

MOST_BYTES = 4_194_304  # of JSON that was read and not yet judged, and one measurement more
_MOST_IN_A_RUN = 2_000  # as an import has it
_SELDOM = 50_000  # objects made between two looks for garbage

Skip = Callable[[str, str], None]


class _Held(NamedTuple):
    """A measurement that waits for others of its report."""

    head: Head
    read: Read
    size: int


class _Report:
    """Measurements of one report, as far as they were read."""

    def __init__(self, head: Head) -> None:
        self.started = head.report_started
        self.run = sha256(b"blockwatch judge ooni\0" + head.run_key.encode("utf-8", "replace")).hexdigest()[
            :16
        ]
        self.held: list[_Held] = []

    def add(self, head: Head, record: Record) -> None:
        read = read_measurement(
            record.object, head, run=self.run, seq=len(self.held) + 1, run_started=self.started
        )
        self.held.append(_Held(head, read, len(record.raw)))

    def judge(self, fingerprints: Pack, ruleset: int) -> list[Verdict]:
        """One verdict a measurement, in the order of their times."""
        held = sorted(self.held, key=lambda one: one.head.started)
        reads = {one.read.measurement.id: one.read for one in held}

        def body(measurement: Measurement, step: HttpStep) -> bytes | None:
            return reads[measurement.id].body(measurement, step)

        open_ = run_open_of(self.run, [one.head for one in held])
        return judge_run(
            open_, [one.read.measurement for one in held], None, body, fingerprints, ruleset=ruleset
        )


def judge_records(
    records: Iterable[Record | Damage],
    *,
    fingerprints: Pack = OURS,
    ruleset: int = LATEST,
    on_skip: Skip | None = None,
) -> Iterator[Verdict]:
    """Yield one verdict a measurement, those of one report together.

    ``on_skip`` is told place and reason of what is damaged, unreadable or of another test.
    """
    for report in _reports(records, on_skip):
        yield from report.judge(fingerprints, ruleset)


def _reports(records: Iterable[Record | Damage], on_skip: Skip | None) -> Iterator[_Report]:
    """Measurements that belong together, as many as may be held."""
    reports: dict[str, _Report] = {}
    size = 0
    for record, head in _readable(records, on_skip):
        report = reports.get(head.run_key)
        if report is not None and (
            head.report_started < report.started or len(report.held) >= _MOST_IN_A_RUN
        ):
            size -= sum(one.size for one in report.held)
            yield reports.pop(head.run_key)
            report = None
        if report is None:
            report = _Report(head)
            if head.named:
                reports[head.run_key] = report
        report.add(head, record)
        if not head.named:  # nothing says what belongs to it
            yield report
            continue
        size += len(record.raw)
        if size >= MOST_BYTES:
            yield from reports.values()
            reports, size = {}, 0
    yield from reports.values()


def _readable(records: Iterable[Record | Damage], on_skip: Skip | None) -> Iterator[tuple[Record, Head]]:
    for record in records:
        try:
            if isinstance(record, Record):
                yield record, head_of(record.object, f"unnamed {record.where}")
            elif on_skip is not None:
                on_skip(record.where, record.why)
        except Unreadable as reason:
            if on_skip is not None:
                on_skip(record.where, str(reason))


@contextmanager
def few_collections() -> Iterator[None]:
    """Look for garbage seldom meanwhile: reading and judging leave none in cycles, but make many objects, and
    the looking costs a quarter of the time.
    """
    before = gc.get_threshold()
    gc.set_threshold(_SELDOM, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)

"""Checking one run folder, offline: everything in it that can be held against something else.

Rules of this file:

* it ends with a report, whatever the folder holds; nothing in it is changed;
* the log is held against its seals, the bytes, the summary and the verdicts; the first thing that is
  wrong in the log ends the reading of it, because nothing after it can be placed;
* time is outside time: what the run says of its own clock only adds or takes away words.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import msgspec

from blockwatch.evidence.allow import Allowed, allowed_by, unproven_day
from blockwatch.evidence.checkpoint import EARLIER_FOLDER, SSH_FILE
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import (
    NO_FILE,
    NO_FOLDER,
    STAMPS_FOLDER,
    evidence_order,
    is_plain,
    no_folder,
)
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.report import MAX_OFFSET_US, Damage, Finding, Level, Report
from blockwatch.evidence.timestamps import Stamp, Trust
from blockwatch.evidence.verify_derived import derived_findings
from blockwatch.evidence.verify_log import LogCheck
from blockwatch.evidence.verify_seal import Seals
from blockwatch.evidence.verify_times import moment, too_early
from blockwatch.model import Noun

_DAY_US = 86_400_000_000


class Reader(Noun, frozen=True, kw_only=True):
    """Whom the reader believes."""

    keys: tuple[Allowed, ...] | None = None  # null: no key was named
    trust: Trust = Trust()
    now: int | None = None  # when this is read, microseconds since the epoch; null: take no notice of it


class Checked(msgspec.Struct):
    """A report, and what only matters beside other runs."""

    report: Report
    folder: Path
    sites: dict[str, array[int]] | None  # of one that can witness: address → each time it was asked for
    signed_start: bool = False  # its first line is under a good seal
    by: int | None = None  # its first line existed by then; null: nobody outside says
    until: int = 0  # when it ended, by its own clock
    offset: int | None = None  # of that clock; null: not to be relied on


def verify_run(folder: Path, reader: Reader) -> Checked:
    """Check one run folder; a fault in it is a finding of the report."""
    try:
        only_files(folder)
        seals = Seals(folder)
    except Damage as error:
        return _stopped(folder, LogCheck(folder, ()), [error.finding])
    log = LogCheck(folder, seals.sizes.values())
    try:
        log.read()
        sealed = seals.hold(log)
    except Damage as error:
        return _stopped(folder, log, [error.finding])
    findings = [*_signer_findings(log, reader, sealed), *derived_findings(folder, log)]
    findings += [seals.second] if seals.second else []
    stamps: list[Stamp] = []
    for one in seals.stamps(reader.trust):
        if isinstance(one, Finding):
            findings.append(one)
        elif isinstance(one, str):
            log.notes.append(one)
        else:
            stamps.append(one)
            finding, note = too_early(one, log.until[one.lines], log.sure_offset_us)
            findings += [finding] if finding else []
            log.notes += [note] if note else []
    report = _graded(_report(folder, log, findings), log, sealed, stamps, reader)
    sites = log.sites if can_witness(report) else None
    by = min((one.not_after for one in stamps if one.not_after is not None), default=None)
    return Checked(report, folder, sites, sealed > 0, by, log.times.latest, log.sure_offset_us)


def only_files(folder: Path) -> None:
    """Refuse links and pipes in the place of evidence; raises ``Damage``. Nothing else is read."""
    try:
        for place in (folder, folder / EARLIER_FOLDER, folder / STAMPS_FOLDER):
            inner = place != folder
            if inner and no_folder(place):
                raise Damage(place.name, NO_FOLDER)
            for path in place.iterdir() if not inner or place.is_dir() else ():
                name = f"{place.name}/{path.name}" if inner else path.name
                ours = evidence_order(name) and place.name != STAMPS_FOLDER and name != SSH_FILE
                if ours and not is_plain(path):
                    raise Damage(name, NO_FILE)
    except OSError as error:
        raise Damage(folder.name, f"cannot be read ({error.strerror})") from error


def can_witness(report: Report) -> bool:
    """Whether a run is good enough to bear another one out, if it asked for the same."""
    return (
        report.level is Level.TIMED
        and report.sound
        and not report.imported
        and report.signer is not None
        and not report.days_unproven
        and report.asn is not None
        and report.clock == "checked"
    )


def _stopped(folder: Path, log: LogCheck, findings: list[Finding]) -> Checked:
    return Checked(_report(folder, log, findings), folder, None)


def _report(folder: Path, log: LogCheck, findings: Sequence[Finding]) -> Report:
    opened, close = log.open, log.close
    root = log.roots.get(log.lines)
    return Report(
        path=str(folder),
        kind="run",
        run=opened.run if opened else None,
        key=opened.key if opened else None,
        lines=log.lines,
        measurements=log.measurements,
        closed=close is not None,
        open_ended=close is None,
        started=opened.started if opened else None,
        ended=close.ended if close else None,
        asn=opened.vantage.asn if opened else None,
        clock_offset_us=log.clock_offset_us,
        clock_set=log.times.were_set,
        previous=opened.previous_root if opened else None,
        root=root.hex() if root else None,
        imported=bool(opened and opened.imported),
        findings=tuple(findings),
        notes=tuple(log.notes),
    )


def _signer(log: LogCheck, reader: Reader) -> str | None:
    """The name under which the reader knows the key of the run; ``None``: unknown."""
    if reader.keys is None or log.open is None or log.open.key is None:
        return None
    allowed = allowed_by(reader.keys, parse_campaign_key(log.open.key), log.open.started)
    return allowed.name if allowed else None


def _signer_findings(log: LogCheck, reader: Reader, sealed: int) -> list[Finding]:
    if reader.keys is None:
        return []
    name = _signer(log, reader)
    if not sealed:
        what, line = "not sealed by a key that you named: it is not sealed at all", 1
    elif name is None:
        what, line = "sealed by a key that you did not name, or not for that day", 1
    elif sealed < log.lines:
        by = name or "the key you named"
        what, line = (
            f"lines 1 to {sealed} of {log.lines} are signed by {by}, the others by nobody",
            sealed + 1,
        )
    else:
        return []
    return [Finding(kind="signer", where=f"{LOG_FILE}:{line}", what=what)]


def _graded(report: Report, log: LogCheck, sealed: int, stamps: list[Stamp], reader: Reader) -> Report:
    """Add the grade and the sentences that say why it is not higher."""
    notes = list(report.notes)
    whole = [stamp.not_after for stamp in stamps if stamp.not_after and stamp.lines == log.lines]
    timed = max((stamp.lines for stamp in stamps if stamp.not_after), default=0)
    level = Level.UNSIGNED
    if sealed == log.lines:
        level = Level.TIMED if whole else Level.SEALED
    elif sealed:
        notes.append(f"sealed are lines 1 to {sealed} of {log.lines}; nothing vouches for the others")
    elif report.key:
        notes.append("it names a key, but no seal was ever written")
    for stamp in stamps:
        notes.append(told(stamp, log.lines))
    notes.extend(of_the_clock(report))
    if reader.now is not None and report.started and report.started > reader.now + _DAY_US:
        notes.append(f"it says that it began {moment(report.started)}, which is still to come")
    graded = msgspec.structs.replace(
        report,
        level=level,
        signer=_signer(log, reader),
        sealed=sealed,
        timed=timed,
        not_after=min(whole, default=None),
        notes=tuple(notes),
    )
    opened = log.open
    return of_its_days(graded, reader, opened.started) if sealed == log.lines and opened else graded


def of_its_days(report: Report, reader: Reader, started: int) -> Report:
    """Say where only the signer's own clock shows that a retired key sealed this within its days."""
    if reader.keys is None or report.key is None:
        return report
    bounds = [when for when in (report.not_after, reader.now) if when is not None]
    day = unproven_day(reader.keys, parse_campaign_key(report.key), started, min(bounds, default=None))
    if day is None:
        return report
    note = (
        f"its key was good until {day} only, and that this was sealed by then is the signer's own word: "
        "whoever has the key could have written it later. An outside timestamp of that day or before would "
        "show it; without one it reaches no grade of --require"
    )
    return msgspec.structs.replace(report, days_unproven=True, notes=(*report.notes, note))


def told(stamp: Stamp, lines: int) -> str:
    """Say what a stamp shows of a log of so many lines."""
    part = "all of it" if stamp.lines == lines else f"lines 1 to {stamp.lines}"
    if stamp.not_after is not None:
        return f"{stamp.file}: {part} existed no later than {moment(stamp.not_after)} ({stamp.by})"
    claim = f" says {moment(stamp.claimed)}, but" if stamp.claimed is not None else ":"
    return f"{stamp.file}: {stamp.by}{claim} {stamp.why_not}"


def of_the_clock(report: Report) -> list[str]:
    """Say what the times in a run are worth, where that is less than usual."""
    offset = report.clock_offset_us
    if report.clock_set:
        return ["the clock was set while the run went on: the times in it do not fit together"]
    if offset is None and report.kind == "proof":
        return ["the run's first line tells of no check of its clock, and a later one is not shown"]
    if offset is None:
        return ["nobody told the time during the run: the times in it are only what its own clock said"]
    if abs(offset) > MAX_OFFSET_US:
        return [f"the clock was {abs(offset) // 1_000_000} s off: so are the times in the run"]
    return []

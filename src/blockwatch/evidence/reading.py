"""Reading a run folder: lazily, within bounds, and never changing a byte of it.

Rules of this file:

* a killed run is a valid, shorter run: its torn tail is left out and said in :attr:`Run.notes`;
* damage anywhere else raises ``EvidenceError`` with file and line, at the moment it is reached;
* a log of a million lines is iterated, never held.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from blockwatch.content import decode_body, parse_response
from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.log import LOG_FILE, decode_line, log_root, read_close, read_lines
from blockwatch.evidence.naming import ENCRYPTED_FILE, NO_FOLDER, OWN_FOLDERS, no_folder, stands
from blockwatch.evidence.warc import WARC_FILE, WarcRecord, read_member
from blockwatch.model import Exchange, HttpStep, Measurement, WarcRef
from blockwatch.run import Record, RunClose, RunOpen

_REMEDY = "Name a run folder, a results folder or a bundle that you may read."
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Run:
    """One run as kept on disk."""

    def __init__(self, folder: Path) -> None:
        """Read the first line; raises ``EvidenceError`` where there is no run."""
        self.folder = folder
        self.log = folder / LOG_FILE
        self.notes: list[str] = []  # plain sentences; grows as the log is read
        first = next(read_lines(self.log, self.notes), None)
        if first is None:
            raise EvidenceError("the log has no complete line", where=str(self.log))
        record = decode_line(first, self.log, 1)
        if not isinstance(record, RunOpen):
            raise EvidenceError("the first line is not a run_open", where=f"{self.log}:1")
        self.open: RunOpen = record

    @cached_property
    def close(self) -> RunClose | None:
        """How the run ended; ``None``: it was killed."""
        return read_close(self.log)

    def lines(self) -> Iterator[tuple[bytes, Record]]:
        """Every line without its newline (a leaf of the tree), and what it says."""
        closed = False
        for number, line in enumerate(read_lines(self.log, self.notes), 1):
            record = decode_line(line, self.log, number)
            if closed or (number > 1 and isinstance(record, RunOpen)):
                raise EvidenceError("a line out of place", where=f"{self.log}:{number}")
            if number == 1 and record != self.open:
                raise EvidenceError("the log was changed while it was read", where=f"{self.log}:1")
            closed = isinstance(record, RunClose)
            yield line, record

    @property
    def measurements(self) -> Iterator[Measurement]:
        """Every measurement in the order made; each access begins anew."""
        kept = 0
        for _, record in self.lines():
            if isinstance(record, Measurement):
                kept = max(kept, last_byte(record))
                yield record
        self._note_bodies(kept)

    def _note_bodies(self, kept: int) -> None:
        """Say where bytes were captured for a measurement that never got its line."""
        if self.close is not None:
            return
        path = self.folder / WARC_FILE
        beyond = path.stat().st_size - kept if path.exists() else 0
        note = f"{path.name}: {beyond} bytes after the last record that a line refers to"
        if kept and beyond > 0 and note not in self.notes:
            self.notes.append(note)

    def root(self) -> str:
        """Root hash (hex) of the RFC 6962 tree over the lines."""
        return log_root(self.log)[1]

    def record(self, ref: WarcRef) -> WarcRecord:
        """The record a line refers to; ``EvidenceError`` where it is not what was stored."""
        return read_member(self.folder, ref)

    def body(self, measurement: Measurement, step: HttpStep) -> bytes | None:
        """Body of the response, transfer and content coding undone, at most 512 KiB.

        ``None``: no byte came back. Where what came is not HTTP: all of it. ``measurement`` says
        whose step it is; a step already knows its place.
        """
        if step.response is None:
            return None
        response = parse_response(self.record(step.response).block)
        return decode_body(response.headers, response.body)[0]

    def exchange(self, measurement: Measurement, step: HttpStep) -> Exchange | None:
        """The exact bytes of both sides as captured; ``None``: not one was exchanged."""
        sides = [self.record(ref) if ref else None for ref in (step.request, step.response)]
        known = next((side for side in sides if side), None)
        if known is None:
            return None
        return Exchange(
            url=step.url,
            address=step.address,
            started=_microseconds(known.field("WARC-Date"), measurement.started),
            request=sides[0].block if sides[0] else b"",
            response=sides[1].block if sides[1] else b"",
            protocol=known.field("WARC-Protocol") or "http/1.1",
        )


def last_byte(measurement: Measurement) -> int:
    """Where the captured bytes end that a measurement refers to; 0: it refers to none."""
    refs = [
        ref
        for step in measurement.observations
        if isinstance(step, HttpStep)
        for ref in (step.request, step.response)
        if ref
    ]
    return max((ref.offset + ref.length for ref in refs), default=0)


def _microseconds(date: str | None, otherwise: int) -> int:
    try:
        return (datetime.fromisoformat(date or "") - _EPOCH) // timedelta(microseconds=1)
    except (ValueError, TypeError):
        return otherwise


def read_run(folder: Path) -> Run:
    """Open a run folder for reading."""
    return Run(folder)


def find_runs(paths: Iterable[Path]) -> list[Path]:
    """Run folders among and directly below ``paths``, each once, oldest first within a folder.

    A folder without runs gives none; a path that is no folder, one that may not be read, or a link in the
    place of a run below it is a ``UsageError``. A link that was named itself is followed.
    """
    found: dict[Path, Path] = {}
    for path in paths:
        try:
            if not is_run(path):
                refuse_links(path)
            for run in runs_at(path):
                found.setdefault(run.resolve(), run)
        except OSError as error:  # a name too long, a folder of somebody else's
            words = f"cannot be read ({(error.strerror or str(error)).lower()})"
            raise UsageError(words, where=str(path), remedy=_REMEDY) from error
    return list(found.values())


def runs_at(path: Path) -> list[Path]:
    """Run folders at or directly below one path, oldest first; links are none."""
    if not path.is_dir():
        what = "this is a file, and no bundle" if path.exists() else "no such folder"
        raise UsageError(what, where=str(path), remedy=_REMEDY)
    return [path] if is_run(path) else sorted(run_folders(path), key=lambda run: run.name)


def linked_runs(results: Path) -> list[Path]:
    """Links that stand where a run should: what they lead to may be anywhere, and somebody else's."""
    found = results.iterdir() if results.is_dir() else iter(())
    links = [path for path in found if path.is_symlink() and not path.name.startswith(".")]
    return sorted(path for path in links if _holds_a_run(path) or stands(path / ENCRYPTED_FILE))


def refuse_links(results: Path) -> None:
    """Raise ``UsageError`` where a link stands in the place of a run."""
    for path in linked_runs(results):
        raise UsageError(
            "a link stands where a run folder should, and is not followed",
            where=str(path),
            remedy="Put the folder itself here, or name it where it is and take the link away.",
        )


def refuse_ways_out(results: Path) -> None:
    """Raise ``UsageError`` where what is written into a results folder, or a run there, leads elsewhere."""
    refuse_links(results)
    for path in (results / name for name in OWN_FOLDERS):
        if no_folder(path):
            raise UsageError(NO_FOLDER, where=str(path), remedy="Take it away, or put a folder there.")


def is_run(path: Path) -> bool:
    """Whether there is a log, or anything in its place: reading it will say that it is no file."""
    return stands(path / LOG_FILE)


def run_folders(results: Path) -> Iterator[Path]:
    """Run folders directly below ``results``, unordered.

    Hidden folders are runs that had not yet begun when they were stopped, or were being forgotten. Links
    are not followed: :func:`linked_runs` names them.
    """
    for folder in results.iterdir():
        ours = folder.name.startswith(".") or folder.name in OWN_FOLDERS
        if not ours and not folder.is_symlink() and _holds_a_run(folder):
            yield folder


def _holds_a_run(folder: Path) -> bool:
    """One that may not be looked into counts: reading it will say so, and hides no other."""
    try:
        return is_run(folder)
    except PermissionError:
        return True

"""Where a run's bytes go as it is written: its own files, or one file that is encrypted as it grows.

Rules of this file:

* what a shelf has kept is synced, captured bytes no later than the lines that refer to them;
* a shelf that fails has kept all of a call or takes it back, as far as the disk lets it;
* an encrypted run leaves nothing readable but its name, its size and its root, and how far it came where it
  may be resumed (docs/evidence.md); what the judge reads again when the run ends stays in memory.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from functools import cached_property
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, Protocol

import msgspec

from blockwatch.codec import decode_record
from blockwatch.content import decode_body, parse_response
from blockwatch.errors import DiskError
from blockwatch.evidence.chunks import chunk
from blockwatch.evidence.disk import GrowingFile, in_words, replace_file, sync_folder
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import ENCRYPTED_FILE, ROOT_FILE, run_folder_name
from blockwatch.evidence.progress import Noting
from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.summary import write_summary
from blockwatch.evidence.warc import WARC_FILE, parse_member, warcinfo
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import RunClose, RunOpen

_ROUND = 16  # an encrypted run that has ended has a multiple of so many chunks, a long one of more


class Entry(Protocol):
    """One encoded measurement."""

    @property
    def offset(self) -> int:
        """Where its members belong among the captured bytes."""

    @property
    def members(self) -> bytes:
        """WARC members."""

    @property
    def line(self) -> bytes:
        """With its line feed."""


class Shelf(Protocol):
    """What the writer of a run needs; used by one thread. Everything raises ``DiskError``."""

    bodies: int  # captured bytes kept

    def begin(self, results: Path, run_open: RunOpen, line: bytes, label: str | None) -> Path:
        """Make the run's folder, which appears with its first line in it."""

    def keep(self, entries: Sequence[Entry]) -> None:
        """Keep these measurements."""

    def end(self, line: bytes) -> None:
        """Keep the last line."""

    def put(self, name: str, content: bytes) -> None:
        """Keep a file that vouches for the log, as a whole."""

    def finish(self, root: str, signer: Signer | None) -> None:
        """Close what is open and look whether the disk gives back what was written."""


def _lying(path: Path) -> DiskError:
    return DiskError(
        "the disk gives back other bytes than were written",
        where=str(path),
        remedy="Do not trust this disk; measure again with --results on another one.",
    )


class PlainShelf:
    """The run's own files."""

    bodies: int

    def begin(self, results: Path, run_open: RunOpen, line: bytes, label: str | None) -> Path:
        """Make the folder with its two growing files."""
        name = run_folder_name(run_open, label)
        folder, hidden = results / name, results / f".{name}"
        try:
            with in_words(results):
                results.mkdir(mode=0o700, parents=True, exist_ok=True)
                hidden.mkdir(mode=0o700)
                self._bodies = GrowingFile(hidden / WARC_FILE)
                self._log = GrowingFile(hidden / LOG_FILE)
                self._bodies.append(warcinfo(run_open.run, run_open.software, run_open.started))
                self._log.append(line)
                sync_folder(hidden)
                hidden.rename(folder)
                sync_folder(results)
        except DiskError:
            shutil.rmtree(hidden, ignore_errors=True)  # it holds no measurement
            raise
        for file in (self._bodies, self._log):
            file.path = folder / file.path.name
        self._folder, self.bodies = folder, self._bodies.size
        return folder

    def keep(self, entries: Sequence[Entry]) -> None:
        """First the bytes, then the lines; where the lines failed before, the bytes are there already."""
        fresh = [entry.members for entry in entries if entry.offset >= self._bodies.size]
        self._bodies.append(b"".join(fresh))
        self.bodies = self._bodies.size
        self._log.append(b"".join(entry.line for entry in entries))

    def end(self, line: bytes) -> None:
        """Append it."""
        self._log.append(line)

    def put(self, name: str, content: bytes) -> None:
        """Write it beside the log."""
        path = self._folder / name
        with in_words(path):
            path.parent.mkdir(mode=0o700, exist_ok=True)
        replace_file(path, content)

    def finish(self, root: str, signer: Signer | None) -> None:
        """Make ``run.json``, for which the log is read again."""
        self._bodies.close()
        self._log.close()
        if write_summary(self._folder).root != root:
            raise _lying(self._log.path)


class EncryptedShelf:
    """One growing file of chunks, each encrypted to all ``recipients``."""

    bodies: int

    def __init__(self, recipients: list[Any], memory: Memory, noting: Noting | None = None) -> None:
        """``memory`` takes what is written, for this machine to judge; ``noting`` how far the run came."""
        self._recipients, self._memory, self._noting = recipients, memory, noting
        self._number, self._digest = 0, sha256()

    def begin(self, results: Path, run_open: RunOpen, line: bytes, label: str | None) -> Path:
        """Make the folder; its name says when and which run, and no label."""
        name = run_folder_name(run_open, None)
        folder, hidden = results / name, results / f".{name}"
        self._run, self._key, self._previous = run_open.run, run_open.key, run_open.previous_root
        first = warcinfo(run_open.run, run_open.software, run_open.started)
        self._log_size = 0
        self.bodies = 0
        try:
            with in_words(results):
                results.mkdir(mode=0o700, parents=True, exist_ok=True)
                hidden.mkdir(mode=0o700)
                self._file = GrowingFile(hidden / ENCRYPTED_FILE)
                self._grow(first, line)
                if self._noting:
                    self._noting.begin(hidden, run_open)
                sync_folder(hidden)
                hidden.rename(folder)
                sync_folder(results)
        except DiskError:
            shutil.rmtree(hidden, ignore_errors=True)
            raise
        self._file.path = folder / ENCRYPTED_FILE
        self._folder = folder
        if self._noting:
            self._noting.named(folder)
        return folder

    def keep(self, entries: Sequence[Entry]) -> None:
        """One chunk with the bytes and the lines."""
        self._grow(b"".join(entry.members for entry in entries), b"".join(entry.line for entry in entries))

    def end(self, line: bytes) -> None:
        """One chunk more."""
        self._grow(b"", line)

    def put(self, name: str, content: bytes) -> None:
        """One chunk with the file."""
        self._append([(name, 0, content)])

    def _grow(self, members: bytes, lines: bytes) -> None:
        pieces = [(WARC_FILE, self.bodies, members)] if members else []
        self._append([*pieces, (LOG_FILE, self._log_size, lines)])
        self.bodies += len(members)
        self._log_size += len(lines)
        self._memory.add(members, lines)
        if self._noting:
            self._noting.kept(lines)

    def _append(self, pieces: list[tuple[str, int, bytes]]) -> None:
        content = chunk(self._run, self._number + 1, pieces, self._recipients)
        self._file.append(content)
        self._number += 1
        self._digest.update(content)

    def finish(self, root: str, signer: Signer | None) -> None:
        """Note the root for the next run of the chain, signed; the file is read again.

        Empty chunks come before: the number of chunks must not tell how many sites were measured twice.
        """
        while self._number % max(_ROUND, (1 << self._number.bit_length()) // 8):
            self._append([])
        self._file.close()
        with in_words(self._file.path), self._file.path.open("rb") as file:
            if file_digest(file, "sha256").digest() != self._digest.digest():
                raise _lying(self._file.path)
        text = root_text(self._run, self._key, root, self._previous, self._digest.digest())
        replace_file(self._folder / ROOT_FILE, signer.note(text) if signer else text)
        if self._noting:
            self._noting.finish()


class Memory:
    """What an encrypted run holds, for the judge when the run ends: reads like a kept run."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._members = bytearray()

    def add(self, members: bytes, lines: bytes) -> None:
        """Take what was kept."""
        self._members += members
        self._lines += lines.splitlines()

    @cached_property
    def open(self) -> RunOpen:
        """The first line."""
        return msgspec.json.decode(self._lines[0], type=RunOpen)

    @cached_property
    def close(self) -> RunClose | None:
        """The last line, if the run has one."""
        record = decode_record(self._lines[-1])
        return record if isinstance(record, RunClose) else None

    @property
    def measurements(self) -> Iterator[Measurement]:
        """Every measurement in the order made."""
        for line in self._lines:
            record = decode_record(line)
            if isinstance(record, Measurement):
                yield record

    def body(self, measurement: Measurement, step: HttpStep) -> bytes | None:
        """As ``Run.body``."""
        ref = step.response
        if ref is None:
            return None
        member = bytes(self._members[ref.offset : ref.offset + ref.length])
        response = parse_response(parse_member(member, measurement.id).block)
        return decode_body(response.headers, response.body)[0]

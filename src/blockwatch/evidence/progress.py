"""``progress``: how far an encrypted run has come, in the clear, so that it can be resumed on this machine.

Rules of this file:

* no evidence, and no name: numbers within a plan, and hashes of that plan and of the network, each made with
  the run's id, so that equal ones do not show as equal (docs/evidence.md says what it tells all the same);
* it is replaced as a whole after what it names is kept: stopped in between, a little is measured again;
* that it cannot be written fails no run; it goes when nothing is left of the plan, and when a later run of
  the same key has begun, which is the one to be resumed from then on.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Protocol

import msgspec

from blockwatch.codec import canonical, decode_record
from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.disk import in_words, replace_file, sync_folder
from blockwatch.evidence.naming import PROGRESS_FILE, RUN_ID, is_plain, stands
from blockwatch.model import Integer, Measurement, Noun
from blockwatch.run import LineCheck, RunClose, RunOpen

_MOST_BYTES = 10_000_000
_SHA256 = 32


class Tally(Protocol):
    """Who says which tasks are done."""

    count: int

    def add(self, measurement: Measurement) -> None:
        """Take one measurement."""

    def heard(self, checks: Iterable[LineCheck]) -> None:
        """Take checks of the own line."""

    def ended(self, close: RunClose) -> None:
        """Take the last line."""

    @property
    def done(self) -> frozenset[int]:
        """Numbers of tasks, from 0."""

    @property
    def worked(self) -> tuple[int, ...]:
        """Numbers of a few that were no trouble."""

    @property
    def complete(self) -> bool:
        """Whether nothing is left."""


class Progress(Noun, frozen=True, kw_only=True):
    """What the file says."""

    format: Integer = 1
    run: str
    key: str | None = None  # as in run_open
    plan: bytes  # SHA-256 of the run id and the plan
    network: bytes | None = None  # SHA-256 of the run id, the plan and the AS number; null: not known
    tasks: Integer  # how many the plan has
    done: bytes = b""  # a bit a task, the lowest of the first byte first
    worked: tuple[Integer, ...] = ()  # numbers of a few tasks that were no trouble

    @property
    def numbers(self) -> frozenset[int]:
        """Numbers of the tasks that are done."""
        return frozenset(n for n in range(self.tasks) if self.done[n // 8] >> n % 8 & 1)


def veiled(run: str, plan: bytes, asn: int | None = None) -> bytes:
    """What stands for a plan (its canonical form), or for a network that it was measured on."""
    whose = run.encode() + b"\n" + sha256(plan).digest()
    return sha256(whose + (b"" if asn is None else b"\nAS%d" % asn)).digest()


class Noting:
    """Writes the file of one run."""

    def __init__(self, plan: bytes, tally: Tally) -> None:
        """``plan``: the canonical form of what must be the same in the run that resumes this one."""
        self._plan, self._tally = plan, tally
        self._path: Path | None = None
        self._noted: Progress | None = None

    def begin(self, folder: Path, first: RunOpen) -> None:
        """Write it into the run's folder, which has not its name yet; raises ``DiskError``."""
        asn = first.vantage.asn
        self._tally.heard(first.checks)
        self._noted = Progress(
            run=first.run,
            key=first.key,
            plan=veiled(first.run, self._plan),
            network=None if asn is None else veiled(first.run, self._plan, asn),
            tasks=self._tally.count,
            done=_bits(self._tally.done, self._tally.count),
            worked=self._tally.worked,
        )
        replace_file(folder / PROGRESS_FILE, canonical(self._noted) + b"\n")

    def named(self, folder: Path) -> None:
        """The folder has its name."""
        self._path = folder / PROGRESS_FILE

    def kept(self, lines: bytes) -> None:
        """Take lines that are on the disk."""
        for line in lines.splitlines():
            record = decode_record(line)
            if isinstance(record, Measurement):
                self._tally.add(record)
            elif isinstance(record, RunClose):
                self._tally.ended(record)
        done = _bits(self._tally.done, self._tally.count)
        if self._path is None or self._noted is None or done == self._noted.done:
            return
        self._noted = msgspec.structs.replace(self._noted, done=done, worked=self._tally.worked)
        with suppress(DiskError):  # what is not noted is measured again
            replace_file(self._path, canonical(self._noted) + b"\n")

    def finish(self) -> None:
        """Where nothing is left, nothing has to be known any more."""
        if self._path is not None and self._tally.complete:
            with suppress(DiskError):  # the next run tries again
                _remove(self._path)


def _bits(numbers: Iterable[int], count: int) -> bytes:
    found = bytearray(-(-count // 8))
    for number in numbers:
        found[number // 8] |= 1 << number % 8
    return bytes(found)


def read_progress(folder: Path) -> Progress | None:
    """What an encrypted run noted; ``None``: nothing. Raises ``EvidenceError`` where it cannot be read."""
    path = folder / PROGRESS_FILE
    if not stands(path):
        return None
    bad = EvidenceError(
        "how far this run had come cannot be read",
        where=str(path),
        remedy="Leave out --resume: that begins a new run.",
    )
    if not is_plain(path) or path.stat().st_size > _MOST_BYTES:
        raise bad
    try:
        told = msgspec.json.decode(path.read_bytes(), type=Progress)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad from None
    sizes = {len(told.plan), _SHA256 if told.network is None else len(told.network)}
    fits = told.tasks >= 0 and len(told.done) == -(-told.tasks // 8) and min(told.worked, default=0) >= 0
    if not fits or sizes != {_SHA256} or RUN_ID.fullmatch(told.run) is None or told.format != 1:
        raise bad
    if not folder.resolve().name.endswith(told.run):
        raise bad
    return told


def drop_superseded(results: Path, now: Path, key: str | None) -> None:
    """Delete what earlier runs of ``key`` noted, now that another one has begun."""
    for folder in _noted_in(results):
        if folder.name != now.name:
            with suppress(EvidenceError, DiskError):  # the first: whoever resumes it is told
                told = read_progress(folder)
                if told is not None and told.key == key:
                    _remove(folder / PROGRESS_FILE)


def _noted_in(results: Path) -> Sequence[Path]:
    with suppress(OSError):
        return [
            folder
            for folder in results.iterdir()
            if not folder.is_symlink() and is_plain(folder / PROGRESS_FILE)
        ]
    return []


def _remove(path: Path) -> None:
    with in_words(path):
        path.unlink(missing_ok=True)
        path.with_name(f"{path.name}.part").unlink(missing_ok=True)  # of one that was killed
        sync_folder(path.parent)

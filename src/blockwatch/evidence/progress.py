"""``progress``: how far an encrypted run has come, so that it can be resumed on the machine that made it.

Rules of this file:

* it is no evidence; only whoever has the campaign's secret key can read it, a folder or stick alone tells
  nothing. A run without a key has none, and cannot be resumed;
* also within there is no name: numbers within a plan, and hashes of that plan and of the network, made with
  the run's id (docs/evidence.md says what they tell all the same);
* it is replaced as a whole after what it names is kept: stopped in between, a little is measured again;
* that it cannot be written fails no run; it goes when nothing is left of the plan, and when a later run of
  the same key has begun, which is the one to be resumed from then on.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec

from blockwatch.codec import canonical, decode_record
from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.disk import in_words, replace_file, sync_folder
from blockwatch.evidence.naming import PROGRESS_FILE, is_plain, stands
from blockwatch.evidence.signing import Signer
from blockwatch.model import Integer, Measurement, Noun
from blockwatch.run import LineCheck, RunClose, RunOpen

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

_MOST_BYTES = 10_000_000
_NONCE = 12
_BLOCK = 256  # the text is filled up with spaces, so that its length tells less
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

    def __init__(self, plan: bytes, tally: Tally, signer: Signer) -> None:
        """``plan``: the canonical form of what must be the same in the run that resumes this one."""
        self._plan, self._tally, self._signer = plan, tally, signer
        self._path: Path | None = None
        self._noted: Progress | None = None

    def begin(self, folder: Path, first: RunOpen) -> None:
        """Write it into the run's folder, which has not its name yet; raises ``DiskError``."""
        asn = first.vantage.asn
        self._tally.heard(first.checks)
        self._noted = Progress(
            run=first.run,
            plan=veiled(first.run, self._plan),
            network=None if asn is None else veiled(first.run, self._plan, asn),
            tasks=self._tally.count,
            done=_bits(self._tally.done, self._tally.count),
            worked=self._tally.worked,
        )
        replace_file(folder / PROGRESS_FILE, _closed(self._noted, self._signer))

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
            replace_file(self._path, _closed(self._noted, self._signer))

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


def _cipher(run: str, signer: Signer) -> ChaCha20Poly1305:
    from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

    return ChaCha20Poly1305(signer.derived(b"blockwatch/progress\n" + run.encode()))


def _closed(noted: Progress, signer: Signer) -> bytes:
    text, nonce = canonical(noted), os.urandom(_NONCE)
    filled = text.ljust(-(-len(text) // _BLOCK) * _BLOCK)
    return nonce + _cipher(noted.run, signer).encrypt(nonce, filled, noted.run.encode())


def _opened(content: bytes, run: str, signer: Signer) -> bytes | None:
    from cryptography.exceptions import InvalidTag

    try:
        return _cipher(run, signer).decrypt(content[:_NONCE], content[_NONCE:], run.encode())
    except (InvalidTag, ValueError):  # the latter: too short to be one
        return None


def read_progress(folder: Path, signer: Signer) -> Progress | None:
    """What an encrypted run noted; ``None``: nothing that this key can read. Raises ``EvidenceError``."""
    path, run = folder / PROGRESS_FILE, folder.resolve().name[-16:]
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
        text = _opened(path.read_bytes(), run, signer)
        if text is None:
            return None
        told = msgspec.json.decode(text, type=Progress)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise bad from None
    sizes = {len(told.plan), _SHA256 if told.network is None else len(told.network)}
    fits = told.tasks >= 0 and len(told.done) == -(-told.tasks // 8) and min(told.worked, default=0) >= 0
    if not fits or sizes != {_SHA256} or told.run != run or told.format != 1:
        raise bad
    return told


def drop_superseded(results: Path, now: Path, signer: Signer | None) -> None:
    """Delete what earlier runs of this key noted, now that another one has begun."""
    for folder in _noted_in(results) if signer else ():
        if signer and folder.name != now.name:
            with suppress(EvidenceError, DiskError):  # the first: whoever resumes it is told
                if read_progress(folder, signer) is not None:
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

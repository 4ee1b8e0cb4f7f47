"""Checkpoints: the signed statements that a run's log had this root at this size.

C2SP tlog-checkpoint (https://c2sp.org/tlog-checkpoint), three lines of text, one note a file.

Rules of this file:

* the newest is ``checkpoint``; an earlier one is copied to ``checkpoints/<size>`` before it is replaced, so
  that a reader finds one at any moment;
* files appear whole under their names; whatever ends in ".part" was being written and is no checkpoint;
* a seal that cannot be written never stops a run: it is said in words.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from pathlib import Path

import msgspec

from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence.merkle import Tree
from blockwatch.evidence.naming import NO_FILE, is_plain, stands
from blockwatch.evidence.note import (
    MAX_NOTE,
    Note,
    VerifierKey,
    as_signed,
    from_base64,
    is_signed_by,
    parse_campaign_key,
    parse_note,
    to_base64,
)
from blockwatch.evidence.signing import Signer

CHECKPOINT_FILE = "checkpoint"
EARLIER_FOLDER = "checkpoints"
SSH_FILE = "checkpoint.sig"
SEAL_EVERY_S = 600.0
_ORIGIN = "blockwatch/run/"
_MAX_EARLIER = 100_000  # two years of ten minutes
_SIZE = re.compile(r"[1-9][0-9]{0,15}")


class Checkpoint(msgspec.Struct, frozen=True, kw_only=True):
    """One checkpoint as read; nothing of it is verified yet."""

    run: str  # run id, as its first line says
    size: int  # lines of the log
    root: bytes  # 32 bytes
    note: Note
    path: Path

    def signed_by(self, key: VerifierKey) -> bool | None:
        """Whether ``key`` wrote it; ``None``: no signature is in its name."""
        if self.as_signed(key) is not None:
            return True
        return None if is_signed_by(self.note, key) is None else False

    def as_signed(self, key: VerifierKey) -> bytes | None:
        """The seal as ``key`` wrote it, which stamps speak of; ``None``: it did not."""
        return as_signed(self.note, key)


def checkpoint_text(run: str, size: int, root: bytes) -> bytes:
    """The text that is signed."""
    return f"{_ORIGIN}{run}\n{size}\n{to_base64(root)}\n".encode()


def parse_checkpoint(raw: bytes, path: Path) -> Checkpoint:
    """Read one checkpoint; ``path`` is for the message of ``EvidenceError``."""
    note = parse_note(raw, str(path))
    lines = note.text.decode().split("\n")
    root = from_base64(lines[2]) if len(lines) == 4 else None
    run = lines[0].removeprefix(_ORIGIN)
    if root is None or len(root) != 32 or not lines[0].startswith(_ORIGIN) or not _SIZE.fullmatch(lines[1]):
        raise EvidenceError("a note that is not the checkpoint of a run", where=str(path))
    return Checkpoint(run=run, size=int(lines[1]), root=root, note=note, path=path)


def lines_of(raw: bytes) -> int | None:
    """Lines that a checkpoint says it seals, unverified; ``None``: it says none."""
    second = raw.split(b"\n", 2)[1:2]
    return int(second[0]) if second and _SIZE.fullmatch(second[0].decode("ascii", "replace")) else None


def read_checkpoint(path: Path) -> Checkpoint:
    """Read one file; raises ``EvidenceError``."""
    return parse_checkpoint(read_note_file(path), path)


def seal_in(path: Path, key: str | None) -> bytes:
    """The seal in a file as the key of its run (as in ``run_open``) wrote it; raises ``EvidenceError``."""
    content = read_checkpoint(path).as_signed(parse_campaign_key(key or "", str(path)))
    if content is None:
        raise EvidenceError("not sealed by the key that the run names", where=str(path))
    return content


def read_note_file(path: Path) -> bytes:
    """The bytes of a file that holds a note, bounded; raises ``EvidenceError``."""
    try:
        if not path.is_file():  # a pipe would be waited for
            raise EvidenceError("there is no such file", where=str(path))
        with path.open("rb") as file:
            return file.read(MAX_NOTE)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error


def read_kept_note(path: Path) -> bytes:
    """The same of a file whose name no reader gave: a link may lead anywhere, and is refused."""
    if stands(path) and not is_plain(path):
        raise EvidenceError(NO_FILE, where=str(path))
    return read_note_file(path)


def checkpoint_files(folder: Path) -> list[Path]:
    """The checkpoints of a run, earliest first; ``checkpoint`` itself is the last if it is there."""
    earlier, newest = folder / EARLIER_FOLDER, folder / CHECKPOINT_FILE
    found: list[Path] = []
    try:
        for path in earlier.iterdir() if earlier.is_dir() else ():
            if path.name.endswith(".part"):
                continue
            if not _SIZE.fullmatch(path.name) or len(found) == _MAX_EARLIER:
                raise EvidenceError("no earlier checkpoint, or one too many", where=str(path))
            found.append(path)
        found.sort(key=lambda path: int(path.name))
        return [*found, newest] if newest.exists() else found
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(folder)) from error


class Sealer:
    """Writes the checkpoints of one run. Used by one thread."""

    def __init__(
        self,
        signer: Signer,
        run: str,
        put: Callable[[str, bytes], None],
        *,
        every_s: float = SEAL_EVERY_S,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``put`` keeps a file of the run as a whole under its name there; it may raise ``DiskError``."""
        self.sealed = 0  # lines covered by the newest checkpoint
        self.hindered: str | None = None  # why the newest attempt failed
        self._signer, self._run, self._every_s, self._clock = signer, run, every_s, clock
        self._put = put
        self._last = clock()
        self._note = b""

    def wait_s(self, size: int) -> float | None:
        """Seconds until the next checkpoint is due; ``None``: there is nothing new to seal."""
        return None if size == self.sealed else max(0.05, self._last + self._every_s - self._clock())

    def seal_if_due(self, tree: Tree) -> None:
        """Write a checkpoint over ``tree`` if it is time and there is something new."""
        if tree.size != self.sealed and self._clock() - self._last >= self._every_s:
            self._last = self._clock()
            self.seal(tree)

    def seal(self, tree: Tree, *, final: bool = False) -> None:
        """Write a checkpoint over ``tree``, all of whose lines are on the disk; the last one also for ssh."""
        text = checkpoint_text(self._run, tree.size, tree.root())
        try:
            if tree.size != self.sealed:
                self._write(tree.size, self._signer.note(text))
            if final:
                self._put(SSH_FILE, self._signer.ssh(self._note))
            self.hindered = None
        except DiskError as error:
            self.hindered = error.what
        except Exception as fault:  # ours; it must cost the run its seal and nothing else
            self.hindered = f"a fault of ours: {type(fault).__name__}"

    def _write(self, size: int, note: bytes) -> None:
        if self._note:
            self._put(f"{EARLIER_FOLDER}/{self.sealed}", self._note)
        self._put(CHECKPOINT_FILE, note)
        self.sealed, self._note = size, note

"""``measurements.jsonl``: one canonical JSON record a line, in order, sealed by the root of its tree.

Rules of this file:

* a record is there when its newline is; the tree's leaves are the lines without their newlines;
* a tail that a killed program or a power cut left is not damage: a last line without newline, or
  zero bytes that the file system left where it had not yet written (only within the last
  ``MAX_LINE`` bytes, and only if no ``run_close`` follows). It is left out, with a note;
* anything else that cannot be read is damage: an error that names the line.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import msgspec

from blockwatch.codec import decode_record
from blockwatch.errors import EvidenceError
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.run import Record, RunClose

LOG_FILE = "measurements.jsonl"
MAX_PIECES = 262_144  # "[" and "{" in one line, so that what is read of it fits into memory
MAX_LINE = 8_388_608  # bytes of one line; also of the lines that are written and synced together


def read_lines(path: Path, notes: list[str]) -> Iterator[bytes]:
    """Lines of a log without their newlines; what is said of its tail is added to ``notes``."""
    offset = 0
    try:
        if path.exists() and not path.is_file():  # a named pipe would be waited for
            raise EvidenceError("not a file", where=str(path))
        with path.open("rb", buffering=262_144) as file:
            size = os.fstat(file.fileno()).st_size
            for number, line in enumerate(iter(lambda: file.readline(MAX_LINE + 1), b""), 1):
                if b"\0" in line and _never_written(path, offset, size):
                    _note(
                        notes, f"{path.name}:{number}: the last {size - offset} bytes never reached the disk"
                    )
                    return
                if len(line) > MAX_LINE:
                    raise EvidenceError(f"a line of more than {MAX_LINE} bytes", where=f"{path}:{number}")
                if line[-1:] != b"\n":
                    _note(
                        notes, f"{path.name}:{number}: torn after {len(line)} bytes, the writer was stopped"
                    )
                    return
                if len(line) > MAX_PIECES and line.count(b"[") + line.count(b"{") > MAX_PIECES:
                    raise EvidenceError(
                        f"a line of more than {MAX_PIECES} lists and objects", where=f"{path}:{number}"
                    )
                yield line[:-1]
                offset += len(line)
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error


def parting(one: Path, other: Path) -> int | None:
    """Number of the first line in which two logs differ; ``None``: one is the beginning of the other."""
    pairs = zip(read_lines(one, []), read_lines(other, []), strict=False)
    return next((number for number, (ours, theirs) in enumerate(pairs, 1) if ours != theirs), None)


def _note(notes: list[str], text: str) -> None:
    if text not in notes:
        notes.append(text)


def _never_written(path: Path, offset: int, size: int) -> bool:
    if size - offset > MAX_LINE:
        return False
    with path.open("rb") as file:
        file.seek(offset)
        lines = file.read(MAX_LINE).split(b"\n")
    return not any(b"\0" not in line and _is_close(line) for line in lines)


def _is_close(line: bytes) -> bool:
    return b'"type":"run_close"' in line


def decode_line(line: bytes, path: Path, number: int) -> Record:
    """Decode line ``number`` (from 1) or raise ``EvidenceError`` that names it."""
    try:
        return decode_record(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        words = " ".join(str(error).split())[:300]  # may quote what the line says
        raise EvidenceError(f"not a record ({words})", where=f"{path}:{number}") from error


def read_close(path: Path) -> RunClose | None:
    """The last record if it is a ``run_close``, without reading the rest of the log."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            for window in (65_536, MAX_LINE + 2):
                file.seek(max(0, size - window))
                tail = file.read(window)
                end = tail.rfind(b"\n")
                start = tail.rfind(b"\n", 0, max(end, 0)) + 1
                if start or window >= size:
                    break
    except OSError as error:
        raise EvidenceError(f"cannot be read ({error.strerror})", where=str(path)) from error
    line = tail[start : max(end, 0)]
    if not _is_close(line):
        return None
    try:
        record = decode_record(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None  # whoever reads the lines in order will say where the damage is
    return record if isinstance(record, RunClose) else None


def log_root(path: Path) -> tuple[int, str]:
    """Number of lines and root hash (hex) of the tree over them."""
    tree = Tree()
    for line in read_lines(path, []):
        tree.append(leaf_hash(line))
    return tree.size, tree.root().hex()

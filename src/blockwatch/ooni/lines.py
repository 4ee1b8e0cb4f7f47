"""The records of a file: one JSON object a line, or one object over many lines; plain or gzip.

Rules of this file:

* at most one record is held at a time, of at most :data:`MAX_RECORD` bytes;
* what cannot be read is a :class:`Damage` with its file and line, and reading goes on behind it;
* the kind of a file is told from its bytes, not from its name.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple, cast

import msgspec

from blockwatch.ooni.fields import Object

MAX_RECORD = 16_777_216  # bytes of one measurement; the largest seen are about 1 MB
MAX_PARTS = 1_000_000  # of its lists and objects (brackets in texts count too): each takes some 100 bytes


class Record(NamedTuple):
    """One JSON object."""

    where: str  # "file:line"
    raw: bytes
    object: Object


class Damage(NamedTuple):
    """What could not be read."""

    where: str  # "file:line"
    why: str


def records(path: Path) -> Iterator[Record | Damage]:
    """Every record of ``path`` in order. A file that cannot be opened is a damage too."""
    try:
        if not path.is_file():  # a pipe would be waited for
            yield Damage(str(path), _no_file(path))
            return
        with path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
            file.seek(0)
            stream = cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file
            yield from _records(path, stream)
    except OSError as error:
        yield Damage(str(path), f"cannot be read ({error.strerror or error})")


def _no_file(path: Path) -> str:
    if path.is_dir():
        return "a folder, not a file"
    return "not an ordinary file" if path.exists() else "no such file"


def _records(path: Path, stream: BinaryIO) -> Iterator[Record | Damage]:
    number = 0
    try:
        while True:
            number += 1
            line = stream.readline(MAX_RECORD + 1)
            if not line:
                if number == 1:
                    yield Damage(str(path), "the file is empty")
                return
            where = f"{path}:{number}"
            if len(line) > MAX_RECORD:
                _skip_line(stream, line)
                yield Damage(where, f"a line of more than {MAX_RECORD} bytes")
                continue
            bare = line.strip(b" \t\r\n").removeprefix(b"\xef\xbb\xbf")
            if not bare:
                continue
            found = decode(where, bare)
            if isinstance(found, Damage) and number == 1 and bare[:1] == b"{":
                whole = _whole(stream, line)
                found = decode(where, whole) if whole is not None else found
                yield found
                if whole is not None and isinstance(found, Record):
                    return
                stream.seek(len(line))
                continue
            yield found
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        yield Damage(f"{path}:{number}", f"the compressed stream is torn or damaged ({error})")


def _skip_line(stream: BinaryIO, line: bytes) -> None:
    while line and not line.endswith(b"\n"):
        line = stream.readline(MAX_RECORD)


def _whole(stream: BinaryIO, line: bytes) -> bytes | None:
    """The whole file as one record; ``None`` where it is too long to be one."""
    whole = line + stream.read(MAX_RECORD + 1 - len(line))
    return whole.removeprefix(b"\xef\xbb\xbf") if len(whole) <= MAX_RECORD else None


def decode(where: str, raw: bytes) -> Record | Damage:
    """Read one record; the submission's envelope (``format``, ``content``) is taken off."""
    if len(raw) > MAX_PARTS and raw.count(b"[") + raw.count(b"{") > MAX_PARTS:
        return Damage(where, f"more than {MAX_PARTS} lists and objects")
    try:
        value = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Damage(where, f"not JSON ({error})")
    except RecursionError:
        return Damage(where, "JSON that is nested too deeply")
    if not isinstance(value, dict):
        return Damage(where, "JSON, but not an object")
    if isinstance(value.get("content"), dict) and "test_keys" not in value:
        value = value["content"]
    return Record(where, raw, value)

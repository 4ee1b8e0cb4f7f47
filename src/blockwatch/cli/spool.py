"""Measurements on their way from files to runs: sorted by report on the disk, not in memory.

Rules of this file: what is known already is told by its digest; the spool lives beside the results and is
gone when the import ends.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

import msgspec

from blockwatch.errors import DiskError
from blockwatch.ooni import Head

_TABLES = """
PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA cache_size=-16384; PRAGMA temp_store=FILE;
CREATE TABLE seen (digest BLOB PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE waiting (report TEXT, started INTEGER, n INTEGER PRIMARY KEY, digest BLOB, head BLOB, raw BLOB);
"""


class Waiting(NamedTuple):
    """One measurement that waits for its run."""

    digest: bytes
    head: Head
    raw: bytes


class Spool:
    """``with Spool(results) as spool``: add everything, then take it out report by report."""

    def __init__(self, results: Path) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix=".import-", dir=results)
        self._database = sqlite3.connect(Path(self._folder.name) / "spool", isolation_level=None)
        self._database.executescript(_TABLES)
        self._database.execute("BEGIN")
        self._decoder = msgspec.msgpack.Decoder(Head)

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._database.close()
        self._folder.cleanup()
        if isinstance(error, sqlite3.OperationalError):
            raise DiskError(
                f"the files cannot be sorted on this disk ({error})",
                where=self._folder.name,
                remedy="Make room, or name a folder on another disk with --results.",
            ) from error

    def know(self, digest: bytes) -> bool:
        """Take note of a digest; false: it was known."""
        done = self._database.execute("INSERT OR IGNORE INTO seen VALUES (?)", (digest,))
        return done.rowcount == 1

    def add(self, digest: bytes, head: Head, raw: bytes) -> None:
        """Keep one measurement for its run."""
        place = (head.run_key, head.started)
        packed = (digest, msgspec.msgpack.encode(head), zlib.compress(raw, 1))
        self._database.execute(
            "INSERT INTO waiting (report, started, digest, head, raw) VALUES (?, ?, ?, ?, ?)",
            (*place, *packed),
        )

    def runs(self, most: int) -> Iterator[list[int]]:
        """Numbers of the measurements of each run, in order of time: of one report, at most ``most``."""
        self._database.execute("CREATE INDEX by_report ON waiting (report, started, n)")
        rows = self._database.execute("SELECT report, n FROM waiting ORDER BY report, started, n")
        gathered: list[int] = []
        before = None
        for report, number in rows:
            if gathered and (report != before or len(gathered) >= most):
                yield gathered
                gathered = []
            gathered.append(number)
            before = report
        if gathered:
            yield gathered

    def heads(self, numbers: list[int]) -> list[Head]:
        """The envelopes of these measurements."""
        return [self._decoder.decode(self._one("head", number)) for number in numbers]

    def take(self, numbers: list[int]) -> Iterator[Waiting]:
        """These measurements, one after the other."""
        for number in numbers:
            digest, head, raw = (self._one(column, number) for column in ("digest", "head", "raw"))
            yield Waiting(digest, self._decoder.decode(head), zlib.decompress(raw))

    def _one(self, column: str, number: int) -> bytes:
        with contextlib.closing(self._database.cursor()) as cursor:
            row = cursor.execute(f"SELECT {column} FROM waiting WHERE n = ?", (number,)).fetchone()  # noqa: S608
        return bytes(row[0])

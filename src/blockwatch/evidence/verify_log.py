"""Checking ``measurements.jsonl``: one pass, one line in memory, the first line that is wrong is named.

Rules of this file:

* a line must be the canonical form of what it says (RFC 8785, integers only): each record has one
  writing, so no byte can change without the record changing;
* the order is the one that docs/evidence.md gives; numbers of measurements are each there once;
* roots are taken on the way, at the sizes that the seals name, so that a log of a million lines is read
  once and never held.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_right
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.log import LOG_FILE, read_lines
from blockwatch.evidence.merkle import Tree
from blockwatch.evidence.naming import RUN_ID
from blockwatch.evidence.report import Damage
from blockwatch.evidence.verify_bytes import Bytes
from blockwatch.evidence.verify_times import Times
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Measurement
from blockwatch.run import Record, RunClose, RunOpen

_MAX_GAPS = 100_000  # in the numbers of measurements
_MAX_SITES = 100_000  # measurements remembered, to look for witnesses
_BIG = 2**53
_LONG = re.compile(rb"[:,\[]-?(?:9[0-9]{15}|[1-9][0-9]{16})")  # may begin a number beyond that
_LONG_9 = re.compile(rb"9[0-9]{15}")
_LONG_0 = b"0" * 17
_DIGITS = bytes.maketrans(b"123456789", b"000000000")


class Numbers:
    """Which whole numbers were seen, as ranges: those of a run are nearly in order."""

    def __init__(self) -> None:
        self._starts: list[int] = []
        self._ends: list[int] = []  # inclusive

    def add(self, number: int) -> bool:
        """Add one; gives whether it is new. Raises ``OverflowError`` when they lie too far apart."""
        at = bisect_right(self._starts, number) - 1
        if at >= 0 and number <= self._ends[at]:
            return False
        joins_left = at >= 0 and self._ends[at] == number - 1
        joins_right = at + 1 < len(self._starts) and self._starts[at + 1] == number + 1
        if joins_left and joins_right:
            self._ends[at] = self._ends.pop(at + 1)
            del self._starts[at + 1]
        elif joins_left:
            self._ends[at] = number
        elif joins_right:
            self._starts[at + 1] = number
        else:
            if len(self._starts) == _MAX_GAPS:
                raise OverflowError
            self._starts.insert(at + 1, number)
            self._ends.insert(at + 1, number)
        return True

    @property
    def missing(self) -> int:
        """How many between 1 and the largest were not seen."""
        ranges = zip(self._starts, self._ends, strict=True)
        return max(self._ends, default=0) - sum(end - start + 1 for start, end in ranges)

    def __contains__(self, number: int) -> bool:
        at = bisect_right(self._starts, number) - 1
        return at >= 0 and number <= self._ends[at]


def _no_float(text: str) -> Any:
    raise msgspec.ValidationError(f"a number that is no integer: {text[:40]}")


_plain = msgspec.json.Decoder(float_hook=_no_float)
_typed: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)


def decode_canonical(line: bytes) -> Record:
    """Read one line; raises ``EvidenceError`` where it is no record or not in canonical form."""
    try:
        record = _typed.decode(line)
        if canonical(record) == line and not _may_be_long(line):
            return record
        del record  # of a line of millions of small pieces only one reading fits into bounds
        plain = _plain.decode(line)  # it may still be: with fields that are not known here
        if canonical(plain) != line:
            raise EvidenceError("not in canonical form")
        if not _small(plain):
            raise EvidenceError("a number beyond 2^53")
        del plain
        return _typed.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, UnicodeEncodeError, RecursionError) as error:
        raise EvidenceError(f"not a record ({' '.join(str(error).split())[:200]})") from error


def _may_be_long(line: bytes) -> bool:
    """Whether some number may be too large; two quick looks spare nearly every line the third."""
    quick = _LONG_0 not in line.translate(_DIGITS) and not _LONG_9.search(line)
    return not quick and _LONG.search(line) is not None


def _small(value: object) -> bool:
    """Whether every number in ``value`` is one that each JSON reader can hold."""
    if isinstance(value, dict):
        return all(map(_small, value.values()))
    if isinstance(value, list):
        return all(map(_small, value))
    return not isinstance(value, int) or -_BIG <= value <= _BIG


class LogCheck:
    """One pass over a run's log. After :meth:`read` its attributes say what was there."""

    def __init__(self, folder: Path, sizes: Iterable[int]) -> None:
        self.folder = folder
        self.notes: list[str] = []
        self.open: RunOpen | None = None
        self.close: RunClose | None = None
        self.lines = 0
        self.measurements = 0
        self.times = Times()
        self.until: dict[int, int] = {}  # end of what was told by then, at the sizes asked for and of all
        self.seen = Numbers()
        self.sites: dict[str, array[int]] | None = {}  # address → each time asked for; null: too many
        self._asked = 0
        self.roots: dict[int, bytes] = {}  # at the sizes asked for, and over the whole log
        self._sizes = frozenset(sizes)
        self._tree = Tree()
        self._bytes: Bytes | None = None

    def read(self) -> None:
        """Read it all; raises ``Damage`` at the first thing that is wrong."""
        tree, sizes = self._tree, self._sizes
        lines = read_lines(self.folder / LOG_FILE, self.notes)
        try:
            for line in lines:
                tree.append(sha256(b"\x00" + line).digest())
                self.lines += 1
                self._record(line)
                if tree.size in sizes:
                    self.roots[tree.size], self.until[tree.size] = tree.root(), self.times.latest
        except EvidenceError as error:  # of read_lines
            raise Damage(f"{LOG_FILE}:{self.lines + 1}", error.what) from error
        finally:
            if self._bytes is not None:
                self._bytes.close()
        if self.open is None:
            raise Damage(LOG_FILE, "the log has no complete line")
        self.roots[self.lines], self.until[self.lines] = tree.root(), self.times.latest
        self._end()

    def _record(self, line: bytes) -> None:
        where = f"{LOG_FILE}:{self.lines}"
        try:
            record = decode_canonical(line)
        except EvidenceError as error:
            raise Damage(where, error.what) from error
        if type(record) is Measurement and self.open is not None and self.close is None:
            self._measurement(record, where)
        elif self.lines == 1 and type(record) is RunOpen:
            if not RUN_ID.fullmatch(record.run):
                raise Damage(where, "a run whose id is none")
            self.open = record
            self.times.begin(record)
            self._bytes = Bytes(self.folder, record.run)
        elif type(record) is RunClose and self.open is not None and self.close is None:
            if record.measured != self.measurements and record.reason != "disk":
                what = f"it counts {record.measured} measurements, and there are {self.measurements}"
                raise Damage(where, what, kind="contradiction")
            self.close = record
            self.times.end(record)
        else:
            raise Damage(where, "a line out of place", record=getattr(record, "id", None))

    def _measurement(self, record: Measurement, where: str) -> None:
        assert self.open is not None  # noqa: S101, said by the caller
        assert self._bytes is not None  # noqa: S101
        if record.seq < 1 or record.id != f"{self.open.run}-{record.seq:06d}":
            raise Damage(where, "a measurement whose id is not its run and number", record=record.id[:60])
        try:
            fresh = self.seen.add(record.seq)
        except OverflowError:
            raise Damage(where, "numbers of measurements that lie too far apart", record=record.id) from None
        if not fresh:
            raise Damage(where, "a second measurement of this number", record=record.id)
        for place, step in enumerate(record.observations):
            if step.i != place:
                raise Damage(where, f"step {place} is numbered {step.i}", record=record.id)
        self._bytes.check(record, where)
        self.measurements += 1
        self.times.measured(record)
        made = any(not step.skipped for step in record.observations)
        if record.role == "target" and record.valid and made and self.sites is not None:
            self.sites.setdefault(record.url, array("q")).append(record.started)
            self._asked += 1
            if self._asked > _MAX_SITES:
                self.sites = None

    def _end(self) -> None:
        if self.seen.missing:
            self.notes.append(f"{self.seen.missing} numbers are missing among those of the measurements")
        assert self._bytes is not None  # noqa: S101, a log with a first line has it
        beyond = self._bytes.beyond
        if self.close is None:
            self.notes.append(
                "it has no last line: the run was killed, or it was cut off; what is there is valid"
            )
            if beyond:
                self.notes.append(f"{beyond} captured bytes of a measurement that never got its line")
            return
        if beyond and self.close.reason != "disk":
            raise Damage(WARC_FILE, f"{beyond} bytes at its end that no line refers to")

    @property
    def clock_offset_us(self) -> int | None:
        """The largest offset of the clock that was seen; ``None``: nobody told the time."""
        checks = (*self.open.checks, *(self.close.checks if self.close else ())) if self.open else ()
        seen = [check.offset_us for check in checks if check.offset_us is not None]
        if self.open and self.open.clock_offset_us is not None:
            seen.append(self.open.clock_offset_us)
        return max(seen, key=abs, default=None)

    @property
    def sure_offset_us(self) -> int | None:
        """The same where the times in the log can be corrected by it; ``None``: nothing is sure of them."""
        return None if self.times.were_set else self.clock_offset_us

"""Reading a run for its meaning, and learning on the way how far a good seal covers its lines.

Rules of this file:

* whoever judges, sums up, shows or exports a run reads all of its log: the same pass holds it against its
  seals, so that nobody needs to have thought of ``verify`` before;
* a line that is not what was sealed, or a seal that is not good, is damage as any other: ``EvidenceError``;
* lines under no seal are read. A killed run ends with some, but anybody may have written them: they are told;
* whose key it is, when it was, and what other runs say, is for ``verify`` alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from itertools import islice
from pathlib import Path

import msgspec

from blockwatch.errors import EvidenceError
from blockwatch.evidence.log import read_close
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.reading import Run
from blockwatch.evidence.report import Damage
from blockwatch.evidence.verify_seal import Seals
from blockwatch.run import Record, RunClose, RunOpen


class Coverage(msgspec.Struct, frozen=True, kw_only=True):
    """How far a run's lines are under a good seal of the key that it names."""

    lines: int  # of the log
    sealed: int  # of these the first so many
    key: str | None  # the key's name; null: there is no seal

    @property
    def whole(self) -> bool:
        """Whether every line is covered."""
        return self.sealed == self.lines

    def covers(self, line: int) -> bool:
        """Whether line ``line`` (from 1) is."""
        return line <= self.sealed

    @property
    def words(self) -> str:
        """One sentence, no full stop."""
        if not self.sealed:
            return "NO SEAL covers any line of it: nothing shows that nobody altered it or made it up"
        if self.whole:
            return f"all {self.lines} lines are under a good seal of {self.key}"
        first = self.sealed + 1
        rest = f"line {first}" if first == self.lines else f"lines {first} to {self.lines}"
        good = f"lines 1 to {self.sealed} are under a good seal of {self.key}"
        return f"NO SEAL covers {rest}: anybody may have written what is there; {good}"


class _Pass:
    """What the seals are held against."""

    def __init__(self, opened: RunOpen, notes: list[str]) -> None:
        self.open: RunOpen | None = opened
        self.notes = notes
        self.roots: dict[int, bytes] = {}
        self._tree = Tree()

    @property
    def lines(self) -> int:
        return self._tree.size

    def add(self, line: bytes, sizes: frozenset[int]) -> None:
        self._tree.append(leaf_hash(line))
        if self._tree.size in sizes:
            self.roots[self._tree.size] = self._tree.root()


class CoveredRun(Run):
    """A run that is held against its seals as it is read."""

    def __init__(self, folder: Path) -> None:
        """Read the first line; raises ``EvidenceError`` where there is no run."""
        super().__init__(folder)
        self._coverage: Coverage | None = None

    def lines(self) -> Iterator[tuple[bytes, Record]]:
        """Every line and what it says; at the end of the first whole pass the seals are held against them."""
        if self._coverage is not None:
            yield from super().lines()
            return
        try:
            seals = Seals(self.folder)
            seen, sizes = _Pass(self.open, self.notes), frozenset(seals.sizes.values())
            for line, record in super().lines():
                seen.add(line, sizes)
                yield line, record
            sealed = seals.hold(seen)
        except Damage as error:
            found = error.finding
            raise EvidenceError(found.what, where=f"{self.folder}/{found.where}") from error
        key = parse_campaign_key(self.open.key).name if sealed and self.open.key else None
        self._coverage = Coverage(lines=seen.lines, sealed=sealed, key=key)

    @property
    def coverage(self) -> Coverage:
        """How far its lines are sealed; reads it where that was not done yet, and raises as :meth:`lines`."""
        if self._coverage is None:
            for _ in self.lines():
                pass
        assert self._coverage is not None  # noqa: S101, said by the pass
        return self._coverage


class SealedRun(CoveredRun):
    """A run as far as a good seal covers it: whoever has a copy can write more lines behind."""

    def lines(self) -> Iterator[tuple[bytes, Record]]:
        """The sealed lines; raises as :meth:`CoveredRun.lines`."""
        if self._coverage is None:
            for _ in super().lines():
                pass
        yield from islice(super().lines(), self.coverage.sealed)

    @cached_property
    def close(self) -> RunClose | None:
        """How the run ended; ``None``: no seal says so."""
        return read_close(self.log) if self.coverage.whole else None


def read_covered(folder: Path) -> CoveredRun:
    """Open a run folder for reading; like ``read_run``."""
    return CoveredRun(folder)

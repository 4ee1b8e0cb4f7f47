"""What checking found: the nouns that ``verify`` speaks in.

Rules of this file:

* a finding is a place and a sentence; damage and contradiction are findings, a shorter or an unsigned
  run is not: it has a lower grade and notes that say why;
* the grade is that of the weakest line: what is sealed only up to line 800 of 812 is not sealed;
* what takes away from a grade without lowering it (an end or a clock that nobody knows) is in its words.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from blockwatch.errors import is_forbidden
from blockwatch.model import Noun

MAX_OFFSET_US = 60_000_000  # of a clock that may be believed


class Level(StrEnum):
    """How much the evidence shows to whoever does not trust its maker; each one includes those before."""

    UNSIGNED = "unsigned"
    SEALED = "sealed"
    TIMED = "timed"
    WITNESSED = "witnessed"

    @property
    def rank(self) -> int:
        """0 for the lowest."""
        return list(Level).index(self)


BESIDE = ("stamp", "signature", "derived")  # kinds of findings of files that no grade rests on


class Finding(Noun, frozen=True, kw_only=True):
    """One thing that is not as it should be."""

    kind: str  # "damage", "contradiction", "signer", "unread": nothing is known; BESIDE: of that file alone
    where: str  # "measurements.jsonl:12", a file of the run folder, or a folder
    what: str  # one sentence, no trailing full stop
    record: str | None = None  # id of the measurement


class Damage(Exception):
    """Raised where reading cannot go on; carries the finding."""

    def __init__(self, where: str, what: str, *, record: str | None = None, kind: str = "damage") -> None:
        self._finding = Finding(kind=kind, where=where, what=what, record=record)
        super().__init__(what)

    @property
    def finding(self) -> Finding:
        """What was found; of what may merely not be read, that."""
        kind = kind_of(self, self._finding.kind)
        return msgspec.structs.replace(self._finding, kind=kind)


def kind_of(error: BaseException, otherwise: str = "damage") -> str:
    """The kind of a finding that an error is: that something may not be read is no damage of it."""
    return "unread" if is_forbidden(error) else otherwise


class Report(Noun, frozen=True, kw_only=True):
    """What is known of one run, or of one proof, after checking it."""

    path: str
    kind: str  # "run", "proof", "growth" or "folder"
    run: str | None = None  # run id; null: not even that can be read
    record: str | None = None  # of the proof of a record: its id
    url: str | None = None  # and what was measured
    level: Level = Level.UNSIGNED  # means nothing where there are findings
    key: str | None = None  # verifier key that the run names
    signer: str | None = (
        None  # name of whom the reader's list says it is; "" has no name there; null: unknown
    )
    lines: int = 0  # of the log
    measurements: int = 0
    sealed: int = 0  # lines under a good signature
    timed: int = 0  # lines that outside time vouches for
    not_after: int | None = None  # all of it existed by then, microseconds since the epoch
    closed: bool = False  # it has its last line
    open_ended: bool = False  # nothing shows that it did not go on: killed, or cut off at a line or seal
    unsigned_link: bool = False  # the run before it is vouched for only by an unsigned note
    days_unproven: bool = (
        False  # of a retired key, and only its own clock says that it is from the key's days
    )
    started: int | None = None  # by the clock of the machine that measured
    ended: int | None = None
    asn: int | None = None
    clock_offset_us: int | None = None  # the largest that was seen; null: not known
    clock_set: bool = False  # while the run went on: its times do not fit together
    witnesses: tuple[str, ...] = ()  # run ids
    previous: str | None = None
    root: str | None = None  # over all lines, lower-case hex
    imported: bool = False
    findings: tuple[Finding, ...] = ()
    notes: tuple[str, ...] = ()  # plain sentences

    @property
    def unread(self) -> bool:
        """Whether some of it may merely not be read here, and nothing else was found."""
        return bool(self.findings) and all(finding.kind == "unread" for finding in self.findings)

    @property
    def sound(self) -> bool:
        """Whether nothing is wrong with it: what anybody can put beside a run says nothing against it."""
        return all(finding.kind in BESIDE for finding in self.findings)

    @property
    def clock(self) -> str:
        """What the times in it are worth: "checked", "off" (by more than a minute, or set) or "unknown"."""
        if self.clock_set:
            return "off"
        if self.clock_offset_us is None:
            return "unknown"
        return "checked" if abs(self.clock_offset_us) <= MAX_OFFSET_US else "off"

    @property
    def title(self) -> str:
        """The grade with what takes away from it: "sealed up to here (clock unknown)"."""
        cut = " up to here" if self.level.rank and self.open_ended else ""
        told = self.clock == "checked" or self.kind == "growth"  # that has no times in it
        clock = "" if told else f" (clock {self.clock})"
        return f"{self.level}{cut}{clock}"

    def reaches(self, level: Level) -> bool:
        """Whether it is as good as ``level``.

        One that may have been cut off reaches none but the lowest. So does one that a retired key may have
        sealed after its days, and one before which a run may have been withheld.
        """
        doubtful = self.open_ended or self.days_unproven or self.unsigned_link
        return self.sound and self.level.rank >= level.rank and not (level.rank and doubtful)

"""Looking for witnesses among runs: who else asked for the same at the same time.

Rules of this file:

* a witness is another key, on what it says is another network, sealed, timed, with a checked clock and with
  nothing wrong: each measurement has one there of the same address within an hour. That is not proof of
  another person, and what the two found is for the judge to compare;
* a key that the reader's list gives the same name is the same person's, and no witness;
* the time that it takes grows with the number of measurements, not with that of pairs of runs.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import msgspec

from blockwatch.evidence.report import Level, Report
from blockwatch.evidence.verify import Checked

NEAR_US = 3_600_000_000  # between measurements of two witnesses
MAX_SITES = 1_000_000  # measurements held in memory for all runs together


class _Found(msgspec.Struct):
    """What was found for one run."""

    total: int = 0  # its measurements
    borne_out: int = 0
    witnesses: set[str] = set()  # run ids
    kin: bool = False  # some could have been, but for the name that the list gives both keys


class _Seen(msgspec.Struct):
    """When, within one hour of the clock, one key asked for an address: first and last, and in which runs."""

    first: tuple[int, Report]
    last: tuple[int, Report]

    def near(self, when: int) -> Report | None:
        """The run that asked at most an hour away; this hour is that of ``when``, or one beside it."""
        at, report = self.first if when <= self.first[0] else self.last
        return report if abs(at - when) <= NEAR_US else None


_Hours = dict[int, dict[int, dict[str, _Seen]]]
"""Hour, then AS number, then key: who asked for one address."""


def find_witnesses(runs: Sequence[Checked]) -> None:
    """Raise to ``witnessed`` the runs whose every measurement has one near it in time under another key."""
    able = [one for one in runs if one.sites is not None and one.report.sound]
    holders: dict[str, list[int]] = defaultdict(list)
    for number, one in enumerate(able):
        for url in one.sites or ():
            holders[url].append(number)
    found = [_Found(total=sum(map(len, (one.sites or {}).values()))) for one in able]
    for url, numbers in holders.items():
        if len(numbers) > 1:
            _look(url, numbers, able, found)
    for one, what in zip(able, found, strict=True):
        _tell(one, what)


def _look(url: str, numbers: Iterable[int], able: Sequence[Checked], found: Sequence[_Found]) -> None:
    """Look at one address: which of its measurements has a witness."""
    asked = [(number, when) for number in numbers for when in (able[number].sites or {})[url]]
    hours: _Hours = defaultdict(lambda: defaultdict(dict))
    for number, when in asked:
        report = able[number].report
        keys = hours[when // NEAR_US][report.asn or 0]
        one = (when, report)
        seen = keys.setdefault(report.key or "", _Seen(one, one))
        seen.first, seen.last = (
            one if when < seen.first[0] else seen.first,
            one if when > seen.last[0] else seen.last,
        )
    for number, when in asked:
        mine, what = able[number].report, found[number]
        for other in _near(hours, mine, when):
            if mine.signer and (other.signer or "").casefold() == mine.signer.casefold():
                what.kin = True
                continue
            what.borne_out += 1
            what.witnesses.add(other.run or "")
            break


def _near(hours: _Hours, mine: Report, when: int) -> Iterator[Report]:
    """Runs of other keys and networks that asked at most an hour away."""
    for hour in (when // NEAR_US, when // NEAR_US - 1, when // NEAR_US + 1):
        for asn, keys in hours.get(hour, {}).items():
            if asn != mine.asn:
                for key, seen in keys.items():
                    other = seen.near(when) if key != mine.key else None
                    if other is not None:
                        yield other


def _tell(one: Checked, what: _Found) -> None:
    report, notes = one.report, list(one.report.notes)
    whole = what.total and what.borne_out == what.total
    if what.borne_out and not whole:
        told = f"another key, on another network by its own word, asked for {what.borne_out} of "
        notes.append(f"{told}{what.total} measurements' addresses at the same time")
    if what.kin and not whole:
        told = f"another key of {report.signer} asked for the same at the same time, on another network: "
        notes.append(f"{told}the list gives both keys that name, so it is no witness")
    level, witnesses = report.level, report.witnesses
    if whole:
        level, witnesses = Level.WITNESSED, tuple(sorted(what.witnesses))
    one.report = msgspec.structs.replace(report, level=level, witnesses=witnesses, notes=tuple(notes))

"""What control vantages saw of the same URL at about the same time, and which of it fits a measurement.

Rules of this file:

* a control vantage is in another country (or, where a country is not known, in another AS); one whose
  network is not known is none;
* a page that came there shows that the site works; a failure there shows that it is down only if the
  control's own run found so, or if two countries' failed alike: alone it might be blocked there as well;
* time weakens: a control on both sides of the measurement, or within ten minutes, is firm; another is not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from blockwatch.model import ControlStep, Measurement
from blockwatch.run import RunOpen, Vantage

if TYPE_CHECKING:
    from blockwatch.judge.case import Case
    from blockwatch.judge.sight import Sight

HOUR_US = 3_600_000_000
WINDOW_US = 6 * HOUR_US  # how far a control may be from a measurement, either way
NEAR_US = 600_000_000  # so near, one side is enough

PAGE, DOWN, FAILS = "page", "down", "fails"


@dataclass(frozen=True, slots=True)
class Seen:
    """One measurement of a control vantage."""

    id: str  # of the measurement: "<run id>-<number>"
    at: int  # microseconds since the epoch, by the true clock as far as known
    vantage: Vantage
    outcome: str  # "page": it came; "down": the control's run found it down; "fails": it failed there
    step: str | None  # at which it failed
    hops: Mapping[str, tuple[tuple[str, ...], ControlStep]]  # by URL: witnesses, and what a helper would say

    @property
    def network(self) -> tuple[str | None, int | None]:
        """Where the control vantage is."""
        return self.vantage.country, self.vantage.asn


@dataclass(frozen=True, slots=True)
class Beside:
    """Everything that control vantages saw."""

    by_url: Mapping[str, tuple[Seen, ...]] = field(default_factory=dict)  # in the order of time
    runs: tuple[str, ...] = ()  # run ids
    window_us: int = WINDOW_US
    notes: tuple[str, ...] = ()  # why a run is not used, one sentence each


NOBODY = Beside()


@dataclass(frozen=True, slots=True)
class Match:
    """What one control vantage says about one measurement."""

    at: int  # when the measurement was made
    seen: tuple[Seen, ...]  # the nearest before and the nearest after, as far as there are any
    control: Seen | None  # the one that stands for the control; None: it may only be told
    firm: bool  # near, or the same on both sides

    def lend(self, sight: Sight) -> None:
        """Give each hop that has no control the control vantage's view of its URL."""
        if self.control is None:
            return
        for hop in sight.hops:
            refs, step = self.control.hops.get(hop.url, ((), None))
            if step is not None and hop.control is None:
                hop.controls += [(ref, step) for ref in refs]


def match(case: Case) -> Match | None:
    """The control vantage that says most about the measurement of ``case``.

    ``None`` where none fits, or where a test helper answered: a helper saw the same minute.
    """
    made = case.measurements[-1]
    if any(isinstance(step, ControlStep) and step.failure is None for step in made.observations):
        return None
    at, ours = true_time(case.open, made), case.open.vantage
    fit: dict[object, list[Seen]] = defaultdict(list)
    for seen in case.beside.by_url.get(made.url, ()):
        if abs(seen.at - at) <= case.beside.window_us and foreign(ours, seen.vantage):
            fit[seen.network].append(seen)
    alike = _failing_alike(seen for group in fit.values() for seen in group)
    found = [_of_network(group, at, alike) for group in fit.values()]
    return max(found, key=_worth, default=None)


def true_time(opened: RunOpen, made: Measurement) -> int:
    """When a measurement was made, by the true clock as far as the run learned how far its own was off."""
    return made.started - (opened.clock_offset_us or 0)


def foreign(ours: Vantage, theirs: Vantage) -> bool:
    """Whether two vantages are under different authorities, as far as is known of both."""
    if ours.country and theirs.country:
        return ours.country != theirs.country
    return ours.asn is not None and theirs.asn is not None and ours.asn != theirs.asn


def _failing_alike(seen: Iterable[Seen]) -> frozenset[str | None]:
    """The steps at which control networks of at least two countries fail, or of two AS where none is known:
    those of one country may be behind one censor.
    """
    where: dict[str | None, set[object]] = defaultdict(set)
    for one in seen:
        if one.outcome == FAILS:
            where[one.step].add(one.vantage.country or one.vantage.asn)
    return frozenset(step for step, places in where.items() if len(places) >= 2)


def _of_network(group: list[Seen], at: int, alike: frozenset[str | None]) -> Match:
    """What one control network says: its nearest measurements on either side."""
    before = max((seen for seen in group if seen.at <= at), key=lambda seen: seen.at, default=None)
    after = min((seen for seen in group if seen.at > at), key=lambda seen: seen.at, default=None)
    sides = tuple(seen for seen in (before, after) if seen is not None)
    nearest = min(sides, key=lambda seen: abs(seen.at - at))
    near = abs(nearest.at - at) <= NEAR_US
    same = len({(seen.outcome, seen.step) for seen in sides}) == 1
    tells = nearest.outcome in (PAGE, DOWN) or nearest.step in alike
    usable = tells and (near or same)
    return Match(at, sides, nearest if usable else None, usable and (near or len(sides) == 2))


def _worth(found: Match) -> tuple[bool, bool, bool, int]:
    """A page counts for more than a failure, a firm control for more than a distant one."""
    page = found.control is not None and found.control.outcome == PAGE
    return page, found.firm, found.control is not None, -min(abs(seen.at - found.at) for seen in found.seen)

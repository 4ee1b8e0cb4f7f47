"""Whether luck alone explains that the site's transfers were slow or stopped, and others' were not.

Rules of this file:

* a server, or a line, that is slow at times may be so every time that we ask for the one name, and never
  when we ask for another: what was seen excludes that only below a bar (:mod:`blockwatch.judge.chance`);
* counted is the whole run, at one rate of bad transfers for all (Fisher's exact test);
* where copies of control names' own pages are bad too, the line may do it: they count against it;
* copies that tell nothing of speed are not counted: too short, or broken off.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

from blockwatch.judge import outcomes
from blockwatch.judge.chance import Fared, likelihood
from blockwatch.judge.leftover import sights
from blockwatch.judge.matrix import SPELLED
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import CALM
from blockwatch.judge.speed import CAPITALS, FACTOR, Speeds, control_rate
from blockwatch.judge.transfers import LEAST, Transfer, transfer
from blockwatch.model import ControlStep

Judged = Callable[[Transfer], bool | None]  # whether a transfer was fine; None: it tells nothing


class Odds(NamedTuple):
    """How likely luck alone is, 0 to 1."""

    names: float  # of the split between the site's name and others: there, or (the line) elsewhere
    control: float  # of that between us and the control, or other names at their addresses


def stops(scene: Scene, farthest: int) -> Odds:
    """For transfers that stop: fine are those that went on beyond ``farthest`` bytes."""

    def fine(one: Transfer) -> bool | None:
        return False if one.stalled else True if one.moved > farthest else None

    return _odds(scene, fine, fine, lambda step: (step.body_length or 0) > 2 * farthest)


def speeds(scene: Scene, quickest: int) -> Odds:
    """For slow transfers, of which the best came at ``quickest`` bytes a second: fine are others' that were
    so much faster (:data:`FACTOR`), and those of the site that were not slow.
    """
    least = FACTOR * quickest

    def own(one: Transfer) -> bool | None:
        return None if one.moved < LEAST else not one.slow

    def other(one: Transfer) -> bool | None:
        return None if one.moved < LEAST or broken(one) else one.rate >= least

    return _odds(scene, own, other, lambda step: control_rate(step) >= least)


def broken(one: Transfer) -> bool:
    """Whether a copy broke off: the name it was asked under may be blocked itself."""
    return one.flow.at("http") != outcomes.OK


def compared(others: list[Transfer], fine: Judged) -> list[Transfer]:
    """Without the copies under the site's own name spelled otherwise, if none of those is fine: a censor may
    read both alike.
    """
    found = list(others)
    for kind in (_dotted, _in_capitals):
        spelled = [one for one in others if kind(one)]
        if not any(fine(one) for one in spelled):
            found = [one for one in found if not kind(one)]
    return found


def respelled(one: Transfer) -> bool:
    """Whether it was asked for under the site's own name, spelled otherwise."""
    return _dotted(one) or _in_capitals(one)


def _dotted(one: Transfer) -> bool:
    return one.flow.round >= SPELLED


def _in_capitals(one: Transfer) -> bool:
    return one.flow.purpose in CAPITALS


def _odds(scene: Scene, own: Judged, other: Judged, got: Callable[[ControlStep], bool]) -> Odds:
    runs = [(one, Speeds(one)) for one in _whole_run(scene)]
    every = [t for _, made in runs for t in made.other]
    others = compared(every, other)
    named = [t for t in every if t not in others]  # under the site's own name, however it is spelled
    ours = _count(own(t) for t in [*(t for _, made in runs for t in made.own), *named])
    theirs = _count(other(t) for t in others)
    asked = [step for one, _ in runs for _, step in one.hop.controls if step.failure is None]
    control = _count(step.http_failure is None and got(step) for step in asked)
    calm = _count(other(t) for made, _ in runs for f in made.hop.by(*CALM) if (t := transfer(f)) is not None)
    line = likelihood(ours, calm) if calm.failed else 0.0
    return Odds(max(likelihood(ours, theirs), line), max(likelihood(ours, control), line))


def _count(fine: Iterable[bool | None]) -> Fared:
    told = [one for one in fine if one is not None]
    return Fared(sum(told), len(told) - sum(told))


def _whole_run(scene: Scene) -> list[Scene]:
    """This hop's URL in all measurements of the target in this run."""
    return [
        Scene(sight, hop, scene.peers, vantage=scene.vantage, ruleset=scene.ruleset)
        for sight in sights(scene)
        for hop in sight.hops
        if hop.url == scene.hop.url
    ]

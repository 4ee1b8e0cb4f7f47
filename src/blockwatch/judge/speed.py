"""How fast a page came: rates and stalls of one transfer, and the same content with another name.

Rules of this file:

* a rate is that of the body on the wire, first to last byte; the server's thinking is not counted;
* bytes that move slowly say nothing by themselves: only the same address under another name, or a
  control that was much faster, makes a comparison;
* slower than control is not throttled: five times, and repeated.

Thresholds: darkk/ru-twi-ndt7 takes 0.15 against 1.5 Mbit/s (a factor of ten); we ask for a factor of
five, as a page is shorter than a speed test.
"""

from __future__ import annotations

from blockwatch.judge.once import once
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Flow
from blockwatch.judge.transfers import Transfer, transfer
from blockwatch.model import ControlStep, HttpStep, Purpose

FACTOR = 5
SAME_OFFSET = 6_000  # bytes

_MARKS = ("etag", "last-modified", "content-length")  # headers that tell one page from another
COMPARED = (
    Purpose.SNI_CONTROL_ON_TARGET,
    Purpose.SNI_NONE_ON_TARGET,
    Purpose.HOST_CONTROL_ON_TARGET,
)


CAPITALS = (Purpose.SNI_CAPITALS_ON_TARGET, Purpose.HOST_CAPITALS_ON_TARGET)


class Speeds:
    """The transfers of one hop, the target's and those it is compared with."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    @property
    def own(self) -> list[Transfer]:
        """The target's own transfers."""
        return self._scene.transfers

    @once
    def other(self) -> list[Transfer]:
        """Transfers from the same addresses under another name, large enough to compare."""
        addresses = {t.flow.address for t in self.own}
        purposes = COMPARED if self._scene.ruleset == 1 else (*COMPARED, *CAPITALS)
        asked = [flow for flow in self._scene.hop.by(*purposes) if flow.address in addresses]
        if self._scene.ruleset > 1 and self._scene.hop.secure:
            asked = [flow for flow in asked if not self._other_page(flow)]
        elif self._scene.ruleset > 1:
            asked = [flow for flow in asked if self._same_page(flow)]
        found = [transfer(flow) for flow in asked]
        return [t for t in found if t is not None]

    def _same_page(self, flow: Flow) -> bool:
        """Whether a response under another Host is the site's page: other pages may have other speeds."""
        return any(_alike(flow.http, t.flow.http) for t in self.own)

    def _other_page(self, flow: Flow) -> bool:
        """Whether a response under another server name, asked for the site's page, is clearly another."""
        theirs, own = flow.http, [t.flow.http for t in self.own if t.flow.http is not None]
        if theirs is None or not own:
            return False
        titled = [step for step in own if step.title and theirs.title]
        return all(step.status != theirs.status for step in own) or (
            bool(titled) and all(step.title != theirs.title for step in titled)
        )

    @property
    def stalled(self) -> list[Transfer]:
        """Own transfers that froze: those at about the same offset; all of three or more, if none went on
        and no two agree (what is lost on the way is counted by who lets only so much pass).
        """
        frozen = [t for t in self.own if t.stalled]
        if not frozen:
            return []
        alike = [[t for t in frozen if 0 <= t.moved - first.moved <= SAME_OFFSET] for first in frozen]
        most = max(alike, key=len, default=[])
        every = len(frozen) >= 3 and len(frozen) == len(self.own)
        return most if len(most) >= 2 or not every else frozen

    @property
    def slow(self) -> list[Transfer]:
        """Own transfers that were slow."""
        return [t for t in self.own if t.slow]

    @property
    def control_rate(self) -> int:
        """The least rate at which the helper got the page: its whole errand counts as transfer; the quickest,
        where it was asked again.
        """
        first = self._scene.control
        asked = [first] if first is not None else []
        if self._scene.ruleset > 1 and asked:
            asked += [step for _, step in self._scene.hop.controls if step.failure is None]
        return max(map(control_rate, asked), default=0)


def control_rate(step: ControlStep) -> int:
    """The least rate at which a helper got a page: bytes a second of its whole errand, 0 if it got none."""
    got = not step.http_failure and step.us > 0
    return (step.body_length or 0) * 1_000_000 // step.us if got else 0


def _alike(one: HttpStep | None, other: HttpStep | None) -> bool:
    """Whether two responses are one page, as far as the head of one that did not end can tell."""
    if one is None or other is None or one.status != other.status:
        return False
    if one.title and other.title:
        return one.title == other.title
    marks = [{name.lower(): value for name, value in step.headers} for step in (one, other)]
    return any(marks[0].get(name) and marks[0].get(name) == marks[1].get(name) for name in _MARKS)


def worth_comparing(step: HttpStep, flow: Flow) -> bool:
    """Whether a transfer looks slow or frozen enough to buy a comparison."""
    seen = transfer(flow)
    return seen is not None and (seen.slow or seen.unfinished or (seen.stalled and step.status is not None))

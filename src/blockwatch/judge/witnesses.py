"""Which test helpers are no witnesses: those whose word this very run belies again and again.

Rules of this file:

* what came to us over a chain valid for its name was the site's own page: it shows what a helper's word is
  worth;
* a helper that says "it fails" of sites that worked here, or whose pages are never the ones that came here,
  has a line or a fault of its own; the first is heard no more where it says so again (its network may block
  sites), the second not at all;
* one or two contradictions are a site's doing (it refuses the helper, or answers by place): three owners at
  least, and more than it was right about.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from blockwatch.judge.names import owner, parts
from blockwatch.judge.pages import agrees
from blockwatch.judge.sight import PLAIN
from blockwatch.model import ControlStep, HttpStep, TlsStep

BELIED = 3  # owners of sites


class Helpers:
    """The helpers of a run, and how their word compares with what surely came here."""

    def __init__(self) -> None:
        # helper → owners of whose sites it saw other pages
        self._other: dict[str, set[str]] = defaultdict(set)
        self._down: dict[str, set[str]] = defaultdict(set)  # … of whose sites it said that they fail
        self._right: dict[str, set[str]] = defaultdict(set)

    def add(
        self, controls: Iterable[ControlStep], handshakes: Iterable[TlsStep], responses: Iterable[HttpStep]
    ) -> None:
        """Compare the controls of one measurement, as far as they answered, with its pages."""
        sure = _pages(handshakes, responses)
        for control in controls:
            page = sure.get(control.url)
            if page is None:
                continue
            said = "down" if control.http_failure else agrees(page, control)
            found = {"down": self._down, "same": self._right, "different": self._other}.get(said)
            if found is not None:
                found[control.helper].add(owner(parts(control.url).host))

    @property
    def unfit(self) -> frozenset[str]:
        """The helpers that are no witnesses at all: the pages that they show are others."""
        return self._wrong_in(self._other)

    @property
    def gloomy(self) -> frozenset[str]:
        """The helpers that are none where they say that a site fails; their pages are the sites'."""
        return self._wrong_in(self._down)

    def _wrong_in(self, told: dict[str, set[str]]) -> frozenset[str]:
        right = self._right
        return frozenset(h for h, o in told.items() if len(o) >= BELIED and len(o) > len(right.get(h, ())))


def _pages(handshakes: Iterable[TlsStep], responses: Iterable[HttpStep]) -> dict[str, HttpStep]:
    """The pages that came over a chain valid for their name, by URL."""
    valid = {
        step.flow for step in handshakes if step.failure is None and step.trust is None and step.server_name
    }
    sound = [step for step in responses if step.status is not None and not step.failure]
    return {step.url: step for step in sound if step.flow in valid and step.purpose in PLAIN}

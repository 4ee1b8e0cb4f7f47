"""Which test helpers are no witnesses: those whose word this very run belies again and again.

Rules of this file:

* what came to us over a chain valid for its name was the site's own page: it shows what a helper's word is
  worth;
* a helper that says "it fails" of sites that worked here, or whose pages are never the ones that came here,
  has a line or a fault of its own; the first is heard no more where it says so again (its network may block
  sites), the second not at all;
* one or two contradictions are a site's doing (it refuses the helper, or answers by place): three owners at
  least, and more than it was right about;
* that a page is another one is no lie: sites have pages by country. It counts where the helper has one and
  the same page for several owners, none, a refusal, or one that speaks of blocking.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable

from blockwatch.judge.names import owner, parts
from blockwatch.judge.pages import agrees, telling
from blockwatch.judge.sight import PLAIN
from blockwatch.model import ControlStep, HttpStep, TlsStep

BELIED = 3  # owners of sites
ODD = "odd"


class Helpers:
    """The helpers of a run, and how their word compares with what surely came here."""

    def __init__(self) -> None:
        # helper → owners of whose sites it saw other pages
        self._other: dict[str, dict[object, set[str]]] = defaultdict(lambda: defaultdict(set))
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
            whose = owner(parts(control.url).host)
            if said == "different":
                self._other[control.helper][_kind(control)].add(whose)
            elif said in ("down", "same"):
                (self._down if said == "down" else self._right)[control.helper].add(whose)

    @property
    def unfit(self) -> frozenset[str]:
        """The helpers that are no witnesses at all: the pages that they show are others."""
        told = {
            helper: {
                whose for kind, owners in kinds.items() if kind is ODD or len(owners) > 1 for whose in owners
            }
            for helper, kinds in self._other.items()
        }
        return self._wrong_in(told)

    @property
    def gloomy(self) -> frozenset[str]:
        """The helpers that are none where they say that a site fails; their pages are the sites'."""
        return self._wrong_in(self._down)

    def _wrong_in(self, told: dict[str, set[str]]) -> frozenset[str]:
        right = self._right
        return frozenset(h for h, o in told.items() if len(o) >= BELIED and len(o) > len(right.get(h, ())))


def _kind(control: ControlStep) -> object:
    """What makes pages of several sites one and the same; :data:`ODD` for one that no site would show."""
    title = (control.title or "").lower()
    if (control.status or 0) >= 400 or not control.body_length or telling(title):
        return ODD
    return control.status, title, control.body_length


def _pages(handshakes: Iterable[TlsStep], responses: Iterable[HttpStep]) -> dict[str, HttpStep]:
    """The pages that came over a chain valid for their name, by URL."""
    valid = {
        step.flow for step in handshakes if step.failure is None and step.trust is None and step.server_name
    }
    sound = [step for step in responses if step.status is not None and not step.failure]
    return {step.url: step for step in sound if step.flow in valid and step.purpose in PLAIN}

"""One row of the table of rules.

Rules of this file:

* a row belongs to the rulesets from ``since`` to ``until``, and never changes what it says there;
* an id is a claim. Where a later ruleset weighs the same claim otherwise, the id has two rows: the old
  function (:mod:`blockwatch.judge.rules_first`), which ends, and the new one, which begins.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

LATEST = 2
OWN = "own reasoning"


@dataclass(frozen=True)
class Rule:
    """One row."""

    id: str  # permanent
    stage: str  # "void", "hop", "doubt" or "weigh"
    reason: str  # why this may be concluded
    source: str  # where the reason comes from
    says: Callable[..., Any]  # of a Scene (hop), or of what its stage is about; a Finding, Note or None
    since: int = 1  # the first ruleset that asks it
    until: int | None = None  # the last one; None: it is still asked

    def within(self, ruleset: int) -> bool:
        """Whether a ruleset asks this row."""
        return self.since <= ruleset and (self.until is None or ruleset <= self.until)


def rows(stage: str, *given: tuple[Any, ...]) -> tuple[Rule, ...]:
    """Rows of one stage, in order: id, function, reason, source, and perhaps ``since`` and ``until``."""
    return tuple(Rule(id_, stage, reason, source, says, *when) for id_, says, reason, source, *when in given)

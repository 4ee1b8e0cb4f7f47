"""The record of one measurement while it is being made.

Rules of this file:

* a step takes its place in the order in which it *started*; a step that never ended is not written;
* a draft may be looked at before it has ended (:meth:`Record.snapshot`), as listening sockets are;
* nothing here knows what a step means.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from blockwatch.model import Exchange, HttpStep, Observation, Purpose
from blockwatch.net import limits


class OverBudget(Exception):
    """The measurement has used what it may use; it ends with what it has."""


class Draft:
    """A step being made: its fields, and whether it can be written yet."""

    __slots__ = ("exchange", "fields", "kind", "ready")

    def __init__(self, kind: type[Any], fields: dict[str, Any]) -> None:
        self.kind, self.fields = kind, fields
        self.ready = False
        self.exchange: Exchange | None = None

    def build(self, i: int) -> Observation:
        """Freeze it as the observation number ``i``."""
        step: Observation = self.kind(i=i, **self.fields)
        return step


class Record:
    """All steps of one measurement, in the order of their starts."""

    def __init__(self, now_us: Callable[[], int], origin_us: int) -> None:
        self._now_us = now_us
        self._origin_us = origin_us
        self._drafts: list[Draft] = []
        self._flows = 0
        self.sent = 0  # bytes, all steps
        self.received = 0

    def now(self) -> int:
        """Microseconds since the run was opened."""
        return self._now_us() - self._origin_us

    def drafts(self, kind: type[Any]) -> Iterator[Draft]:
        """The steps of one kind, ended or not, in the order of their starts."""
        return (draft for draft in self._drafts if draft.kind is kind)

    def __len__(self) -> int:
        return len(self._drafts)

    def next_flow(self) -> int:
        """A number for a new connection."""
        self._flows += 1
        return self._flows - 1

    def begin(
        self,
        kind: type[Any],
        *,
        purpose: Purpose = Purpose.FIRST,
        round: int = 0,
        hop: int = 0,
        **fields: Any,
    ) -> Draft:
        """Start a step now; raises :class:`OverBudget` when no further step is allowed."""
        if len(self._drafts) >= limits.OBSERVATIONS or self.sent + self.received > limits.MEASUREMENT_BYTES:
            raise OverBudget
        fields |= {"t": self.now(), "us": 0, "failure": None, "purpose": purpose, "round": round, "hop": hop}
        draft = Draft(kind, fields)
        self._drafts.append(draft)
        return draft

    def end(self, draft: Draft) -> None:
        """Finish a step: its duration is until now."""
        draft.fields["us"] = max(0, self.now() - draft.fields["t"])
        draft.ready = True
        self.sent += draft.fields.get("sent", 0)
        self.received += draft.fields.get("received", 0)

    def skip(self, draft: Draft) -> None:
        """Write a step as planned but not made."""
        draft.fields["skipped"] = True
        draft.ready = True

    def snapshot(self) -> tuple[Observation, ...]:
        """Every step that can be written so far, numbered from 0."""
        return tuple(draft.build(i) for i, draft in enumerate(d for d in self._drafts if d.ready))

    def exchanges(self) -> dict[int, Exchange]:
        """The exact bytes of the HTTP steps, keyed like :meth:`snapshot`."""
        ready = (d for d in self._drafts if d.ready)
        return {i: d.exchange for i, d in enumerate(ready) if d.exchange is not None}

    def rename_failure(self, draft: Draft, failure: str, error: str | None) -> None:
        """Give an HTTP step a failure that only its successor could see (a redirect to nowhere)."""
        if draft.kind is not HttpStep:
            raise TypeError("only an HTTP step can fail afterwards")
        draft.fields["failure"], draft.fields["error"] = failure, error

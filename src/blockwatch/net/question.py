"""What is asked of a control, and who is one.

Rules of this file: one shape for every kind of control, so that a run can ask one after the other.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from blockwatch.model import Purpose
from blockwatch.net.record import Record
from blockwatch.net.url import Url


@dataclass(frozen=True)
class Question:
    """How a URL looks from elsewhere, and these addresses of its host; why and when that is asked."""

    url: Url
    addresses: tuple[str, ...] = ()
    purpose: Purpose = Purpose.FIRST
    round: int = 0
    hop: int = 0


class Control(Protocol):
    """Whoever can say how a URL looks from elsewhere."""

    async def ask(self, record: Record, question: Question) -> tuple[str, ...] | None:
        """Record what it sees; the addresses it found, or None when it does not work."""

"""The observations of one measurement while they are read.

Rules of this file: every step gets its index here, in the order read; times over there count from the
start of the measurement, ours from that of the run; framing and content coding are undone over there
already, so that a response gets a framing of our own; what has no place in our records is counted by name.
"""

from __future__ import annotations

from typing import NamedTuple

from blockwatch.model import Exchange, Observation
from blockwatch.ooni import fields
from blockwatch.ooni.fields import Object

_MAX_STEPS = 20_000
_MAX_NUMBER = 2**53
_FRAMING = frozenset({"transfer-encoding", "content-length"})


class Response(NamedTuple):
    """A response as recorded: framing and content coding undone."""

    url: str
    address: str
    started: int  # microseconds since the epoch
    protocol: str
    status: int
    headers: tuple[tuple[str, str], ...]
    told: str | bytes  # text where the record has text

    @property
    def body(self) -> bytes:
        """The body's bytes."""
        return self.told if isinstance(self.told, bytes) else self.told.encode()

    def exchange(self) -> Exchange:
        """It written anew, as the store keeps it."""
        return Exchange(
            url=self.url,
            address=self.address,
            started=self.started,
            request=b"",
            response=_response(self.status, self.headers, self.body),
            protocol=self.protocol,
        )


class Draft:
    """Steps, captured responses, and what was left out."""

    def __init__(self, origin: int, epoch: int) -> None:
        """``origin``: start of the measurement, microseconds since the run's, which began at ``epoch``."""
        self.origin, self.epoch = origin, epoch
        self.steps: list[Observation] = []
        self.responses: dict[int, Response] = {}
        self.left_out: dict[str, int] = {}
        self._flows = 0

    def leave_out(self, what: str) -> None:
        """Count something that our records have no place for."""
        if what in self.left_out or len(self.left_out) < 50:
            self.left_out[what] = self.left_out.get(what, 0) + 1

    def time(self, entry: Object) -> tuple[int, int]:
        """Start and duration of an entry; old data tells only when it ended."""
        end, start = fields.micros(entry.get("t")), fields.micros(entry.get("t0"))
        if start is None:
            start = end or 0
        return self.origin + start, end - start if end is not None and end > start else 0

    def add(self, step: Observation) -> int | None:
        """Add a step, whose index is the number of those before it; its index, or ``None``: no room."""
        if len(self.steps) >= _MAX_STEPS:
            self.leave_out("a step beyond the limit")
            return None
        self.steps.append(step)
        return step.i

    def flow(self, entry: Object) -> int | None:
        """The number of the connection an entry used, where the record tells it."""
        number = entry.get("transaction_id")
        return number if type(number) is int and 0 < number < _MAX_NUMBER else None

    def next_flow(self) -> int:
        """A number for a connection of a record that has none."""
        self._flows += 1
        return self._flows


def _response(status: int, headers: tuple[tuple[str, str], ...], body: bytes) -> bytes:
    """A response written anew: the framing is ours, for the body was taken out of its own."""
    lines = [f"HTTP/1.1 {status} "]
    lines += [f"{name}: {value}" for name, value in headers if name.strip().lower() not in _FRAMING]
    lines.append(f"Content-Length: {len(body)}")
    head = "\r\n".join(line.replace("\r", " ").replace("\n", " ") for line in lines)
    return head.encode("latin-1", "replace") + b"\r\n\r\n" + body

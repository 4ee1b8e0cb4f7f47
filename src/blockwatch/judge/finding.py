"""What a rule says: something decisive (a finding), or something to remember (a note)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from blockwatch.verdict import Grade, State

MAX_WITNESSES = 12


@dataclass(frozen=True, slots=True)
class Note:
    """A fact that decides nothing but belongs beside the verdict."""

    text: str
    witnesses: tuple[str, ...] = ()
    partial: bool = False  # it is about some addresses of the site only


@dataclass(frozen=True, slots=True)
class Finding:
    """A decisive fact; the first one of a stage wins."""

    state: State
    text: str
    witnesses: tuple[str, ...] = ()
    grade: Grade | None = None
    mechanism: str | None = None
    failed_step: str | None = None
    partial: bool = False
    firm: bool = True  # false: of a kind that repetition does not make stronger
    proven: bool = False  # an artefact shows that somebody interfered; no accident looks like it
    everybody: bool = False  # the line does so to every name: nothing found at this step is the site's
    fitful: bool = False  # it comes and goes: that it works once says nothing against it
    unseen: frozenset[str] = frozenset()  # layers of mechanisms of which this measurement tells nothing


def refs(*groups: Iterable[str]) -> tuple[str, ...]:
    """Witnesses of several facts: in order, each once, at most twelve."""
    return tuple(dict.fromkeys(ref for group in groups for ref in group))[:MAX_WITNESSES]


def blocked(
    mechanism: str, grade: Grade, text: str, witnesses: tuple[str, ...], *, proven: bool = False
) -> Finding:
    """A finding of interference; the failed step is the mechanism's layer."""
    layer = mechanism.partition(".")[0]
    step = layer if layer in ("dns", "tcp", "tls", "http") else "http"
    return Finding(State.BLOCKED, text, witnesses, grade, mechanism, step, proven=proven)


def sign(mechanism: str, text: str, witnesses: tuple[str, ...]) -> Finding:
    """A finding of interference that stays a sign however often it is seen."""
    return replace(blocked(mechanism, Grade.SIGNS, text, witnesses), firm=False)


def down(step: str, text: str, witnesses: tuple[str, ...], mechanism: str | None = None) -> Finding:
    """The site fails for everybody."""
    return Finding(State.DOWN, text, witnesses, failed_step=step, mechanism=mechanism)


def unclear(text: str, witnesses: tuple[str, ...] = (), step: str | None = None) -> Finding:
    """Nothing may be concluded."""
    return Finding(State.INCONCLUSIVE, text, witnesses, failed_step=step)


def ok(text: str, witnesses: tuple[str, ...] = ()) -> Finding:
    """The site was reached."""
    return Finding(State.OK, text, witnesses)


def refused(text: str, witnesses: tuple[str, ...] = ()) -> Finding:
    """The server was reached and refuses."""
    return Finding(State.REFUSED, text, witnesses, failed_step="http")

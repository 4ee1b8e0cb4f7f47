"""What the evidence means, in the words that users, tables and reports share."""

from __future__ import annotations

from enum import StrEnum

from blockwatch.model import Noun


class State(StrEnum):
    """What can be said of a target from one vantage at one time."""

    OK = "ok"
    BLOCKED = "blocked"
    DOWN = "down"  # for everybody
    REFUSED = "refused"  # the server refuses: 403, 451, a challenge page
    INCONCLUSIVE = "inconclusive"


class Grade(StrEnum):
    """How sure a ``blocked`` is."""

    SIGNS = "signs"
    STRONG = "strong"  # control fine, repeated, same step
    CONFIRMED = "confirmed"  # an artefact that settles it


class Reason(Noun, frozen=True, kw_only=True):
    """One fact a verdict rests on."""

    rule: str  # permanent id of the rule that says so
    text: str  # one plain sentence, no trailing full stop
    witnesses: tuple[str, ...] = ()  # "<measurement id>#<observation index>"


class Verdict(Noun, frozen=True, kw_only=True):
    """The judgement of one measurement, or (``final``) of a target in a run."""

    id: str  # of the measurement (for a final one: of the last)
    target: str
    url: str
    probe: str
    asn: int | None
    started: int  # microseconds since the epoch
    state: State
    grade: Grade | None = None  # blocked only
    mechanism: str | None = None  # "layer.action[.qualifier]": "tls.timeout.sni"
    failed_step: str | None = None  # "dns", "tcp", "tls", "http" or null
    partial: bool = False  # only some addresses of the site are blocked
    why: tuple[Reason, ...] = ()
    ruleset: str = ""
    final: bool = False

"""The control rules: what a control vantage's run adds, and how far it may be trusted over time.

Rules of this file:

* never against a test helper: these rules are asked only where none answered;
* what was reached without the control vantage was reached; it may settle what was open and add to what was
  found, and clears a finding only by a page or a failure of its own;
* the distance in time is told, in every verdict that a control vantage had a part in.
"""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge.beside import PAGE, Match, Seen
from blockwatch.judge.finding import Finding, Note, refs
from blockwatch.verdict import Grade, State

_ORDER = (None, Grade.SIGNS, Grade.STRONG, Grade.CONFIRMED)


def vantage_told(matched: Match, plain: Finding, lent: Finding | None) -> Note:
    """A control vantage measured the same URL at about the same time."""
    where = matched.seen[0].vantage
    network = f"AS{where.asn}" if where.asn is not None else "a network not known"
    place = f"{network}, {where.country or 'country not known'}"
    sides = [f"{_what(seen)} {_apart(seen.at - matched.at)} ({seen.id})" for seen in matched.seen]
    text = f"Control vantage ({place}): {', '.join(sides)}"
    if matched.control is None:
        text += "; nothing follows from it"
    return Note(text, refs(*(refs_ for seen in matched.seen for refs_, _ in seen.hops.values())))


def too_far_apart(matched: Match, plain: Finding, lent: Finding | None) -> Finding | None:
    """The control was made at another time, on one side only: what rests on it is a sign at most."""
    if lent is None or matched.firm or lent.state is not State.BLOCKED:
        return None
    if lent.grade is Grade.SIGNS or rank(plain) >= rank(lent):
        return None
    text = f"{lent.text}. The control is not of the same time"
    return replace(lent, grade=plain.grade or Grade.SIGNS, text=text, firm=False, proven=False)


def rank(finding: Finding | None) -> int:
    """How much a finding accuses, from 0."""
    return _ORDER.index(finding.grade if finding is not None else None)


def _what(seen: Seen) -> str:
    if seen.outcome == PAGE:
        return "it worked"
    return f"it failed ({seen.step or 'no page'})" + (
        ", for its control too," if seen.outcome == "down" else ""
    )


def _apart(us: int) -> str:
    minutes = abs(us) // 60_000_000
    hours, rest = divmod(minutes, 60)
    shown = f"{hours} h {rest} min" if hours else f"{minutes} min"
    return f"{shown} {'later' if us > 0 else 'before'}"

"""Weighing a target's measurements in a run: the first, and the one made again at the end.

Rules of this file:

* each measurement has been judged alone before it is weighed with the others;
* never ``blocked`` from a state that did not repeat, unless an artefact proves it; nor a grade that no
  single finding or their agreement carries;
* what a measurement does not show it does not refute: a page reached by another resolver's address says
  nothing of the line's resolver, one that came slowly nothing of its speed.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from blockwatch.judge.finding import Finding, refs, unclear
from blockwatch.judge.scene import Scene
from blockwatch.judge.transfers import LEAST
from blockwatch.verdict import Grade, State

LESS_SURELY = "; found at the beginning and, less surely, at the end of the run"
_REACHED = frozenset({State.OK, State.REFUSED})
_ORDER = (Grade.SIGNS, Grade.STRONG, Grade.CONFIRMED)


def unseen(every: Iterable[Scene]) -> frozenset[str]:
    """Of which layers of mechanisms a measurement that reached its site tells nothing: of lookups where the
    line's resolver gave no address, of speed where no page of any size came quickly.
    """
    found: set[str] = set()
    for scene in every:
        if scene.answers.system and not scene.answers.given:
            found.add("dns")
        large = [one for one in scene.transfers if one.moved >= LEAST or one.unfinished]
        if large and all(one.slow or one.stalled or one.unfinished for one in large):
            found |= {"throttle", "freeze"}
    return frozenset(found)


def passed_later(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """It was found blocked, and at the end of the run it worked or was down for everybody.

    A failure that did not last may have been an accident; an artefact that proves interference was none,
    and is told, as a sign.
    """
    before = [finding for finding in earlier if finding.state is State.BLOCKED]
    if not before or last.state not in (*_REACHED, State.DOWN):
        return None
    artefact = next((f for f in before if f.proven or f.grade is Grade.CONFIRMED), None)
    if artefact is not None and last.state is not State.DOWN:
        text = f"{artefact.text}; at the end of the run it worked, so it does not happen every time"
        witnesses = refs(artefact.witnesses[:8], last.witnesses)
        return replace(
            artefact, grade=Grade.SIGNS, text=text, witnesses=witnesses, firm=False, partial=last.partial
        )
    if last.state is State.DOWN:
        text = (
            f"Found {before[-1].mechanism} at first and {last.state} at the end of the run: it did not last"
        )
        return unclear(text, refs(before[-1].witnesses, last.witnesses), before[-1].failed_step)
    text = f"At first it failed ({before[-1].mechanism}), which did not last"
    return Finding(
        last.state,
        text,
        refs(last.witnesses, before[-1].witnesses),
        failed_step=last.failed_step,
        partial=last.partial,
    )


def worked_later(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """It was found blocked, and at the end of the run it worked or was down for everybody.

    Not where the last measurement does not refute it: that a site is down is no word against a name that
    failed alike at unrelated addresses, nor that it works against one that is cut off now and then.
    """
    before = [f for f in earlier if f.state is State.BLOCKED and not _untold(f, last)]
    if not before or last.state not in (*_REACHED, State.DOWN):
        return None
    if last.state is State.DOWN:
        shown = next((f for f in before if f.proven), None)
        if shown is None:
            return passed_later(before, last)
        text = f"{shown.text}; at the end of the run it failed for the control too"
        return _as_sign(shown, text, last)
    fitful = next((f for f in before if f.fitful), None)
    if fitful is not None and not any(f.proven or f.grade is Grade.CONFIRMED for f in before):
        return _as_sign(fitful, f"{fitful.text}; at the end of the run it worked", last)
    return passed_later(before, last)


def _as_sign(found: Finding, text: str, last: Finding) -> Finding:
    witnesses = refs(found.witnesses[:8], last.witnesses)
    return replace(found, grade=Grade.SIGNS, text=text, witnesses=witnesses, firm=False, partial=last.partial)


def _untold(finding: Finding, last: Finding) -> bool:
    """Whether the last measurement did not look where an earlier one found something."""
    return (finding.mechanism or "").partition(".")[0] in last.unseen


def everybodys(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """It was found blocked at the end, and earlier that the line does the same to every name."""
    said = next((finding for finding in earlier if finding.everybody), None)
    return said if said is not None and _alike(last, said) else None


def found_twice(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """It was found blocked, and again, at the same step, at the end of the run.

    A reset may come a little sooner or later, in the handshake or when the request was sent: both are one.
    """
    earlier = [
        replace(one, failed_step=last.failed_step) if _cut_alike(one, last) else one for one in earlier
    ]
    found = found_again(earlier, last)
    if found is None:
        return None
    if (found.mechanism or "").startswith("tls."):
        found = replace(found, failed_step="tls")
    best = max((finding for finding in earlier if finding.state is State.BLOCKED), key=_rank)
    if _rank(best) > _rank(last) and best.mechanism == last.mechanism:
        found = replace(found, text=f"{best.text}{LESS_SURELY}")
    both = [last, *(finding for finding in earlier if finding.state is State.BLOCKED)]
    shown = any(finding.proven or finding.grade is Grade.CONFIRMED for finding in both)
    limited = any(finding.grade is Grade.SIGNS and not finding.firm for finding in both)
    return replace(found, grade=Grade.SIGNS) if limited and not shown else found


def found_again(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """It was found blocked, and again, at the same step, at the end of the run."""
    before = [f for f in earlier if f.state is State.BLOCKED and f.failed_step == last.failed_step]
    if last.state is not State.BLOCKED or not before:
        return None
    best = max((last, before[-1]), key=lambda finding: (_rank(finding), finding is last))
    grade = best.grade
    if grade is Grade.SIGNS and last.firm and before[-1].firm and _layer(last) == _layer(before[-1]):
        grade = Grade.STRONG
    text = "Found so at the beginning and at the end of the run"
    if best.mechanism != last.mechanism:
        text = f"{best.text}; found at the beginning and, as {last.mechanism}, at the end of the run"
    witnesses = refs(last.witnesses[:6], before[-1].witnesses)
    return Finding(
        State.BLOCKED, text, witnesses, grade, best.mechanism, best.failed_step, best.partial or last.partial
    )


def only_earlier(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """The last measurement could not tell; an earlier one could.

    What the line does to every name was no block of this site earlier either.
    """
    told = [
        finding
        for finding in earlier
        if finding.state is not State.INCONCLUSIVE and not (last.everybody and _alike(finding, last))
    ]
    if last.state is not State.INCONCLUSIVE or not told:
        return None
    found = told[-1]
    text = f"{found.text}; the measurement at the end of the run could not tell"
    grade = Grade.SIGNS if found.grade is Grade.STRONG else found.grade
    return Finding(
        found.state, text, found.witnesses, grade, found.mechanism, found.failed_step, found.partial
    )


def not_refuted(earlier: Sequence[Finding], last: Finding) -> Finding | None:
    """The last measurement could not tell; an earlier one could.

    So it is where the site was reached in a way that passes by what had been found.
    """
    told = [finding for finding in earlier if finding.state is State.BLOCKED and _untold(finding, last)]
    if last.state not in _REACHED or not told:
        return only_earlier(earlier, last)
    text = f"{told[-1].text}; the measurement at the end of the run could not tell"
    return _as_sign(told[-1], text, last)


def _cut_alike(finding: Finding, last: Finding) -> bool:
    """Whether both were cut off by the name that the ClientHello shows, in the same way."""
    names = {finding.mechanism, last.mechanism}
    return any(names == {f"tls.{kind}.sni", f"http.{kind}.sni"} for kind in ("reset", "eof"))


def _alike(finding: Finding, line: Finding) -> bool:
    """Whether what the line does to every name explains a finding of the site."""
    found = finding.state is State.BLOCKED and finding.grade is not Grade.CONFIRMED
    return found and finding.failed_step == line.failed_step


def _rank(finding: Finding) -> int:
    return _ORDER.index(finding.grade) if finding.grade is not None else -1


def _layer(finding: Finding) -> str:
    return ".".join((finding.mechanism or "").split(".")[:2])

"""What would raise a verdict's grade, or settle what is open: advice, read off the evidence that is missing.

Rules of this file: each sentence names something a person can do or get; nothing is promised that the
rules do not grant.
"""

from __future__ import annotations

from blockwatch.judge.evidence import facts
from blockwatch.judge.finding import Finding
from blockwatch.judge.household import resolver_doubt
from blockwatch.judge.scene import Scene
from blockwatch.verdict import Grade, State, Verdict

_LAYERS = ("tcp", "tls", "http")
CONTROL = (
    "a control: a test helper (blockwatch run --helper URL), or a run made in another country at about "
    "the same time (blockwatch judge --control-run PATH)"
)
_BROKEN_LINE = "a measurement from the same network at a time when the line works"


def lift(verdict: Verdict, finding: Finding, scene: Scene | None, attempts: int) -> tuple[str, ...]:
    """Sentences without full stop, the most useful first; none for what needs no more."""
    decided = verdict.why[0].rule if verdict.why else ""
    if verdict.state is State.INCONCLUSIVE:
        return tuple(_open(decided, verdict, scene))
    if verdict.state is not State.BLOCKED or verdict.grade is Grade.CONFIRMED:
        return ()
    if verdict.grade is Grade.STRONG:
        return (
            "an artefact that settles it: a page, redirect or chain on record as a censor's, a false DNS "
            "answer beside a proven address, or a forged chain beside the site's own; more of the same does "
            "not",
        )
    return tuple(_signs(verdict, finding, scene, attempts))


def _open(decided: str, verdict: Verdict, scene: Scene | None) -> list[str]:
    if decided.startswith("line."):
        return [_BROKEN_LINE]
    if decided.startswith("void."):
        return ["a measurement that is whole: measure the target again"]
    wanted = []
    if scene is None or scene.control is None:
        wanted.append(CONTROL)
    if scene is not None and verdict.failed_step in ("tls", "http") and "rounds" not in facts(scene):
        wanted.append("two-name rounds: control targets in the list that work on this line")
    if _failures(verdict, scene) == 1:
        wanted.append("the failure seen again")
    if decided == "page.cleartext":
        wanted.append("a copy of the page over TLS from the site's own address")
    return wanted or ["another network, or another day: here nothing more can be told"]


def _signs(verdict: Verdict, finding: Finding, scene: Scene | None, attempts: int) -> list[str]:
    wanted = []
    if any(reason.rule == "control.apart" for reason in verdict.why):
        wanted.append("a control within ten minutes, or one before and one after")
    elif scene is not None and scene.control is None:
        wanted.append(CONTROL)
    if verdict.failed_step == "dns" and scene is not None and resolver_doubt(scene):
        wanted.append(
            "a run on this line that asks the provider's own resolver, not one of the house or of choice"
        )
    count = _failures(verdict, scene)
    if finding.firm and 0 < count < 3:
        wanted.append(f"three failures alike, in two rounds or more (seen here: {count})")
    if finding.firm and attempts < 2:
        wanted.append("the same finding again at the end of the run")
    if verdict.failed_step in ("tls", "http") and not (verdict.mechanism or "").endswith((".sni", ".host")):
        wanted.append("the name failing alike at an address that has nothing to do with the site")
    return wanted or ["a witness of another kind: what was seen proves no more, however often it is seen"]


def _failures(verdict: Verdict, scene: Scene | None) -> int:
    if scene is None or verdict.failed_step not in _LAYERS:
        return 0
    return len(scene.tries(verdict.failed_step).same)

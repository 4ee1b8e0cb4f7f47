"""Hold a run's verdicts against what the lab knows to be true."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from blockwatch.lab.world import Allowed, TargetTruth


@dataclass(frozen=True, kw_only=True)
class Checked:
    """One target: its truth, the verdict as ``blockwatch judge --json`` prints it, and whether they agree."""

    truth: TargetTruth
    verdict: Mapping[str, Any] | None
    right: bool


def agrees(allowed: Allowed, verdict: Mapping[str, Any]) -> bool:
    """Whether ``verdict`` is the allowed state, with an allowed mechanism prefix and grade."""
    mechanism = verdict.get("mechanism") or ""
    return (
        verdict["state"] == allowed.state
        and (not allowed.mechanisms or any(mechanism.startswith(prefix) for prefix in allowed.mechanisms))
        and (allowed.grades is None or verdict.get("grade") in allowed.grades)
    )


def check(truths: Iterable[TargetTruth], verdicts: Iterable[Mapping[str, Any]]) -> list[Checked]:
    """Compare every truth with the final verdict on its target; a missing verdict is wrong."""
    finals = {verdict["target"]: verdict for verdict in verdicts if verdict["final"]}
    checked = []
    for truth in truths:
        verdict = finals.get(truth.target)
        right = verdict is not None and any(agrees(allowed, verdict) for allowed in truth.truth)
        checked.append(Checked(truth=truth, verdict=verdict, right=right))
    return checked


def words(truth: TargetTruth) -> str:
    """The allowed verdicts in a few words: "blocked tls.timeout or down"."""
    return " or ".join(
        " ".join(filter(None, (allowed.state, "/".join(allowed.mechanisms)))) for allowed in truth.truth
    )

"""Answers that speak of blocking, and that the control gets as well: the site's own, or a censor's for both.

Rules of this file:

* a helper may stand behind the same censor, or be lied to: what it gets is no witness for a block page;
* a copy over TLS is; and so are unrelated addresses, asked for the name: if none gives it, it is the site's;
* where neither can be had nothing follows.
"""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge import proof
from blockwatch.judge.finding import Finding, refs, unclear
from blockwatch.judge.rules_known import told_both
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, redirect_of
from blockwatch.judge.whose import copy, middlebox
from blockwatch.verdict import Grade


def shown_to_both(scene: Scene, flow: Flow) -> Finding | None:
    """What such an answer proves; ``None``: it is the site's own, or nothing of the kind."""
    step = step_of(flow)
    if not told_both(scene, flow) or copy(scene, step) == "same":
        return None
    shown = proof.same_answer_elsewhere(scene, step)
    if shown.tried and not shown.same:
        return None
    kind = "redirect" if redirect_of(step) else "blockpage"
    text = "An unrelated address gives the same block page when asked for the name; the control gets it, too"
    found = middlebox(scene, step, shown, f"http.{kind}.host", text, doubt=True)
    if found is not None:
        return replace(found, grade=Grade.STRONG) if found.grade is Grade.CONFIRMED else found
    text = "The answer is a block page's, by its words or on record, and the control gets it, too"
    return unclear(text, refs(flow.witness("http"), scene.hop.control_refs), "http")

"""Whose answer came in cleartext: a middlebox's, if unrelated addresses give it to the site's name.

Rules of this file:

* an answer that unrelated addresses give to this name alone is not the site's;
* where a proxy on the path, or a farm of servers, answers every name everywhere, it may be the site's all the
  same: handed on from the site itself, or what a gateway says that cannot reach it;
* a copy over TLS, from the site's own address, is the site's word.
"""

from __future__ import annotations

from blockwatch.judge import pages, proof
from blockwatch.judge.finding import Finding, blocked, refs, sign
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import redirect_of
from blockwatch.model import HttpStep, Purpose
from blockwatch.verdict import Grade


def middlebox(
    scene: Scene,
    step: HttpStep,
    shown: proof.Elsewhere,
    mechanism: str,
    text: str,
    *,
    doubt: bool,
    kin: bool = False,
) -> Finding | None:
    """An unrelated address gives this very answer to the site's name.

    Where such addresses give every name a page of its own (a proxy on the path, a farm of servers), only one
    was heard (it may be of the same farm) or the page is of the control's make (``kin``), it may yet be the
    site's: then it counts only if it came before the site can have sent it, or, as a sign, if something else
    speaks against it (no ``doubt``).
    """
    if not shown.same:
        return None
    repeats = [f for f in scene.hop.own if f.responded and pages.alike(step_of(f), step)]
    witnesses = refs(*(f.witness("http") for f in repeats[:4]), shown.same, scene.hop.control_refs)
    places = {flow.address for flow in shown.flows}
    if not shown.by_name and ((len(places) >= 2 and not kin) or scene.ruleset == 1):
        grade = Grade.CONFIRMED if len(shown.same) >= 2 and scene.control_ok else Grade.STRONG
        return blocked(mechanism, grade, text, witnesses, proven=True)
    flows = [*repeats, *shown.flows]
    early = sum(scene.too_early(flow, "http") for flow in flows)
    if early >= 3 and early * 3 >= len(flows) * 2:
        text += ", sooner than a server can answer"
        return blocked(mechanism, Grade.STRONG, text, witnesses, proven=True)
    if doubt or len(repeats) < 2 or (step.body_length or 0) > pages.SMALL:
        return None
    return sign(mechanism, text, witnesses)


def copy(scene: Scene, step: HttpStep) -> str:
    """What a copy of the page over TLS, from the site's own address, says: same, different or none."""
    for flow in scene.hop.by(Purpose.VALIDATE):
        if not (flow.valid and flow.responded) or flow.http is None:
            continue
        ours, theirs = redirect_of(step), redirect_of(flow.http)
        if pages.alike(flow.http, step) or (
            ours and theirs and same_owner(parts(ours).host, parts(theirs).host)
        ):
            return "same"
        if step.title and flow.http.title == step.title and flow.http.status == step.status:
            return "same"
        return "different"
    return "none"

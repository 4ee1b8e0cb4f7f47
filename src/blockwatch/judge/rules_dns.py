"""The DNS rules: does the line's resolver tell the truth about this name?

Rules of this file:

* each function reads one :class:`Scene` and says something decisive, something to remember, or nothing;
* no address is called false without a witness that knows better, and no silence is called blocking
  while the resolver may be dead or the name may be gone.
"""

from __future__ import annotations

from blockwatch.judge import outcomes
from blockwatch.judge.addresses import bogon
from blockwatch.judge.finding import Finding, Note, down, refs, sign, unclear
from blockwatch.judge.negative import denies_made_up
from blockwatch.judge.outcomes import OK
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Lookup


def gone(scene: Scene) -> Finding | None:
    """No resolver finds the name, ours or theirs."""
    answers = scene.answers
    if answers.given or not answers.system or answers.elsewhere:
        return None
    if answers.fails_for_control:
        return down(
            "dns", "The name resolves for nobody, not for the control either", _both(scene, answers.system)
        )
    if scene.control is None and answers.firm_nxdomain:
        text = "The line's resolver and an encrypted one both say that the name does not exist"
        return down("dns", text, refs(of(answers.system), of(answers.firm)))
    return None


def ghost(scene: Scene) -> Finding | None:
    """The name is gone for the control, but here it has an address."""
    answers = scene.answers
    believable = answers.control_given | answers.firm_given | answers.control_proven
    if not answers.given or believable or scene.reached_validly:
        return None
    if not (answers.gone_for_control or (scene.control is None and answers.firm_nxdomain)):
        return None
    made_up = [lookup for lookup in answers.udp if set(lookup.step.addresses) & answers.given]
    wild = scene.ruleset > 1 and not denies_made_up(scene)
    if made_up and (answers.doubled or (answers.firm_nxdomain and not wild)):
        text = "Every UDP resolver gives an address for a name that does not exist any more"
        witnesses = refs(of(answers.system), of(made_up), of(answers.firm), scene.hop.control_refs)
        return sign("dns.injection", text, witnesses)
    text = "The name does not exist for the control; the line's resolver answers all the same"
    return down("dns", text, _both(scene, answers.system), "dns.nxdomain")


def zone_says_so(scene: Scene) -> Finding | None:
    """The zone itself points nowhere, for everybody."""
    answers = scene.answers
    if not answers.given or any(bogon(address) is None for address in answers.given) or answers.elsewhere:
        return None
    if scene.reached is not None or any(flow.responded for flow in scene.hop.own):
        return None  # a site of this network alone, or somebody else at that address: the page tells
    told = answers.control_given | answers.firm_given
    if told & answers.given or (scene.control is not None and answers.gone_for_control):
        return down("dns", "The name leads nowhere for everybody", _both(scene, answers.system))
    return None


def resolver_dead(scene: Scene) -> Finding | Note | None:
    """The line's resolver answers no name at all."""
    answers = scene.answers
    if answers.given or not answers.system or answers.alive() is not False:
        return None
    witnesses = refs(of(answers.system), of(scene.hop.name_controls))
    text = "The line's resolver answers no name at all, control names neither"
    if scene.ruleset > 1 and scene.peers.found - {scene.hop.host}:
        text = "The line's resolver answers hardly any name"
    if any(scene.tries(layer).passed or scene.tries(layer).failed for layer in ("tls", "http")):
        return Note(text, witnesses)
    return unclear(text, witnesses, "dns")


def only_ipv6(scene: Scene) -> Finding | None:
    """The site has IPv6 addresses only and the line has no IPv6."""
    answers = scene.answers
    dialled = scene.usable
    if answers.given and any(":" not in address for address in answers.given):
        return None
    if (
        dialled
        or not answers.only_v6
        or (answers.system and answers.how not in (outcomes.EMPTY, outcomes.NXDOMAIN, OK))
    ):
        return None
    text = "The site has IPv6 addresses only, and this line has no IPv6"
    return unclear(text, _both(scene, answers.system), "tcp")


def of(lookups: list[Lookup]) -> tuple[str, ...]:
    """Where these lookups are written."""
    return tuple(lookup.ref for lookup in lookups)


def _both(scene: Scene, lookups: list[Lookup]) -> tuple[str, ...]:
    return refs(of(lookups), scene.hop.control_refs)

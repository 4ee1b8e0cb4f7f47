"""Rules of ruleset 1 about names that a later ruleset weighs otherwise, as they were.

Rules of this file: nothing here is ever changed, nor used by anything but the rows of ruleset 1.
"""

from __future__ import annotations

from blockwatch.judge import outcomes
from blockwatch.judge.addresses import bogon
from blockwatch.judge.finding import Finding, blocked, down, refs, sign, unclear
from blockwatch.judge.fingerprints import VAGUE
from blockwatch.judge.outcomes import OK
from blockwatch.judge.rules_dns import of
from blockwatch.judge.rules_known import said
from blockwatch.judge.scene import Scene
from blockwatch.verdict import Grade

_REPEATED = 3
_TOLD = frozenset({"nxdomain", "empty"})
_NAMED = frozenset({"nxdomain", "empty", "refused", "servfail", "timeout"})


def zone_says_so(scene: Scene) -> Finding | None:
    """The zone itself points nowhere, for everybody."""
    answers = scene.answers
    if not answers.given or any(bogon(address) is None for address in answers.given) or answers.elsewhere:
        return None
    told = answers.control_given | answers.firm_given
    if told & answers.given or (scene.control is not None and answers.gone_for_control):
        return down(
            "dns", "The name leads nowhere for everybody", refs(of(answers.system), scene.hop.control_refs)
        )
    return None


def address_known(scene: Scene) -> Finding | None:
    """The line's resolver gives an address on record as a censor's, and nobody believable gives it too."""
    answers = scene.answers
    if not answers.given or answers.given & answers.good:
        return None
    named = {address: scene.on_record.pack.address(address) for address in sorted(answers.given)}
    hits = [known for known in named.values() if known is not None]
    if not hits or len(hits) < len(named):
        return None
    best = max(hits, key=lambda known: (known.settles, known.confidence))
    witnesses = refs((lookup.ref for lookup in answers.system), scene.hop.control_refs)
    shown = f"{', '.join(list(named)[:2])}, on record as {said(scene, best)}"
    if best.settles:
        text = f"The line's resolver gives a censor's address: {shown}"
        mechanism = "dns.injection" if answers.injected else "dns.redirect"
        return blocked(mechanism, Grade.CONFIRMED, text, witnesses)
    if not answers.elsewhere:
        return None
    mechanism = "dns.bogon" if best.scope == VAGUE else "dns.redirect"
    return sign(mechanism, f"The line's resolver gives {shown}; others give other addresses", witnesses)


def lookup_fails(scene: Scene) -> Finding | None:
    """The line's resolver does not find a name that others find."""
    answers = scene.answers
    if answers.given or not answers.system or not answers.elsewhere or answers.alive() is False:
        return None
    failed = [lookup for lookup in (*answers.system, *answers.line) if lookup.end != outcomes.SKIPPED]
    if any(lookup.end == OK for lookup in answers.line):
        return unclear(
            "The system's resolver failed, but asked again by ourselves it answers", of(failed), "dns"
        )
    if any(lookup.end == outcomes.LOCAL for lookup in failed):
        return unclear("A lookup was refused by this machine itself", of(failed), "dns")
    told = scene.once and answers.how in _TOLD  # a denial is an answer, and no accident
    if len(failed) < 2 and not told:
        return unclear("One lookup failed and was not repeated", of(failed), "dns")
    how = answers.how
    if answers.alive() is None and how not in (outcomes.NXDOMAIN, outcomes.EMPTY):
        text = f"The line's resolver does not answer ({how}), and no other name shows whether it lives"
        return unclear(text, of(failed), "dns")
    mechanism = f"dns.{how}" if how in _NAMED else "dns.servfail"
    if answers.injected and how != outcomes.TIMEOUT:
        mechanism = "dns.injection"
    sure = answers.alive() is True and bool(answers.proven or answers.control_proven or scene.control_ok)
    grade = Grade.STRONG if sure and len(failed) >= _REPEATED else Grade.SIGNS
    text = (
        f"The line's resolver answers other names, not this one ({how}, {len(failed)} times); others find it"
    )
    if answers.alive() is None:
        text = f"The line's resolver does not find this name ({how}, {len(failed)} times); others do"
    witnesses = refs(of(failed), answers.injected, scene.hop.control_refs)
    return blocked(mechanism, grade, text, witnesses, proven=len(answers.doubled) >= 2)

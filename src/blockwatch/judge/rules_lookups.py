"""The lookup rules: names that the line's resolver does not find, and answers made up on the path.

Rules of this file:

* no failed lookup is called blocking while the resolver may be dead, the name may be gone, or the
  failure was not repeated; nor where an encrypted resolver fails alike;
* a resolver that fails or refuses says nothing of the name: a sign;
* contradicting replies to one query have two senders; other addresses alone mean nothing.
"""

from __future__ import annotations

from blockwatch.judge import outcomes
from blockwatch.judge.answers import Answers
from blockwatch.judge.finding import Finding, Note, blocked, down, refs, sign, unclear
from blockwatch.judge.household import ECHO, resolver_doubt
from blockwatch.judge.negative import denial_doubt
from blockwatch.judge.outcomes import OK
from blockwatch.judge.rules_dns import of
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Lookup
from blockwatch.verdict import Grade

_REPEATED = 3  # lookups that must fail alike before it is more than a sign
_FINDERS = 2  # witnesses that must find a name before its denial is more than a sign
_TOLD = frozenset({outcomes.NXDOMAIN, outcomes.EMPTY})
_UNSAID = frozenset({outcomes.TIMEOUT, outcomes.SERVFAIL, outcomes.EMPTY})
_NAMED = frozenset({"nxdomain", "empty", "refused", "servfail", "timeout"})


def lookup_fails(scene: Scene) -> Finding | None:
    """The line's resolver does not find a name that others find."""
    answers = scene.answers
    if answers.given or not answers.system or not answers.elsewhere or answers.alive() is False:
        return None
    failed = [lookup for lookup in (*answers.system, *answers.line) if lookup.end != outcomes.SKIPPED]
    doubt = _doubted(scene, failed)
    if doubt is not None:
        return doubt
    how = answers.how
    injected = bool(answers.injected) and how != outcomes.TIMEOUT
    mechanism = "dns.injection" if injected else f"dns.{how}" if how in _NAMED else "dns.servfail"
    text = (
        f"The line's resolver answers other names, not this one ({how}, {len(failed)} times); others find it"
    )
    if answers.alive() is None:
        text = f"The line's resolver does not find this name ({how}, {len(failed)} times); others do"
    witnesses = refs(of(failed), answers.injected, scene.hop.control_refs)
    reserved = _reserved(scene, injected)
    if reserved:
        return sign(mechanism, f"{text}. {reserved}", witnesses)
    sure = answers.alive() is True and bool(answers.proven or answers.control_proven or scene.control_ok)
    grade = Grade.STRONG if sure and len(failed) >= _REPEATED else Grade.SIGNS
    return blocked(mechanism, grade, text, witnesses, proven=len(answers.doubled) >= 2)


def _doubted(scene: Scene, failed: list[Lookup]) -> Finding | None:
    """What forbids to conclude anything from failed lookups."""
    answers, how = scene.answers, scene.answers.how
    if any(lookup.end == OK for lookup in answers.line):
        return unclear(
            "The system's resolver failed, but asked again by ourselves it answers", of(failed), "dns"
        )
    if answers.cut and how in _UNSAID:
        text = "The answer only fits TCP, and the line's resolver was not to be asked over it"
        return unclear(text, of([*failed, *answers.cut]), "dns")
    if any(lookup.end == outcomes.LOCAL for lookup in failed):
        return unclear("A lookup was refused by this machine itself", of(failed), "dns")
    told = scene.once and how in _TOLD  # a denial is an answer, and no accident
    if len(failed) < 2 and not told:
        return unclear("One lookup failed and was not repeated", of(failed), "dns")
    if answers.alive() is None and how not in _TOLD:
        text = f"The line's resolver does not answer ({how}), and no other name shows whether it lives"
        return unclear(text, of(failed), "dns")
    made_up = [x for x in scene.hop.made_up if x.end != outcomes.SKIPPED]
    if how not in _TOLD and made_up and all(x.end not in (OK, *_TOLD) for x in made_up):
        text = f"The line's resolver does not answer ({how}), nor for a name that it cannot remember"
        return unclear(text, refs(of(failed)[:6], of(made_up)), "dns")
    agreeing = _agreeing(answers)
    if agreeing and not answers.doubled:
        text = (
            "An encrypted resolver does not find the name either, and others do: they contradict each other"
        )
        return unclear(text, refs(of(failed)[:6], of(agreeing), scene.hop.control_refs), "dns")
    return None


def _agreeing(answers: Answers) -> list[Lookup]:
    """Firm lookups that fail as the line's do, where none gives an address."""
    if answers.firm_given:
        return []
    alike = _TOLD if answers.how in _TOLD else _TOLD | {outcomes.SERVFAIL, outcomes.REFUSED}
    return [lookup for lookup in answers.firm if lookup.end in alike]


def _reserved(scene: Scene, injected: bool) -> str:
    """What else would look the same: why failed lookups are a sign and no more. Empty: nothing would."""
    answers = scene.answers
    if scene.once:
        return "It was asked once only"
    if _agreeing(answers):
        return "An encrypted resolver does not find it either"
    if answers.doubled:
        return ""
    if not injected and answers.how not in _TOLD:
        return "A zone whose own servers fail or refuse this resolver alone would look the same"
    if not injected:
        doubt = resolver_doubt(scene) or (ECHO if answers.public.echo else denial_doubt(scene))
        if doubt:
            return doubt
    finding = {lookup.step.resolver for lookup in (*answers.firm, *answers.udp) if lookup.step.addresses}
    told = len(finding) + bool(answers.control_given or scene.control_ok)
    return "" if told >= _FINDERS else "Only one witness finds it, which may remember a name that is gone"


def lookup_fails_alone(scene: Scene) -> Finding | None:
    """The name was not found and nobody can say whether it exists."""
    answers = scene.answers
    if answers.given or not answers.system or scene.usable:
        return None
    if scene.followed is False:
        return down(
            "dns", "The name was not found; the control was led to no page either", of(answers.system)
        )
    return unclear(
        "The name was not found here, and no control says whether it exists", of(answers.system), "dns"
    )


def injection_seen(scene: Scene) -> Finding | Note | None:
    """Answers are made up on the path, and the line's own resolver is fooled at times or not at all."""
    answers = scene.answers
    if not answers.doubled or not answers.given & answers.good:
        return None
    fooled = answers.fooled
    if fooled and len(answers.doubled) >= 2:
        text = "Answers for this name are made up on the path; now and then the true one comes first"
        witnesses = refs(of(fooled), answers.doubled, scene.hop.control_refs)
        return blocked("dns.injection", Grade.STRONG, text, witnesses, proven=True)
    return Note("Another resolver's answers for this name are made up on the path", answers.doubled)


def addresses_differ(scene: Scene) -> Note | None:
    """The resolver's addresses are its own: normal for sites that answer by place."""
    answers = scene.answers
    if not answers.given or not answers.good or answers.given & answers.good:
        return None
    return Note(
        "The line's resolver gives other addresses than the control; that alone means nothing",
        of(answers.system),
    )

"""The vantage rules: what makes every finding of a measurement void.

Rules of this file:

* what fails on the volunteer's own line is never a finding about a site;
* a page over a chain valid for its name was surely reached, whatever the line checks say: these rules
  are asked only about findings that are not ``ok`` or ``refused``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from blockwatch.judge import outcomes
from blockwatch.judge.answers import SYSTEM
from blockwatch.judge.case import Case
from blockwatch.judge.finding import Finding, refs, unclear
from blockwatch.judge.names import owner
from blockwatch.judge.pages import alike
from blockwatch.judge.sight import Sight
from blockwatch.model import Purpose, TlsStep
from blockwatch.verdict import Grade, State

_DAY_US = 86_400_000_000
_GRACE_US = 2_000_000
_MANY = 3  # owners of names before "every name" is spoken of
_PAGES = frozenset({"http.blockpage", "http.blockpage.host", "http.redirect", "http.redirect.host"})


def own_fault(case: Case, sight: Sight) -> Finding | None:
    """A fault of ours ended the measurement."""
    measurement = case.measurements[-1]
    return None if measurement.valid else unclear("A fault of our own ended this measurement")


def target_expired(case: Case, sight: Sight) -> Finding | None:
    """Nobody has confirmed for long that this address is still the target's."""
    if not case.target.expires:
        return None
    try:
        last = date.fromisoformat(case.target.expires)
        made = (
            datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=case.measurements[-1].started)
        ).date()
    except (ValueError, OverflowError):
        return None
    return unclear(f"The target's entry is unconfirmed since {last}") if made > last else None


def nothing_made(case: Case, sight: Sight) -> Finding | None:
    """The measurement holds no step at all."""
    if any(not step.skipped for step in case.measurements[-1].observations):
        return None
    return unclear("No step of this measurement was made")


def portal(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """A captive portal answers for everybody."""
    seen = [check for check in case.peers.checks if check.kind == "portal" and check.ok is False]
    if not seen or _something_worked(case):
        return None
    return unclear(f"The line is behind a captive portal: {seen[0].detail}", step=finding.failed_step)


def offline(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """Nothing at all worked in the run: the line may be down."""
    if _something_worked(case):
        return None
    bad = next(
        (check for check in case.peers.checks if check.kind == "connectivity" and check.ok is False), None
    )
    if bad is None and finding.state is State.INCONCLUSIVE:
        return None
    text = "Nothing in the run surely worked, so the line itself may be down"
    return unclear(text + (f": {bad.detail}" if bad is not None else ""), step=finding.failed_step)


def dropped(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """While this measurement failed, nothing else in the run worked either."""
    silent = [
        step
        for step in case.measurements[-1].observations
        if not step.skipped
        and step.failure is not None
        and outcomes.of_failure(step.failure) == outcomes.TIMEOUT
    ]
    if not silent or (case.ruleset > 1 and not _of_silence(finding)):
        return None
    begin, end = min(s.t for s in silent), max(s.t + s.us for s in silent) + _GRACE_US
    own = sum(begin <= step.t <= end for step in case.measurements[-1].observations)
    if case.peers.worked_between(begin, end) or case.peers.tried_between(begin, end) < own + 4:
        return None
    witness = tuple(f"{case.measurements[-1].id}#{s.i}" for s in silent[:3])
    return unclear(
        "While it failed nothing else in the run worked either: the line was down",
        witness,
        finding.failed_step,
    )


def _of_silence(finding: Finding) -> bool:
    """Whether a finding may rest on silence: a page, a reset or an answer came over a line that was up."""
    return finding.state is not State.BLOCKED or (finding.mechanism or "").partition(".")[2][:7] == "timeout"


def cleartext_seized(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """The line answers everybody's cleartext itself: an unpaid bill, a login, not a block of this site."""
    if finding.state is not State.BLOCKED or finding.grade is Grade.CONFIRMED:
        return None
    if finding.mechanism not in _PAGES:
        return None
    for hop in sight.hops:
        shown = hop.response is not None and set(hop.response.witness("http")) & set(finding.witnesses)
        page = hop.response.http if hop.response is not None and shown else None
        asked = [flow for flow in hop.by(Purpose.HOST_CONTROL_ON_CONTROL) if flow.responded]
        if page is None or hop.secure or len({flow.address for flow in asked}) < 2:
            continue
        if all(flow.http is not None and alike(flow.http, page) for flow in asked):
            text = "Control names at their own addresses get this answer too: the line answers all cleartext"
            seen = refs(*(flow.witness("http") for flow in asked))
            return replace(unclear(text, seen, finding.failed_step), everybody=True)
    return None


def names_seized(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """The line's resolver leads every name to one place: an unpaid bill, a login, not this site's block.

    That may begin at any moment of a run, so two control names that are led there in the same measurement
    show it; where fewer were asked, the names of the whole run must.
    """
    if finding.state is not State.BLOCKED or not (finding.mechanism or "").startswith("dns."):
        return None
    for hop in sight.hops:
        given = [lookup for lookup in hop.lookups if lookup.step.resolver == SYSTEM and lookup.step.addresses]
        places = {address for lookup in given for address in lookup.step.addresses}
        led = [lookup for lookup in hop.name_controls if set(lookup.step.addresses) & places]
        owners = {owner(lookup.step.name) for lookup in led}
        if led and (len(owners) > 1 or _all_led_to(case, places)):
            text = "The line's resolver leads control names, too, to the same place: it does so to every name"
            return replace(unclear(text, refs(x.ref for x in (*given, *led)), "dns"), everybody=True)
    return None


def _all_led_to(case: Case, places: set[str]) -> bool:
    """Whether each name of the run, of several owners, was once led to one of these addresses."""
    owners = {owner(name) for name in case.peers.answered.get(SYSTEM, ())}
    shared = set().union(*(case.peers.shared.get(address, ()) for address in places))
    return len(owners) >= _MANY and owners <= shared


def clock_off(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """Certificates are judged by a clock that is days off."""
    offset = case.open.clock_offset_us
    if offset is None or abs(offset) < _DAY_US or finding.failed_step != "tls":
        return None
    for step in case.measurements[-1].observations:
        if isinstance(step, TlsStep) and step.trust == "ssl_invalid_certificate":
            return unclear("This machine's clock is days off, so certificate dates say nothing", step="tls")
    return None


def cut_short(case: Case, sight: Sight, finding: Finding) -> Finding | None:
    """The measurement was stopped before it could tell, or before all was asked that might exculpate."""
    stopped = case.measurements[-1].stopped
    if stopped and finding.state is State.BLOCKED and case.ruleset > 1:
        text = f"{finding.text}; the measurement was stopped ({stopped}) before all was asked"
        if finding.grade is Grade.SIGNS:
            return unclear(text, finding.witnesses, finding.failed_step)
        return replace(finding, grade=Grade.SIGNS, text=text, firm=False)
    if not stopped or finding.state is not State.DOWN:
        return None
    return unclear(
        f"The measurement was stopped ({stopped}) before it could tell",
        finding.witnesses,
        finding.failed_step,
    )


def _something_worked(case: Case) -> bool:
    """Whether anything in the run surely worked: a valid chain or a helper's answer."""
    return bool(case.peers.successes)

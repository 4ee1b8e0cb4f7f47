"""What is odd about a hop, before anything has been concluded: the reason to look closer.

Rules of this file:

* a clean site has no trouble, and one that is down for the control as well has none worth a look;
* trouble is named by the step it lies at; each kind buys its own follow-ups.
"""

from __future__ import annotations

from collections.abc import Collection
from enum import StrEnum

from blockwatch.judge import pages, rules_known
from blockwatch.judge.addresses import bogon, is_address, is_v6
from blockwatch.judge.certs import state_root
from blockwatch.judge.chains import chain_of
from blockwatch.judge.errand import shook
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.negative import ghostly
from blockwatch.judge.outcomes import EOF, LOCAL, OK, RESET, TIMEOUT, TRUST, of_failure
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import CALM, FAR, REDIRECTS, redirect_of
from blockwatch.judge.speed import worth_comparing
from blockwatch.judge.tries import Tries
from blockwatch.model import Endpoint

_BROKEN = (RESET, EOF, TIMEOUT)


class Trouble(StrEnum):
    """Kinds of trouble."""

    DNS = "dns"
    TCP = "tcp"
    TLS = "tls"
    HTTP = "http"
    SLOW = "slow"
    REDIRECT = "redirect"
    PAGE = "page"  # differs from the control's
    UNWITNESSED = "unwitnessed"  # a cleartext page with nothing to compare it with


def of(scene: Scene) -> tuple[Trouble, ...]:
    """Every trouble of one hop; the first is the earliest step's."""
    found: list[Trouble] = []
    if not is_address(scene.hop.host) and _dns(scene):
        found.append(Trouble.DNS)
    layer = _failing(scene)
    if layer is not None:
        found.append(layer)
        return tuple(found)
    if _some_connections(scene):
        found.append(Trouble.TCP)
    if _slow(scene):
        found.append(Trouble.SLOW)
    page = _page(scene) if not scene.hop.secure else None
    if page is not None:
        found.append(page)
    return tuple(found)


def _dns(scene: Scene) -> bool:
    answers = scene.answers
    if not answers.system:
        return False
    if not answers.given:
        nobody = answers.fails_for_control or (scene.control is None and answers.firm_nxdomain)
        return not (nobody and not answers.elsewhere)
    if answers.given & answers.good:
        return bool(answers.contradicted)
    if ghostly(scene):
        return True
    if answers.good:
        return not _page_agrees(scene)
    if any(bogon(address) is not None for address in answers.given):
        return True
    if answers.late - answers.given:
        return True  # the true answer may come behind a false one
    others = answers.elsewhere
    return bool(others) and not answers.given & others


def _page_agrees(scene: Scene) -> bool:
    """Whether the page from the resolver's address is the control's: then it needs no other proof."""
    flow = scene.response
    if flow is None or flow.address not in scene.answers.given:
        return False
    return pages.agrees(step_of(flow), scene.control) == "same"


def _failing(scene: Scene) -> Trouble | None:
    """The step at which all usable flows failed, unless the control failed there alike."""
    for layer, trouble in (("tcp", Trouble.TCP), ("tls", Trouble.TLS), ("http", Trouble.HTTP)):
        tries = scene.tries(layer)
        if not tries.failed:
            if tries.passed and _fails_far(scene, layer, _BROKEN) >= 2:
                return trouble  # a censor that missed the first one, perhaps
            continue
        if tries.passed and layer == "tcp":
            continue  # what goes on over the others counts
        if tries.passed:
            often = len(tries.failed) >= 2 and tries.rounds >= 2
            if often or _fails_far(scene, layer, (tries.kind,)) or at_some(scene, tries):
                return trouble  # now and then: a flaky censor, or a flaky server
            continue
        if tries.kind == LOCAL or any(
            flow.http is not None and flow.http.status in REDIRECTS for flow in tries.same
        ):
            astray = scene.astray and not scene.hop.secure
            return Trouble.HTTP if astray else None  # our own firewall; a redirect that leads nowhere
        if tries.kind == TRUST and any(state_root(chain_of(flow)) for flow in tries.same):
            return trouble  # a state's own chain, whatever the control met
        passed = scene.control_passed(layer) and tries.kind != TRUST
        same_for_control = scene.control_failed_at == layer and not passed
        apart = _cut_here_only(scene, tries) or _cut_by_name(scene, tries)
        return None if same_for_control and not apart else trouble
    return None


def _some_connections(scene: Scene) -> bool:
    """Whether connecting fails at some addresses: now and then, or where the control connects. (IPv4 alone:
    there are lines on which IPv6 leads nowhere.)
    """
    tries = scene.tries("tcp")
    if not tries.failed or not tries.passed:
        return False
    ends = scene.control.endpoints if scene.control is not None else ()
    open_ = {end.address for end in ends if end.port == scene.hop.port and end.tcp_failure is None}
    open_ -= {flow.address for flow in tries.passed}
    often = len(tries.failed) >= 2 and tries.rounds >= 2
    return often or any(flow.address in open_ and not is_v6(flow.address) for flow in tries.failed)


def at_some(scene: Scene, tries: Tries) -> list[str]:
    """The addresses at which the site's handshakes or requests broke every time, while they pass at others (a
    censor may act on IPv4 only, say); not those that broke for the control, too. Connections are left out: a
    dead address is a common thing, and so is a line on which IPv6 leads nowhere.
    """
    if tries.layer == "tcp" or not tries.passed or tries.kind not in _BROKEN:
        return []
    ends = scene.control.endpoints if scene.control is not None else ()
    dead = {end.address for end in ends if end.port == scene.hop.port and not _fine(end)}
    fine = {flow.address for flow in tries.passed} | dead
    return list(dict.fromkeys(flow.address for flow in tries.same if flow.address not in fine))


def _fine(end: Endpoint) -> bool:
    return end.tcp_failure is None and (not end.tls or shook(end.tls_failure))


def cut_for_both(scene: Scene) -> Trouble | None:
    """The step at which all our flows are cut off, and the control's is too: a dead server, or one censor for
    both. One look at an unrelated address tells.
    """
    for layer, trouble in (("tls", Trouble.TLS), ("http", Trouble.HTTP)):
        tries = scene.tries(layer)
        if tries.failed and not tries.passed and tries.kind in (RESET, EOF):
            control = scene.control
            said = control.http_failure if control is not None else None
            return trouble if scene.control_failed_at == layer and of_failure(said) in (RESET, EOF) else None
    return None


def _fails_far(scene: Scene, layer: str, kinds: Collection[str]) -> int:
    """How often the name failed so at unrelated addresses whose own names pass."""
    fine = {flow.address for flow in scene.hop.by(*CALM) if flow.at(layer) in (OK, TRUST)}
    return sum(flow.at(layer) in kinds and flow.address in fine for flow in scene.hop.by(*FAR))


def _cut_by_name(scene: Scene, tries: Tries) -> bool:
    """Whether the name was cut off at an unrelated address, where a control name passed."""
    fine = {flow.address for flow in scene.hop.by(*CALM) if flow.at(tries.layer) in (OK, TRUST)}
    cut = [flow for flow in scene.hop.by(*FAR) if flow.at(tries.layer) in (RESET, EOF)]
    return any(flow.address in fine for flow in cut)


def _cut_here_only(scene: Scene, tries: Tries) -> bool:
    """Whether requests are cut off at once here, while the control waited in vain: two troubles, not one."""
    waited = scene.control is not None and of_failure(scene.control.http_failure) == TIMEOUT
    return tries.layer == "http" and tries.kind in (RESET, EOF) and waited


def _slow(scene: Scene) -> bool:
    return any(flow.http is not None and worth_comparing(flow.http, flow) for flow in scene.usable)


def _page(scene: Scene) -> Trouble | None:
    flow = scene.response
    if flow is None:
        return None
    step = step_of(flow)
    target = redirect_of(step)
    if target:
        if same_owner(parts(target).host, scene.hop.host) or (
            scene.final_agrees and not rules_known.told_both(scene, flow)
        ):
            return None
        return Trouble.REDIRECT
    agreed = rules_known.agreed(scene, flow)
    if not scene.last or (agreed == "same" and not rules_known.told_both(scene, flow)):
        return None
    return Trouble.UNWITNESSED if agreed == "none" else Trouble.PAGE

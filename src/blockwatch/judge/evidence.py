"""The kinds of evidence that rules read, and which of them a hop has.

Rules of this file: kinds are named for people; what a rule needs is told by its id, the kind it is mainly
about first.
"""

from __future__ import annotations

from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Hop
from blockwatch.judge.tries import Tries
from blockwatch.model import Purpose

KINDS = {
    "lookups": "a lookup by the line's resolver",
    "others": "another resolver's or a control's answer for the name",
    "injections": "queries to those who cannot answer (tier 2)",
    "connections": "a connection",
    "handshakes": "a TLS handshake",
    "requests": "a request",
    "responses": "a response",
    "cleartext": "a response in cleartext",
    "transfers": "a page whose speed was seen",
    "control": "a control",
    "rounds": "two-name rounds",
}
_MORE = {
    **dict.fromkeys(("dns.dead", "dns.ipv6", "dns.known", "dns.alone", "dns.injected"), ("lookups",)),
    **dict.fromkeys(("dns.everybody", "dns.nobody", "dns.root", "dns.dropped"), ("injections",)),
    **dict.fromkeys(("line.firewall", "tcp.alone", "site.partial", "site.passing"), ("connections",)),
    **dict.fromkeys(("tcp.down", "tcp.blocked"), ("connections", "control")),
    **dict.fromkeys(("tls.flaky", "tls.name"), ("handshakes", "rounds")),
    **dict.fromkeys(("tls.blocked", "tls.down", "tls.broken"), ("handshakes", "control")),
    **dict.fromkeys(("http.freeze", "http.throttle", "http.slow"), ("transfers",)),
    **dict.fromkeys(("http.flaky", "http.name"), ("requests", "rounds")),
    **dict.fromkeys(("http.down", "http.blocked"), ("requests", "control")),
    "line.antivirus": ("handshakes",),
    "line.helper": ("control",),
    "http.redirect": ("cleartext",),
    "page.cleartext": ("cleartext",),
    "page.none": ("connections",),
    "name.resolves": ("lookups",),
}
_BY_FAMILY = {
    "dns": ("lookups", "others"),
    "tcp": ("connections",),
    "tls": ("handshakes",),
    "http": ("requests",),
    "page": ("responses",),
    "site": ("connections",),
}
_ROUNDS = tuple(
    purpose
    for purpose in Purpose
    if purpose.value.startswith(("sni.", "host."))
    and not purpose.value.endswith(("none_on_target", "capitals_on_target"))
)


def needs(rule: str) -> tuple[str, ...]:
    """The kinds of evidence that a hop rule reads, the main one first."""
    return _MORE.get(rule) or _BY_FAMILY.get(rule.partition(".")[0], ())


def facts(scene: Scene) -> dict[str, str]:
    """The kinds of evidence that a hop has, each with what it shows in a few words."""
    hop, found = scene.hop, dict[str, str]()
    _names(scene, found)
    for layer, kind in (("tcp", "connections"), ("tls", "handshakes"), ("http", "requests")):
        tries = scene.tries(layer)
        if tries.failed or tries.passed:
            found[kind] = _tried(kind, tries)
    flow = scene.response
    if flow is not None and flow.http is not None:
        found["responses"] = f"a response, status {flow.http.status}"
        if not hop.secure:
            found["cleartext"] = f"a response in cleartext, status {flow.http.status}"
    count = len(scene.transfers)
    if count:
        found["transfers"] = f"{count} transfer{'s' * (count > 1)}"
    rounds = [flow for flow in hop.by(*_ROUNDS) if flow.tcp is not None or flow.tls is not None]
    if rounds:
        found["rounds"] = f"{len(rounds)} connections of two-name rounds"
    if scene.control is not None or scene.followed is not None:
        found["control"] = "a control"
    return found


def _names(scene: Scene, found: dict[str, str]) -> None:
    answers, hop = scene.answers, scene.hop
    if answers.system:
        given = sorted(answers.given)
        told = ", ".join(given[:3]) + ("…" if len(given) > 3 else "") or f"no address ({answers.how})"
        found["lookups"] = f"lookups: the line's resolver gives {told}"
    if answers.udp or answers.firm or scene.control is not None:
        found["others"] = "other resolvers or a control"
    if _injections(hop):
        found["injections"] = f"{_injections(hop)} queries to those who cannot answer"


def _injections(hop: Hop) -> int:
    return len(getattr(hop, "injections", ()))


def _tried(kind: str, tries: Tries) -> str:
    count = len(tries.failed) + len(tries.passed)
    if not tries.failed:
        return f"{kind}: {count} of {count} succeeded"
    return f"{kind}: {len(tries.failed)} of {count} failed ({tries.kind})"

"""Facts around a failure that decide nothing by themselves: senders, ports, neighbours, lingering blocks.

Rules of this file: notes, but for what is this side's own doing; each is something that a reader of the
verdict would ask next.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.judge.addresses import is_v6
from blockwatch.judge.finding import Finding, Note, refs, unclear
from blockwatch.judge.outcomes import ALERT, OK, TIMEOUT, TRUST, UNREACHABLE
from blockwatch.judge.rules_transport import all_failed, mixed, with_control
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import CALM, FAR, Flow, broke
from blockwatch.model import Purpose

_APART_US = 200_000_000  # no residual block on record lasts longer than 180 s


def helper_belied(scene: Scene) -> Note | None:
    """The helper's word is not heard: sites of this run belie it again and again."""
    unheard = scene.hop.unheard
    if not unheard:
        return None
    name = unheard[0][1].helper
    text = f"The helper ({name}) is not heard: what it says of sites that surely came here is wrong"
    return Note(text, refs(ref for ref, _ in unheard))


def senders(scene: Scene) -> Note | None:
    """Contradicting replies to one query came over ways of different length."""
    doubled = scene.answers.doubled
    for lookup in (*scene.answers.line, *scene.answers.udp) if doubled else ():
        if lookup.ref not in doubled:
            continue
        ttls = list(dict.fromkeys(r.ip_ttl for r in lookup.step.replies if r.ip_ttl is not None))
        if len(ttls) > 1:
            shown = " and ".join(map(str, ttls[:3]))
            return Note(
                f"The replies to one query had IP TTL {shown}: they have different senders", (lookup.ref,)
            )
    return None


def other_port(scene: Scene) -> Note | None:
    """Another port of the same address takes connections."""
    tries = all_failed(scene, "tcp")
    if tries is None:
        return None
    places = {flow.address for flow in tries.same}
    fine = [f for f in scene.hop.by(Purpose.VALIDATE) if f.address in places and f.at("tcp") == OK]
    fine = [flow for flow in fine if flow.port != scene.hop.port]
    if not fine:
        return None
    text = f"Port {fine[0].port} of the same address takes connections: not the whole address is cut off"
    return Note(text, refs(fine[0].witness("tcp"), tries.witnesses[:4]))


def neighbour(scene: Scene) -> Note | None:
    """A neighbouring address, which is not the site's, takes connections in the same run."""
    tries = all_failed(scene, "tcp")
    if tries is None or tries.kind not in (TIMEOUT, UNREACHABLE):
        return None
    own = scene.answers.every | {flow.address for flow in scene.hop.flows}
    for flow in tries.same:
        net, dot, _ = flow.address.rpartition(".")
        near = sorted(p for p in scene.peers.connected if dot and p.startswith(f"{net}.")) if dot else []
        other = next((place for place in near if place.rpartition(":")[0] not in own), None)
        if other is not None:
            text = f"A neighbouring address ({other}) takes connections: not the whole network is cut off"
            return Note(text, flow.witness("tcp"))
    return None


def residue(scene: Scene) -> Note | None:
    """Other names failed at the address too, for a while, and passed after it: a residual block."""
    tried = [flow for flow in scene.hop.waits if _concerns(scene, flow)]
    over = next((flow for flow in tried if not broke(flow) and flow.at("tcp") == OK), None)
    if over is None:
        return None
    held = [flow for flow in tried if broke(flow) and flow.address == over.address and _at(flow) < _at(over)]
    if not held:
        return None
    struck = [t for t in scene.peers.struck.get(f"{over.address}:{over.port}", ()) if t < _at(over)]
    first, last = _chain(struck) if struck else (_at(held[0]), _at(held[0]))
    least, most = (_at(held[-1]) - last) // 1_000_000, -((first - _done(over)) // 1_000_000)
    span = f"at least {least} s after the last such name, " if least > 0 else ""
    text = (
        "After a name broke at this address everything sent there failed: a residual block"
        f" ({span}at most {most} s after the first)"
    )
    return Note(text, refs(*(flow.witness() for flow in (held[0], held[-1], over))))


def _concerns(scene: Scene, flow: Flow) -> bool:
    return flow.port == scene.hop.port and flow.address in {own.address for own in scene.hop.own}


def _chain(struck: Sequence[int]) -> tuple[int, int]:
    """The first and last of the times that follow on each other up to the last of them."""
    first = struck[-1]
    for at in reversed(struck):
        if first - at > _APART_US:
            break
        first = at
    return first, struck[-1]


def _at(flow: Flow) -> int:
    """When a flow began, microseconds since the run was opened."""
    return flow.tcp.t if flow.tcp is not None else 0


def _done(flow: Flow) -> int:
    """When it ended: a packet that was sent again may have passed only then."""
    steps = (flow.tcp, flow.tls, flow.http)
    return max(step.t + step.us for step in steps if step is not None and not step.skipped)


def some_addresses(scene: Scene) -> Note | None:
    """Some addresses of the site fail while others work.

    The verdict is ``partial`` where those that fail work for the control.
    """
    for tries in mixed(scene, "tcp", "tls"):
        fine = {flow.address for flow in tries.passed}
        lost = [flow for flow in tries.failed if flow.address not in fine]
        if not lost:
            continue
        witnesses = refs(*(flow.witness(tries.layer) for flow in lost))
        text = f"Some of the site's addresses fail ({tries.layer}), others work"
        if scene.ruleset > 1 and all(scene.peers.never_reached(flow.address) for flow in lost):
            kind = "IPv6" if is_v6(lost[0].address) else "IPv4"
            return Note(
                f"{text}; no {kind} connection of the whole run succeeded: it may be the line's", witnesses
            )
        works = [flow for flow in lost if _works_for_control(scene, flow)]
        if works:
            return Note(f"{text}; for the control those that fail work as well", witnesses, partial=True)
        return Note(f"{text}; nobody saw those work that fail", witnesses)
    return None


def _works_for_control(scene: Scene, flow: Flow) -> bool:
    """Whether the control connected to the very address, and where TLS is spoken got a chain valid for the
    name: an old address may be dead for everybody, and what the line's resolver alone gives be no site's.
    """
    control = scene.control
    if control is None:
        return False
    ends = [end for end in control.endpoints if (end.address, end.port) == (flow.address, scene.hop.port)]
    return any(not (end.tcp_failure or end.tls_failure) for end in ends)


def own_library(scene: Scene) -> Finding | None:
    """This program's own TLS library refuses what the server offers; no alert came."""
    tries = all_failed(scene, "tls")
    if tries is None or scene.once or tries.kind != ALERT or scene.control_failed_at == "tls":
        return None
    steps = [flow.tls for flow in tries.same if flow.tls is not None]
    fine = {flow.address for flow in scene.hop.by(*CALM) if flow.at("tls") in (OK, TRUST)}
    far = [flow for flow in scene.hop.by(*FAR) if flow.at("tls") == ALERT and flow.address in fine]
    if far or any(step.alert is not None for step in steps):
        return None  # what comes at unrelated addresses, too, is no old server's
    said = next((step.error for step in steps if step.error), "a failed handshake without an alert")
    text = f"This program's TLS library refuses what the server offers ({said}): old, perhaps, but no block"
    return unclear(text, with_control(scene, tries), "tls")

"""The TCP and TLS rules: is the site's address, or its name in the ClientHello, interfered with?

Rules of this file:

* failures of all usable addresses only; what passes once has passed, unless rounds prove a flaky censor;
* a failure is compared with the control's at the same step and, where it matters, by its kind: a
  control that met an expired certificate did get through the handshake;
* one failure is nothing, two are a sign, three in a row are strong; but what fails at the site's own
  address only is a sign: its server may refuse this network. So is a connection: it knows no name.
"""

from __future__ import annotations

from dataclasses import replace

from blockwatch.judge import chance, outcomes, proof
from blockwatch.judge.addresses import is_v6
from blockwatch.judge.errand import dead_for, no_page_either
from blockwatch.judge.finding import Finding, Note, blocked, down, refs, sign, unclear
from blockwatch.judge.leftover import unhit
from blockwatch.judge.outcomes import ALERT, PLAINTEXT, TRUST
from blockwatch.judge.scene import Scene
from blockwatch.judge.shut import after_our_questions
from blockwatch.judge.tries import Tries
from blockwatch.judge.trouble import at_some
from blockwatch.model import Purpose
from blockwatch.verdict import Grade, State

_TCP = frozenset({"timeout", "reset", "refused", "unreachable"})
_TLS = frozenset({"timeout", "reset", "eof", "alert", "plaintext"})
_RESIDUE = "Another site's name broke at this address in the same run, and other names fail there since"
UNCOMPARED = "no other name was at hand to compare with"
REFUSAL = "The site's own refusal of this network would look the same"
_WORDS = {
    "timeout": "times out",
    "reset": "is reset",
    "refused": "is refused",
    "unreachable": "is answered as unreachable",
    "eof": "is closed",
    "alert": "is answered with an alert, or what is no handshake",
    "plaintext": "is answered in plain text",
}


def local_firewall(scene: Scene) -> Finding | None:
    """This machine itself forbids the connection."""
    for layer in ("tcp", "tls", "http"):
        tries = scene.tries(layer)
        if tries.failed and not tries.passed and tries.kind == outcomes.LOCAL:
            return unclear("This machine's own firewall forbids the connection", tries.witnesses, layer)
    return None


def tcp_down(scene: Scene) -> Finding | None:
    """Nobody can connect, the control neither."""
    tries = all_failed(scene, "tcp")
    if tries is None or scene.control_failed_at != "tcp":
        return None
    return down(
        "tcp",
        f"Connecting {_WORDS.get(tries.kind, 'fails')}, and fails for the control too",
        with_control(scene, tries),
    )


def tcp_blocked(scene: Scene) -> Finding | None:
    """We cannot connect, again and again; the control can."""
    found = connecting_fails(scene)
    if found is not None:
        found = chance.weighed(scene, "tcp", found)
    if found is None or found.state is not State.BLOCKED:
        return found
    if no_page_either(scene.control, scene.hop):
        text = "Connecting fails; the control connects, and gets no page either: the site may be ill"
        return unclear(text, found.witnesses, "tcp")
    if scene.control is not None and scene.control.helper.startswith("http"):
        found = replace(found, text=f"{found.text}. That the address lives is one helper's word")
    if _no_ipv6(scene):
        text = "No IPv6 connection of the whole run succeeded: it is the line's"
        return unclear(text, found.witnesses, "tcp")
    if after_our_questions(scene):
        text = "Connecting fails since other names were sent there: the server may have shut us out for it"
        return unclear(text, found.witnesses, "tcp")
    text = found.text
    if _reached_once(scene):
        text += "; in this run the address took a connection, so it is not closed to us for good"
    return sign(found.mechanism or "tcp", text, found.witnesses)


def connecting_fails(scene: Scene) -> Finding | None:
    """We cannot connect, again and again; the control can."""
    tries = all_failed(scene, "tcp")
    if tries is None or not scene.control_passed("tcp") or tries.kind not in _TCP:
        return None
    if dead_for(scene.control, scene.hop, {flow.address for flow in tries.same}):
        text = "The addresses given here are dead for the control too, which reached the site at others"
        return unclear(text, with_control(scene, tries), "tcp")
    if _reached_once(scene) and scene.suspected_residue(tries.same):
        return unclear(_RESIDUE, with_control(scene, tries), "tcp")
    other_ports = [
        flow for flow in scene.hop.by(Purpose.VALIDATE) if flow.address in {f.address for f in tries.same}
    ]
    whole = bool(other_ports) and all(flow.at("tcp") == tries.kind for flow in other_ports)
    mechanism = f"tcp.{tries.kind}" + (".ip" if whole else "")
    text = f"Connecting {_WORDS[tries.kind]} ({_times(tries)}); the control connects. {REFUSAL}"
    return _repeated(scene, tries, mechanism, text, with_control(scene, tries))


def _reached_once(scene: Scene) -> bool:
    """Whether the run connected, for whatever name, to every address that fails here."""
    same = scene.tries("tcp").same
    return all(f"{flow.address}:{flow.port}" in scene.peers.connected for flow in same)


def _no_ipv6(scene: Scene) -> bool:
    """Whether all that failed here is IPv6, and IPv6 never worked in this run."""
    tried = [flow.address for flow in scene.tries("tcp").same]
    return all(is_v6(address) and scene.peers.never_reached(address) for address in tried)


def tcp_alone(scene: Scene) -> Finding | None:
    """We cannot connect and nobody can say whether others can."""
    tries = all_failed(scene, "tcp")
    if tries is None:
        return None
    if scene.followed is False:
        return down(
            "tcp", "Connecting fails; the control was led to no page either", with_control(scene, tries)
        )
    text = f"Connecting {_WORDS.get(tries.kind, 'fails')}; without a control that says nothing about blocking"
    return unclear(text, with_control(scene, tries), "tcp")


def passing_trouble(scene: Scene) -> Note | None:
    """It failed, and worked when it was tried again."""
    for tries in mixed(scene, "tcp", "tls", "http"):
        fine = {flow.address for flow in tries.passed}
        again = [flow for flow in tries.failed if flow.address in fine]
        if again:
            text = f"It failed at first ({tries.layer}) and worked when tried again"
            return Note(text, refs(*(flow.witness(tries.layer) for flow in again)))
    return None


def tls_flaky(scene: Scene) -> Finding | None:
    """The name is cut off now and then, on an unrelated address too; a control name never is."""
    tries = scene.tries("tls")
    if not tries.passed or not tries.failed or tries.kind not in _TLS:
        return None
    shown = proof.sometimes(scene, "tls", tries.kind)
    same = unhit(scene, tries.same)
    if not shown.named or not same or len(same) + shown.times < proof.OFTEN:
        return None
    if not chance.by_name(scene, "tls"):
        return None
    when = "at some of the site's addresses" if at_some(scene, tries) else "now and then"
    text = f"The handshake {_WORDS[tries.kind]} {when} ({_times(tries)}), on an unrelated address too"
    witnesses = refs(tries.witnesses, shown.witnesses)
    return replace(sign(f"tls.{tries.kind}.sni", text, witnesses), fitful=scene.ruleset > 1)


def tls_plaintext(scene: Scene) -> Finding | None:
    """A text on record comes instead of a ServerHello."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind != PLAINTEXT:
        return None
    known = next(
        (k for f in tries.same if f.tls is not None and (k := scene.on_record.pack.plain(f.tls.plaintext))),
        None,
    )
    shown = proof.of_failure(scene, "tls", PLAINTEXT)
    if known is None or not (scene.control_passed("tls") or shown.elsewhere):
        return None
    grade = Grade.CONFIRMED if tries.rounds >= 2 else Grade.SIGNS
    text = f"Plain text on record as a censor's comes instead of TLS ({known.shown})"
    return blocked(
        _sni("plaintext", shown), grade, text, refs(tries.witnesses, shown.witnesses, scene.hop.control_refs)
    )


def tls_blocked(scene: Scene) -> Finding | None:
    """The handshake fails, again and again; the control's does not."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind not in _TLS or not scene.control_passed("tls"):
        return None
    shown = proof.of_failure(scene, "tls", tries.kind)
    found = _handshake_cut(scene, tries, shown)
    if all(scene.too_early(flow, "tls") for flow in tries.same):
        return found
    found = chance.unlike_the_line(scene, "tls", found)
    return found if shown.elsewhere else chance.weighed(scene, "tls", found)


def _handshake_cut(scene: Scene, tries: Tries, shown: proof.Proof) -> Finding:
    """What handshakes prove that fail here and not for the control."""
    witnesses = refs(tries.witnesses, shown.witnesses, scene.hop.control_refs)
    if shown.not_here and not shown.elsewhere and scene.suspected_residue(tries.same):
        return unclear(_RESIDUE, refs(tries.witnesses, shown.not_here), "tls")
    text = f"The handshake {_WORDS[tries.kind]} ({_times(tries)}); the control's is answered"
    if shown.named:
        text += f", and so is one with {shown.other}"
    finding = _repeated(scene, tries, _sni(tries.kind, shown), text, witnesses)
    sure = bool(shown.elsewhere) and not scene.suspected_residue(tries.same)
    finding = replace(finding, proven=sure and finding.state is State.BLOCKED)
    early = all(scene.too_early(flow, "tls") for flow in tries.same)
    if finding.state is not State.BLOCKED or early or (scene.ruleset == 1 and finding.grade is Grade.SIGNS):
        return finding
    if tries.kind == ALERT:
        return sign(_sni(ALERT, shown), text + "; a server may send an alert too", witnesses)
    if shown.only_there:
        witnesses = refs(witnesses[:8], shown.not_here)
        return sign(finding.mechanism or "tls", f"{text}, at this address only. {REFUSAL}", witnesses)
    if not shown.tried and scene.ruleset > 1:
        return sign(finding.mechanism or "tls", f"{text}; {UNCOMPARED}. {REFUSAL}", witnesses)
    return finding


def tls_by_name(scene: Scene) -> Finding | None:
    """Without a control of ours: the name fails on an unrelated address where a control name passes."""
    if (tries := all_failed(scene, "tls")) is None or tries.kind not in _TLS:
        return None
    alike = len(tries.same) + scene.cut_at_once(tries)
    shown = proof.of_failure(scene, "tls", tries.kind)
    witnesses = refs(tries.witnesses, shown.witnesses)
    if shown.elsewhere and alike >= 2:
        text = f"The name's handshake {_WORDS[tries.kind]} on an unrelated address too; others pass there"
        grade = Grade.STRONG if alike >= 3 else Grade.SIGNS
        sure = not scene.suspected_residue(tries.same)
        found = blocked(_sni(tries.kind, shown), grade, text, witnesses, proven=sure)
        return chance.unlike_the_line(scene, "tls", found)
    if shown.here and alike >= 3 and scene.control is None and tries.kind != ALERT:
        text = f"The name's handshake {_WORDS[tries.kind]} on the site's address, where a control name passes"
        return sign(_sni(tries.kind, shown), text, witnesses)
    return None


def tls_down(scene: Scene) -> Finding | None:
    """The handshake fails for the control too."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind == TRUST or scene.control_failed_at != "tls":
        return None
    text = f"The handshake {_WORDS.get(tries.kind, 'fails')}, and fails for the control too"
    return down("tls", text, with_control(scene, tries))


def tls_alone(scene: Scene) -> Finding | None:
    """The handshake fails and nothing shows whose doing it is."""
    tries = all_failed(scene, "tls")
    if tries is None or tries.kind == TRUST:
        return None
    if scene.followed is False:
        return down("tls", "The handshake fails; the control was led to no page either", tries.witnesses)
    text = f"The handshake {_WORDS.get(tries.kind, 'fails')}; nothing shows whose doing that is"
    return unclear(text, with_control(scene, tries), "tls")


def mixed(scene: Scene, *layers: str) -> list[Tries]:
    """The tries of those layers at which some flows failed and others passed."""
    return [tries for layer in layers if (tries := scene.tries(layer)).failed and tries.passed]


def all_failed(scene: Scene, layer: str) -> Tries | None:
    """The tries of a layer that every usable flow failed at; ``None`` if one passed or none was made."""
    tries = scene.tries(layer)
    return tries if tries.failed and not tries.passed else None


def _repeated(scene: Scene, tries: Tries, mechanism: str, text: str, witnesses: tuple[str, ...]) -> Finding:
    """Grade by repetition: three flows over two rounds or more are strong, two a sign, one is nothing."""
    more = scene.cut_at_once(tries) if tries.layer != "tcp" else 0
    alike, rounds = len(tries.same) + more, tries.rounds + more
    if alike >= 3 and rounds >= 2 and alike * 3 >= (len(tries.failed) + more) * 2:
        return blocked(mechanism, Grade.STRONG, text, refs(witnesses))
    if rounds >= 2:
        return blocked(mechanism, Grade.SIGNS, text, refs(witnesses))
    if scene.once:
        return sign(mechanism, text, refs(witnesses))
    return unclear(f"{text}; it was not tried again", refs(witnesses), tries.layer)


def _times(tries: Tries) -> str:
    return f"{len(tries.same)} of {len(tries.failed) + len(tries.passed)} times"


def _sni(kind: str, shown: proof.Proof) -> str:
    return f"tls.{kind}" + (".sni" if shown.named else "")


def with_control(scene: Scene, tries: Tries) -> tuple[str, ...]:
    """Witnesses of the tries and of the control."""
    return refs(tries.witnesses[:8], scene.hop.control_refs)

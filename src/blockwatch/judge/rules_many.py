"""Where no witness is left: addresses where no site can live, given for the names of several owners.

Rules of this file:

* a censor that leads names to 127.0.0.1 leads many there; a zone may point there by itself, but not those of
  several owners in one list, beyond the few that a long list of old sites holds;
* the resolver must answer other names as it should, a control name among them: else it is the line;
* without a witness that knows better it is a sign, however often it is seen.

Sources: "one address for two unrelated names or more" (Satellite, IMC 2016); Turkmenistan's 127.0.0.1
(Nourin et al., WWW 2023).
"""

from __future__ import annotations

from blockwatch.judge.addresses import unreal
from blockwatch.judge.answers import SYSTEM
from blockwatch.judge.finding import Finding, refs, sign, unclear
from blockwatch.judge.household import proxied, resolver_doubt
from blockwatch.judge.outcomes import OK
from blockwatch.judge.scene import Scene

_OWNERS = 3
_SHARE = 50  # one of so many names may point nowhere by itself


def for_many(scene: Scene) -> Finding | None:
    """Nobody knows better, and names of several owners lead to the same place where no site can live."""
    answers, peers = scene.answers, scene.peers
    if not answers.given or answers.elsewhere or answers.good or scene.reached is not None:
        return None
    if any(unreal(address) is None for address in answers.given) or proxied(scene):
        return None
    others = frozenset().union(*(peers.others(peers.shared, a, scene.hop.host) for a in answers.given))
    asked = peers.answered.get(SYSTEM, frozenset()) | peers.unanswered.get(SYSTEM, frozenset())
    if len(others) + 1 < max(_OWNERS, len(asked) // _SHARE):
        return None
    calm = [x for x in scene.hop.name_controls if x.step.resolver == SYSTEM and x.end == OK]
    calm = [x for x in calm if all(unreal(address) is None for address in x.step.addresses)]
    if not calm or not answers.alive():
        return None
    told = [x for x in (*answers.system, *answers.line, *answers.udp) if x.step.addresses]
    shown = ", ".join(sorted(answers.given)[:2])
    text = f"The line's resolver answers {shown}, where no site can be, for this name and {len(others)} other"
    text += (
        f" owners' names, and not for control names; nobody knows better. {resolver_doubt(scene)}".rstrip()
    )
    witnesses = refs([x.ref for x in told][:8], [x.ref for x in calm])
    if len([x for x in answers.system if set(x.step.addresses) & answers.given]) < 2 and not scene.once:
        return unclear(f"{text}; it was asked once", witnesses, "dns")
    return sign("dns.bogon", text, witnesses)

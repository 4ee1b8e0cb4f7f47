"""Denials: what the reply itself says of whether a resolver remembers that a name does not exist.

Rules of this file:

* a resolver that answers from memory must send the zone's SOA along (RFC 2308, 5), and may remember for as
  long as that allows, one to three hours as a rule; a name that was made a while ago is denied meanwhile;
* a denial with the SOA of a zone that the name lies in looks like one that is remembered, however often it
  comes: an old server of the zone would repeat it too;
* one without, from a resolver that sends it for a name that nobody has, asked twice, was not remembered.
"""

from __future__ import annotations

from blockwatch.judge.answers import LINE
from blockwatch.judge.outcomes import EMPTY, NXDOMAIN, OK
from blockwatch.judge.scene import Scene
from blockwatch.judge.soa import zone_denies, zones

_TOLD = frozenset({NXDOMAIN, EMPTY})


def ghostly(scene: Scene) -> bool:
    """Whether a name that is gone for all who can be believed has an address here."""
    answers = scene.answers
    gone = answers.gone_for_control if scene.control is not None else answers.firm_nxdomain
    return bool(answers.given) and not answers.good and gone


def denies_made_up(scene: Scene) -> bool:
    """Whether the line's resolver was asked for names that nobody has, and gave no address for them: some
    providers lead every name that does not exist to a page of theirs.
    """
    asked = [x for x in scene.hop.made_up if x.end in (OK, NXDOMAIN, EMPTY)]
    return bool(asked) and not any(lookup.step.addresses for lookup in asked)


def denial_doubt(scene: Scene) -> str:
    """Why an honest resolver may deny the name; empty: this one hardly remembers it."""
    hop = scene.hop
    denied = [lookup for lookup in scene.answers.line if lookup.end in _TOLD]
    told = [zone for lookup in denied for zone in zones(lookup)]
    if not told:
        return "No reply shows whether the resolver remembers an old answer"
    if any(map(zone_denies, denied)):
        return "The reply names the zone's own record: a resolver that remembers an old answer sends the same"
    if scene.answers.public.denied:
        return "A public resolver denies it, too, with the zone's own record: the name may be gone"
    if any(zone is not None for zone in told):
        return ""  # of a zone that the name does not lie in
    nobody = [zone for lookup in hop.made_up if lookup.step.resolver == LINE for zone in zones(lookup)]
    if len(nobody) >= 2 and all(zone is not None for zone in nobody):
        return ""
    return "This resolver is not known to say where its denials come from: it may remember an old answer"

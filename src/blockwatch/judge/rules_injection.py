"""The rules of tier 2: answers from where none can come.

Rules of this file:

* an answer for the target's name from somebody who cannot answer was made up on the way, if the same
  place was silent for (or rightly answered) a control name, it came again, and it cannot be true;
* somebody who answers for every name is a resolver in disguise, not an injector of this one name;
* a false answer that does not fool the line's own resolver is told, and accuses nobody.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.judge import injection
from blockwatch.judge.addresses import bogon
from blockwatch.judge.finding import Finding, Note, blocked, refs
from blockwatch.judge.injection import OFTEN, Place
from blockwatch.judge.rules_dns import of
from blockwatch.judge.scene import Scene
from blockwatch.verdict import Grade


def for_everybody(scene: Scene) -> Note | None:
    """Queries to addresses that are no resolvers are answered, whatever name is asked."""
    if not scene.hop.injections:
        return None
    told = [lookup for place in injection.places(scene) for lookup in place.for_everybody]
    if not told:
        return None
    text = "Somebody on the way answers queries to any address, for other names too: no injection of this one"
    return Note(text, of(told))


def dropped(scene: Scene) -> Note | None:
    """Root servers answer for a control name, and are never heard for this one."""
    if not scene.hop.injections:
        return None
    places = [place for place in injection.places(scene) if place.root]
    quiet = [place for place in places if place.shows and place.unanswered]
    if not quiet or len(quiet) < len(places):
        return None
    text = "Root servers answer queries for another name and none for this one: they are dropped on the way"
    return Note(text, refs(*(of(p.target + p.referred) for p in quiet)))


def from_nobody(scene: Scene) -> Finding | Note | None:
    """An address that is no resolver answers for this name, again and again, and for no other."""
    if not scene.hop.injections:
        return None
    every = _showing(scene)
    told = [place for place in every if not place.root]
    asked = [place for place in injection.places(scene) if place.shows and not place.root]
    if not told or len(told) < len(asked) or len(every) < 2:
        return None  # an injector answers whoever is asked; one place might be a name server after all
    if len(told) < 2 and not any(place.named for place in told):
        return None
    text = "An address that is no resolver answers for this name and for no other: it is made up on the way"
    return _made_up(scene, told, text)


def from_root(scene: Scene) -> Finding | Note | None:
    """A root server seems to answer for this name itself, again and again, and refers another one."""
    if not scene.hop.injections:
        return None
    told = [place for place in _showing(scene) if place.root]
    if not told:
        return None
    text = "A root server, which knows no site, seems to answer for this name: it is made up on the way"
    return _made_up(scene, told, text)


def _showing(scene: Scene) -> list[Place]:
    """The places where answers for this name were made up; none if any place answers everybody."""
    every = injection.places(scene)
    if any(place.for_everybody for place in every):
        return []
    return [place for place in every if place.shows and len(place.false) >= OFTEN]


def _made_up(scene: Scene, told: Sequence[Place], text: str) -> Finding | Note:
    witnesses = refs(*(of(p.false[:3] + (p.referred if p.root else p.control)[:2]) for p in told))
    if not _fooled(scene, told):
        return Note(f"{text}; the line's own resolver is not fooled", witnesses)
    witnesses = refs(witnesses[:8], of(scene.answers.system))
    return blocked("dns.injection", Grade.CONFIRMED, text, witnesses, proven=True)


def _fooled(scene: Scene, told: Sequence[Place]) -> bool:
    """Whether the line's own resolver passes the false answers on, at times at least: who forges beside the
    path loses some races.
    """
    answers = scene.answers
    if not answers.given:
        return answers.alive() is not False
    named = frozenset(address for place in told for address in place.named)
    if answers.given & answers.good:
        return bool(answers.given & named)
    return bool(answers.good or answers.given & named) or all(map(bogon, answers.given))

"""Queries to those who cannot answer (tier 2): what to ask them, and what came back.

Rules of this file:

* asked are web servers of control names, which are no resolvers, and two root servers, which know no
  site's address; each for a control name and the target's in turn, the control first;
* a place that answers the control name is a resolver after all, or somebody on the way answers for
  everybody: then it shows nothing of the target's name;
* what is concluded stands in :mod:`blockwatch.judge.rules_injection`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from blockwatch.followup import ROOT_SERVERS, FollowUp, KnownGood, LookupRequest
from blockwatch.judge import matrix
from blockwatch.judge.addresses import bogon, is_address, is_v6
from blockwatch.judge.answers import Answers
from blockwatch.judge.ground import around
from blockwatch.judge.names import parts, same_owner
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Lookup
from blockwatch.judge.trouble import Trouble
from blockwatch.model import DnsReply, Purpose

OFTEN = 2  # queries that must draw the same kind of answer, or none
_STRANGERS = 2  # addresses that are no resolvers
_ROUNDS = {Purpose.NOBODY: 3, Purpose.ROOT: 2}
_WINDOW_US = 3_000_000
_NXDOMAIN = 3


def worth_asking(scene: Scene, troubles: Sequence[Trouble]) -> bool:
    """Whether answers made up on the path could be what is wrong, and nobody was asked yet."""
    if not troubles or scene.hop.injections or is_address(scene.hop.host) or not scene.answers.system:
        return False
    answers = scene.answers
    failing = set(troubles) & {Trouble.TCP, Trouble.TLS, Trouble.HTTP}
    return Trouble.DNS in troubles or bool(failing and not answers.given & answers.good)


def queries(scene: Scene, known_good: Sequence[KnownGood]) -> list[FollowUp]:
    """The queries, in rounds; none where no control name is at hand."""
    calm = _calm_names(scene, known_good)
    if not calm:
        return []
    strangers = [(address, Purpose.NOBODY) for address in _strangers(scene, known_good)]
    places = strangers + [(address, Purpose.ROOT) for _, address in ROOT_SERVERS]
    wanted: list[FollowUp] = []
    for number in range(max(_ROUNDS.values())):
        for index, (address, purpose) in enumerate(places):
            if number >= _ROUNDS[purpose]:
                continue
            for name in (calm[index % len(calm)], scene.hop.host):
                wanted.append(
                    LookupRequest(
                        resolver=f"udp://{address}:53",
                        name=name,
                        purpose=purpose,
                        round=number,
                        hop=scene.hop.number,
                        window_us=_WINDOW_US,
                        wait_us=matrix.pause(name, number),
                        single=True,
                        recursive=purpose is Purpose.NOBODY,
                    )
                )
    return wanted


def _calm_names(scene: Scene, known_good: Sequence[KnownGood]) -> list[str]:
    """Control names, of other owners than the site: the helper's, if it answered, as nobody answers for that
    one; otherwise two that the run saw working, which may yet have trouble of this kind themselves.
    """
    helper = [parts(step.helper).host for _, step in scene.hop.controls if step is scene.control]
    for names in (helper, [good.host for good in known_good]):
        fit = [name for name in names if not is_address(name) and not same_owner(name, scene.hop.host)]
        if fit:
            return list(dict.fromkeys(fit))[:2]
    return []


def _strangers(scene: Scene, known_good: Sequence[KnownGood]) -> list[str]:
    """Web servers of control names, no resolver among them as far as this measurement knows."""
    resolvers = {parts(lookup.step.resolver).host for lookup in scene.hop.lookups}
    usable = around(scene, known_good).usable
    fit = [g.address for g in usable if not is_v6(g.address) and bogon(g.address) is None]
    return [address for address in dict.fromkeys(fit) if address not in resolvers][:_STRANGERS]


class Place:
    """One address that was asked."""

    def __init__(self, address: str, lookups: Sequence[Lookup], answers: Answers) -> None:
        self.address, self._answers = address, answers
        self.root = any(lookup.step.purpose is Purpose.ROOT for lookup in lookups)
        made = [lookup for lookup in lookups if not lookup.step.skipped]
        self.target = [lookup for lookup in made if lookup.step.name == answers.host]
        self.control = [lookup for lookup in made if lookup.step.name != answers.host]

    @property
    def for_everybody(self) -> list[Lookup]:
        """Control names that were answered here, though nobody here can know them."""
        return [lookup for lookup in self.control if self._told(lookup)]

    @property
    def shows(self) -> bool:
        """Whether the control name was asked often enough and answered as it should be: by a referral
        where a root server lives, by nothing at all where no resolver lives.
        """
        if len(self.control) < OFTEN or self.for_everybody:
            return False
        return bool(self.referred) if self.root else not any(lookup.step.replies for lookup in self.control)

    @property
    def referred(self) -> list[Lookup]:
        """Control names for which a root server named the servers of their zone, as it does."""
        return [x for x in self.control if any(r.rcode == 0 and not r.addresses for r in x.step.replies)]

    @cached_property
    def false(self) -> list[Lookup]:
        """Queries for the target's name that were answered with what cannot be true."""
        return [x for x in self.target if any(self._is_false(reply) for reply in x.step.replies)]

    @property
    def named(self) -> frozenset[str]:
        """Addresses in false answers."""
        replies = [r for lookup in self.false for r in lookup.step.replies if self._is_false(r)]
        return frozenset(address for reply in replies for address in reply.addresses)

    @property
    def unanswered(self) -> bool:
        """Whether no query for the target's name was answered at all."""
        return len(self.target) >= OFTEN and not any(lookup.step.replies for lookup in self.target)

    def _told(self, lookup: Lookup) -> bool:
        if self.root:
            return any(reply.addresses or reply.names for reply in lookup.step.replies)
        return bool(lookup.step.replies)

    def _is_false(self, reply: DnsReply) -> bool:
        """Whether a reply for the target's name cannot be the truth, whoever sent it."""
        answers = self._answers
        if reply.rcode is None:
            return False
        if reply.addresses:
            if self.root:
                return True  # the root zone has no address of a site
            real = answers.good & set(reply.addresses)
            return not real and (bool(answers.good) or all(map(bogon, reply.addresses)))
        denied = reply.rcode == _NXDOMAIN if self.root else True
        return denied and bool(answers.elsewhere)


def places(scene: Scene) -> list[Place]:
    """Every place that was asked, in order."""
    by: dict[str, list[Lookup]] = {}
    for lookup in scene.hop.injections:
        by.setdefault(parts(lookup.step.resolver).host, []).append(lookup)
    return [Place(address, lookups, scene.answers) for address, lookups in by.items()]

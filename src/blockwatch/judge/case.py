"""A case: one target's measurements in a run, and what the run saw of everything else.

Rules of this file:

* a :class:`Case` is all that :func:`blockwatch.judge.judge` may look at;
* :class:`Peers` is made once per run, in one pass over its observations;
* what is digested is a plain count of facts over *other* names; conclusions are the rules' business.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

from blockwatch.judge import outcomes
from blockwatch.judge.addresses import bogon, is_v6
from blockwatch.judge.beside import NOBODY, Beside
from blockwatch.judge.fingerprints import OURS, Pack
from blockwatch.judge.met import Control, control_of
from blockwatch.judge.names import a_label, owner, parts
from blockwatch.judge.pages import agrees, destination, page_key
from blockwatch.judge.row import LATEST
from blockwatch.judge.sight import FAR, PLAIN, redirect_of
from blockwatch.judge.witnesses import Helpers
from blockwatch.model import ControlStep, DnsStep, HttpStep, Measurement, Purpose, TcpStep, TlsStep
from blockwatch.run import LineCheck, RunClose, RunOpen
from blockwatch.target import Target

Bodies = Callable[[Measurement, HttpStep], bytes | None]
Names = Mapping[str, frozenset[str]]

_NOBODY: frozenset[str] = frozenset()


def no_bodies(measurement: Measurement, step: HttpStep) -> bytes | None:
    """Bodies are not at hand."""
    return None


class Peers(msgspec.Struct, frozen=True, kw_only=True):
    """What a whole run saw; every set is of host names unless said otherwise."""

    answered: Names = {}  # resolver → names it gave addresses for
    found: frozenset[str] = frozenset()  # names that the system's resolver gave a possible address for
    unanswered: Names = {}  # resolver → names it never gave addresses for
    shared: Names = {}  # address → owners that the system resolver gave it for
    homes: Names = {}  # owner → addresses that anybody but the line's own resolver gave for its names
    proven: frozenset[tuple[str, str]] = frozenset()  # (host, address) with a chain valid for host
    redirected: Names = {}  # cleartext redirect → owners it was given for
    pages: Names = {}  # cleartext page (title, length) → owners it came for
    shown_at: Mapping[str, frozenset[tuple[str, str]]] = {}  # the same → (owner, address it came from)
    hosting: frozenset[str] = frozenset()  # addresses that show each owner's name a page of another title
    issuers: Names = {}  # issuer of untrusted chains → owners
    control_issuers: frozenset[str] = frozenset()  # of those, seen for targets of role "control"
    unlucky: Names = {}  # "address:port" → owners whose names broke after TCP
    struck: Mapping[str, tuple[int, ...]] = {}  # "address:port" → when they broke
    broken: Mapping[str, tuple[tuple[int, str], ...]] = {}  # address → when whose name broke there
    connected: frozenset[str] = frozenset()  # "address:port" that took a TCP connection at any time
    families: frozenset[bool] = frozenset()  # whether IPv6, of these addresses
    unfit: frozenset[str] = frozenset()  # helpers whose word the run belies again and again
    gloomy: frozenset[str] = frozenset()  # helpers that say of working sites that they fail
    tainted: frozenset[str] = frozenset()  # whose page in cleartext was not the control's: no control names
    made: Mapping[str, tuple[Measurement, ...]] = {}  # by URL, in order
    controls: tuple[Control, ...] = ()  # what each measurement of a control target met
    successes: tuple[int, ...] = ()  # when something surely worked, microseconds since the run opened
    attempts: tuple[int, ...] = ()  # when a TCP connection was tried, likewise
    checks: tuple[LineCheck, ...] = ()

    def lives(self, resolver: str, but: str) -> bool | None:
        """Whether a resolver answered other names; ``None`` where too little was asked to tell."""
        if self.answered.get(resolver, _NOBODY) - {but}:
            return True
        return False if len(self.unanswered.get(resolver, _NOBODY) - {but}) >= 2 else None

    def others(self, names: Names, key: str, but: str) -> frozenset[str]:
        """Owners other than ``but``'s that share ``key``."""
        return names.get(key, _NOBODY) - {owner(but)}

    def never_reached(self, address: str) -> bool:
        """Whether nothing in the run could connect to any address of this kind, IPv4 or IPv6."""
        return is_v6(address) not in self.families

    def worked_between(self, begin: int, end: int) -> bool:
        """Whether anything surely worked in a span of the run."""
        at = bisect_left(self.successes, begin)
        return at < len(self.successes) and self.successes[at] <= end

    def tried_between(self, begin: int, end: int) -> int:
        """How many connections the whole run tried in a span."""
        return bisect_left(self.attempts, end + 1) - bisect_left(self.attempts, begin)


UNSEEN = Peers()  # of a run that measured nothing else


@dataclass(frozen=True, kw_only=True)
class Case:
    """Everything that a verdict may rest on."""

    open: RunOpen
    target: Target
    url: str
    measurements: tuple[Measurement, ...]  # of this target and URL, in order; the last one is judged
    peers: Peers = UNSEEN
    bodies: Bodies = no_bodies
    fingerprints: Pack = OURS
    beside: Beside = NOBODY
    ruleset: int = LATEST


class _Digest:
    """The sets while they grow."""

    def __init__(self) -> None:
        self.answered: dict[str, set[str]] = defaultdict(set)
        self.asked: dict[str, set[str]] = defaultdict(set)
        self.found: set[str] = set()
        self.shared: dict[str, set[str]] = defaultdict(set)
        self.homes: dict[str, set[str]] = defaultdict(set)
        self.proven: set[tuple[str, str]] = set()
        self.redirected: dict[str, set[str]] = defaultdict(set)
        self.pages: dict[str, set[str]] = defaultdict(set)
        self.shown_at: dict[str, set[tuple[str, str]]] = defaultdict(set)
        self.titles: dict[str, dict[str, set[str]]] = {}  # address → title → owners
        self.issuers: dict[str, set[str]] = defaultdict(set)
        self.control_issuers: set[str] = set()
        self.unlucky: dict[str, set[str]] = defaultdict(set)
        self.struck: dict[str, list[int]] = defaultdict(list)
        self.broken: dict[str, list[tuple[int, str]]] = defaultdict(list)
        self.connected: set[str] = set()
        self.tainted: dict[str, set[str]] = defaultdict(set)  # helper → names
        self.helpers = Helpers()
        self.made: dict[str, list[Measurement]] = defaultdict(list)
        self.controls: list[Control] = []
        self.successes: list[int] = []
        self.attempts: list[int] = []

    def add(self, measurement: Measurement) -> None:
        self.made[measurement.url].append(measurement)
        if measurement.role == "control":
            self.controls.append(control_of(measurement))
        steps: dict[type, list[Any]] = defaultdict(list)
        made: dict[type, list[Any]] = defaultdict(list)
        for step in measurement.observations:
            steps[type(step)].append(step)
            if not step.skipped:
                made[type(step)].append(step)
        for step in made[DnsStep]:
            self._lookup(step)
        for step in made[TcpStep]:
            self.attempts.append(step.t)
            if step.failure is None:
                self.connected.add(f"{step.address}:{step.port}")
        for step in made[TlsStep]:
            self._handshake(step, measurement.role)
        for step in made[HttpStep]:
            self._response(step)
        answers = [step.t + step.us for step in made[ControlStep] if step.failure is None]
        self.successes += answers
        controls = [step for step in steps[ControlStep] if step.failure is None]
        for step in controls:
            self.homes[owner(parts(step.url).host)].update(step.addresses)
        if controls:
            self._compare(steps[HttpStep], {step.url: step for step in controls})
            self.helpers.add(controls, steps[TlsStep], steps[HttpStep])

    def _compare(self, responses: Iterable[HttpStep], controls: Mapping[str, ControlStep]) -> None:
        """Note the names whose cleartext page is not the one that the helper saw."""
        for step in responses:
            if step.purpose is not _FIRST or step.status is None:
                continue
            if step.url.startswith("http:") and agrees(step, controls.get(step.url)) == "different":
                self.tainted[controls[step.url].helper].add(parts(step.url).host)

    def _lookup(self, step: DnsStep) -> None:
        if step.purpose is not _FIRST and step.purpose in (Purpose.NOBODY, Purpose.ROOT):
            return  # no resolver was asked
        self.asked[step.resolver].add(step.name)
        if step.addresses:
            self.answered[step.resolver].add(step.name)
            whose = owner(step.name)
            if step.resolver not in ("system", "line"):
                self.homes[whose].update(step.addresses)
            elif step.resolver == "system":
                for address in step.addresses:
                    self.shared[address].add(whose)
                    if bogon(address) is None:
                        self.found.add(step.name)

    def _handshake(self, step: TlsStep, role: str) -> None:
        end = outcomes.outcome(step)
        if end == outcomes.OK and step.server_name and step.chain:
            self.successes.append(step.t + step.us)
            self.proven.add((a_label(step.server_name), step.address))
        elif end not in (outcomes.OK, outcomes.TRUST) and step.purpose in FAR and step.server_name:
            self.broken[step.address].append((step.t, owner(a_label(step.server_name))))
        elif end not in (outcomes.OK, outcomes.TRUST) and step.purpose in PLAIN and step.server_name:
            self._broke(step, a_label(step.server_name))
        elif end == outcomes.TRUST and step.chain and step.purpose in PLAIN and step.server_name:
            from blockwatch.judge.certs import issuer_key

            key = issuer_key(step.chain)
            if key:
                self.issuers[key].add(owner(step.server_name))
                if role == "control":
                    self.control_issuers.add(key)

    def _broke(self, step: TlsStep | HttpStep, host: str) -> None:
        place = f"{step.address}:{step.port}"
        self.unlucky[place].add(owner(host))
        self.struck[place].append(step.t)
        self.broken[step.address].append((step.t, owner(host)))

    def _response(self, step: HttpStep) -> None:
        if step.status is None and step.failure and step.purpose in FAR:
            self.broken[step.address].append((step.t, owner(parts(step.url).host)))
        if step.status is None and step.failure and step.purpose in PLAIN:
            self._broke(step, parts(step.url).host)
        if (
            step.status is None
            or step.failure
            or step.purpose not in PLAIN
            or not step.url.startswith("http:")
        ):
            return
        led_to = redirect_of(step)
        if led_to:
            self.redirected[destination(led_to)].add(owner(parts(step.url).host))
        elif step.body_length:
            host = parts(step.url).host
            self.pages[page_key(step)].add(owner(host))
            self.shown_at[page_key(step)].add((owner(host), step.address))
            title = (step.title or "").lower().replace(host, "")
            if title:
                self.titles.setdefault(step.address, defaultdict(set))[title].add(owner(host))


_FIRST = Purpose.FIRST


def digest(open_: RunOpen, measurements: Iterable[Measurement], close: RunClose | None) -> Peers:
    """What a run saw, in one pass (``close`` is ``None`` for a run that was killed)."""
    sums = _Digest()
    for measurement in measurements:
        if measurement.valid:
            sums.add(measurement)
    unfit = sums.helpers.unfit
    unanswered = {resolver: names - sums.answered[resolver] for resolver, names in list(sums.asked.items())}
    return Peers(
        answered=_frozen(sums.answered),
        unanswered=_frozen(unanswered),
        found=frozenset(sums.found),
        shared=_frozen(sums.shared),
        homes=_frozen(sums.homes),
        proven=frozenset(sums.proven),
        redirected=_frozen(sums.redirected),
        pages=_frozen(sums.pages),
        shown_at={key: frozenset(places) for key, places in sums.shown_at.items()},
        hosting=frozenset(
            address
            for address, titles in sums.titles.items()
            if len(titles) > 1 and all(len(owners) == 1 for owners in titles.values())
        ),
        issuers=_frozen(sums.issuers),
        control_issuers=frozenset(sums.control_issuers),
        unlucky=_frozen(sums.unlucky),
        struck={place: tuple(sorted(times)) for place, times in sums.struck.items()},
        broken={address: tuple(struck) for address, struck in sums.broken.items()},
        connected=frozenset(sums.connected),
        families=frozenset(is_v6(place.rpartition(":")[0]) for place in sums.connected),
        unfit=unfit,
        gloomy=sums.helpers.gloomy,
        tainted=frozenset(
            name for helper, names in sums.tainted.items() if helper not in unfit for name in names
        ),
        made={url: tuple(made) for url, made in sums.made.items()},
        controls=tuple(sums.controls),
        successes=tuple(sorted(sums.successes)),
        attempts=tuple(sorted(sums.attempts)),
        checks=open_.checks + (close.checks if close is not None else ()),
    )


def _frozen(sets: Mapping[str, set[str]]) -> dict[str, frozenset[str]]:
    return {key: frozenset(names) for key, names in sets.items()}

"""What one measurement shows, arranged for the rules: hops, lookups, flows, controls.

Rules of this file:

* nothing is concluded here: steps are only put in their places;
* a flow is the steps that shared one connection; a hop is one URL of the redirect chain;
* connections to resolvers (purpose ``resolver``) are not part of the site's story.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from blockwatch.judge import outcomes
from blockwatch.judge.names import Parts, joined, parts
from blockwatch.judge.once import once
from blockwatch.model import ControlStep, DnsStep, HttpStep, Observation, Purpose, TcpStep, TlsStep

_FIRST, _RESOLVER, _RESIDUE = Purpose.FIRST, Purpose.RESOLVER, Purpose.RESIDUE
FRESH = 2  # the round in which the control name is one that no list and no memory holds
MADE_UP = 9  # the round from which control lookups are of names that nobody has
PLAIN = (Purpose.FIRST, Purpose.REPEAT)  # no set: to hash a member of an enumeration takes longer
NEAR = (Purpose.SNI_CONTROL_ON_TARGET, Purpose.HOST_CONTROL_ON_TARGET)  # other names at the site's address
FAR = (Purpose.SNI_TARGET_ON_CONTROL, Purpose.HOST_TARGET_ON_CONTROL)  # the site's name at control addresses
CALM = (Purpose.SNI_CONTROL_ON_CONTROL, Purpose.HOST_CONTROL_ON_CONTROL)  # those addresses' own names
REDIRECTS = frozenset({301, 302, 303, 307, 308})


class Lookup(NamedTuple):
    """One lookup and where it is written."""

    ref: str
    step: DnsStep

    @property
    def end(self) -> str:
        """How it ended."""
        return outcomes.outcome(self.step)


class Flow:
    """The steps of one connection."""

    __slots__ = ("address", "ends", "http", "port", "purpose", "refs", "round", "tcp", "tls")

    def __init__(self, purpose: Purpose, number: int) -> None:
        self.purpose, self.round = purpose, number
        self.address, self.port = "", 0  # where it went
        self.tcp: TcpStep | None = None
        self.tls: TlsStep | None = None
        self.http: HttpStep | None = None
        self.refs: dict[str, str] = {}  # layer → witness
        self.ends: dict[str, str] = {}  # layer → outcome

    def take(self, step: TcpStep | TlsStep | HttpStep, ref: str) -> None:
        """Add a step; the lowest one says where the flow went."""
        if isinstance(step, TcpStep):
            self.tcp, layer, lowest = step, "tcp", True
        elif isinstance(step, TlsStep):
            self.tls, layer, lowest = step, "tls", self.tcp is None
        else:
            self.http, layer, lowest = step, "http", self.tcp is None and self.tls is None
        if lowest:
            self.address, self.port = step.address, step.port
        self.refs[layer] = ref
        self.ends[layer] = outcomes.outcome(step)

    def at(self, layer: str) -> str:
        """How it ended at ``layer`` (``tcp``, ``tls``, ``http``); ``skipped`` if it was not made."""
        return self.ends.get(layer, outcomes.SKIPPED)

    @property
    def responded(self) -> bool:
        """Whether a whole response head and body came (of any status)."""
        return self.http is not None and self.http.status is not None and self.at("http") == outcomes.OK

    @property
    def valid(self) -> bool:
        """Whether a chain valid for the name sent came from this address."""
        return self.tls is not None and self.tls.server_name is not None and self.at("tls") == outcomes.OK

    def witness(self, *layers: str) -> tuple[str, ...]:
        """Where these layers are written; all of them if none is named."""
        return tuple(self.refs[layer] for layer in layers or ("tcp", "tls", "http") if layer in self.refs)


def ending(flow: Flow) -> tuple[str, str]:
    """The layer at which a flow failed and how; ``("", "ok")`` for one that did not."""
    for layer in ("tcp", "tls", "http"):
        end = flow.at(layer)
        if end not in (outcomes.OK, outcomes.SKIPPED):
            return layer, end
    return "", outcomes.OK


def broke(flow: Flow) -> bool:
    """Whether a flow ended as under a residual block."""
    return ending(flow)[1] in (outcomes.TIMEOUT, outcomes.RESET, outcomes.EOF)


class Hop:
    """One URL of the redirect chain and everything that was done about it; only controls may come later."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.url = ""
        self.lookups: list[Lookup] = []
        self.name_controls: list[Lookup] = []
        self.made_up: list[Lookup] = []  # of names that nobody has
        self.over_tcp: list[Lookup] = []  # public resolvers, asked again
        self.injections: list[Lookup] = []  # queries to those who cannot answer, for any name
        self.flows: list[Flow] = []  # every purpose
        self.waits: list[Flow] = []  # control names sent before this measurement, whatever the hop
        self.controls: list[tuple[str, ControlStep]] = []
        self.unheard: list[tuple[str, ControlStep]] = []  # of helpers that are no witnesses in this run
        self.last_word = False  # whether a helper's last answer counts, whenever asked (ruleset 1)

    @once
    def parts(self) -> Parts:
        """Scheme, host, port and path of the URL."""
        return parts(self.url)

    @once
    def host(self) -> str:
        """The name this hop is about."""
        return self.parts.host or (self.lookups[0].step.name if self.lookups else "")

    @once
    def scheme(self) -> str:
        """``http``, ``https``, ``tcp``, ``tls``; empty where no URL is known."""
        return self.parts.scheme

    @once
    def port(self) -> int:
        """The port of the URL; where none is known, that of the first flow."""
        if self.parts.port:
            return self.parts.port
        return next((flow.port for flow in self.flows if flow.purpose is Purpose.FIRST), 443)

    @once
    def own(self) -> list[Flow]:
        """The target's own flows: the first and its repeats, to the URL's port, in order."""
        return [flow for flow in self.flows if flow.purpose in PLAIN and flow.port == self.port]

    @once
    def secure(self) -> bool:
        """Whether the URL asks for TLS."""
        return self.scheme in ("https", "tls")

    def by(self, *purposes: Purpose) -> list[Flow]:
        """The flows made for these purposes."""
        return [flow for flow in self.flows if flow.purpose in purposes]

    @property
    def calmed(self) -> frozenset[str]:
        """Each ``address:port`` at which a control name passed before this measurement, after all waiting."""
        last = {f"{flow.address}:{flow.port}": flow for flow in self.waits}
        return frozenset(place for place, flow in last.items() if not broke(flow))

    @property
    def control(self) -> ControlStep | None:
        """The last answer of a helper when it was first asked, if any came; else of a later one."""
        heard = [step for _, step in self.controls if step.failure is None and not step.skipped]
        first = [step for step in heard if step.purpose is _FIRST and not self.last_word]
        return (first or heard)[-1] if heard else None

    @property
    def control_refs(self) -> tuple[str, ...]:
        """Where the control is written."""
        return tuple(ref for ref, step in self.controls if step is self.control)

    @once
    def response(self) -> Flow | None:
        """The response to judge: the first pass's, else the first repeat's."""
        return next((flow for flow in self.own if flow.responded), None)


class Sight:
    """One measurement, by hops."""

    def __init__(self, measurement: str, observations: Sequence[Observation], url: str | None = None) -> None:
        self.hops: list[Hop] = []
        by_number: dict[int, Hop] = {}
        flows: dict[tuple[int, int], Flow] = {}
        before = Hop(-1)
        for position, step in enumerate(observations):
            if step.purpose is _RESOLVER:
                continue
            hop = by_number.get(step.hop) if step.purpose is not _RESIDUE else before
            if hop is None:
                hop = by_number[step.hop] = Hop(step.hop)
            ref = f"{measurement}#{step.i}"
            if isinstance(step, DnsStep):
                _kept(hop, step).append(Lookup(ref, step))
            elif isinstance(step, ControlStep):
                hop.controls.append((ref, step))
            else:
                _place(hop, flows, step, ref, position)
        self.hops = [by_number[number] for number in sorted(by_number)]
        for hop in self.hops:
            hop.waits = before.flows
        _name_hops(self.hops, url)

    def unhear(self, unfit: Collection[str], gloomy: Collection[str]) -> None:
        """Put the word of ``unfit`` helpers aside, and that of ``gloomy`` ones where they got no page."""
        for hop in self.hops if unfit or gloomy else ():
            told = hop.controls
            aside = [
                s.helper in unfit or (s.helper in gloomy and s.http_failure is not None) for _, s in told
            ]
            hop.unheard = [one for one, off in zip(told, aside, strict=True) if off]
            hop.controls = [one for one, off in zip(told, aside, strict=True) if not off]

    @property
    def flows(self) -> Iterable[Flow]:
        """Every flow of every hop."""
        return (flow for hop in self.hops for flow in hop.flows)


def _kept(hop: Hop, step: DnsStep) -> list[Lookup]:
    """Where a hop keeps lookups of a purpose."""
    purpose = step.purpose
    if purpose is _FIRST:
        return hop.lookups
    if purpose in (Purpose.NOBODY, Purpose.ROOT):
        return hop.injections
    if purpose is Purpose.VALIDATE:
        return hop.over_tcp
    if purpose is not Purpose.NAME_CONTROL:
        return hop.lookups
    return hop.made_up if step.round >= MADE_UP else hop.name_controls


def _place(
    hop: Hop, flows: dict[tuple[int, int], Flow], step: TcpStep | TlsStep | HttpStep, ref: str, position: int
) -> None:
    """Put a step into its flow; a step without a flow number is a flow of its own."""
    key = (step.hop, step.flow) if step.flow is not None else (step.hop, -1 - position)
    flow = flows.get(key)
    if flow is None:
        flow = flows[key] = Flow(step.purpose, step.round)
        hop.flows.append(flow)
    flow.take(step, ref)


def _name_hops(hops: list[Hop], url: str | None) -> None:
    """Give each hop its URL: the measurement's, what was requested, or the redirect that led there."""
    for hop in hops:
        if url and hop.number == 0:
            hop.url = url
            continue
        asked = next((f.http.url for f in hop.flows if f.http is not None and f.purpose is _FIRST), "")
        told = next((step.url for _, step in hop.controls), "")
        hop.url = asked or told or _led_to(hops, hop)


def _led_to(hops: list[Hop], hop: Hop) -> str:
    before = next((h for h in hops if h.number == hop.number - 1), None)
    return location(before) if before is not None else ""


def location(hop: Hop) -> str:
    """Where the response of ``hop`` redirects to, absolute; empty if it does not."""
    flow = hop.response
    if flow is None or flow.http is None or flow.http.status not in REDIRECTS:
        return ""
    return redirect_of(flow.http)


def redirect_of(step: HttpStep) -> str:
    """The absolute ``Location`` of a redirect; empty if the response is none."""
    if step.status not in REDIRECTS:
        return ""
    for name, value in step.headers:
        if name.lower() == "location":
            return joined(step.url, value)
    return ""

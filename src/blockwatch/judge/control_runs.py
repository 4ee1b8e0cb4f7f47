"""From the runs of control vantages to what they can witness.

Rules of this file:

* a control run is judged first, like any run: what was blocked, void or in doubt there is no control;
* a run on whose own line nothing surely worked, behind a portal, or on a network that is not known witnesses
  nothing, and why is told;
* what a control vantage saw is put in the form in which a test helper answers, hop by hop, so that the same
  rules read both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

from blockwatch.judge import outcomes
from blockwatch.judge.beside import DOWN, FAILS, PAGE, WINDOW_US, Beside, Seen, true_time
from blockwatch.judge.case import Bodies, Case
from blockwatch.judge.finding import Finding
from blockwatch.judge.fingerprints import OURS, Pack
from blockwatch.judge.pages import wording
from blockwatch.judge.rules import LATEST, table
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import Flow, Sight
from blockwatch.judge.verdicts import alone, cases, scenes
from blockwatch.model import ControlStep, Endpoint, Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.verdict import State

UNKNOWN = "unknown_error"
ControlRun = tuple[RunOpen, Sequence[Measurement], RunClose | None, Bodies]


def control_runs(
    runs: Iterable[ControlRun],
    *,
    fingerprints: Pack = OURS,
    ruleset: int = LATEST,
    window_us: int = WINDOW_US,
) -> Beside:
    """Collect what control vantages saw; each run is judged, and given up again."""
    by_url: dict[str, list[Seen]] = defaultdict(list)
    used, notes = [], []
    for opened, measurements, close, bodies in runs:
        unfit = _unfit(opened, close)
        seen = [] if unfit else list(_all_seen(opened, measurements, close, bodies, fingerprints, ruleset))
        if unfit or not seen:
            notes.append(f"control run {opened.run} is not used: {unfit or 'nothing in it surely worked'}")
            continue
        used.append(opened.run)
        for url, one in seen:
            by_url[url].append(one)
    ordered = {url: tuple(sorted(seen, key=lambda one: one.at)) for url, seen in by_url.items()}
    return Beside(by_url=ordered, runs=tuple(used), window_us=window_us, notes=tuple(notes))


def _unfit(opened: RunOpen, close: RunClose | None) -> str | None:
    """Why a whole run can be no control; ``None`` if nothing is known against it."""
    if opened.vantage.asn is None and opened.vantage.country is None:
        return "the network it was made on is not known"
    checks = opened.checks + (close.checks if close is not None else ())
    if any(check.kind == "portal" and check.ok is False for check in checks):
        return "its line is behind a captive portal"
    return None


def _all_seen(
    opened: RunOpen,
    measurements: Sequence[Measurement],
    close: RunClose | None,
    bodies: Bodies,
    fingerprints: Pack,
    ruleset: int,
) -> Iterator[tuple[str, Seen]]:
    rows = table(ruleset)
    for case, _ in cases(opened, measurements, close, bodies, fingerprints, ruleset=ruleset):
        if not case.peers.successes:
            return
        finding, reasons, partial = alone(case, rows)
        doubtful = reasons[0].rule.startswith(("void.", "line."))
        if finding.state is State.BLOCKED or partial or doubtful or finding.proven:
            continue
        seen = _seen(case, finding)
        if seen is not None:
            yield case.url, seen


def _seen(case: Case, finding: Finding) -> Seen | None:
    """What a measurement of a control vantage witnesses; ``None``: nothing that can be relied on."""
    made = case.measurements[0]
    sight = Sight(made.id, made.observations, made.url)
    views = [_View(scene) for scene in scenes(case, sight)]
    if not views or any(view.speaks for view in views):
        return None
    failed = next((view for view in views if view.failed), None)
    if failed is not None and not failed.repeated and finding.state is not State.DOWN:
        return None
    outcome = PAGE if failed is None else DOWN if finding.state is State.DOWN else FAILS
    hops = {}
    for number, view in enumerate(views):
        if view.url:
            hops[view.url] = (view.refs(views[-1], failed), view.step(case.open.run, views[number:]))
    return Seen(
        id=made.id,
        at=true_time(case.open, made),
        vantage=case.open.vantage,
        outcome=outcome,
        step=failed.failed if failed is not None else None,
        hops=hops,
    )


class _View:
    """One hop as a control vantage saw it."""

    def __init__(self, scene: Scene) -> None:
        self._scene, self._hop, self.url = scene, scene.hop, scene.hop.url
        self._tries = {layer: scene.tries(layer) for layer in ("tcp", "tls", "http")}
        self.failed = self._failed()

    def _failed(self) -> str | None:
        """The step at which every try of this hop failed."""
        if not self._hop.own and self._hop.lookups and not self._scene.answers.given:
            return "dns"
        lost = (layer for layer, tries in self._tries.items() if tries.failed and not tries.passed)
        return next(lost, None)

    @property
    def repeated(self) -> bool:
        """Whether the failure was seen in two rounds or more."""
        return self.failed in self._tries and self._tries[self.failed or ""].rounds >= 2

    @property
    def _response(self) -> Flow | None:
        return self._scene.response

    @property
    def speaks(self) -> bool:
        """Whether a cleartext page came that reads like a block page."""
        flow = self._response
        if flow is None or flow.http is None or self._hop.secure:
            return False
        return wording(flow.http, self._scene.text(flow))

    def refs(self, last: _View, failed: _View | None) -> tuple[str, ...]:
        """Where it is written: the page that came in the end, or what failed."""
        if failed is not None:
            lost = failed._tries[failed.failed].witnesses if failed.failed in failed._tries else ()
            return lost[:2] or tuple(lookup.ref for lookup in failed._hop.lookups[:2])
        flow = last._response or next(iter(last._scene.usable), None)
        return (flow.witness()[-1:] if flow is not None else ()) or self._first_ref()

    def _first_ref(self) -> tuple[str, ...]:
        return tuple(lookup.ref for lookup in self._hop.lookups[:1])

    def step(self, run: str, rest: Sequence[_View]) -> ControlStep:
        """What a test helper would have answered for this hop's URL."""
        answers, end = self._scene.answers, rest[-1]._response
        lost = next((view for view in rest if view.failed), None)
        page = end.http if end is not None and lost is None else None
        return ControlStep(
            i=0,
            t=0,
            us=page.us if page is not None else 0,
            failure=None,
            helper=f"run:{run}",
            url=self.url,
            dns_failure=_lookup_failure(self._scene) if not answers.given else None,
            addresses=tuple(sorted(answers.given | answers.firm_given)),
            endpoints=self._endpoints(),
            http_failure=_failure(lost) if lost is not None else None,
            status=page.status if page is not None else None,
            headers=page.headers if page is not None else (),
            body_length=page.body_length if page is not None else None,
            title=page.title if page is not None else None,
        )

    def _endpoints(self) -> tuple[Endpoint, ...]:
        by_place: dict[tuple[str, int], list[Flow]] = defaultdict(list)
        for flow in self._hop.own:
            by_place[flow.address, flow.port].append(flow)
        return tuple(_endpoint(address, port, flows) for (address, port), flows in by_place.items())


def _endpoint(address: str, port: int, flows: Sequence[Flow]) -> Endpoint:
    """The best that any try at one address came to."""
    tcp = next((flow for flow in flows if flow.at("tcp") == outcomes.OK), flows[0])
    shaken = [flow for flow in flows if flow.tls is not None and not flow.tls.skipped]
    tls = next((flow for flow in shaken if flow.at("tls") == outcomes.OK), shaken[0] if shaken else None)
    dialled, hello = tcp.tcp, tls.tls if tls is not None else None
    return Endpoint(
        address=address,
        port=port,
        tcp_failure=dialled.failure if dialled is not None else None,
        tls=hello is not None,
        tls_failure=(hello.failure or hello.trust) if hello is not None else None,
    )


def _failure(lost: _View) -> str:
    """The failure string of what broke, as a helper would give it."""
    tries = lost._tries.get(lost.failed or "")
    flow = tries.same[0] if tries is not None and tries.same else None
    step = getattr(flow, lost.failed or "", None)
    trust = getattr(step, "trust", None)
    return getattr(step, "failure", None) or trust or _lookup_failure(lost._scene) or UNKNOWN


def _lookup_failure(scene: Scene) -> str | None:
    return next((found.step.failure for found in scene.answers.system if found.step.failure), None)

"""One hop in the light of its control, its repeats and its two-name rounds: what rules are asked about.

Rules of this file:

* facts are counted here, once, and never weighed: k of n, and who passed;
* an IPv6 address that the line has no route to was not tried, whatever the record says;
* the control's failure is placed at a step, so that like is compared with like.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from blockwatch.judge import early, outcomes
from blockwatch.judge.addresses import bogon
from blockwatch.judge.answers import Answers
from blockwatch.judge.case import Peers
from blockwatch.judge.errand import failed_at, heard, shook
from blockwatch.judge.fingerprints import OURS_ALONE, OnRecord
from blockwatch.judge.once import once
from blockwatch.judge.outcomes import ALERT, OK, SKIPPED, TRUST
from blockwatch.judge.pages import agrees, alike, same_page, turned_away
from blockwatch.judge.row import LATEST
from blockwatch.judge.sight import CALM, NEAR, REDIRECTS, Flow, Hop, Sight, ending
from blockwatch.judge.transfers import Transfer, transfer
from blockwatch.judge.tries import Tries
from blockwatch.model import ControlStep, HttpStep, Purpose
from blockwatch.run import Vantage

_LAYERS = ("tcp", "tls", "http")


TextOf = Callable[[HttpStep], str]


def no_text(step: HttpStep) -> str:
    """Bodies are not at hand."""
    return ""


class Scene:
    """One hop, with everything around it that rules may ask for."""

    def __init__(
        self,
        sight: Sight,
        hop: Hop,
        peers: Peers,
        *,
        vantage: Vantage | None = None,
        text_of: TextOf = no_text,
        on_record: OnRecord = OURS_ALONE,
        once: bool = False,
        ruleset: int = LATEST,
        probe: str = "",
        stopped: bool = False,
    ) -> None:
        self.once = once  # another program's record: it asks once, and nothing can be asked again
        self.probe, self.stopped = probe, stopped  # what was to be found out; whether it was broken off
        self.ruleset = ruleset  # some facts are counted otherwise than they were
        self.sight, self.hop, self.peers, self.vantage, self._text_of = sight, hop, peers, vantage, text_of
        self._v6 = vantage is None or vantage.ipv6
        for one in sight.hops if ruleset == 1 else ():
            one.last_word = True
        self.last = hop is sight.hops[-1]  # the chain of redirects ends here
        self.control: ControlStep | None = heard(hop.control, ruleset)  # the helper's answer for this hop
        house = vantage is not None and bool(vantage.resolver_local)
        self.answers, self.on_record = Answers(hop, peers, ruleset, house=house), on_record
        self._tries: dict[str, Tries] = {}
        self._texts: dict[int, str] = {}

    @once
    def control_failed_at(self) -> str | None:
        """The step at which the helper failed; ``None``: it did not, or there is none."""
        control = self.control
        return None if control is None else failed_at(control, self.hop)

    @once
    def control_ok(self) -> bool:
        """Whether the helper got a response for this hop's URL."""
        control = self.control
        return control is not None and control.http_failure is None and control.status is not None

    def control_passed(self, layer: str) -> bool:
        """Whether the helper got past ``layer`` at this hop."""
        if self.control is None:
            return self.followed is True
        if self.control.failure is not None:
            return False
        if self.control_ok:
            return True
        ends = [end for end in self.control.endpoints if end.port == self.hop.port]
        if layer == "tcp":
            return any(end.tcp_failure is None for end in ends)
        if layer == "tls":
            return any(end.tls and shook(end.tls_failure) for end in ends)
        return False

    @once
    def followed(self) -> bool | None:
        """Whether the helper, asked for an earlier hop alone, followed the redirects to a page.

        ``None``: this hop has a control of its own, as it always has in runs of ours, or there is none.
        """
        if not self.once or self.control is not None:
            return None
        earlier = [hop.control for hop in self.sight.hops if hop.number < self.hop.number]
        chain = next((control for control in reversed(earlier) if control is not None), None)
        if chain is None:
            return None
        return chain.http_failure is None and (chain.status or 600) < 500 and chain.status not in REDIRECTS

    def enough(self, times: int) -> bool:
        """Whether something was seen often enough for a sign: twice, or once where nothing is repeated."""
        return times >= (1 if self.once else 2)

    @once
    def usable(self) -> list[Flow]:
        """The target's own flows that count: to addresses of the line's resolver, on a family we have."""
        own = [flow for flow in self.hop.own if not self._out_of_reach(flow)]
        system = self.answers.given
        chosen = [flow for flow in own if flow.address in system or not flow.address]  # "": not on record
        asked = any(flow.http is not None and not flow.http.skipped for flow in chosen)
        fine = chosen and not asked and any(not ending(flow)[0] for flow in chosen)
        if fine and (system & self.answers.good or not self.answers.good):
            # one page a hop: it was fetched over another of the site's addresses
            chosen += [flow for flow in own if flow not in chosen and flow.http is not None]
        return chosen or own

    def _out_of_reach(self, flow: Flow) -> bool:
        if bogon(flow.address) == "loopback":
            return True
        return ":" in flow.address and (not self._v6 or flow.at("tcp") == outcomes.UNREACHABLE)

    @once
    def reached(self) -> Flow | None:
        """A flow that went as far as the URL asks for, if any did."""
        return next((flow for flow in self.usable if self._arrived(flow)), None)

    @once
    def response(self) -> Flow | None:
        """The response to judge: the first pass's, else the first repeat's."""
        return next((flow for flow in self.usable if flow.responded), None)

    @once
    def reached_validly(self) -> bool:
        """Whether a chain valid for the name came from any address."""
        return bool(self.answers.proven)

    def _arrived(self, flow: Flow) -> bool:
        if flow.http is not None:
            return flow.responded and (not self.hop.secure or flow.valid)
        return flow.at("tls" if flow.tls is not None else "tcp") == OK and self.hop.scheme in (
            "tcp",
            "tls",
            "",
        )

    def only_elsewhere(self, reached: Flow) -> bool:
        """Whether nobody answered at any address of the line's resolver, and ``reached`` is at another."""
        given = self.answers.given
        if not given or reached.address in given or given & self.answers.good:
            return False
        tried = [f for f in self.hop.flows if f.address in given and f.at("tcp") != SKIPPED]
        return bool(tried) and all(ending(flow)[0] for flow in tried)

    def text(self, flow: Flow) -> str:
        """The body of a flow's response as text; empty where it is not at hand."""
        step = flow.http
        if step is None:
            return ""
        if step.i not in self._texts:
            self._texts[step.i] = self._text_of(step)
        return self._texts[step.i]

    @once
    def final_agrees(self) -> bool:
        """Whether the redirects lead where the control's led: to the page that it got for this hop's URL,
        or to a URL for which it got that same page.
        """
        end = self.sight.hops[-1].response
        if end is not None and end.http is not None and agrees(end.http, self.control) == "same":
            return True
        later = [hop.control for hop in self.sight.hops if hop.number > self.hop.number]
        if self.ruleset > 1 and self.control is not None and turned_away(self.control):
            return False
        return any(same_page(self.control, other) for other in later)

    @once
    def astray(self) -> bool:
        """Whether redirects end nowhere (a loop, too many), though the control got a page."""
        ends = [flow.http for flow in self.sight.hops[-1].own if flow.http is not None]
        fine = self.control is not None and self.control_ok and (self.control.status or 500) < 300
        return fine and any(step.failure and step.status in REDIRECTS for step in ends)

    @once
    def copied(self) -> bool:
        """Whether a copy over TLS from the site's own address is the very page that came in cleartext."""
        ours = self.response
        if ours is None or ours.http is None:
            return False
        copies = [flow for flow in self.hop.by(Purpose.VALIDATE) if flow.valid and flow.responded]
        return any(flow.http is not None and alike(flow.http, ours.http) for flow in copies)

    @once
    def copy_agrees(self) -> bool:
        """Whether the page fetched over TLS from the site's own address is the control's."""
        copies = [flow for flow in self.hop.by(Purpose.VALIDATE) if flow.valid and flow.responded]
        return any(flow.http is not None and agrees(flow.http, self.control) == "same" for flow in copies)

    def tries(self, layer: str) -> Tries:
        """How the target's own flows fared at ``layer``."""
        known = self._tries.get(layer)
        if known is not None:
            return known
        failed: list[Flow] = []
        passed: list[Flow] = []
        for flow in self.usable:
            end = flow.at(layer)
            if end == OK:
                passed.append(flow)
            elif end != SKIPPED:
                failed.append(flow)
        known = self._tries[layer] = Tries(layer, failed, passed)
        return known

    def row(self, purpose: Purpose, layer: str) -> list[tuple[str, Flow]]:
        """One row of the two-name table: how each round ended at ``layer``, or before (``"tcp:timeout"``)."""
        found = []
        for flow in self.hop.by(purpose):
            before = [(name, flow.at(name)) for name in _LAYERS[: _LAYERS.index(layer)]]
            broken = next((f"{name}:{end}" for name, end in before if end not in (OK, SKIPPED, TRUST)), None)
            found.append((broken or flow.at(layer), flow))
        return found

    @once
    def transfers(self) -> list[Transfer]:
        """How the responses of the target's own flows came."""
        return [t for flow in self.usable if (t := transfer(flow)) is not None]

    @once
    def rtt_us(self) -> dict[str, int]:
        """The quickest answer of each address, microseconds: to a SYN, or with a ServerHello to another name.

        A connect that took as long as a lost SYN costs tells nothing: some shields drop every first one.
        """
        best: dict[str, int] = {}
        for flow in self.hop.flows if self.ruleset == 1 or not early.belied(self.hop) else ():
            took = flow.tcp.us if flow.tcp is not None and flow.at("tcp") == OK else None
            if took is not None and (self.ruleset == 1 or took < early.SYN_AGAIN_US):
                best[flow.address] = min(took, best.get(flow.address, took))
        for flow in self.hop.by(*NEAR, *CALM) if self.ruleset > 1 else ():
            came = flow.tls.first_byte_us if flow.tls is not None and flow.at("tls") in (OK, TRUST) else None
            if came and flow.address in best:
                best[flow.address] = min(came, best[flow.address])
        return best

    def suspected_residue(self, flows: Iterable[Flow]) -> bool:
        """Whether another owner's name broke at the address of one of these flows in this run.

        Some censors go on dropping what goes to an address for minutes after a name they do not like:
        then the neighbour fails too, and is not blocked.
        """
        places = {f"{flow.address}:{flow.port}" for flow in flows} - self.hop.calmed
        return any(self.peers.others(self.peers.unlucky, place, self.hop.host) for place in places)

    def cut_at_once(self, tries: Tries) -> int:
        """How many repeats could not even connect after a flow had broken at ``tries.layer``: the
        address was left blocked by the first.
        """
        addresses = {flow.address for flow in tries.same}
        after = [
            f for f in self.tries("tcp").failed if f.address in addresses and f.purpose is Purpose.REPEAT
        ]
        return sum(flow.at("tcp") == tries.kind for flow in after)

    def too_early(self, flow: Flow, layer: str) -> bool:
        """Whether an answer came sooner than the server can have sent it: 0.8 of the TCP round trip."""
        step = flow.tls if layer == "tls" else flow.http
        rtt = self.rtt_us.get(flow.address)
        if step is None or not rtt or rtt < 8_000:
            return False
        came = step.first_byte_us if step.first_byte_us is not None else step.us
        return early.too_early(came, rtt)


def answered(end: str) -> bool:
    """Whether somebody spoke TLS to us: a chain of whatever worth, or an alert."""
    return end in (OK, TRUST, ALERT)


def step_of(flow: Flow) -> HttpStep:
    """The request of a flow that made one."""
    assert flow.http is not None  # noqa: S101 - callers chose flows that responded
    return flow.http

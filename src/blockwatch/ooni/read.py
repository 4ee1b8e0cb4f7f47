"""One OONI web_connectivity measurement (0.4, 0.5 and older ones) as a ``Measurement`` of ours.

Rules of this file:

* what the probe saw is taken over, what it concluded is not;
* any key may be null, missing or of another kind: what is there is read, the rest is not invented;
* what our records have no place for is counted in :attr:`Read.left_out`;
* an address of the probe that an old record names (:func:`~blockwatch.ooni.head.own_addresses`) may stand
  anywhere in what was read: whoever keeps it cuts that out first, as of a run of our own.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from blockwatch.content import decode_body, parse_response
from blockwatch.model import ControlStep, HttpStep, Measured, Measurement, Purpose
from blockwatch.ooni import fields
from blockwatch.ooni.answer import control_fields
from blockwatch.ooni.draft import Draft, Response
from blockwatch.ooni.fields import NO_TAGS, Object, Tags
from blockwatch.ooni.flows import add_flows
from blockwatch.ooni.head import Head, target_id
from blockwatch.ooni.lookups import add_lookups

OTHERS = "x_blockwatch_others"  # our follow-ups, apart from what other readers take for the measurement
CONTROLS = "x_blockwatch_controls"  # our controls of later hops


class Read(NamedTuple):
    """A measurement as read."""

    measurement: Measurement
    responses: Mapping[int, Response]  # by index of the step
    left_out: Mapping[str, int]  # what, how often

    @property
    def measured(self) -> Measured:
        """With its responses written anew, as the store takes it."""
        exchanges = {i: response.exchange() for i, response in self.responses.items()}
        return Measured(measurement=self.measurement, exchanges=exchanges)

    def body(self, measurement: Measurement, step: HttpStep) -> bytes | None:
        """For the judge: the body of the response of ``step``; ``None``: not on record."""
        response = self.responses.get(step.i)
        return None if response is None else decode_body(response.headers, response.body)[0]


def read_measurement(
    record: Object, head: Head, *, run: str, seq: int, run_started: int, source: str | None = None
) -> Read:
    """Read ``record``, whose envelope is ``head``, as measurement ``seq`` of a run.

    ``run_started``: microseconds since the epoch, not after the measurement.
    """
    keys = fields.mapping(record.get("test_keys"))
    draft = Draft(max(0, head.started - run_started), run_started)
    add_lookups(draft, keys, Purpose.FIRST)
    for name in ("x_doh", "x_do53"):
        apart = fields.mapping(keys.get(name))
        if apart:
            add_lookups(draft, apart, Purpose.RESOLVER)
            add_flows(draft, apart, Purpose.RESOLVER)
    _add_control(draft, keys, head)
    add_flows(draft, keys, Purpose.FIRST, head.url)
    others = fields.mapping(keys.get(OTHERS))
    if others:
        add_lookups(draft, others, Purpose.REPEAT)
        add_flows(draft, others, Purpose.REPEAT)
    _add_more_controls(draft, keys, head)
    measurement = Measurement(
        id=f"{run}-{seq:06d}",
        seq=seq,
        target=target_id(head.url),
        url=head.url,
        probe="web_connectivity",
        probe_version=head.test_version,
        started=head.started,
        us=head.us,
        observations=tuple(draft.steps),
        source=source,
    )
    return Read(measurement, draft.responses, draft.left_out)


def _add_control(draft: Draft, keys: Object, head: Head) -> None:
    """The test helper's answer, or why there was none; no step where it was not asked."""
    answer, failure = fields.mapping(keys.get("control")), fields.failure(keys.get("control_failure"))
    if not answer and failure is None:
        return
    _control_step(draft, answer, failure, head.helper or "", head.url, {}, NO_TAGS)


def _control_step(
    draft: Draft, answer: Object, failure: str | None, helper: str, url: str, entry: Object,
    tagged: Tags,
) -> None:  # fmt: skip
    t, us = draft.time(entry)
    told = control_fields(answer)
    step = ControlStep(
        i=len(draft.steps),
        t=t,
        us=us,
        failure=failure,
        purpose=tagged.purpose or Purpose.FIRST,
        round=tagged.round,
        hop=tagged.hop or 0,
        helper=helper,
        url=url,
        **told,
    )
    draft.add(step)


def _add_more_controls(draft: Draft, keys: Object, head: Head) -> None:
    for entry in fields.entries(keys.get(CONTROLS))[:100]:
        url, helper = fields.text(entry.get("url"), 8_192), fields.text(entry.get("helper"), 300)
        answer, failure = fields.mapping(entry.get("control")), fields.failure(entry.get("control_failure"))
        if url is not None:
            _control_step(draft, answer, failure, helper or "", url, entry, fields.tags(entry))


class Bodies:
    """Bodies for the judge, out of measurements that are not (yet) on disk."""

    def __init__(self, *measured: Measured) -> None:
        self._by_id = {one.measurement.id: one.exchanges for one in measured}

    def __call__(self, measurement: Measurement, step: HttpStep) -> bytes | None:
        """Body of the response of ``step``, content coding undone; ``None``: not on record."""
        exchange = self._by_id.get(measurement.id, {}).get(step.i)
        if exchange is None:
            return None
        response = parse_response(exchange.response)
        return decode_body(response.headers, response.body)[0]

"""What a measurement met, in a form in which measurements of different sites can be compared.

Rules of this file: only what is the very same counts: one stranger's redirect or page in cleartext, or the
same failure at the same step in all own tries.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from blockwatch.judge.names import owner, parts
from blockwatch.judge.outcomes import OK, SKIPPED
from blockwatch.judge.pages import destination, page_key
from blockwatch.judge.sight import Hop, Sight, redirect_of
from blockwatch.model import Measurement

Met = frozenset[tuple[str, str]]


class Control(NamedTuple):
    """One measurement of a control target of the run."""

    owner: str
    scheme: str
    met: Met
    reached: bool  # the redirects ended at a page; over TLS, with a chain valid for its name


def control_of(measurement: Measurement) -> Control:
    """What a measurement of a control target says of the line."""
    url, sight = parts(measurement.url), Sight(measurement.id, measurement.observations, measurement.url)
    last = sight.hops[-1] if sight.hops else None
    reached = last is not None and any(
        flow.responded and (flow.valid or not last.secure) for flow in last.own
    )
    return Control(owner(url.host), url.scheme, met(sight), reached)


def met(sight: Sight) -> Met:
    """Pages and redirects in cleartext (as "page"), and steps at which all own tries failed, with how."""
    return frozenset(one for hop in sight.hops for one in _of_hop(hop))


def _of_hop(hop: Hop) -> Iterator[tuple[str, str]]:
    flow = hop.response
    if flow is not None and flow.http is not None and not hop.secure:
        led_to = redirect_of(flow.http)
        yield "page", destination(led_to) if led_to else page_key(flow.http)
    for layer in ("tcp", "tls", "http"):
        ends = [end for flow in hop.own if (end := flow.at(layer)) != SKIPPED]
        if ends and OK not in ends:
            yield layer, max(set(ends), key=ends.count)

"""The table of situations: every row with the verdicts that are allowed.

Rows are data: ``id`` is permanent, the rest may be made clearer. Rows of one ``world`` share a lab.
"""

from __future__ import annotations

from blockwatch.lab.scenarios import (
    audience,
    clean,
    dns,
    down,
    hellos,
    hostile,
    houses,
    http,
    injection,
    lies,
    limits,
    lines,
    lookups,
    network,
    places,
    refusals,
    refused,
    requests,
    resolvers,
    servers,
    speed,
    states,
    tcp,
    tls,
    witnesses,
)
from blockwatch.lab.world import Scenario

SCENARIOS: tuple[Scenario, ...] = (
    *clean.ROWS,
    *dns.ROWS,
    *injection.ROWS,
    *tcp.ROWS,
    *tls.ROWS,
    *http.ROWS,
    *speed.ROWS,
    *down.ROWS,
    *refused.ROWS,
    *network.ROWS,
    *hostile.ROWS,
    *places.ROWS,
    *lookups.ROWS,
    *audience.ROWS,
    *refusals.ROWS,
    *servers.ROWS,
    *limits.ROWS,
    *lies.ROWS,
    *hellos.ROWS,
    *requests.ROWS,
    *states.ROWS,
    *lines.ROWS,
    *resolvers.ROWS,
    *witnesses.ROWS,
    *houses.ROWS,
)

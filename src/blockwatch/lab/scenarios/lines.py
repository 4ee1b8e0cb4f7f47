"""Lines that are far away, slow, lossy or gone for a while: a censor must be seen on them all the same."""

from __future__ import annotations

from blockwatch.lab.scenarios import usual

_MIDST = "rst nxdomain page ip ok*3 cdn cleartext*2 upgrade large dead"

ROWS = (
    # 440 ms there and back, most of it on the way back.
    *usual.rows(
        "far",
        "rst drop nxdomain inject page host-rst ip throttle freeze ok cleartext upgrade hop dead flaky",
        source="own: satellite lines, and far vantages",
    ),
    # 256 kbit/s, shared by all that is measured, with a queue of 1.5 s.
    *usual.rows(
        "slow",
        "rst nxdomain page drop ip ok cdn cleartext upgrade large dead",
        source="own: slow lines with deep queues",
        open_to="drop ip ok cdn cleartext upgrade large",
    ),
    # Every eighth packet is lost, each way.
    *usual.rows(
        "lossy",
        "rst nxdomain inject page drop ip ok cdn cleartext upgrade dead",
        source="own: lines that lose much",
        open_to="drop ip ok cdn cleartext upgrade",
    ),
    # What fails because the line does is nobody's doing.
    *usual.rows(
        "outage",
        _MIDST,
        source="own: lines that go down in mid-run and come back",
        open_to="all",
    ),
    *usual.rows(
        "names-gone",
        _MIDST,
        source="own: lookups that fail for a while in mid-run",
        open_to="all",
    ),
    *usual.rows(
        "portal-later",
        _MIDST,
        source="own: captive portals that want a new login in mid-run",
        open_to="all",
    ),
    *usual.rows(
        "switch",
        _MIDST,
        source="own: machines that move to another Wi-Fi in mid-run",
        open_to="all",
    ),
)

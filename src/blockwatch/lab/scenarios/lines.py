"""Lines that are far away, slow, lossy or gone for a while: a censor must be seen on them all the same."""

from __future__ import annotations

from blockwatch.lab.scenarios import usual

_MIDST = "rst nxdomain page ip ok*2 cdn cleartext*2 upgrade dead"

ROWS = (
    *usual.rows(
        "far",
        "rst drop nxdomain inject page ip throttle freeze ok cleartext hop dead",
        source="own: satellite lines, and far vantages",
    ),
    *usual.rows(
        "slow",
        "rst nxdomain page ip ok cleartext upgrade large dead",
        source="own: slow lines with deep queues",
        open_to="ip ok cleartext upgrade large",
    ),
    *usual.rows(
        "lossy",
        "rst nxdomain inject page drop ok cleartext upgrade dead",
        source="own: lines that lose much",
        open_to="drop ok cleartext upgrade",
    ),
    # What fails because the line does is nobody's doing.
    *usual.rows(
        "outages", _MIDST, source="own: lines, or lookups, that fail for a while in mid-run", open_to="all"
    ),
    *usual.rows(
        "portal-later",
        "rst page ip ok cdn cleartext upgrade dead",
        source="own: captive portals that want a new login in mid-run",
        open_to="all",
    ),
)

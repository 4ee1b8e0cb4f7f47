"""Where a response leads: the statuses that redirect, and the Location as browsers read it.

Rules of this file: one reading for measurer, proxy and helper, so that a control follows what a probe
follows. RFC 9110, sections 10.2.2 and 15.4.
"""

from __future__ import annotations

from collections.abc import Sequence

FOLLOWED = frozenset({301, 302, 303, 307, 308})


def location(status: int | None, headers: Sequence[tuple[str, str]]) -> str | None:
    """The Location that a response redirects to; None: it does not redirect.

    ``headers`` are Latin-1, as received; raw UTF-8 in the value is read as what it is.
    """
    if status not in FOLLOWED:
        return None
    value = next((value for name, value in headers if name.lower() == "location"), None)
    if value is None or value.isascii():
        return value
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeError:
        return value

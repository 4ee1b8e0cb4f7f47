"""What a volunteer agrees to before the first packet, and the record of it.

Rules of this file:

* the text has a version; a changed text is asked about again;
* a record holds for 30 days and for the tier it was given for, and is kept by :mod:`blockwatch.host.place`;
* ``--yes`` agrees for one run: the version goes into that run's log, nothing is stored here;
* an unreadable record is no consent.
"""

from __future__ import annotations

import msgspec

from blockwatch.host.place import read_state, remove_state, write_state
from blockwatch.model import Noun

VERSION = "tier1 2026-11-22.2"
DAYS = 30
_FILE = "consent.json"
_DAY_US = 86_400_000_000

TEXT = f"""\
blockwatch: what a run does, and what to think of first ({VERSION})

WHAT IT DOES    Visits every address of your list from this machine, as a
                browser would, wherever they redirect to, and asks several name
                servers for them; a few well-known hosts, whether your own line
                works. Blocked sites may be among them. `blockwatch plan` shows
                which, and sends nothing.
WHO SEES IT     Your provider, and whoever watches your network, can see that
                these sites were visited from your line, many in a row. So can
                the sites, public name servers, a STUN server that tells which
                network this is (leave it out: --no-stun) and, if you name
                one, a test helper. blockwatch cannot hide this.
WHAT IS KEPT    Answers, times, pages and the name of your network, in the
                results folder on this machine. Your own address is not kept.
                Nothing is sent to anybody afterwards.
DO NOT USE IT   if visiting these sites may be punished where you are; on a
                line registered to someone who has not agreed; at work or
                school without permission; if you are watched.
YOU CAN STOP    at any time (Ctrl-C), delete the results folder, and withdraw
                (blockwatch consent --withdraw).

You agree for {DAYS} days; then you are asked again.
"""


class Consent(Noun, frozen=True, kw_only=True):
    """One agreement."""

    version: str
    agreed: int  # microseconds since the epoch, UTC
    tier: int = 1


def given(now: int) -> Consent | None:
    """Return the agreement that holds at ``now`` (microseconds since the epoch), if there is one."""
    raw = read_state(_FILE)
    if raw is None:
        return None
    try:
        consent = msgspec.json.decode(raw, type=Consent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    fresh = -_DAY_US < now - consent.agreed < DAYS * _DAY_US  # a clock put back by a day is no reason
    return consent if fresh and consent.version == VERSION else None


def keep(now: int) -> Consent:
    """Store an agreement to the present text."""
    consent = Consent(version=VERSION, agreed=now)
    write_state(_FILE, msgspec.json.encode(consent))
    return consent


def withdraw() -> bool:
    """Delete the agreement; false: there was none."""
    return remove_state(_FILE)

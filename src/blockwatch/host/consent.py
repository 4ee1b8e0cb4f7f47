"""What a volunteer agrees to before the first packet, and the record of it.

Rules of this file:

* each tier of risk has a text of its own, with a version; a changed text is asked about again;
* a record holds for 30 days and for the tier it was given for, and is kept by :mod:`blockwatch.host.place`;
* ``--yes`` agrees to tier 1 for one run: the version goes into that run's log, nothing is stored here;
* an unreadable record is no consent.
"""

from __future__ import annotations

import msgspec

from blockwatch.host.place import read_state, remove_state, write_state
from blockwatch.model import Noun

VERSION = "tier1 2026-11-22.3"
DAYS = 30
TIERS = (1, 2)
_FILES = {1: "consent.json", 2: "consent-tier2.json"}
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
                one, a test helper. blockwatch cannot hide this. Who learns
                what: docs/threats.md
WHAT IS KEPT    Answers, times, pages and the name of your network, in the
                results folder on this machine. Your own address is cut out
                of what the sites send. Nothing is sent to anybody afterwards.
DO NOT USE IT   if visiting these sites may be punished where you are; on a
                line registered to someone who has not agreed; at work or
                school without permission; if you are watched.
YOU CAN STOP    at any time (Ctrl-C), delete the results folder, and withdraw
                (blockwatch consent --withdraw).

You agree for {DAYS} days; then you are asked again.
"""

VERSION_2 = "tier2 2026-11-22.1"
TEXT_2 = f"""\
blockwatch --tier 2: queries that no ordinary program sends ({VERSION_2})

This comes on top of what you agreed to in tier 1 (blockwatch consent).

WHAT IT DOES    Only for a site of your list whose name or address looks
                falsified: asks two root servers, and two web servers of other
                sites of this run, which are no name servers, for that name and
                for a harmless one, up to three times. Whoever answers for them
                sits on the way. About 20 small packets a site.
WHO SEES IT     Your provider, and whoever watches your network, can see these
                queries: the name unencrypted, sent where no browser or phone
                sends it. They stand out from browsing, and can be told to come
                from a measuring tool. The servers asked see them too.
WHAT IT GIVES   Proof that answers are made up on the way, and not by the name
                server of your provider.
DO NOT USE IT   if it would be held against you that you look for the filter,
                and not only that you visit a site; if anybody who watches your
                network knows who you are and you have reason to fear them.
YOU CAN STOP    at any time, and withdraw (blockwatch consent --withdraw).

You agree for {DAYS} days; then you are asked again. --yes never agrees to this.
"""
TEXTS = {1: TEXT, 2: TEXT_2}
VERSIONS = {1: VERSION, 2: VERSION_2}


class Consent(Noun, frozen=True, kw_only=True):
    """One agreement."""

    version: str
    agreed: int  # microseconds since the epoch, UTC
    tier: int = 1


def given(now: int, tier: int = 1) -> Consent | None:
    """Return the agreement that holds at ``now`` (microseconds since the epoch), if there is one."""
    raw = read_state(_FILES[tier])
    if raw is None:
        return None
    try:
        consent = msgspec.json.decode(raw, type=Consent)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
    fresh = -_DAY_US < now - consent.agreed < DAYS * _DAY_US  # a clock put back by a day is no reason
    fits = consent.version == VERSIONS[tier] and consent.tier == tier
    return consent if fresh and fits else None


def keep(now: int, tier: int = 1) -> Consent:
    """Store an agreement to the present text of a tier."""
    consent = Consent(version=VERSIONS[tier], agreed=now, tier=tier)
    write_state(_FILES[tier], msgspec.json.encode(consent))
    return consent


def withdraw(tier: int = 1) -> bool:
    """Delete the agreement to a tier and to all above it; false: there was none."""
    removed = [remove_state(_FILES[one]) for one in TIERS if one >= tier]
    return any(removed)

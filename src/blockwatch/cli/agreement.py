"""Asks for the agreement to each tier of risk where nobody has given it yet."""

from __future__ import annotations

import sys
import time

import click

from blockwatch.errors import ConsentError
from blockwatch.host import consent


def now_us() -> int:
    """Return the time, microseconds since the epoch."""
    return time.time_ns() // 1_000


def agreed(*, yes: bool, tier: int) -> str:
    """Return the versions of the texts agreed to; raises :class:`ConsentError` where nobody agreed.

    ``yes`` agrees to the tier-1 text for this run only, and to nothing above it. On a terminal a person is
    asked, once.
    """
    versions = []
    for number in consent.TIERS[:tier]:
        held = consent.given(now_us(), number)
        if number == 1 and yes:
            versions.append(consent.VERSION)
        elif held is not None:
            versions.append(held.version)
        elif on_a_terminal():
            versions.append(ask(number))
        else:
            raise _unattended(number)
    return ", ".join(versions)


def on_a_terminal() -> bool:
    """Whether a person can be asked."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def _unattended(tier: int) -> ConsentError:
    if tier == 1:
        return ConsentError(
            "nobody has agreed yet to what a run does",
            remedy="Read and agree: blockwatch consent. For an unattended run, having read it: --yes.",
        )
    return ConsentError(
        f"nobody has agreed yet to what tier {tier} does",
        remedy=f"Read and agree on a terminal: blockwatch consent --tier {tier}. "
        "--yes agrees to tier 1 only.",
    )


def ask(tier: int = 1) -> str:
    """Show the text, ask on the terminal, and keep the answer; raises :class:`ConsentError` on no."""
    click.echo(consent.TEXTS[tier], err=True)
    if not click.confirm("Do you agree?", default=False, err=True):
        raise ConsentError("not agreed: nothing was sent")
    return consent.keep(now_us(), tier).version

"""Asks for the tier-1 agreement where nobody has given it yet."""

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
    """Return the version of the text agreed to; raises :class:`ConsentError` where nobody agreed.

    ``yes`` agrees to the tier-1 text for this run only. On a terminal a person is asked, once.
    """
    if tier > 1:
        raise ConsentError(
            f"there is no tier {tier} in this version: no probe needs it",
            remedy="Leave --tier out; --yes agrees to tier 1 and to nothing above it.",
        )
    if yes:
        return consent.VERSION
    held = consent.given(now_us())
    if held is not None:
        return held.version
    if not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise ConsentError(
            "nobody has agreed yet to what a run does",
            remedy="Read and agree: blockwatch consent. For an unattended run, having read it: --yes.",
        )
    return ask()


def ask() -> str:
    """Show the text, ask on the terminal, and keep the answer; raises :class:`ConsentError` on no."""
    click.echo(consent.TEXT, err=True)
    if not click.confirm("Do you agree?", default=False, err=True):
        raise ConsentError("not agreed: nothing was sent")
    return consent.keep(now_us()).version

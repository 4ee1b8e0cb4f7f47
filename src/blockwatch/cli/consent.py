"""``blockwatch consent``: read what a run does; agree, or withdraw."""

from __future__ import annotations

import sys

import click

from blockwatch.errors import Exit


@click.command(name="consent")
@click.option("--yes", is_flag=True, help="Agree to the text, without being asked.")
@click.option("--withdraw", is_flag=True, help="Delete the agreement.")
def command(yes: bool, withdraw: bool) -> None:
    """Show what a run does, who sees it and what is kept; agree for 30 days, or withdraw.

    Exit code 8 where nobody has agreed.

    Example: blockwatch consent
    """
    from blockwatch.cli.agreement import ask, now_us
    from blockwatch.cli.words import moment
    from blockwatch.host import consent

    if yes and withdraw:
        raise click.UsageError("--yes and --withdraw exclude each other")
    if withdraw:
        click.echo("withdrawn" if consent.withdraw() else "there was no agreement")
        return
    held = consent.given(now_us())
    if held is None and not yes and sys.stdin.isatty() and sys.stderr.isatty():
        ask()
        return
    click.echo(consent.TEXT)
    if held is None and yes:
        held = consent.keep(now_us())
    if held is None:
        click.echo("Nobody has agreed yet.", err=True)
        raise click.exceptions.Exit(Exit.CONSENT)
    click.echo(f"Agreed on {moment(held.agreed)}; it holds for {consent.DAYS} days.")

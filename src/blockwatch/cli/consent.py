"""``blockwatch consent``: read what a run does; agree, or withdraw."""

from __future__ import annotations

import click

from blockwatch.errors import Exit


@click.command(name="consent")
@click.option("--tier", type=click.IntRange(1, 2), help="Which text: 1, what every run does, or 2, what "
              "--tier 2 adds. [default: 1; with --withdraw: all]")  # fmt: skip
@click.option("--yes", is_flag=True, help="Agree to the text of tier 1, without being asked.")
@click.option("--withdraw", is_flag=True, help="Delete the agreement to a tier and to all above it.")
def command(tier: int | None, yes: bool, withdraw: bool) -> None:
    """Show what a run does, who sees it and what is kept; agree for 30 days, or withdraw.

    Each tier has a text and an agreement of its own. To anything above tier 1 only a person can agree, on a
    terminal. Exit code 8 where nobody has agreed.

    Example: blockwatch consent
    """
    from blockwatch.cli.agreement import ask, now_us, on_a_terminal
    from blockwatch.cli.words import moment
    from blockwatch.host import consent

    if yes and withdraw:
        raise click.UsageError("--yes and --withdraw exclude each other")
    if withdraw:
        click.echo("withdrawn" if consent.withdraw(tier or 1) else "there was no agreement")
        return
    number = tier or 1
    if yes and number > 1:
        raise click.UsageError(
            f"--yes agrees to tier 1 only; to tier {number} only a person can, on a terminal"
        )
    held = consent.given(now_us(), number)
    if held is None and not yes and on_a_terminal():
        ask(number)
        return
    click.echo(consent.TEXTS[number])
    if held is None and yes:
        held = consent.keep(now_us())
    if held is None:
        click.echo("Nobody has agreed yet.", err=True)
        raise click.exceptions.Exit(Exit.CONSENT)
    click.echo(f"Agreed on {moment(held.agreed)}; it holds for {consent.DAYS} days.")

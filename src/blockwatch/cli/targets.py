"""``blockwatch targets``: check a list, or make one of a Citizen Lab list."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from blockwatch.cli.outputs import fresh
from blockwatch.errors import Exit


@click.group(name="targets")
def command() -> None:
    """Check a list of targets, or import one.

    Example: blockwatch targets check targets.yaml
    """


@command.command()
@click.argument("file")
def check(file: str) -> None:
    """Print every problem of FILE at once, with its place and what to do.

    FILE is YAML, a .txt with a URL a line, a .csv of Citizen Lab, or pack:NAME. Exit code 6 if it
    cannot be used.

    Example: blockwatch targets check my-list.yaml
    """
    from blockwatch.cli.words import counted
    from blockwatch.targets import read

    found, problems = read(file)
    for problem in problems:
        click.echo(str(problem))
    errors = sum(not problem.warning for problem in problems)
    if errors:
        click.echo(f"{file}: {counted(errors, 'problem')}, nothing is measured with this", err=True)
        raise click.exceptions.Exit(Exit.CONFIG)
    urls = sum(len(target.urls) for target in found.targets)
    told = [f"{counted(len(found.targets), 'target')} with {counted(urls, 'address')}"]
    told += [counted(len(found.orders), "order"), counted(len(found.searches), "search")]
    click.echo(f"{file}: fine; {', '.join(told)}", err=True)


@command.group(name="import")
def import_() -> None:
    """Make a targets file of a list in another form."""


@import_.command()
@click.argument("csv", type=click.Path(path_type=Path))
@click.option(
    "--country", metavar="XX", help="Country noted with each target (default: from kz.csv and the like)."
)
@click.option("--category", metavar="CODE", multiple=True, help="Take only this category; repeat for more.")
@click.option("--output", "-o", type=click.Path(path_type=Path), help="Write here, not to standard output.")
def citizenlab(csv: Path, country: str | None, category: tuple[str, ...], output: Path | None) -> None:
    """Print a Citizen Lab test list as a targets file.

    Risky categories (ALDR ANON DATE GMB HATE LGBT MILX PORN PROV) are left out unless named.

    Example: blockwatch targets import citizenlab kz.csv --category NEWS > kz-news.yaml
    """
    from blockwatch.targets.citizenlab import convert

    if output is not None:
        fresh(output)
    made = convert(csv, country, category)
    if output is None:
        sys.stdout.write(made.text)
    else:
        from blockwatch.evidence.disk import replace_file

        replace_file(output, made.text.encode())
    for problem in made.problems:
        click.echo(str(problem), err=True)
    left = ", ".join(f"{code} {count}" for code, count in sorted(made.left_out.items()))
    click.echo(f"{made.count} targets" + (f"; left out by category: {left}" if left else ""), err=True)

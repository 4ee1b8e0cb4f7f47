"""``blockwatch run``: measure the targets, keep the evidence, say what was found."""

from __future__ import annotations

import click

from blockwatch.cli.options import Options, measuring, targets_of, targets_option
from blockwatch.cli.resume import resume_option


@click.command(name="run")
@resume_option
@targets_option
@measuring
def command(options: Options) -> None:
    """Measure every address of the targets, keep the evidence, and say what was found.

    Ends with a table of the verdicts and the folder in which the evidence lies, sealed by the campaign's
    key. Ctrl-C ends it at any time with a valid, shorter run, and --resume goes on from there.

    Example: blockwatch run --targets my-list.yaml --isp Beeline --yes
    """
    from blockwatch.cli.measure import measure

    raise click.exceptions.Exit(measure(options, targets_of(options)))

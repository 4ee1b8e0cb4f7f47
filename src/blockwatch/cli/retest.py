"""``blockwatch retest``: measure again what an earlier run found amiss.

Rule of this file: a run that no key held here sealed may be anybody's. Nobody but the volunteer says which
helpers, name servers and proxy are asked, and by which campaign's key the new run is sealed.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec

from blockwatch.cli.options import Options, measuring
from blockwatch.errors import Exit, UsageError
from blockwatch.target import Mirror, Target, TargetsFile

if TYPE_CHECKING:
    from blockwatch.evidence.covered import CoveredRun
    from blockwatch.store import Run

_MOST_NAMED = 10


@click.command(name="retest")
@click.option("--from", "source", required=True, type=click.Path(path_type=Path), metavar="RUN",
              help="Folder of the run to look into.")  # fmt: skip
@click.option("--resume", is_flag=True, help="Go on with the newest re-test of RUN in --results: measure "
              "what it left when it was stopped or killed. Give the same options as then; limits count "
              "anew.")  # fmt: skip
@click.option("--not-mine", is_flag=True, help="RUN is not sealed by a key held here: visit its addresses "
              "all the same.")  # fmt: skip
@measuring
def command(options: Options, source: Path, *, not_mine: bool) -> None:
    """Measure again every address of RUN that was not plainly reachable, and the controls, as a new run.

    Name servers, helpers, proxy, campaign and probes are those of RUN unless given. Of a run that no key held
    here sealed (--not-mine) only the addresses and probes are taken over. Nothing is measured where RUN was
    altered under its seal.

    Example: blockwatch retest --from results/20261122T031500Z-0f3a9c1b2d4e5f60 --yes
    """
    from blockwatch.cli.kept import say_unsealed
    from blockwatch.cli.measure import measure
    from blockwatch.evidence.covered import read_covered
    from blockwatch.evidence.log import LOG_FILE

    if not os.path.lexists(source / LOG_FILE):
        what = "there is no run in this folder" if source.is_dir() else "there is no such run folder"
        raise UsageError(what, where=str(source), remedy="Name one run's folder that you may read.")
    run = read_covered(source)
    again = amiss(run)
    say_unsealed(run)
    if not any(target.role == "target" for target in again.targets):
        click.echo(f"{source}: everything was reachable; nothing to measure again", err=True)
        raise click.exceptions.Exit(Exit.OK)
    if _is_mine(run):
        options = _as_before(options, run)
    elif not not_mine:
        raise _whose(source, again)
    options = _with_probes(options, run)
    raise click.exceptions.Exit(measure(options, again, retest_of=run.open.run))


def _is_mine(run: CoveredRun) -> bool:
    """Whether a key held here sealed it."""
    from blockwatch.cli.sealing import held_signer_of
    from blockwatch.evidence.note import parse_campaign_key

    if run.open.key is None or not run.coverage.sealed:
        return False
    return held_signer_of(parse_campaign_key(run.open.key)) is not None


def _whose(source: Path, again: TargetsFile) -> UsageError:
    """What to say of a run of which nobody here knows who wrote it."""
    from blockwatch.cli.words import counted, harmless

    urls = [url for target in again.targets for url in target.urls]
    named = ", ".join(harmless(url) for url in urls[:_MOST_NAMED]) + ", …" * (len(urls) > _MOST_NAMED)
    return UsageError(
        "this run is not sealed by a key held here: somebody else may have written it",
        where=str(source),
        remedy=f"With --not-mine its {counted(len(urls), 'address')} would be visited from your line: "
        f"{named}. Its name servers, helpers, proxy, campaign and provider's name are not taken over.",
    )


def amiss(run: Run) -> TargetsFile:
    """Return the targets of ``run`` with only those addresses that were not judged ok; all controls."""
    from blockwatch.judge import judge_run
    from blockwatch.verdict import State

    verdicts = judge_run(run.open, tuple(run.measurements), run.close, run.body)
    fine = {(v.target, v.url) for v in verdicts if v.final and v.state is State.OK}
    fine -= {(v.target, v.url) for v in verdicts if v.final and v.state is not State.OK}
    kept = []
    for target in run.open.targets:
        urls = [url for url in target.urls if target.role == "control" or (target.id, url) not in fine]
        if urls:
            kept.append(_only(target, urls))
    return TargetsFile(targets=tuple(kept), orders=run.open.orders, searches=run.open.searches)


def _only(target: Target, urls: list[str]) -> Target:
    """Return the target with these of its addresses."""
    pages = [url for url in urls if url not in target.endpoints]
    dated = {mirror.url: mirror for mirror in target.mirrors}
    return msgspec.structs.replace(
        target,
        url=pages[0] if pages else None,
        mirrors=tuple(dated.get(url, Mirror(url=url)) for url in pages[1:]),
        endpoints=tuple(url for url in target.endpoints if url in urls),
    )


def _with_probes(options: Options, run: Run) -> Options:
    probes = tuple(label.partition(" ")[0] for label in run.open.probes)
    return msgspec.structs.replace(options, probe=options.probe or probes)


def _as_before(options: Options, run: Run) -> Options:
    resolvers = tuple(r for r in run.open.resolvers if "://" in r)
    return msgspec.structs.replace(
        options,
        resolver=options.resolver or resolvers,
        helper=options.helper or run.open.helpers,
        control=options.control or run.open.control,
        campaign=options.campaign or run.open.campaign,
        isp=options.isp or run.open.vantage.declared_isp,
    )

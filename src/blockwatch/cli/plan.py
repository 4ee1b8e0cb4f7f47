"""``blockwatch plan``: what a run would contact, and how much; sends nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from blockwatch.cli.options import Options, measuring, probes_of, settings_of, targets_of, targets_option
from blockwatch.cli.resume import resume_option

if TYPE_CHECKING:
    from blockwatch.runner.plan import Plan

_TIER_2 = """\
  TIER 2: where a name looks falsified, root servers and port 53 of web servers in this list are asked for it;
  no browser does that, and whoever watches the line can tell. Read: blockwatch consent --tier 2"""

_NAMED = """\
  NAMES IN THE RUN: helper, proxy and name servers that you named are in its first line, for all who get it;
  a server of your own is your name. Read: docs/threats.md"""


@click.command(name="plan")
@click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")
@resume_option
@targets_option
@measuring
def command(options: Options, as_json: bool) -> None:
    """Show hosts, megabytes, minutes and risky categories of a run with the same options; send nothing.

    Example: blockwatch plan --targets my-list.yaml
    """
    from blockwatch.cli.packs import packs_of
    from blockwatch.runner.plan import make_plan
    from blockwatch.targets.lists import RISKY

    packs_of(options.fingerprints)  # what a run would refuse is refused here
    plan = make_plan(targets_of(options), probes_of(options), settings_of(options))
    plan = _left(plan, options) if options.resume else plan
    risky = sorted(RISKY & set(plan.categories))
    if as_json:
        _print_json(plan, risky, options.tier)
    elif not options.quiet:
        _print(plan, risky, options)


def _left(plan: Plan, options: Options) -> Plan:
    import contextlib

    from blockwatch.cli.resume import resumed
    from blockwatch.store import ResultsLock

    held = ResultsLock(options.results) if options.results.is_dir() else contextlib.nullcontext()
    with held:  # what a run that goes on will leave nobody knows
        return resumed(plan, options.results, encrypted=bool(options.encrypt_to)).plan


def _print_json(plan: Plan, risky: list[str], tier: int) -> None:
    import msgspec

    answer = {
        "targets": _targets(plan),
        "measurements": len(plan.tasks),
        "hosts": plan.hosts,
        "bytes": plan.bytes,
        "seconds": plan.seconds,
        "categories": plan.categories,
        "risky": risky,
        "tier": tier,
    }
    click.echo(msgspec.json.encode(answer).decode())


def _targets(plan: Plan) -> int:
    return len({task.target for task in plan.tasks})


def _print(plan: Plan, risky: list[str], options: Options) -> None:
    from blockwatch.cli.words import counted, duration, size

    targets, tasks = counted(_targets(plan), "target"), counted(len(plan.tasks), "measurement")
    click.echo(f"{targets}, {tasks}")
    for name, probe in plan.probes.items():
        click.echo(f"  {name}: {probe.question}")
    click.echo(f"about {size(plan.bytes)} and {duration(plan.seconds * 1_000_000)} on a clean line")
    click.echo(f"categories: {', '.join(plan.categories) or 'none given'}")
    if risky:
        click.echo(f"  RISKY, think twice: {', '.join(risky)}; a visit may be held against you")
    if options.tier > 1:
        click.echo(_TIER_2)
    if options.helper or options.control or options.resolver:
        click.echo(_NAMED)
    click.echo(f"{counted(len(plan.hosts), 'host')} would be contacted:")
    for host in plan.hosts:
        click.echo(f"  {host}")
    click.echo("and your own name server. Nothing was sent.", err=True)

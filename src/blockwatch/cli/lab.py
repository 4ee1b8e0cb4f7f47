"""``blockwatch lab``: list the scenarios, and run any program inside one."""

from __future__ import annotations

import click


@click.group(name="lab")
def command() -> None:
    """Run programs in the simulated censored internet (Linux; no root needed; no packet leaves)."""


@command.command(name="list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line, on standard output.")
def list_(as_json: bool) -> None:
    """List the scenarios: id, family, what happens.

    Example: blockwatch lab list
    """
    from blockwatch.lab.scenarios import SCENARIOS

    if as_json:
        import msgspec

        for row in SCENARIOS:
            line = {"id": row.id, "family": row.family, "world": row.world, "desc": row.desc}
            click.echo(msgspec.json.encode(line).decode())
        return
    wide = max(len(row.id) for row in SCENARIOS)
    families = max(len(row.family) for row in SCENARIOS)
    for row in SCENARIOS:
        click.echo(f"{row.id:{wide}}  {row.family:{families}}  {row.desc}")

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


@command.command(context_settings={"ignore_unknown_options": True})
@click.argument("name")
@click.argument("argv", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
def run(name: str, argv: tuple[str, ...]) -> None:
    """Run COMMAND where scenario NAME goes on, and pass its exit code on.

    \b
    COMMAND finds in its environment:
      BLOCKWATCH_LAB_CA        PEM file of the lab's certificate authority
      BLOCKWATCH_LAB_TARGETS   targets file with the scenario's addresses
      BLOCKWATCH_LAB_URLS      those addresses, with spaces between
      BLOCKWATCH_LAB_HELPER    URL of the test helper (empty where there is none)
      BLOCKWATCH_LAB_RESOLVERS name servers, as --resolver takes them, with spaces between
      BLOCKWATCH_LAB_OPTIONS   options that make `blockwatch run` measure the scenario
      BLOCKWATCH_STATE         folder for keys and other state, gone with the lab (unless it is set already)
      SSL_CERT_FILE, CURL_CA_BUNDLE  the lab's authority too

    Example: blockwatch lab run kz-sni-drop -- sh -c 'curl -sv $BLOCKWATCH_LAB_URLS'
    """
    import os
    import shlex

    from blockwatch.errors import UsageError
    from blockwatch.lab.build import build_world
    from blockwatch.lab.running import start
    from blockwatch.lab.scenarios import SCENARIOS
    from blockwatch.targets.problem import nearest

    rows = [row for row in SCENARIOS if row.id == name]
    if not rows:
        hint = nearest(name, [row.id for row in SCENARIOS])
        remedy = hint if hint.startswith("Did") else "See: blockwatch lab list"
        raise UsageError(f'there is no scenario "{name[:60]}"', remedy=remedy)
    with start(build_world(rows)) as lab:
        env = {
            **os.environ,
            "BLOCKWATCH_LAB_CA": str(lab.ca_file),
            "BLOCKWATCH_LAB_TARGETS": str(lab.targets_file),
            "BLOCKWATCH_LAB_URLS": " ".join(truth.url for truth in lab.truths),
            "BLOCKWATCH_LAB_HELPER": lab.helper_url or "",
            "BLOCKWATCH_LAB_RESOLVERS": " ".join(lab.resolver_options),
            "BLOCKWATCH_LAB_OPTIONS": shlex.join(lab.run_options()),
            "SSL_CERT_FILE": str(lab.ca_file),
            "CURL_CA_BUNDLE": str(lab.ca_file),
        }
        done = lab.run(argv, env=env, capture=False)
    code = done.returncode
    raise click.exceptions.Exit(code if code >= 0 else 128 - code)  # a signal, as shells say it

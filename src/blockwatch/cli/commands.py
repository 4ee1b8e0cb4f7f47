"""The group ``blockwatch``: the list of commands, each imported only when it is called."""

from __future__ import annotations

from importlib import import_module

import click

# Name → (module with a click command called ``command``, its line in ``blockwatch --help``).
COMMANDS = {
    "demo": ("blockwatch.cli.demo", "Measure a simulated censored internet; compare with its truth."),
    "plan": ("blockwatch.cli.plan", "Show what a run would contact, and how much; send nothing."),
    "run": ("blockwatch.cli.run", "Measure the targets, keep the evidence, say what was found."),
    "retest": ("blockwatch.cli.retest", "Measure again what an earlier run found amiss."),
    "judge": ("blockwatch.cli.judge", "Say what kept runs mean."),
    "show": ("blockwatch.cli.show", "Show one measurement as a card."),
    "verify": ("blockwatch.cli.verify", "Check evidence: whole, by whom sealed, since when; offline."),
    "timestamp": ("blockwatch.cli.timestamp", "Have others confirm now that a run's seal exists."),
    "prove": ("blockwatch.cli.prove", "Write the proof of one measurement, to show it alone."),
    "summarise": ("blockwatch.cli.summarise", "Table of what was found by target and network."),
    "bundle": ("blockwatch.cli.bundle", "Put runs into one file to hand on."),
    "import": ("blockwatch.cli.importing", "Take in bundles, or OONI's measurements."),
    "export": ("blockwatch.cli.export", "Write kept runs in other formats."),
    "targets": ("blockwatch.cli.targets", "Check a list of targets, or import one."),
    "key": ("blockwatch.cli.key", "The keys that seal your runs, and the list of keys you accept."),
    "forget": ("blockwatch.cli.forget", "Delete runs, and leave word that it was on purpose."),
    "wipe": ("blockwatch.cli.wipe", "Delete everything that blockwatch keeps on this machine."),
    "consent": ("blockwatch.cli.consent", "Read what a run does; agree, or withdraw."),
    "helper": ("blockwatch.cli.helper", "Run a test helper, the control for other people's runs."),
    "lab": ("blockwatch.cli.lab", "Run programs in the simulated censored internet."),
}


class LazyGroup(click.Group):
    """A group whose commands are modules; listing them imports none."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the commands in the order in which a person meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command; ``None`` if there is none of that name."""
        if cmd_name not in COMMANDS:
            return None
        found: click.Command = import_module(COMMANDS[cmd_name][0]).command
        return found

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest command named where there is none."""
        if args and args[0] not in COMMANDS and not args[0].startswith("-"):
            from blockwatch.targets.problem import nearest, shown

            ctx.fail(f"there is no command {shown(args[0])}. {nearest(args[0], COMMANDS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, words) for name, (_, words) in COMMANDS.items()])


def _print_version(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    if wanted and not ctx.resilient_parsing:
        from importlib.metadata import version

        click.echo(f"blockwatch {version('blockwatch-toolkit')}")
        ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Exit codes: 0 ok · 1 a fault of ours · 2 wrong usage · 3 partial · 4 own line down · 5 disk · "
    "6 bad configuration or targets · 7 another run holds the lock · 8 consent missing · "
    "9 damaged evidence. Begin with: blockwatch demo",
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version,
              help="Show the version and exit.")  # fmt: skip
def blockwatch() -> None:
    """Measure whether a network blocks a site, keep the evidence, and say what it means."""

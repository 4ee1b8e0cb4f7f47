"""``blockwatch demo``: the whole main job, measured and sealed in the lab, held against the lab's truth."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import Exit

if TYPE_CHECKING:
    from collections.abc import Sequence

    from blockwatch.lab.running import RunningLab
    from blockwatch.lab.truth import Checked
    from blockwatch.lab.world import Scenario

# All kinds of interference, and what is none; rows of one condition of the network, so that all share
# one run, as the sites of a volunteer's list do. Situations that take half a minute twice (a throttled
# or black-holed site is measured again at the end) are left to the tests.
SCENARIOS = (
    *("o40", "o41", "chain5", "russian", "cross", "dynamic-https"),
    *("o11", "tm-dns-https", "o04", "dns-empty-isp", "ca-ip-rst"),
    *("kz-sni-drop", "o46", "ca-sni-fin", "uz-plain-tls", "kz-mitm-isca", "kz-mitm-qaznet"),
    *("tm-http-rst", "kg-elcat", "uz-redirect", "ca-freeze"),
    *("o48", "down-refused", "cert-expired", "geo-451", "challenge-all"),
)


@click.command(name="demo")
@click.option("--results", type=click.Path(file_okay=False, path_type=Path), default=Path("results/demo"),
              show_default=True, metavar="DIR", help="Folder for the demo's run.")  # fmt: skip
def command(results: Path) -> None:
    """Run `blockwatch run` in a simulated censored internet and compare its verdicts with the truth.

    The run is sealed by a key that is made for it and thrown away; the seal is checked. Needs Linux, and
    neither root nor a network; no packet leaves this machine. Exit code 0 only if every verdict is right.

    Example: blockwatch demo
    """
    from blockwatch.evidence.disk import in_words
    from blockwatch.lab.build import build_world
    from blockwatch.lab.running import start

    rows = _rows()
    click.echo(f"{len(rows)} situations in a simulated internet; no packet leaves this machine", err=True)
    with in_words(results):
        results.mkdir(parents=True, exist_ok=True)
    with start(build_world(rows, name="demo")) as lab:
        code, key = _measure(lab, results)
        checked = _checked(lab, results, code)
    _print(rows, checked)
    _verify(results, key)
    wrong = sum(not one.right for one in checked)
    if wrong or code != Exit.OK:
        click.echo(f"{wrong} of {len(checked)} verdicts are wrong; the run ended with exit code {code}")
        raise click.exceptions.Exit(Exit.FAULT)
    click.echo(f"all {len(checked)} verdicts equal the lab's truth")


def _rows() -> list[Scenario]:
    from blockwatch.lab.scenarios import SCENARIOS as ALL

    named = {row.id: row for row in ALL}
    return [named[name] for name in SCENARIOS]


def _measure(lab: RunningLab, results: Path) -> tuple[int, str]:
    """Run the program, as a person would, where the lab's probe is; its exit code and the key of its seal."""
    import os
    import subprocess
    import sys
    import tempfile

    from blockwatch.evidence.signing import signer_from
    from blockwatch.host.keys import KEY_FILE

    argv = [sys.executable, "-m", "blockwatch", "run", *lab.run_options(), "--label", "demo"]
    with tempfile.TemporaryDirectory(prefix="blockwatch-demo-") as state:
        process = lab.popen(
            [*argv, "--results", str(results.resolve())],
            env={**os.environ, "BLOCKWATCH_STATE": state},  # the demo is no run of the volunteer's
            stdout=subprocess.DEVNULL,
        )
        try:
            code, kept = process.wait(), Path(state) / KEY_FILE
            return code, str(signer_from(kept.read_bytes()).key) if kept.is_file() else ""
        except BaseException:
            process.terminate()
            process.wait()
            raise


def _checked(lab: RunningLab, results: Path, code: int) -> list[Checked]:
    from blockwatch.cli.kept import judged
    from blockwatch.cli.words import verdict_line
    from blockwatch.errors import LabError
    from blockwatch.lab.truth import check
    from blockwatch.store import find_runs

    folders = find_runs([results])
    if code not in (Exit.OK, Exit.PARTIAL) or not folders:
        raise LabError(f"the run in the lab ended with exit code {code}", remedy="Its own words are above.")
    click.echo(f"evidence: {folders[-1]}")
    for _, verdicts in judged((folders[-1],)):
        return check(lab.truths, [verdict_line(verdict) for verdict in verdicts])
    return []


def _verify(results: Path, key: str) -> None:
    """Check the seal as a stranger would who was told the key; raises ``EvidenceError``."""
    from blockwatch.cli.verify import command as verify
    from blockwatch.store import find_runs

    click.echo("\nblockwatch verify says of it:")
    verify.main([str(find_runs([results])[-1]), "--key", key], standalone_mode=False)


def _print(rows: Sequence[Scenario], checked: Sequence[Checked]) -> None:
    from blockwatch.cli.table import print_table
    from blockwatch.lab.truth import words

    described = {row.id: row.desc for row in rows}
    order = [row.id for row in rows]
    table, styles = [], []
    for one in sorted(checked, key=lambda one: order.index(one.truth.scenario)):
        verdict = one.verdict or {"state": "none", "grade": None, "mechanism": None}
        said = " ".join(str(verdict[key]) for key in ("state", "grade", "mechanism") if verdict[key])
        table.append(
            (described[one.truth.scenario], words(one.truth), said, "right" if one.right else "WRONG")
        )
        styles.append(None if one.right else "bold red")
    print_table(("what happens", "truth", "verdict", ""), table, styles=styles)

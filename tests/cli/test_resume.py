"""``run --resume`` in the lab: killed at several moments, gone on with, checked by both checkers."""

from __future__ import annotations

import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyrage
import pytest

from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import PROGRESS_FILE
from blockwatch.evidence.progress import read_progress
from blockwatch.evidence.signing import signer_from
from blockwatch.host.keys import KEY_FILE
from blockwatch.lab.build import build_world
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.scenarios import SCENARIOS
from blockwatch.store import Run, find_runs, read_run
from tests.cli.command import BLOCKWATCH, blockwatch, lab_environment
from tests.evidence.checker import ask
from tests.lab_ready import needs_lab

pytestmark = needs_lab
MINE = pyrage.x25519.Identity.generate()
PAGES = 16  # of each of three sites


@contextmanager
def sites(*wanted: str) -> Iterator[RunningLab]:
    rows = [row for row in SCENARIOS if row.id in wanted]
    with start(build_world(rows, name="resume")) as running:
        yield running


def command(lab: RunningLab, here: Path, *words: str) -> list[str]:
    options = lab.run_options()
    if "--targets" in words:
        del options[:2]
    return [*BLOCKWATCH, "run", *options, "--results", str(here / "results"), *words]


def ran(lab: RunningLab, here: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return lab.run(command(lab, here, *words), env=lab_environment(here), timeout=60)


def killed(lab: RunningLab, here: Path, when: Callable[[Path], bool], *words: str) -> Path:
    """Kill -9 a run as soon as ``when`` holds of its folder, which is given back."""
    results = here / "results"
    before = set(results.glob("2*"))
    argv = command(lab, here, "--concurrency", "1", "--quiet", *words)
    with (here / "said").open("w+b") as said:
        process = lab.popen(argv, env=lab_environment(here), stdout=said, stderr=said)
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline and process.poll() is None:
            for folder in set(results.glob("2*")) - before:
                if when(folder):
                    process.send_signal(signal.SIGKILL)
                    assert process.wait(timeout=30) == -signal.SIGKILL
                    return folder
            time.sleep(0.005)
        process.kill()
        process.wait(timeout=30)
    pytest.fail(f"the moment to kill it never came: {(here / 'said').read_text()}")


def at_once(folder: Path) -> bool:
    return True


def one_record(folder: Path) -> bool:
    return (folder / LOG_FILE).read_bytes().count(b"\n") > 1


def one_noted(folder: Path) -> bool:
    signer = signer_from((folder.parents[1] / "state" / KEY_FILE).read_bytes())
    noted = read_progress(folder, signer)
    return noted is not None and len(noted.numbers) > 0


def many(lab: RunningLab, path: Path) -> Path:
    """A list that takes long enough for a limit to be noticed on the way."""
    path.write_text("".join(f"{truth.url}{number}\n" for number in range(PAGES) for truth in lab.truths))
    return path


def chained(folders: list[Path]) -> list[Run]:
    """The runs; each goes on from the one before, and the last one ended."""
    runs = sorted(map(read_run, folders), key=lambda run: run.open.started)
    assert [run.open.resumes for run in runs] == [None, *(run.open.run for run in runs[:-1])]
    close = runs[-1].close
    assert close is not None
    last = runs[-1].open
    assert (close.reason, close.planned) == ("done", len(last.beside) + len(last.rest))
    return runs


def times(runs: list[Run]) -> Counter[str]:
    """How often each site was measured to the end, but for what was measured once more to compare with."""
    found = Counter[str]()
    for run in runs:
        beside = {run.open.targets[number].id for number in run.open.beside}  # one address each
        whole = [m.target for m in run.measurements if m.valid and m.stopped is None]
        assert run.close is None or run.close.reason != "done" or beside <= set(whole)
        found.update(target for target in whole if target not in beside)
    return found


def test_killed_and_gone_on_with(tmp_path: Path) -> None:
    results = tmp_path / "results"
    with sites("o40", "o41", "chain5", "ca-ip-rst") as lab:
        (blocked,) = (truth.target for truth in lab.truths if truth.scenario == "ca-ip-rst")

        def blocked_once(folder: Path) -> bool:  # it is to be measured again at the end
            *lines, _ = (folder / LOG_FILE).read_bytes().split(b"\n")
            return any(f'"target":"{blocked}"'.encode() in line for line in lines[1:])

        killed(lab, tmp_path, one_record)
        last = killed(lab, tmp_path, blocked_once, "--resume")
        before = {path: path.read_bytes() for path in results.glob("2*/**/*") if path.is_file()}
        planned = blockwatch("plan", *lab.run_options(), "--results", results, "--resume", cwd=tmp_path)
        done = ran(lab, tmp_path, "--resume")
        again = ran(lab, tmp_path, "--resume")
    assert done.returncode == 0, done.stderr
    runs = chained(find_runs([results]))
    left = int(planned.stdout.split(" target")[0]) - len(runs[-1].open.beside)
    assert f"goes on with {last}: {left} measurement" in done.stderr
    assert "once more to compare with" in done.stderr
    assert {path: path.read_bytes() for path in before} == before
    assert (again.returncode, "this run is complete" in again.stderr) == (2, True)

    listed = [target.id for target in runs[0].open.targets]
    first = len(list(runs[0].measurements))  # one, or two where the kill came late
    assert [len(run.open.rest) for run in runs] == [0, len(listed) - first, left]
    assert times(runs) == {site: 3 if site == blocked else 1 for site in listed}
    attempts = [[m.attempt for m in run.measurements if m.target == blocked] for run in runs]
    assert attempts == [[], ["first"], ["first", "retest"]]
    assert len([line for line in done.stdout.splitlines() if " of blocking" in line]) == 1
    verified = blockwatch("verify", "results", cwd=tmp_path)
    assert (verified.returncode, ask(results)[0]) == (0, 0), verified.stdout
    assert "a later run of the same key says that this one ended here" in verified.stdout
    assert f"goes on from {runs[1].open.run}" in blockwatch("judge", "results", cwd=tmp_path).stdout


def test_with_a_limit_and_where_nobody_can_read_it(tmp_path: Path) -> None:
    """A limit of megabytes is that of each run; what is noted of how far it came has no name in it."""
    results, to = tmp_path / "results", ["--encrypt-to", str(MINE.to_public())]
    limit = ["--max-mb", "0.002", "--concurrency", "1", "--quiet"]
    with sites("o40", "clean0", "clean1") as lab:
        to += ["--targets", str(many(lab, tmp_path / "list.txt"))]
        first = killed(lab, tmp_path, at_once, *to)
        limited = ran(lab, tmp_path, *to, *limit, "--resume")
        second = killed(lab, tmp_path, one_noted, *to, "--resume")
        told = (second / PROGRESS_FILE).read_bytes()
        assert all(word not in told for word in (b"http", b"site-", b"done", second.name[-16:].encode()))
        assert not (first / PROGRESS_FILE).exists()
        plain = ran(lab, tmp_path, "--resume")
        other = ran(lab, tmp_path, *to, "--resume", "--isp", "Another")
        done = ran(lab, tmp_path, *to, "--resume")
        complete = ran(lab, tmp_path, *to, "--resume")
    assert (plain.returncode, "name a key with --encrypt-to" in plain.stderr) == (2, True)
    assert (other.returncode, "another list or other options" in other.stderr) == (2, True)
    assert (limited.returncode, "--max-mb" in limited.stderr, done.returncode) == (3, True, 0)
    assert "with --resume goes on with what is left" in limited.stderr
    assert (complete.returncode, "complete" in complete.stderr) == (2, True), complete.stderr
    assert list(results.glob("*/progress*")) == []

    (tmp_path / "key").write_text(f"{MINE}\n")
    for folder in sorted(results.glob("2*")):
        came = blockwatch("import", folder, "--identity", "key", "--results", "collected", cwd=tmp_path)
        assert came.returncode == 0, came.stderr
    runs = chained(find_runs([tmp_path / "collected"]))
    assert set(times(runs).values()) == {1}
    assert len(times(runs)) == 3 * PAGES
    moved = [run.close.bytes_sent + run.close.bytes_received for run in runs if run.close]
    assert len(moved) == 2
    assert sum(moved) > 2_000
    assert blockwatch("verify", "collected", cwd=tmp_path).returncode == 0
    assert ask(tmp_path / "collected")[0] == 0


def test_a_re_test_that_was_stopped(tmp_path: Path) -> None:
    results = tmp_path / "results"
    short = ("--max-mb", "0.002", "--concurrency", "1")
    with sites("o40", "clean0", "clean1") as lab:
        listed = ("--targets", str(many(lab, tmp_path / "list.txt")))
        assert ran(lab, tmp_path, *listed, *short).returncode == 3  # what was not measured is amiss
        (run,) = find_runs([results])
        mine = ["--results", results, "--ca-file", lab.ca_file, "--yes", "--quiet"]

        def again(*words: str) -> subprocess.CompletedProcess[str]:
            argv = [*BLOCKWATCH, "retest", "--from", str(run), *map(str, mine), *words]
            return lab.run(argv, env=lab_environment(tmp_path), timeout=60)

        limited = again(*short)
        done = again("--resume")
        complete = again("--resume")
    assert (limited.returncode, "with --resume goes on" in limited.stderr) == (3, True), limited.stderr
    assert (done.returncode, complete.returncode) == (0, 2), done.stderr
    first, *runs = map(read_run, find_runs([results]))
    assert {one.open.retest_of for one in runs} == {first.open.run}
    chained([one.folder for one in runs])
    assert blockwatch("verify", "results", cwd=tmp_path).returncode == 0
    assert ask(results)[0] == 0

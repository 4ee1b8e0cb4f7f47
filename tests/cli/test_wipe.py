"""``blockwatch wipe``: keys go whatever else fails, nothing of others goes, what stays is named."""

from __future__ import annotations

import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from blockwatch.errors import Exit
from blockwatch.lab.volunteer import on_terminal
from blockwatch.store import ResultsLock
from tests.cli.command import blockwatch, kept_run
from tests.cli.test_seal import encrypted, signed_run

WIPED = (0, "wiped\n")
PARTLY = (Exit.PARTIAL, "wiped, but not all\n")


@pytest.fixture(autouse=True)
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the test's own: this command deletes in it."""
    place = tmp_path / "tmp"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    return place


def wipe(cwd: Path, *words: str | Path) -> tuple[tuple[int, str], str]:
    """Wipe unasked; exit code and standard output, and what was said."""
    env = {"TMPDIR": str(cwd / "tmp"), "HOME": str(cwd / "home")}
    done = blockwatch("wipe", "--yes", *words, cwd=cwd, env=env)
    return (done.returncode, done.stdout), done.stderr


def everything(cwd: Path) -> set[str]:
    return {str(path.relative_to(cwd)) for path in cwd.rglob("*")}


def noted(cwd: Path, *folders: Path) -> None:
    (cwd / "state").mkdir(exist_ok=True)
    (cwd / "state" / "results_folders").write_text("".join(f"{folder}\n" for folder in folders))


def test_all_that_is_ours_goes_and_nothing_else(tmp_path: Path) -> None:
    results = tmp_path / "results"
    folder = signed_run(tmp_path)
    other = kept_run(tmp_path / "elsewhere")
    gone = signed_run(tmp_path, run="e" * 16)
    assert blockwatch("forget", "--yes", gone, cwd=tmp_path).returncode == 0
    blockwatch("consent", "--yes", cwd=tmp_path)
    noted(tmp_path, results)
    encrypted(tmp_path, "d" * 16)
    kept_run(tmp_path / "elsewhere", run="c" * 16).rename(results / "renamed")
    for name in (f".20261122T042000Z-home-{'a' * 16}", ".forgotten-x", ".import-abc_12z4"):
        (results / name / "deep").mkdir(parents=True)
        (results / name / "deep" / "file").write_text("ours")
    ours = (
        f"receipts/{'a' * 32}.json", f"receipts/{'a' * 32}-2.json.part",
        f"aside/{'a' * 16}-{'b' * 12}/run.age",
        f"aside/stamps-{'a' * 16}-{'b' * 12}/some.tsr", f"aside/forgotten-{'a' * 16}-{'b' * 12}",
        f"aside/20261122T042000Z-{'a' * 16}/run.age", f"aside/forgotten/{'a' * 16}",
        f".parts/{'a' * 64}-3-1000/0002",
    )  # fmt: skip
    for name in ours:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("ours")
    (results / "notes.txt").write_text("mine")
    (results / "photos").mkdir()
    (tmp_path / "state" / "diary").write_text("mine")
    before = everything(tmp_path)
    done = blockwatch("wipe", cwd=tmp_path)
    assert done.returncode == Exit.CONSENT
    assert everything(tmp_path) == before
    ended, said = wipe(tmp_path, "--results", "elsewhere")
    assert ended == WIPED, said
    for words in ("your provider", "encrypted before", "bundles", str(folder.parent), str(other.parent)):
        assert words in said
    left = {"results", "results/notes.txt", "results/photos", "state", "state/diary", "tmp"}
    assert everything(tmp_path) == left
    assert wipe(tmp_path)[0] == WIPED
    assert everything(tmp_path) == left


def test_what_others_keep_under_a_name_of_ours_stays(tmp_path: Path) -> None:
    results = tmp_path / "results"
    signed_run(tmp_path)
    mine = (
        "receipts/tax2026.pdf", "receipts/2026/tax.pdf", "aside/letter.txt", "aside/forgotten/diary",
        "forgotten/names.txt", ".parts/bicycle", "project/notes.txt",
    )  # fmt: skip
    for name in mine:
        (results / name).parent.mkdir(parents=True, exist_ok=True)
        (results / name).write_text("mine")
    (results / "project" / "measurements.jsonl").write_text("a run that somebody renamed\n")
    (results / "receipts" / f"{'a' * 32}.json").write_text("ours")
    ended, said = wipe(tmp_path, "--results", "results")
    assert ended == WIPED
    assert {str(path.relative_to(results)) for path in results.rglob("*") if path.is_file()} == set(mine)
    for name in ("receipts/tax2026.pdf", "receipts/2026", "aside/letter.txt", "project/notes.txt"):
        assert f"not of blockwatch, and left where it is: {results / name}\n" in said


def test_a_stick_that_is_not_plugged_in_is_named_and_stays_noted(tmp_path: Path) -> None:
    here, stick = tmp_path / "results", tmp_path / "stick" / "results"
    signed_run(tmp_path)
    kept_run(tmp_path / "away")
    mount_point = tmp_path / "mounted"
    mount_point.mkdir()
    noted(tmp_path, here, stick, mount_point)
    ended, said = wipe(tmp_path, "--results", "never")
    assert ended == PARTLY
    named = said.partition("NOT DELETED:")[2]
    assert f"{stick}: not there now" in named
    assert f"{mount_point}: nothing of blockwatch is in it" in named
    assert f"{tmp_path / 'never'}: not there now" in named
    assert not here.exists()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"results_folders"}
    assert (tmp_path / "state" / "results_folders").read_text() == f"{stick}\n{mount_point}\n"
    stick.parent.mkdir()
    (tmp_path / "away").rename(stick)
    assert wipe(tmp_path)[0] == PARTLY
    assert not stick.exists()
    assert wipe(tmp_path, "--gone")[0] == WIPED
    assert everything(tmp_path) == {"tmp", "mounted", "stick"}


def test_a_run_that_goes_on_keeps_its_folder_and_nothing_else(tmp_path: Path) -> None:
    """Keys, agreement and notes go first, and the folders after it are not spared."""
    folder = signed_run(tmp_path)
    blockwatch("key", "show", "--campaign", "spring", cwd=tmp_path)
    blockwatch("consent", "--yes", cwd=tmp_path)
    kept_run(tmp_path / "second")
    noted(tmp_path, tmp_path / "results", tmp_path / "second")
    with ResultsLock(tmp_path / "results"):
        ended, said = wipe(tmp_path)
        assert blockwatch("forget", "--yes", folder, cwd=tmp_path).returncode == Exit.LOCKED
    assert ended == PARTLY
    assert f"{tmp_path / 'results'}: another run is going on here" in said.partition("NOT DELETED:")[2]
    assert folder.is_dir()
    assert not (tmp_path / "second").exists()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"results_folders"}
    assert wipe(tmp_path)[0] == WIPED
    assert everything(tmp_path) == {"tmp"}


def test_what_cannot_be_deleted_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In this process, where a disk can be made to refuse."""
    from click.testing import CliRunner

    from blockwatch.cli.wipe import command

    stuck = signed_run(tmp_path) / "bodies.warc.gz"
    other = signed_run(tmp_path, run="e" * 16)
    kept_run(tmp_path / "second")
    noted(tmp_path, tmp_path / "results", tmp_path / "second")
    real = os.unlink

    def refuse(path: Path, **named: int) -> None:
        if Path(path) == stuck:
            raise OSError(30, "Read-only file system")
        real(path, **named)

    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    with monkeypatch.context() as patched:
        patched.setattr("blockwatch.evidence.sweep.os.unlink", refuse)
        done = CliRunner().invoke(command, ["--yes"])
    assert done.exit_code == Exit.PARTIAL, done.output
    named = done.output.partition("NOT DELETED:")[2]
    assert f"{stuck}: read-only file system" in named
    assert f"{tmp_path / 'results'}: some of it cannot be deleted" in named
    assert {path.name for path in stuck.parent.iterdir()} == {stuck.name}
    assert not other.exists()
    assert not (tmp_path / "second").exists()
    assert {path.name for path in (tmp_path / "state").iterdir()} == {"results_folders"}
    assert wipe(tmp_path)[0] == WIPED
    assert everything(tmp_path) == {"tmp"}


def test_a_link_goes_and_what_it_points_to_stays(tmp_path: Path) -> None:
    mine = kept_run(tmp_path / "mine")
    signed_run(tmp_path)
    results = tmp_path / "results"
    os.symlink(mine, results / f"20261122T042000Z-{'b' * 16}")
    os.symlink(mine, results / "renamed")
    os.symlink(tmp_path / "nowhere", results / f"20261122T042000Z-{'c' * 16}")
    os.symlink(tmp_path / "mine", results / "receipts")
    ended, said = wipe(tmp_path, "--results", "results")
    assert ended == PARTLY
    assert said.partition("NOT DELETED:")[2].count(f"{mine}: not touched") == 2
    assert f"left where it is: {results / 'receipts'}" in said
    assert (mine / "measurements.jsonl").is_file()
    assert os.listdir(results) == ["receipts"]


def test_what_a_killed_program_left_in_the_temporary_folder(tmp_path: Path, temporary: Path) -> None:
    for name in ("blockwatch-ab12_xyz", "blockwatch-demo-ab12_xyz"):
        kept_run(temporary / name / "0")
    (temporary / "blockwatch-notes").mkdir()
    (temporary / "blockwatch-file_xyz").write_text("mine")
    ended, said = wipe(tmp_path)
    assert ended == WIPED
    assert f"{temporary / 'blockwatch-ab12_xyz'}: left there when blockwatch was killed" in said
    assert {path.name for path in temporary.iterdir()} == {"blockwatch-notes", "blockwatch-file_xyz"}


def test_a_state_that_cannot_be_read_is_no_reason_to_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made with sudo, say: it is named, and the rest goes."""
    from click.testing import CliRunner

    from blockwatch.cli.wipe import command

    kept_run(tmp_path / "results")
    (tmp_path / "state").mkdir()
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    real = Path.iterdir

    def iterdir(path: Path) -> Iterator[Path]:
        if path == tmp_path / "state":
            raise PermissionError(13, "Permission denied")
        return iter(list(real(path)))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "iterdir", iterdir)
        done = CliRunner().invoke(command, ["--yes", "--results", str(tmp_path / "results")])
    assert done.exit_code == Exit.PARTIAL, done.output
    assert f"{tmp_path / 'state'}: cannot be read" in done.output.partition("NOT DELETED:")[2]
    assert not (tmp_path / "results").exists()


def test_another_state_is_named_and_not_touched(tmp_path: Path) -> None:
    other = tmp_path / "home" / ".local" / "state" / "blockwatch"
    other.mkdir(parents=True)
    (other / "consent.json").write_text(json.dumps({}))
    ended, said = wipe(tmp_path)
    assert ended == WIPED
    assert f"BLOCKWATCH_STATE={other} blockwatch wipe" in said
    assert (other / "consent.json").exists()


def test_the_lock_is_deleted_while_it_is_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that begins just then is held off, or makes a lock of its own: never one that is gone."""
    from click.testing import CliRunner

    from blockwatch.cli.wipe import command

    kept_run(tmp_path / "results")
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    real, tried = Path.unlink, []

    def unlink(path: Path, missing_ok: bool = False) -> None:
        if path.name == ".lock":
            with path.open() as second, pytest.raises(BlockingIOError):
                fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)
            tried.append(path)
        real(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink)
    done = CliRunner().invoke(command, ["--yes", "--results", str(tmp_path / "results")])
    assert done.exit_code == 0, done.output
    assert tried == [tmp_path / "results" / ".lock"]
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("answer", "code"), [("n\n", Exit.CONSENT), ("y\n", Exit.OK)])
def test_it_asks_on_a_terminal(tmp_path: Path, answer: str, code: Exit) -> None:
    signed_run(tmp_path)
    environment = {"BLOCKWATCH_STATE": str(tmp_path / "state"), "TMPDIR": str(tmp_path / "tmp")}
    shown, ended = on_terminal(["wipe", "--results", str(tmp_path / "results")], environment, typed=answer)
    assert ended == code, shown
    assert "Delete all this?" in shown
    assert (tmp_path / "results").exists() is (code != Exit.OK)

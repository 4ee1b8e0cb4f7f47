"""A link in the place of a run leads anywhere: nothing goes through it that was not asked to."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.errors import UsageError
from blockwatch.evidence.chain import last_root
from blockwatch.evidence.naming import NO_FILE, NO_FOLDER
from blockwatch.evidence.receipt import imported_runs
from blockwatch.evidence.rootnote import encrypted_folders, root_text
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.store import find_runs, read_run
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.world import HOUR, OURS, SECOND, STARTED, write_run
from tests.evidence.collector import contents


@pytest.fixture
def link(tmp_path: Path) -> Path:
    """In a results folder with a run of its own, a link to somebody else's."""
    write_run(tmp_path / "results")
    other = write_run(tmp_path / "elsewhere", SECOND, started=STARTED + HOUR)
    link = tmp_path / "results" / other.name
    link.symlink_to(other)
    return link


@pytest.mark.parametrize("words", [["verify"], ["verify", "--json"]])
def test_verify_says_so_and_does_not_follow(link: Path, tmp_path: Path, words: list[str]) -> None:
    done = blockwatch(*words, "results", cwd=tmp_path)
    assert done.returncode == 9
    assert "a link stands where a run folder should; it was not followed" in done.stdout
    assert link.name in done.stdout
    assert done.stdout.count("internally consistent") == (len(words) == 1)  # the one run that is there


@pytest.mark.parametrize(
    "words",
    [
        ["bundle", "results", "-o", "b"],
        ["bundle", "results", "--wacz", "-o", "b"],
        ["judge", "results"],
        ["forget", "results", "--yes"],
        ["timestamp", "results", "--tsa", "http://127.0.0.1:9"],
        ["export", "results", "--format", "jsonl"],
        ["import", "sent", "--results", "results"],
    ],
)
def test_the_others_refuse(link: Path, tmp_path: Path, words: list[str]) -> None:
    assert blockwatch("bundle", "elsewhere", "-o", "sent", cwd=tmp_path).returncode == 0
    before = {name: raw for name, raw in contents(tmp_path).items() if not name.startswith("state/")}
    done = blockwatch(*words, cwd=tmp_path)
    assert (done.returncode, no_traceback(done)) == (2, True), done.stderr
    assert "a link stands where a run folder should, and is not followed" in done.stderr
    assert str(link.name) in done.stderr
    after = {name: raw for name, raw in contents(tmp_path).items() if not name.startswith("state/")}
    assert {name: raw for name, raw in after.items() if not name.endswith(".lock")} == before


def test_one_that_is_named_is_followed(link: Path, tmp_path: Path) -> None:
    assert [read_run(folder).open.run for folder in find_runs([link])] == [SECOND]
    told = json.loads(blockwatch("verify", link, "--json", cwd=tmp_path).stdout)
    assert (told["ok"], told["run"]) == (True, SECOND)


def test_the_chain_goes_on_from_what_is_here(link: Path, tmp_path: Path) -> None:
    run = read_run(next(path for path in link.parent.iterdir() if not path.is_symlink()))
    assert last_root(link.parent, run.open.key) == run.root()


def test_a_link_to_an_encrypted_run_is_one_too(tmp_path: Path) -> None:
    hidden = tmp_path / "elsewhere" / f"20191231T000000Z-{SECOND}"
    hidden.mkdir(parents=True)
    (hidden / "run.age").write_bytes(b"chunk 1 5\nhello")
    results = tmp_path / "results"
    results.mkdir()
    (results / hidden.name).symlink_to(hidden)
    assert encrypted_folders(results) == []
    with pytest.raises(UsageError, match="a link stands where"):
        find_runs([results])


KINDS = ["a pipe", "a folder", "nowhere", "/dev/zero"]
EXPORT = ["export", "--format", "jsonl"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_run_whose_log_is_no_file_is_damaged(tmp_path: Path, kind: str) -> None:
    write_run(tmp_path / "results")
    other = write_run(tmp_path / "results", SECOND, started=STARTED + HOUR)
    (other / "measurements.jsonl").unlink()
    stand(other / "measurements.jsonl", kind)
    for path in (other.parent, other):
        report = list(verify_paths([path], Reader()))[-1]
        assert [(one.kind, one.where, one.what) for one in report.findings] == [
            ("damage", "measurements.jsonl", NO_FILE)
        ]
    for words in (["verify"], ["judge"], ["bundle", "-o", "b"], ["forget", "--yes"], EXPORT):
        done = blockwatch(*words, "results", cwd=tmp_path)
        assert (done.returncode != 0, no_traceback(done)) == (True, True), (words, done.stderr)
        assert other.name in done.stdout + done.stderr


@pytest.mark.parametrize("kind", [*KINDS, "a link to one"])
@pytest.mark.parametrize("name", ["run.age", "root", "stone"])
def test_what_stands_for_a_run_that_is_not_here_is_a_file_itself(
    tmp_path: Path, name: str, kind: str
) -> None:
    results = write_run(tmp_path / "results").parent
    hidden = results / f"20200101T010000Z-{SECOND}"
    hidden.mkdir()
    text = root_text(SECOND, str(OURS.key), "ab" * 32, None, sha256(b"x").digest())
    files = {hidden / "run.age": b"x", hidden / "root": OURS.note(text)}
    if name == "stone":
        stone = f"run {SECOND}\nkey none\nsize 0\nroot {'0' * 64}\nprevious none\nwhen 2020-01-01T06:40:00Z"
        files = {results / "forgotten" / SECOND: f"blockwatch/forgotten\n{stone}\n".encode()}
    for path, raw in files.items():
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(raw)
    (report,) = verify_paths([results], Reader())
    assert report.findings == ()
    path = next(path for path in files if path.name in (name, SECOND))
    if kind == "a link to one":
        path.rename(tmp_path / "kept")
        path.symlink_to(tmp_path / "kept")
    else:
        path.unlink()
        stand(path, kind)
    report = list(verify_paths([results], Reader()))[-1]
    where = str(path.relative_to(results))
    assert [(one.kind, one.where, one.what) for one in report.findings] == [("damage", where, NO_FILE)]


def test_a_pipe_for_an_encrypted_run_that_was_killed_is_damage(tmp_path: Path) -> None:
    hidden = write_run(tmp_path / "results").with_name(f"20200101T010000Z-{SECOND}")
    hidden.mkdir()
    os.mkfifo(hidden / "run.age")
    _, report = verify_paths([hidden.parent], Reader())
    assert [one.where for one in report.findings] == [f"{hidden.name}/run.age"]


@pytest.mark.parametrize("kind", KINDS)
def test_a_receipt_that_is_no_file_is_not_waited_for(tmp_path: Path, kind: str) -> None:
    results = write_run(tmp_path / "results").parent
    (results / "receipts").mkdir()
    stand(results / "receipts" / "a.json", kind)
    assert imported_runs(results) == set()
    (report,) = verify_paths([results], Reader())
    assert report.findings == ()


def stand(path: Path, kind: str) -> None:
    """Put something there that is no file."""
    if kind == "a pipe":
        os.mkfifo(path)
    elif kind == "a folder":
        path.mkdir()
    else:
        path.symlink_to(path.parent / kind)


@pytest.mark.parametrize("name", ["forgotten", "receipts", "aside", ".parts", ".import-x"])
def test_an_import_writes_through_no_link(tmp_path: Path, name: str) -> None:
    """One with a name of ours is refused; one like our own hidden folders is nobody's business."""
    results = write_run(tmp_path / "results").parent
    write_run(tmp_path / "other", SECOND, signer=None)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (results / name).symlink_to(elsewhere)
    assert blockwatch("bundle", "other", "-o", "sent", cwd=tmp_path).returncode == 0
    done = blockwatch("import", "sent", "--results", "results", cwd=tmp_path)
    assert no_traceback(done)
    assert done.returncode == (0 if name == ".import-x" else 2), done.stderr
    assert name == ".import-x" or f"{name}: {NO_FOLDER}" in done.stderr
    assert list(elsewhere.iterdir()) == []
    assert (results / name).is_symlink()


def test_a_run_is_not_forgotten_into_another_folder(tmp_path: Path) -> None:
    results = write_run(tmp_path / "results").parent
    (tmp_path / "elsewhere").mkdir()
    (results / "forgotten").symlink_to(tmp_path / "elsewhere")
    done = blockwatch("forget", "results", "--yes", cwd=tmp_path)
    assert (done.returncode != 0, no_traceback(done)) == (True, True), done.stderr
    assert NO_FOLDER in done.stderr
    assert list((tmp_path / "elsewhere").iterdir()) == []
    assert len(find_runs([results])) == 1

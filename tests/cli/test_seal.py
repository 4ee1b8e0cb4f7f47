"""The commands about the seal: key, prove, forget, wipe; as a shell calls them."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from blockwatch.errors import Exit
from blockwatch.evidence.allow import parse_rotation, read_allow_list
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.proof import check_proof
from blockwatch.evidence.signing import new_signer, signer_from
from blockwatch.evidence.tombstone import mark_exported, read_tombstones
from blockwatch.lab.volunteer import on_terminal
from blockwatch.store import RunWriter
from tests.cli.command import RUN_ID, blockwatch, kept_run, no_traceback
from tests.evidence.made import measured, run_close, run_open


def signed_run(cwd: Path, run: str = RUN_ID, campaign: str | None = None) -> Path:
    """A run sealed by the key that the program made in ``cwd/state``."""
    blockwatch("key", "show", *(("--campaign", campaign) if campaign else ()), cwd=cwd)
    (path,) = [path for path in (cwd / "state").iterdir() if re.fullmatch(r"key(\..*)?", path.name)]
    writer = RunWriter(cwd / "results", signer=signer_from(path.read_bytes()))
    writer.open(run_open(run, campaign=campaign))
    writer.write(measured(1, run=run))
    writer.close(run_close(1))
    return writer.folder


# key


def test_the_key_is_shown_and_stays(tmp_path: Path) -> None:
    done = blockwatch("key", "show", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    key = parse_campaign_key(done.stdout.strip())
    assert blockwatch("key", "show", cwd=tmp_path).stdout == done.stdout
    assert blockwatch("key", "show", "--campaign", "spring", cwd=tmp_path).stdout != done.stdout
    ssh = blockwatch("key", "show", "--ssh", cwd=tmp_path).stdout
    assert re.fullmatch(rf'{key.name} namespaces="blockwatch" ssh-ed25519 \S{{68}}\n', ssh)
    assert not list((tmp_path / "state").glob("*spring*"))


def test_the_secret_is_never_said(tmp_path: Path) -> None:
    said = ""
    for words in (["show"], ["show", "--ssh"], ["rotate"], ["show"]):
        done = blockwatch("key", *words, cwd=tmp_path, env={"BLOCKWATCH_DEBUG": "1"})
        said += done.stdout + done.stderr
        secret = (tmp_path / "state" / "key").read_text().strip().split("+", 4)[4]
        assert secret[4:] not in said
    (tmp_path / "state" / "key").write_text("PRIVATE+KEY+blockwatch/key/0+0+" + secret[:-4])
    done = blockwatch("key", "show", cwd=tmp_path, env={"BLOCKWATCH_DEBUG": "1"})
    assert done.returncode == Exit.CONFIG
    assert "damaged" in done.stderr
    assert secret[4:12] not in done.stdout + done.stderr


def test_a_new_key_and_how_it_is_handed_on(tmp_path: Path) -> None:
    """The collector's list follows a key that announces its successor, and no other."""
    assert blockwatch("key", "rotate", "--announce", "n.note", cwd=tmp_path).returncode == Exit.CONFIG
    assert not (tmp_path / "state" / "key").exists()
    first = blockwatch("key", "show", cwd=tmp_path).stdout.strip()
    done = blockwatch("key", "rotate", "--announce", "new.note", cwd=tmp_path)
    second = done.stdout.strip()
    assert second == blockwatch("key", "show", cwd=tmp_path).stdout.strip() != first
    assert "begins a new chain" in done.stderr
    handed = parse_rotation((tmp_path / "new.note").read_bytes())
    assert (str(handed.old), str(handed.new)) == (first, second)
    done = blockwatch("key", "allow", "our.keys", "new.note", cwd=tmp_path)
    assert done.returncode == Exit.CONFIG
    assert "not in the list" in done.stderr
    done = blockwatch("key", "allow", "our.keys", first, "--name", "Aigul", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, f"added {first.partition('+')[0]} Aigul\n")
    (tmp_path / "our.keys").write_text("# spring\n" + (tmp_path / "our.keys").read_text().rstrip())
    for _ in range(2):
        done = blockwatch("key", "allow", "our.keys", "new.note", cwd=tmp_path)
        assert done.returncode == 0
    assert "in the list already" in done.stderr
    assert [str(each.key) for each in read_allow_list(tmp_path / "our.keys")] == [first, second]
    assert (tmp_path / "our.keys").read_text().startswith("# spring\n")


@pytest.mark.parametrize(
    "text", ["", "hello", "a+b+c", "\x1b[2J+x+y", "missing.note", str(new_signer().key)[:-5]]
)
def test_what_is_no_key_is_not_allowed(tmp_path: Path, text: str) -> None:
    done = blockwatch("key", "allow", "our.keys", text, cwd=tmp_path)
    assert done.returncode == Exit.CONFIG
    assert "neither a key nor a note" in done.stderr
    assert "\x1b" not in done.stderr
    assert no_traceback(done)
    assert not (tmp_path / "our.keys").exists()


def test_no_place_for_a_key_is_said(tmp_path: Path) -> None:
    (tmp_path / "state").write_text("a file")
    done = blockwatch("key", "show", cwd=tmp_path)
    assert done.returncode == Exit.CONFIG
    assert "BLOCKWATCH_STATE=" in done.stderr


# prove


def test_prove(tmp_path: Path) -> None:
    folder = signed_run(tmp_path)
    done = blockwatch("prove", folder, "1", "-o", "proof.json", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{RUN_ID}-000001 (https://site.example.org/)" in done.stdout
    assert "line 2 of 3 sealed by blockwatch/key/" in done.stdout
    assert "no other measurement" in done.stderr
    assert check_proof((tmp_path / "proof.json").read_bytes()).record.id == f"{RUN_ID}-000001"
    again = blockwatch("prove", folder, "1", "-o", "proof.json", cwd=tmp_path)
    assert again.returncode == Exit.USAGE
    assert "there already" in again.stderr
    unsigned = kept_run(tmp_path / "other")
    done = blockwatch("prove", unsigned, "1", "-o", "p.json", cwd=tmp_path)
    assert done.returncode == Exit.UNVERIFIED
    assert "not sealed" in done.stderr
    assert not (tmp_path / "p.json").exists()


# forget


def test_forget_asks_for_a_bundle_first(tmp_path: Path) -> None:
    folder = signed_run(tmp_path)
    done = blockwatch("forget", folder, cwd=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "never put in a bundle" in done.stderr
    assert folder.name in done.stderr
    assert folder.is_dir()
    mark_exported(folder, "2026-11-22T06:40:00Z")
    done = blockwatch("forget", folder, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "stay with those who have them" in done.stderr
    assert not folder.exists()
    (stone,) = read_tombstones(tmp_path / "results")
    assert (stone.run, stone.signed) == (RUN_ID, True)


def test_forget_signs_by_the_key_of_the_run_s_campaign(tmp_path: Path) -> None:
    folder = signed_run(tmp_path, campaign="spring")
    assert blockwatch("forget", "--yes", folder, cwd=tmp_path).returncode == 0
    (stone,) = read_tombstones(tmp_path / "results")
    assert stone.signed


def test_forget_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = blockwatch("forget", "empty", cwd=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "there is no run" in done.stderr


# wipe


def everything(cwd: Path) -> set[str]:
    return {str(path.relative_to(cwd)) for path in cwd.rglob("*")}


def test_wipe_deletes_all_that_is_ours_and_nothing_else(tmp_path: Path) -> None:
    folder = signed_run(tmp_path)
    other = kept_run(tmp_path / "elsewhere")
    gone = signed_run(tmp_path, run="e" * 16)
    assert blockwatch("forget", "--yes", gone, cwd=tmp_path).returncode == 0
    blockwatch("consent", "--yes", cwd=tmp_path)
    (tmp_path / "state" / "results_folders").write_text(f"{tmp_path / 'results'}\n{tmp_path / 'unplugged'}\n")
    (tmp_path / "results" / "notes.txt").write_text("mine")
    (tmp_path / "results" / "photos").mkdir()
    (tmp_path / "results" / f".20261122T042000Z-home-{'a' * 16}").mkdir()
    for name in (".forgotten-x", ".import-abc", ".parts", "aside", "receipts"):
        (tmp_path / "results" / name).mkdir()
        (tmp_path / "results" / name / "file").write_text("ours")
    (tmp_path / "state" / "diary").write_text("mine")
    before = everything(tmp_path)
    done = blockwatch("wipe", cwd=tmp_path)
    assert done.returncode == Exit.CONSENT
    assert everything(tmp_path) - {"results/.lock"} == before - {"results/.lock"}
    done = blockwatch("wipe", "--yes", "--results", "elsewhere", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "wiped\n"), done.stderr
    for words in ("your provider", "encrypted before", "bundles", str(folder.parent), str(other.parent)):
        assert words in done.stderr
    left = {"results", "results/notes.txt", "results/photos", "state", "state/diary"}
    assert everything(tmp_path) == left
    done = blockwatch("wipe", "--yes", cwd=tmp_path)
    assert done.returncode == 0
    assert everything(tmp_path) == left


def test_wipe_follows_no_link(tmp_path: Path) -> None:
    mine = kept_run(tmp_path / "mine")
    results = tmp_path / "results"
    signed_run(tmp_path)
    (results / mine.name).unlink(missing_ok=True)
    os.symlink(mine, results / f"20261122T042000Z-{'b' * 16}")
    assert blockwatch("wipe", "--yes", "--results", "results", cwd=tmp_path).returncode == 0
    assert (mine / "measurements.jsonl").is_file()


def test_wipe_waits_for_a_run_to_end(tmp_path: Path) -> None:
    from blockwatch.store import ResultsLock

    folder = signed_run(tmp_path)
    with ResultsLock(tmp_path / "results"):
        done = blockwatch("wipe", "--yes", "--results", "results", cwd=tmp_path)
        assert done.returncode == Exit.LOCKED
        assert blockwatch("forget", "--yes", folder, cwd=tmp_path).returncode == Exit.LOCKED
    assert folder.is_dir()
    assert (tmp_path / "state" / "key").is_file()


@pytest.mark.parametrize(("answer", "code"), [("n\n", Exit.CONSENT), ("y\n", Exit.OK)])
def test_wipe_asks_on_a_terminal(tmp_path: Path, answer: str, code: Exit) -> None:
    signed_run(tmp_path)
    environment = {"BLOCKWATCH_STATE": str(tmp_path / "state")}
    shown, ended = on_terminal(["wipe", "--results", str(tmp_path / "results")], environment, typed=answer)
    assert ended == code, shown
    assert "Delete all this?" in shown
    assert (tmp_path / "results").exists() is (code != Exit.OK)

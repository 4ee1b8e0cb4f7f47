"""The commands about the seal: key, prove, forget; as a shell calls them."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.errors import Exit
from blockwatch.evidence.allow import parse_rotation, read_allow_list, rotation_note
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.proof import check_proof
from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.signing import new_signer, signer_from
from blockwatch.evidence.tombstone import extent, mark_exported, read_tombstones
from blockwatch.host.last_run import LastRun, recall, remember
from blockwatch.store import RunWriter
from tests.cli.command import RUN_ID, blockwatch, kept_run, no_traceback
from tests.evidence.made import STARTED, measured, run_close, run_open


def key_files(cwd: Path) -> list[Path]:
    return [path for path in (cwd / "state").iterdir() if re.fullmatch(r"key(\.[0-9a-f]{16})?", path.name)]


def signed_run(cwd: Path, run: str = RUN_ID, campaign: str | None = None) -> Path:
    """A run sealed by the key that the program made in ``cwd/state``."""
    blockwatch("key", "show", *(("--campaign", campaign) if campaign else ()), cwd=cwd)
    (path,) = key_files(cwd)
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
    again, other = (blockwatch("key", "show", *more, cwd=tmp_path) for more in ((), ("--campaign", "sprng")))
    assert (again.stdout, again.stderr) == (done.stdout, "")
    assert other.stdout != done.stdout
    assert "made now: no run is sealed by it yet\n" in done.stderr
    assert "Is the campaign written as in your runs?" in other.stderr
    ssh = blockwatch("key", "show", "--ssh", cwd=tmp_path).stdout
    assert re.fullmatch(rf'{key.name} namespaces="blockwatch" ssh-ed25519 \S{{68}}\n', ssh)
    assert not list((tmp_path / "state").glob("*sprng*"))


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
        assert (done.returncode, "the key before it stays good" in done.stderr) == (0, True)
    assert "in the list already" in done.stderr
    listed = read_allow_list(tmp_path / "our.keys")
    assert [(str(each.key), each.name) for each in listed] == [(first, "Aigul"), (second, "Aigul")]
    assert (tmp_path / "our.keys").read_text().startswith("# spring\n")


def test_a_note_takes_another_name_where_one_is_given(tmp_path: Path) -> None:
    old, new = new_signer(), new_signer()
    list_, note = tmp_path / "our.keys", tmp_path / "n.note"
    note.write_bytes(rotation_note(old, new, "2025-11-22T06:40:00Z"))
    list_.write_text(f"{old.key} to=2025-01-01 Aida\n{old.key} from=2025-02-01 Aigul\n")
    assert blockwatch("key", "allow", list_, note, "--name", "A. B.", cwd=tmp_path).returncode == 0
    assert read_allow_list(list_)[-1].name == "A. B."
    list_.write_text(f"{old.key}\n")
    done = blockwatch("key", "allow", list_, note, cwd=tmp_path)
    assert (done.returncode, read_allow_list(list_)[-1].name) == (0, "")
    assert "they count as two people's" in done.stderr


@pytest.mark.parametrize("day", ["2026-01-01", "2199-01-01"])
def test_a_key_that_ended_hands_no_trust_on(tmp_path: Path, day: str) -> None:
    """Whoever stole it could sign such a note too, and write any time into it."""
    stolen, thief = new_signer(), new_signer()
    list_, note = tmp_path / "our.keys", tmp_path / "n.note"
    note.write_bytes(rotation_note(stolen, thief, "2025-11-22T06:40:00Z"))
    list_.write_text(f"{stolen.key} to={day} Aigul\n")
    before = list_.read_text()
    done = blockwatch("key", "allow", list_, note, cwd=tmp_path)
    assert done.returncode == Exit.CONFIG
    assert "days have ended" in done.stderr
    assert "on another way" in done.stderr
    assert list_.read_text() == before
    assert blockwatch("key", "allow", list_, str(thief.key), cwd=tmp_path).returncode == 0
    list_.write_text(f"{before}{stolen.key} from=2026-02-01 Aigul\n")
    assert blockwatch("key", "allow", list_, note, cwd=tmp_path).returncode == 0


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
    mark_exported(folder, "2026-11-22T06:40:00Z", extent(folder))
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


def test_forget_an_encrypted_run(tmp_path: Path) -> None:
    """Key and root are all that this machine knows of it: the tombstone names them, and is signed."""
    key = blockwatch("key", "show", "--campaign", "spring", cwd=tmp_path).stdout.strip()
    ended = encrypted(tmp_path, RUN_ID, ended=True)
    encrypted(tmp_path, "e" * 16)
    done = blockwatch("forget", "results", cwd=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "2 of 2 runs were never put in a bundle" in done.stderr
    mark_exported(ended, "2026-11-22T06:40:00Z", extent(ended))
    done = blockwatch("forget", ended, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert blockwatch("forget", "results", "--yes", cwd=tmp_path).returncode == 0
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [".lock", "forgotten"]
    (stone,) = read_tombstones(tmp_path / "results")
    assert (stone.run, str(stone.key), stone.root, stone.signed) == (RUN_ID, key, "ab" * 32, True)
    assert (stone.size, stone.previous) == (0, "cd" * 32)


def test_forget_what_was_put_aside(tmp_path: Path) -> None:
    """A damaged copy is in no chain: it goes, and leaves nothing."""
    folder = signed_run(tmp_path)
    aside = tmp_path / "results" / "aside"
    aside.mkdir()
    for number, log in enumerate((b"damaged\n", (folder / "measurements.jsonl").read_bytes())):
        (aside / f"{RUN_ID}-{number:012x}").mkdir()
        (aside / f"{RUN_ID}-{number:012x}" / "measurements.jsonl").write_bytes(log)
    done = blockwatch("forget", "results/aside", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert list(aside.iterdir()) == []
    assert sorted(path.name for path in (tmp_path / "results").iterdir()) == [".lock", folder.name, "aside"]


def test_forget_drops_what_is_noted_of_the_last_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    note, numbers = tmp_path / "state" / "last_run.json", {"exit_code": 0, "planned": 2, "measured": 2}
    folders = [signed_run(tmp_path), encrypted(tmp_path, "e" * 16, ended=True)]
    begun = [STARTED, 1_795_321_200_000_000]  # the second: 04:20:00, as its folder says
    for folder, started in zip(folders, begun, strict=True):
        other = LastRun(started=started - 86_400_000_000, ended=started, reason="done", **numbers)
        remember(other)
        mark_exported(folder, "2026-11-22T06:40:00Z", extent(folder))
        blockwatch("forget", signed_run(tmp_path, run="c" * 16), "--yes", cwd=tmp_path)
        assert recall() == other
        remember(LastRun(started=started + 1_000_000, ended=started + 9_000_000, reason="done", **numbers))
        assert not any(each in note.read_text() for each in (RUN_ID, str(tmp_path)))
        assert blockwatch("forget", folder, cwd=tmp_path).returncode == 0
        assert not note.exists()


def encrypted(cwd: Path, run: str, *, ended: bool = False) -> Path:
    """What ``run --encrypt-to`` leaves, as far as this machine can tell."""
    folder = cwd / "results" / f"20261122T042000Z-{run}"
    folder.mkdir(parents=True)
    (folder / "run.age").write_bytes(b"chunk 1 9\nage-encry")
    if ended:
        (path,) = key_files(cwd)
        signer = signer_from(path.read_bytes())
        digest = sha256((folder / "run.age").read_bytes()).digest()
        text = root_text(run, str(signer.key), "ab" * 32, "cd" * 32, digest)
        (folder / "root").write_bytes(signer.note(text))
    return folder


def test_forget_of_nothing(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = blockwatch("forget", "empty", cwd=tmp_path)
    assert done.returncode == Exit.USAGE
    assert "there is no run" in done.stderr

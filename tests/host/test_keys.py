"""Keys on the volunteer's disk: whole or not there, one for two first uses, never replaced unasked."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.errors import ConfigError
from blockwatch.host.folders import known_folders, note_folder
from blockwatch.host.keys import all_keys, first_key, key_path, overwritten, read_key, replace_key
from blockwatch.host.place import state_files, write_state


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


def test_a_key_is_made_once_and_is_for_its_owner_alone(state: Path) -> None:
    assert read_key() is None
    assert first_key(lambda: b"one") == b"one"
    assert first_key(lambda: b"two") == b"one" == read_key()
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    key_path().chmod(0o644)
    assert read_key() == b"one"
    assert stat.S_IMODE(key_path().stat().st_mode) == 0o600


def test_each_campaign_has_its_own_and_no_file_name_tells_it(state: Path) -> None:
    assert first_key(lambda: b"one", "Свобода / 2026") == b"one"
    assert first_key(lambda: b"two") == b"two"
    assert first_key(lambda: b"three", "other") == b"three"
    assert read_key("Свобода / 2026") == b"one"
    names = [path.name for path in state.iterdir()]
    assert len(names) == 5  # three keys, the lock, the salt
    assert not any("Свобода" in name or "other" in name for name in names)
    assert [content for _, content in all_keys()] == [read_key(), *sorted_keys("Свобода / 2026", "other")]


def sorted_keys(*campaigns: str) -> list[bytes | None]:
    return [read_key(one) for one in sorted(campaigns, key=key_path)]


def test_the_name_of_a_file_confirms_no_guess_elsewhere(state: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever sees the names alone (a listing, a backup's index) cannot try campaigns against them."""
    first_key(lambda: b"one", "spring")
    there = key_path("spring")
    assert there.read_bytes() == b"one"
    assert sha256(b"spring").hexdigest()[:16] not in there.name
    assert stat.S_IMODE((state / "key.salt").stat().st_mode) == 0o600
    monkeypatch.setenv("BLOCKWATCH_STATE", str(state.with_name("another")))
    assert read_key("spring") is None
    assert not state.with_name("another").exists()  # asking makes nothing
    replace_key(lambda old: b"two", "spring")
    assert (key_path("spring").read_bytes(), key_path("spring").name != there.name) == (b"two", True)


@pytest.mark.parametrize("salt", [None, b"", b"short"])
def test_without_the_salt_no_key_is_passed_over(state: Path, salt: bytes | None) -> None:
    first_key(lambda: b"one", "spring")
    kept = (state / "key.salt").read_bytes()
    (state / "key.salt").unlink() if salt is None else (state / "key.salt").write_bytes(salt)
    for use in (lambda: read_key("spring"), lambda: first_key(lambda: b"two", "spring")):
        with pytest.raises(ConfigError, match="cannot be told"):
            use()
    assert first_key(lambda: b"default") == b"default"  # that needs none
    (state / "key.salt").write_bytes(kept)
    assert first_key(lambda: b"two", "spring") == b"one"


def test_two_first_uses_at_once_make_one_key(state: Path) -> None:
    """Eight processes and eight threads: whatever each brought along, all go away with the same."""
    script = (
        "import os; from blockwatch.host.keys import first_key; input(); "
        "print(first_key(lambda: os.urandom(16).hex().encode()).decode())"
    )
    processes = [
        subprocess.Popen([sys.executable, "-c", script], stdin=-1, stdout=-1, text=True) for _ in range(8)
    ]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    said = {process.communicate()[0].strip() for process in processes}
    assert len(said) == 1
    with ThreadPoolExecutor(8) as pool:
        taken = {key.decode() for key in pool.map(lambda _: first_key(lambda: os.urandom(16)), range(8))}
    assert taken == said
    (kept,) = [path for path in state.iterdir() if path.name == "key"]
    assert kept.read_text() in said


def test_a_key_that_cannot_be_read_is_not_replaced(state: Path) -> None:
    state.mkdir()
    key_path().mkdir()
    with pytest.raises(ConfigError, match="the key cannot be read"):
        first_key(lambda: b"new")
    assert key_path().is_dir()


def test_no_place_for_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "file" / "state"))
    with pytest.raises(ConfigError):
        first_key(lambda: b"new")


def test_a_new_key_on_purpose(state: Path) -> None:
    seen = []

    def make(old: bytes | None) -> bytes:
        seen.append(old)
        return b"made %d" % len(seen)

    replace_key(make)
    replace_key(make)
    assert seen == [None, b"made 1"]
    assert read_key() == b"made 2"

    def broken(old: bytes | None) -> bytes:
        raise ConfigError("no")

    with pytest.raises(ConfigError):
        replace_key(broken)
    assert read_key() == b"made 2"


def test_what_is_deleted_is_zeroed_first(tmp_path: Path) -> None:
    """Seen through a second name of the same file."""
    (tmp_path / "secret").write_bytes(b"secret")
    os.link(tmp_path / "secret", tmp_path / "seen")
    with overwritten(tmp_path / "secret"):
        (tmp_path / "secret").unlink()
    assert (tmp_path / "seen").read_bytes() == bytes(6)
    with overwritten(tmp_path / "missing"):
        assert not (tmp_path / "missing").exists()


def test_every_file_of_state_is_known_to_wipe(state: Path) -> None:
    first_key(lambda: b"one")
    first_key(lambda: b"one", "spring")
    note_folder(Path("results"))
    write_state("consent.json", b"{}")
    (state / ".consent.json.ab_c12x9").write_bytes(b"half")
    (state / "diary.txt").write_bytes(b"not ours")
    (state / "keyring").write_bytes(b"not ours")
    assert {path.name for path in state.iterdir()} - {path.name for path in state_files()} == {
        "diary.txt",
        "keyring",
    }
    with pytest.raises(ValueError, match="not among the names"):
        write_state("something", b"")


def test_results_folders_are_noted_once(tmp_path: Path, state: Path) -> None:
    for name in ("a", "b c", "a", "ж", "\udcff"):
        note_folder(tmp_path / name)
    note_folder(tmp_path / "two\nlines")
    assert known_folders() == [tmp_path / name for name in ("a", "b c", "ж", "\udcff")]
    (state / "results_folders").write_bytes(b"relative\n/abs\n\xff\n")
    assert known_folders() == [Path("/abs")]

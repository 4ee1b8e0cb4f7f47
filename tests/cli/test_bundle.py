"""``blockwatch bundle`` and ``blockwatch import``, run as a shell would."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from blockwatch.store import find_runs, read_run
from tests.cli.command import blockwatch, kept_run, no_traceback
from tests.tools import needs


@pytest.fixture
def key(tmp_path: Path) -> tuple[str, Path]:
    """A key pair: the public one, and the file with the secret one."""
    import pyrage

    secret = pyrage.x25519.Identity.generate()
    path = tmp_path / "key.txt"
    path.write_text(f"# created: now\n# public key: {secret.to_public()}\n{secret}\n")
    return str(secret.to_public()), path


def test_there_and_back(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    done = blockwatch("bundle", "results", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (name,) = done.stdout.splitlines()
    assert re.fullmatch(r"[0-9a-f]{12}\.tar\.gz", name)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o600
    assert (folder / "exported").is_file()
    for words in ("1 new", "1 there already"):
        came = blockwatch("import", name, "--results", "collected", cwd=tmp_path)
        assert came.returncode == 0, came.stderr
        assert words in came.stdout
        assert read_run(folder).root() in came.stdout
    told = blockwatch("import", name, "--results", "collected", "--json", cwd=tmp_path)
    receipt = json.loads(told.stdout)
    assert receipt["runs"][0]["root"] == read_run(folder).root()
    (kept,) = (tmp_path / "collected" / "receipts").iterdir()
    assert json.loads(kept.read_bytes())["sha256"] == receipt["sha256"]
    again = blockwatch("bundle", "collected", "-o", "again", cwd=tmp_path)
    assert again.returncode == 0, again.stderr
    assert (tmp_path / "again").read_bytes() == (tmp_path / name).read_bytes()


def test_every_reader_takes_a_bundle(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    assert blockwatch("bundle", "results", "-o", "x", cwd=tmp_path).returncode == 0
    for words in (
        ["judge", "--json"],
        ["summarise", "--format", "csv"],
        ["export", "--format", "jsonl"],
        ["export", "--format", "ooni"],
    ):
        from_folder = blockwatch(*words, folder, cwd=tmp_path)
        from_bundle = blockwatch(*words, "x", cwd=tmp_path)
        assert from_bundle.returncode == from_folder.returncode == 0, from_bundle.stderr
        assert from_bundle.stdout == from_folder.stdout != ""
    run = read_run(folder).open.run
    card = blockwatch("show", f"{run}-000001", "--results", "x", cwd=tmp_path)
    assert card.returncode == 0, card.stderr
    assert f"{run}-000001" in card.stdout
    mixed = blockwatch("judge", "--json", "x", "results", cwd=tmp_path)
    assert mixed.stdout == blockwatch("judge", "--json", "x", cwd=tmp_path).stdout != ""  # counted once
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("blockwatch-")] == []


def test_no_private_copy_is_left(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    (tmp_path / "tmp").mkdir()
    blockwatch("bundle", "results", "-o", "x", cwd=tmp_path)
    done = blockwatch("judge", "x", cwd=tmp_path, env={"TMPDIR": str(tmp_path / "tmp")})
    assert done.returncode == 0
    assert str(tmp_path / "tmp") in done.stdout  # it was there …
    assert list((tmp_path / "tmp").iterdir()) == []  # … and is gone


def test_encrypted_bundles_must_be_imported(tmp_path: Path, key: tuple[str, Path]) -> None:
    kept_run(tmp_path / "results")
    done = blockwatch("bundle", "results", "--encrypt-to", key[0], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    (name,) = done.stdout.splitlines()
    assert re.fullmatch(r"[0-9a-f]{12}\.age", name)
    raw = (tmp_path / name).read_bytes()
    assert b"blockwatch" not in raw
    read = blockwatch("judge", name, cwd=tmp_path)
    assert read.returncode == 2
    assert f"blockwatch import {name} --identity FILE" in read.stderr
    without = blockwatch("import", name, "--results", "collected", cwd=tmp_path)
    assert without.returncode == 2
    assert "--identity FILE" in without.stderr
    done = blockwatch("import", name, "--results", "collected", "--identity", key[1], cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert len(find_runs([tmp_path / "collected"])) == 1
    secret = key[1].read_text().splitlines()[-1]
    assert all(secret.encode() not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()
               and path != key[1])  # fmt: skip


def test_in_parts_one_of_which_comes_late(tmp_path: Path, key: tuple[str, Path]) -> None:
    kept_run(tmp_path / "results")
    made = blockwatch("bundle", "results", "--encrypt-to", key[0], "--split", "0.01", "-o", "x", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout == "x.001\n"  # small enough for one
    (tmp_path / "big").mkdir()
    for number in range(8):
        kept_run(tmp_path / "big", run=f"{number:016x}")
    made = blockwatch("bundle", "big", "--encrypt-to", key[0], "--split", "0.001", "-o", "y", cwd=tmp_path)
    assert made.returncode == 2
    made = blockwatch("bundle", "big", "--encrypt-to", key[0], "--split", "0.01", "-o", "y", cwd=tmp_path)
    parts = made.stdout.split()
    assert len(parts) >= 2
    damaged = bytearray((tmp_path / parts[0]).read_bytes())
    damaged[-1] ^= 1
    (tmp_path / "damaged").write_bytes(damaged)
    words = ["--identity", key[1], "--results", "collected"]
    first = blockwatch("import", "damaged", *parts[1:], *words, cwd=tmp_path)
    assert first.returncode == 9
    assert f"part 1 of {len(parts)} is damaged" in first.stderr
    assert "there is still missing: 1\n" in first.stderr
    assert not find_runs([tmp_path / "collected"])
    then = blockwatch("import", parts[0], *words, cwd=tmp_path)
    assert then.returncode == 0, then.stderr
    assert len(find_runs([tmp_path / "collected"])) == 8


@needs("age", "age-keygen")
def test_the_age_program_agrees(tmp_path: Path) -> None:
    """What we encrypt it opens, for each of two keys; what it encrypts we import, also armored."""
    folder = kept_run(tmp_path / "results")
    public = []
    for name in ("one", "two", "other"):
        subprocess.run(["age-keygen", "-o", name], cwd=tmp_path, check=True, capture_output=True)
        told = subprocess.run(
            ["age-keygen", "-y", name], cwd=tmp_path, check=True, capture_output=True, text=True
        )
        public.append(told.stdout.strip())
    done = blockwatch(
        "bundle", "results", "--encrypt-to", public[0], "--encrypt-to", public[1], "-o", "x.age", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    log = (folder / "measurements.jsonl").read_bytes()
    for name in ("one", "two"):
        told = subprocess.run(
            f"age -d -i {name} x.age | tar xzO {read_run(folder).open.run}/measurements.jsonl",
            shell=True, cwd=tmp_path, check=True, capture_output=True,
        )  # fmt: skip
        assert told.stdout == log
    refused = subprocess.run(["age", "-d", "-i", "other", "x.age"], cwd=tmp_path, capture_output=True)
    assert refused.returncode != 0
    blockwatch("bundle", "results", "-o", "plain", cwd=tmp_path)
    for number, options in enumerate(([], ["-a"])):
        subprocess.run(
            ["age", *options, "-r", public[0], "-o", f"y{number}", "plain"], cwd=tmp_path, check=True
        )
        done = blockwatch(
            "import", f"y{number}", "--identity", "one", "--results", f"c{number}", cwd=tmp_path
        )
        assert done.returncode == 0, done.stderr
        (kept,) = find_runs([tmp_path / f"c{number}"])
        assert (kept / "measurements.jsonl").read_bytes() == log


def test_contradictions_are_flagged(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    folder = kept_run(tmp_path / "other")
    log = folder / "measurements.jsonl"
    log.write_bytes(log.read_bytes().replace(b'"us":150000', b'"us":150001', 1))
    blockwatch("bundle", "results", "-o", "x", cwd=tmp_path)
    blockwatch("bundle", "other", "-o", "y", cwd=tmp_path)
    done = blockwatch("import", "x", "y", "--results", "collected", cwd=tmp_path)
    assert done.returncode == 9
    assert "1 aside" in done.stdout
    assert "tells another story" in done.stdout
    assert len(find_runs([tmp_path / "collected"])) == 1
    judged = blockwatch("judge", "--json", "collected", cwd=tmp_path)
    assert judged.returncode == 0
    aside = blockwatch("judge", "--json", "collected/aside", cwd=tmp_path)
    assert len(aside.stdout.splitlines()) == 2


def test_bundles_and_others_in_one_go(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    blockwatch("bundle", folder, "-o", "x", cwd=tmp_path)
    ooni = blockwatch("export", folder, "--format", "ooni", "-o", "y.json", cwd=tmp_path)
    assert ooni.returncode == 0
    done = blockwatch("import", "x", "y.json", "none.json", "--results", "collected", cwd=tmp_path)
    assert done.returncode == 3
    assert "1 new" in done.stdout
    assert "2 read, 2 kept in 1 runs" in done.stdout
    assert "no such file" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["bundle", "nowhere"], 2, "no such folder"),
        (["bundle", "empty"], 2, "there is no run here"),
        (["bundle", "results", "--encrypt-to", "age1nonsense"], 2, "'age1nonsense' is no age key"),
        (["bundle", "results", "--encrypt-to", "AGE-SECRET-KEY-1ABC"], 2, "this is a secret key"),
        (["bundle", "results", "-o", "no/such/folder/x"], 5, "cannot|no such file|does not work"),
        (["bundle", "results", "--split", "nan"], 2, "nan"),
        (["import", "x", "--identity", "none"], 2, "no such file"),
        (["import", "x", "--identity", "results/README"], 2, "no file of age keys"),
        (["import", "none", "--format", "bundle"], 2, "no such file"),
        (["import", "pipe", "--format", "bundle"], 2, "no ordinary file"),
        (["import", "results", "--format", "bundle"], 2, "these are runs, not a bundle"),
        (["judge", "none"], 2, "no such folder"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else "",
)
def test_wrong_use(arguments: list[str], code: int, words: str, tmp_path: Path) -> None:
    import os

    kept_run(tmp_path / "results")
    (tmp_path / "results" / "README").write_text("hello\n")
    (tmp_path / "empty").mkdir()
    os.mkfifo(tmp_path / "pipe")
    done = blockwatch(*arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert re.search(words, done.stderr)
    assert "AGE-SECRET-KEY-1ABC" not in done.stderr
    assert no_traceback(done)
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "state") == [
        "empty", "pipe", "results",
    ]  # fmt: skip

"""Targets files, run folders and options that were made to break the reader; no packet is sent."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BLOCKWATCH, RUN_ID, blockwatch, kept_run, no_traceback

GOOD = "targets:\n  - {id: a, url: 'https://example.org/'}\n"
MOST_KB = 300_000

# Just below the size that is refused unread: each would cost gigabytes or minutes in a naive reader.
BOMBS = {
    "deep lists": "targets: " + "[" * 100_000,
    "deep keys": "targets: " + "{a: " * 100_000,
    "a million items": "targets: [" + "a," * 1_900_000 + "]",
    "a million keys": "\n".join(f"k{i}: v" for i in range(300_000)),
    "duplicate keys": "targets:\n  - {" + ",".join("id: a" for _ in range(400_000)) + "}\n",
    "wrong words": GOOD + "orders:\n" + "".join(
        f" - {{id: o{i}, targets: [b], kind: kourt, source: s, checked_on: 2026-01-01}}\n"
        for i in range(20_000)
    ),
    "tabs": "targets:\n" + "\t- id: a\n" * 200_000,
    "one long line": "targets:\n  - id: a\n    url: https://" + "a." * 1_900_000,
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_in_bounds(name: str, tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(BOMBS[name], encoding="utf-8")
    code, said, peak = _measured(["targets", "check", "targets.yaml"], tmp_path)
    assert code == 6
    assert re.match(r"targets\.yaml:[0-9]+:[0-9]+: ", said)
    assert "Traceback" not in said
    assert len(said) < 100_000
    assert peak < MOST_KB


def _measured(arguments: list[str], here: Path) -> tuple[int, str, int]:
    """Exit code, all output, and peak memory in kB; started by a small process, whose size it inherits."""
    script = (
        "import os, subprocess, sys\n"
        "p = subprocess.Popen(sys.argv[1:], stdout=open('said', 'wb'), stderr=subprocess.STDOUT)\n"
        "_, status, usage = os.wait4(p.pid, 0)\n"
        "print(os.waitstatus_to_exitcode(status), usage.ru_maxrss)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *BLOCKWATCH, *arguments],
        cwd=here, capture_output=True, text=True, timeout=60, check=True,
    )  # fmt: skip
    code, peak = map(int, done.stdout.split())
    return code, (here / "said").read_text(encoding="utf-8"), peak


@pytest.mark.parametrize("what", ["pipe", "loop", "device", "folder", "sparse"])
def test_what_is_no_list_is_not_waited_for(what: str, tmp_path: Path) -> None:
    path = tmp_path / "targets.yaml"
    if what == "pipe":
        os.mkfifo(path)
    elif what == "folder":
        path.mkdir()
    elif what == "sparse":
        path.touch()
        os.truncate(path, 1 << 40)
    else:
        path.symlink_to({"loop": "targets.yaml", "device": "/dev/zero"}[what])
    for arguments in (["targets", "check", "targets.yaml"], ["plan", "--targets", "targets.yaml"]):
        done = blockwatch(*arguments, cwd=tmp_path)
        assert done.returncode == 6, done.stderr
        assert "targets.yaml:1:1: " in done.stdout + done.stderr
        assert no_traceback(done)


def test_damaged_runs_hide_no_sound_one(tmp_path: Path) -> None:
    results = tmp_path / "results"
    sound = kept_run(results, run="a" * 16)
    folders = [kept_run(results, run=f"{number:016x}") for number in range(6)]
    logs = [folder / "measurements.jsonl" for folder in folders]
    logs[0].write_bytes(b"\0" * 100)
    logs[1].write_bytes(b'{"x":' * 100_000 + b"\n")
    logs[2].write_bytes(b'{"a":"' + b"x" * 9_000_000 + b'"}\n')
    logs[3].write_bytes(logs[3].read_bytes().replace(b'"asn":9198', b'"asn":1e400'))
    logs[4].write_bytes(logs[4].read_bytes().replace(b'"asn":9198', b'"asn":99999999999999999999'))
    (folders[5] / "bodies.warc.gz").unlink()
    os.mkfifo(folders[5] / "bodies.warc.gz")
    (results / "loop").symlink_to("loop")
    (results / "empty").mkdir()
    os.mkfifo(results / "pipe")
    for command in (["judge", "--json", "results"], ["judge", "results"], ["summarise", "results"]):
        done = blockwatch(*command, cwd=tmp_path)
        assert done.returncode == 9, done.stderr
        assert "http://example.org/" in done.stdout or "site" in done.stdout
        for folder in folders:
            assert folder.name in done.stderr
        of_the_sound_one = [line for line in done.stderr.splitlines() if sound.name in line]
        assert all("NO SEAL covers" in line for line in of_the_sound_one), done.stderr
        assert "6 damaged runs" in done.stderr
        assert no_traceback(done)


def test_a_log_that_is_a_pipe_is_damage(tmp_path: Path) -> None:
    folder = kept_run(tmp_path / "results")
    (folder / "measurements.jsonl").unlink()
    os.mkfifo(folder / "measurements.jsonl")
    done = blockwatch("retest", "--from", folder, cwd=tmp_path)
    assert done.returncode == 9
    assert "not a file" in done.stderr


def test_flipped_bits_end_in_words(tmp_path: Path) -> None:
    """In every file of a run: judged all the same, or exit 9 with the place; never a fault of ours."""
    chance = random.Random(1)
    good = kept_run(tmp_path / "good")
    results = tmp_path / "results"
    for number in range(120):
        folder = results / f"{number:03}-{RUN_ID}"
        shutil.copytree(good, folder)
        file = folder / chance.choice(["measurements.jsonl", "measurements.jsonl", "bodies.warc.gz"])
        raw = bytearray(file.read_bytes())
        for _ in range(chance.choice([1, 1, 3])):
            raw[chance.randrange(len(raw))] ^= 1 << chance.randrange(8)
        file.write_bytes(raw[: chance.randrange(len(raw))] if number % 10 == 0 else raw)
    for command in (
        ["judge", "--json", "results"],
        ["judge", "--explain", "results"],
        ["summarise", "results"],
    ):
        done = blockwatch(*command, "results", cwd=tmp_path)
        assert done.returncode == 9, done.stderr
        assert no_traceback(done)
        assert all(c.isprintable() or c == "\n" for c in done.stdout + done.stderr)


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["--max-mb", "nan"], 2),
        (["--max-mb", "inf"], 2),
        (["--max-minutes", "1e300"], 2),
        (["--concurrency", "99999999999999999999"], 2),
        (["--label", "a" * 100_000], 2),
        (["--label", "\x1b[2J"], 2),
        (["--helper", "https://me:secret@example.org/"], 2),
        (["--helper", "https://example.org/\x1b[2J"], 2),
        (["--resolver", "udp://"], 2),
        (["--resolver", "tls://"], 2),
        (["--resolver", "https://me:secret@example.org/"], 2),
        (["--resolver", "udp://1.1.1.1\n"], 2),
        (["--ca-file", "/dev/zero"], 6),
        (["--ca-file", "targets.yaml"], 6),
        (["--ca-file", "pipe"], 6),
        (["--interface", "../../etc"], 6),
    ],
    ids=lambda value: (
        " ".join(value)[:40].encode("unicode_escape").decode() if isinstance(value, list) else ""
    ),
)
def test_an_option_that_cannot_be_is_refused(arguments: list[str], code: int, tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(GOOD)
    os.mkfifo(tmp_path / "pipe")
    done = blockwatch("plan", *arguments, cwd=tmp_path)
    assert done.returncode == code, done.stderr
    assert no_traceback(done)
    assert all(c.isprintable() or c == "\n" for c in done.stderr)


@pytest.mark.parametrize(
    "content",
    ["raise SystemExit(0)\n", "import socket\n", "(" * 100_000, "x=" + "-" * 100_000 + "1", "\0",
     "def __getattr__(name):\n    raise ValueError(name)\n"],
    ids=["exits", "socket", "brackets", "minus", "NUL", "getattr"],
)  # fmt: skip
def test_a_probe_that_breaks_the_contract_is_named(content: str, tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(GOOD)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "mine.py").write_text(f'"""A question?"""\n{content}')
    done = blockwatch("plan", "--probes", "own", cwd=tmp_path)
    assert done.returncode == 6, done.stderr
    assert "mine.py:" in done.stderr
    assert no_traceback(done)


def test_an_answer_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    for words, redirect, code in (
        ("judge results", ">/dev/full", 5),
        ("summarise results", ">/dev/full", 5),
        ("judge results", ">&- 2>&-", 0),
        ("--help", ">&-", 0),
        ("run", "2>/dev/full", 6),
    ):
        script = f'exec "$@" {words} {redirect}'
        done = subprocess.run(
            ["sh", "-c", script, "sh", *BLOCKWATCH],
            cwd=tmp_path, capture_output=True, text=True, check=False,
            env={"BLOCKWATCH_STATE": str(tmp_path / "state")}, timeout=60,
        )  # fmt: skip
        assert done.returncode == code, (words, redirect, done.stderr)
        assert no_traceback(done)
        assert "fault of ours" not in done.stderr

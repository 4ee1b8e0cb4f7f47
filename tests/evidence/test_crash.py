"""Kill -9, full disks, read-only disks, torn and damaged folders."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, SSH_FILE, checkpoint_files, read_checkpoint
from blockwatch.evidence.log import read_lines
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.sshsig import is_ssh_signed
from blockwatch.model import HttpStep
from blockwatch.store import Run, RunWriter, find_runs, last_root, read_run
from tests.evidence.made import PAGE, make_run, measured, run_close, run_open, signer

ROOT = Path(__file__).parents[2]
WRITER = [sys.executable, "-m", "tests.evidence.writer"]


def check(run: Run, told: set[int]) -> set[int]:
    """Everything a writer was told is kept is there and whole; gives all that is there."""
    kept: set[int] = set()
    for each in run.measurements:
        step = each.observations[11]
        assert isinstance(step, HttpStep)
        assert run.body(each, step) == PAGE
        kept.add(each.seq)
    assert told <= kept
    return kept


def check_seal(run: Run) -> int:
    """Every checkpoint that is there holds, for the log up to its size; gives the lines that are sealed."""
    sealed = 0
    leaves = [leaf_hash(line) for line in read_lines(run.log, [])]
    for path in checkpoint_files(run.folder):
        found = read_checkpoint(path)
        assert found.signed_by(signer().key) is True
        assert found.size <= len(leaves)
        assert (found.run, found.root) == (run.open.run, root_of(leaves[: found.size]))
        sealed = found.size
    ssh = run.folder / SSH_FILE
    if ssh.exists():
        assert is_ssh_signed((run.folder / CHECKPOINT_FILE).read_bytes(), ssh.read_bytes(), signer().key)
    return sealed


def numbers(output: bytes) -> set[int]:
    """Numbers reported as kept; the last line may be torn too."""
    return {int(n) for n in re.findall(rb"^kept (\d+)\n", output, re.M)}


def test_kill_at_any_moment(tmp_path: Path) -> None:
    """40 points: a real writer is killed after it has reported a random number of measurements.

    Every other one seals as it goes: its last checkpoint is at most one group behind.
    """
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")  # shown where the test fails
    choose = random.Random(seed)
    for point in range(40):
        process = subprocess.Popen(
            [*WRITER, str(tmp_path), f"{point:016x}", "400", "0", "0", *(["sealed"] * (point % 2))],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        assert process.stdout is not None
        output = b""
        wanted = choose.choice((0, choose.randrange(1, 20), choose.randrange(1, 390)))
        patience = choose.randrange(60_000)  # bytes of CPU-bound waiting between the report and the kill
        for line in process.stdout:
            output += line
            if output.count(b"\n") > wanted:
                break
        for _ in range(patience):
            pass
        process.kill()
        output += process.stdout.read()
        process.stdout.close()
        assert process.wait() == -9
        runs = find_runs([tmp_path])
        assert len(runs) == point + 1
        run = next(r for r in map(read_run, runs) if r.open.run == f"{point:016x}")
        kept = check(run, numbers(output))
        assert run.close is None
        assert len(kept) <= len(numbers(output)) + 8  # no more than were in flight
        sealed = check_seal(run)
        assert (len(kept) + 1 - sealed <= 16 or not sealed) if point % 2 else not sealed
        assert last_root(tmp_path, run.open.key) == run.root()


@pytest.mark.parametrize(("count", "sealed"), [(20, ""), (5, "sealed")])
def test_stop_at_every_call(tmp_path: Path, count: int, sealed: str) -> None:
    """Die within each write, sync, mkdir and rename of a run, from the first to the last, in turn."""
    closed = False
    point = 0
    while not closed:
        point += 1
        results = tmp_path / f"{point}"
        done = subprocess.run(
            [*WRITER, str(results), f"{point:016x}", str(count), "0", str(point), sealed],
            stdout=subprocess.PIPE,
            cwd=ROOT,
        )
        closed = b"closed" in done.stdout
        assert done.returncode == (0 if closed else -9)
        runs = find_runs([results]) if results.exists() else []
        assert len(runs) == (b"folder " in done.stdout) or not numbers(done.stdout)
        for run in map(read_run, runs):
            check(run, numbers(done.stdout))
            assert run.close is None or len(numbers(done.stdout)) == count
            assert bool(check_seal(run)) <= bool(sealed)
            assert check_seal(run) == len(list(run.lines())) or not (closed and sealed)
        key = str(signer().key) if sealed else None
        assert last_root(results, key) == (read_run(runs[-1]).root() if runs else None)
        make_run(results, 1, run="f" * 16)
    assert point > 15


def test_cut_anywhere(tmp_path: Path) -> None:
    """A log cut at any byte is a valid, shorter run; cut bodies are damage only where a line needs them."""
    folder = make_run(tmp_path, 2)
    log, bodies = folder / "measurements.jsonl", folder / "bodies.warc.gz"
    whole = log.read_bytes()
    ends = [i + 1 for i, byte in enumerate(whole) if byte == 10]
    rng = random.Random(3)
    for cut in sorted({*ends, *(end - 1 for end in ends), *rng.sample(range(len(whole)), 60)}):
        log.write_bytes(whole[:cut])
        lines = sum(end <= cut for end in ends)
        if not lines:
            with pytest.raises(EvidenceError, match="no complete line"):
                read_run(folder)
            continue
        run = read_run(folder)
        assert len(check(run, set())) == min(lines - 1, 2)
        assert (run.close is not None) == (cut == len(whole))
        torn = cut not in ends
        assert any("the writer was stopped" in note for note in run.notes) == torn
        if lines == 2:
            assert any("bodies.warc.gz: " in note for note in run.notes)
    log.write_bytes(whole)
    bodies.write_bytes(bodies.read_bytes()[:-10])
    run = read_run(folder)
    second = list(run.measurements)[1].observations[11]
    assert isinstance(second, HttpStep)
    with pytest.raises(EvidenceError, match="not those that the log names"):
        run.exchange(next(run.measurements), second)


def test_torn_capture_is_left_out(tmp_path: Path) -> None:
    folder = make_run(tmp_path, 2, close=False)
    with (folder / "bodies.warc.gz").open("ab") as file:
        file.write(b"\x1f\x8b\x08 half a member")
    run = read_run(folder)
    assert check(run, {1, 2}) == {1, 2}
    assert run.notes == ["bodies.warc.gz: 17 bytes after the last record that a line refers to"]


@pytest.mark.parametrize("tail", [bytes(5_000), bytes(900) + b'{"half":1}\n', b'{"a"' + bytes(50) + b'"}\n'])
def test_power_cut_leaves_zeros(tmp_path: Path, tail: bytes) -> None:
    folder = make_run(tmp_path, 2, close=False)
    with (folder / "measurements.jsonl").open("ab") as file:
        file.write(tail)
    run = read_run(folder)
    before = run.root()
    assert check(run, {1, 2}) == {1, 2}
    assert run.notes == [f"measurements.jsonl:4: the last {len(tail)} bytes never reached the disk"]
    assert run.close is None
    assert before == last_root(tmp_path)


DAMAGE = {
    "a bit in a line": lambda lines: [lines[0], lines[1].replace(b'"us"', b'"us\x22:', 1), *lines[2:]],
    "zeros before the end": lambda lines: [lines[0], bytes(len(lines[1])), *lines[2:]],
    "no first line": lambda lines: lines[1:],
    "two first lines": lambda lines: [lines[0], *lines],
    "lines after the last": lambda lines: [*lines, lines[1]],
    "not JSON": lambda lines: [lines[0], b"hello", *lines[1:]],
    "JSON of something else": lambda lines: [lines[0], b"[1]", *lines[1:]],
    "deep JSON": lambda lines: [lines[0], b"[" * 100_000, *lines[1:]],
    "not UTF-8": lambda lines: [lines[0], lines[1].replace(b"site", b"si\xffe", 1), *lines[2:]],
    "an unknown type": lambda lines: [lines[0], b'{"type":"other"}', *lines[1:]],
    "an endless line": lambda lines: [lines[0], b'"' + b"a" * 9_000_000, *lines[1:]],
    "an empty line": lambda lines: [lines[0], b"", *lines[1:]],
}


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_named(tmp_path: Path, name: str) -> None:
    folder = make_run(tmp_path, 3)
    log = folder / "measurements.jsonl"
    log.write_bytes(b"\n".join(DAMAGE[name](log.read_bytes()[:-1].split(b"\n"))) + b"\n")
    with pytest.raises(EvidenceError) as caught:
        list(read_run(folder).measurements)
    assert re.fullmatch(rf"{re.escape(str(log))}:\d", caught.value.where)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("offset", -1),
        ("offset", 2**62),
        ("length", 0),
        ("length", 2**40),
        ("length", -5),
        ("sha256", "0" * 64),
    ],
)
def test_hostile_references(tmp_path: Path, key: str, value: object) -> None:
    folder = make_run(tmp_path, 1)
    log = folder / "measurements.jsonl"
    pattern = rb'("response":\{[^}]*"%s":)("?[0-9a-f]+"?)' % key.encode()
    text = f'"{value}"' if isinstance(value, str) else str(value)
    log.write_bytes(re.sub(pattern, lambda m: m[1] + text.encode(), log.read_bytes()))
    run = read_run(folder)
    (kept,) = run.measurements
    step = kept.observations[11]
    assert isinstance(step, HttpStep)
    with pytest.raises(EvidenceError, match=r"bodies\.warc\.gz"):
        run.body(kept, step)
    (folder / "bodies.warc.gz").unlink()
    with pytest.raises(EvidenceError, match=r"bodies\.warc\.gz"):
        run.body(kept, step)


@pytest.mark.parametrize("limit", [100, 2_000, 20_000, 60_000, 61_234, 250_000])
@pytest.mark.parametrize("sealed", ["", "sealed"])
def test_no_room(tmp_path: Path, limit: int, sealed: str) -> None:
    """Files may not grow beyond ``limit`` (EFBIG, like a full disk)."""
    done = subprocess.run(
        [*WRITER, str(tmp_path), "0" * 16, "60", str(limit), "0", sealed], stdout=subprocess.PIPE, cwd=ROOT
    )
    assert b"there is no room to write" in done.stdout
    assert b"Free some space" in done.stdout
    runs = find_runs([tmp_path])
    if not done.stdout.startswith(b"folder "):
        assert list(tmp_path.iterdir()) == []
        return
    (folder,) = runs
    run = read_run(folder)
    assert check(run, numbers(done.stdout)) == numbers(done.stdout)
    assert run.notes == [] or run.close is None
    assert bool(check_seal(run)) == (bool(sealed) and limit > 300)
    make_run(tmp_path, 1, run="f" * 16)


def in_namespace(script: str, *arguments: str) -> bytes:
    """Run a shell script in a mount namespace of its own, as root or as an ordinary user; in CI always."""
    refused = shutil.which("unshare") is None or subprocess.run(["unshare", "-Urm", "true"]).returncode
    if refused and os.environ.get("CI") != "true":
        pytest.skip("this kernel does not let us make a user namespace")
    done = subprocess.run(
        ["unshare", "-Urm", "sh", "-ec", script, "sh", *arguments], stdout=subprocess.PIPE, cwd=ROOT
    )
    return done.stdout


def test_full_disk(tmp_path: Path) -> None:
    """A disk of 400 KiB: ENOSPC in the middle; what is there is read before the disk goes."""
    (tmp_path / "disk").mkdir()
    script = (
        'mount -t tmpfs -o size=400k none "$1/disk"; '
        '"$2" -m tests.evidence.writer "$1/disk" 0000000000000000 200 0 0 sealed; cp -r "$1/disk" "$1/copy"'
    )
    output = in_namespace(script, str(tmp_path), sys.executable)
    assert b"no space left on device" in output
    (folder,) = find_runs([tmp_path / "copy"])
    kept = check(read_run(folder), numbers(output))
    assert kept == numbers(output)
    assert len(kept) > 10
    assert check_seal(read_run(folder)) > 10
    assert not list(folder.rglob("*.part"))


def test_read_only_disk(tmp_path: Path) -> None:
    script = 'mount -t tmpfs -o ro none "$1"; "$2" -m tests.evidence.writer "$1/results" 0000000000000000 2'
    output = in_namespace(script, str(tmp_path), sys.executable)
    assert b"cannot be written to (read-only file system)" in output
    assert b"Name a folder of your own with --results." in output


def test_disk_that_takes_nothing(tmp_path: Path) -> None:
    """``/dev/full`` in place of the log from the second measurement on: nothing is claimed."""
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    writer.write(measured(1))
    kept = (writer.folder / "measurements.jsonl").read_bytes()
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._shelf._log._descriptor)
    os.close(full)
    futures = [writer.submit(measured(seq)) for seq in (2, 3, 4)]
    for future in futures:
        assert "no space left" in str(future.exception(timeout=30))
    assert writer.failed is not None
    assert "no space left" in str(writer.submit_close(run_close()).exception(timeout=30))
    assert (writer.folder / "measurements.jsonl").read_bytes() == kept
    assert check(read_run(writer.folder), {1}) == {1}

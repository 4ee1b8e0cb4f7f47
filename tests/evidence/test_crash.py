"""Kill -9, power cuts, torn and damaged folders."""

from __future__ import annotations

import random
import re
import subprocess
from pathlib import Path

import pytest

from blockwatch.errors import EvidenceError
from blockwatch.model import HttpStep
from blockwatch.store import find_runs, last_root, read_run
from tests.evidence.made import make_run, signer
from tests.evidence.survived import ROOT, WRITER, check, check_seal, numbers


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

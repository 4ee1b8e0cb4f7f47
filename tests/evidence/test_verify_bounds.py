"""What ``blockwatch verify`` bears: hostile folders, floods, a million lines; and what it never does."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.evidence.report import Level
from blockwatch.evidence.verify import Checked
from blockwatch.evidence.verify_log import Numbers, _may_be_long
from blockwatch.evidence.verify_paths import Held
from blockwatch.evidence.verify_witnesses import MAX_SITES
from tests.cli.command import NO_NETWORK
from tests.evidence.assets.world import (
    in_record,
    log_of,
    put_log,
    stamp,
    unseal,
    write_run,
)
from tests.evidence.verified import verified
from tests.exchange.authority import Authority


def test_pipes_links_and_folders_in_place_of_files_are_damage(run: Path) -> None:
    for name in (
        "checkpoint",
        "checkpoint.sig",
        "run.json",
        "verdicts.jsonl",
        "bodies.warc.gz",
        "measurements.jsonl",
    ):
        copy = run.parent / "copy"
        shutil.copytree(run, copy)
        (copy / name).unlink()
        os.mkfifo(copy / name)
        assert verify_in_time(copy), name
        shutil.rmtree(copy)


def verify_in_time(folder: Path) -> bool:
    done = subprocess.run(
        [sys.executable, "-m", "blockwatch", "verify", str(folder)],
        capture_output=True, text=True, timeout=30, check=False,
    )  # fmt: skip
    return done.returncode in (2, 9) and "Traceback" not in done.stderr


def test_of_a_flood_of_stamps_the_first_are_looked_at(run: Path) -> None:
    stamps = run / "timestamps"
    stamps.mkdir()
    for number in range(300):
        (stamps / f"{number}.tsr").write_bytes(b"x")
    (report,) = verified(run)
    assert len(report.findings) == 256
    assert {finding.kind for finding in report.findings} == {"stamp"}
    assert "only the first 256 were looked at" in " ".join(report.notes)
    assert report.level is Level.SEALED


def test_more_addresses_than_can_be_compared_are_let_go(run: Path) -> None:
    checked = Checked(verified(run)[0], run, {"https://a.example/": (1, 2)})
    held = Held()
    assert held.keep(checked).sites
    held.count = MAX_SITES
    assert held.keep(checked).sites is None
    assert "witnesses were not looked for" in checked.report.notes[-1]


def test_numbers_are_kept_as_ranges() -> None:
    seen = Numbers()
    order = [5, 1, 3, 2, 4, 9, 7, 8, 6]
    assert all(seen.add(number) for number in order)
    assert not any(seen.add(number) for number in order)
    assert (seen._starts, seen._ends, seen.missing) == ([1], [9], 0)
    assert 9 in seen
    assert 10 not in seen
    for number in range(100, 100 + 2 * 99_999, 2):
        seen.add(number)
    with pytest.raises(OverflowError):
        seen.add(10**7)


@given(st.lists(st.sampled_from([b"0", b"9", b"5", b"9" * 15, b"1" * 16, b":", b",", b"[", b"-", b"a"])))
def test_quick_looks_for_large_numbers_miss_none(pieces: list[bytes]) -> None:
    line = b"".join(pieces)
    assert _may_be_long(line) == bool(re.search(rb"[:,\[]-?(?:9[0-9]{15}|[1-9][0-9]{16})", line))


def test_a_large_run_needs_no_more_memory_than_a_small_one(tmp_path: Path) -> None:
    from bench.verify import make_short

    peaks = []
    for count in (2_000, 40_000):
        make_short(tmp_path / str(count), count)
        script = (
            "import resource, sys\n"
            "from blockwatch.cli import main\n"
            "try:\n    main(['verify', sys.argv[1], '--require', 'sealed'])\n"
            "except SystemExit as done:\n    assert not done.code, done.code\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path / str(count))],
            capture_output=True,
            text=True,
            check=True,
        )
        peaks.append(int(done.stdout.split()[-1]))
    assert peaks[1] - peaks[0] < 4_096  # kB: 14 MB more to read


def test_numbers_that_are_missing_are_told(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results", signer=None)
    unseal(run)
    lines = log_of(run)
    put_log(run, [*lines[:4], *lines[5:]])
    (run / "bodies.warc.gz").unlink()
    for number in (2, 3, 4):
        in_record(number, lambda said: said["observations"].pop())(run)
    in_record(5, lambda said: said.update(measured=3))(run)
    put_log(run, [line for at, line in enumerate(log_of(run)) if at != 2])
    in_record(4, lambda said: said.update(measured=2))(run)
    (report,) = verified(run)
    assert report.findings == ()
    assert "1 numbers are missing among those of the measurements" in report.notes


def test_a_run_that_goes_on_is_whole(tmp_path: Path) -> None:
    from blockwatch.evidence.verify_log import LogCheck

    run = write_run(tmp_path / "results", close=False)
    lines, bodies = log_of(run), (run / "bodies.warc.gz").read_bytes()
    put_log(run, lines[:1])
    (run / "bodies.warc.gz").write_bytes(bodies[:313])
    check = LogCheck(run, ())
    check.lines = 1
    check._record(lines[0])  # as if the rest were written while it is read
    (run / "bodies.warc.gz").write_bytes(bodies)
    for line in lines[1:]:
        check.lines += 1
        check._record(line)
    assert check.measurements == 4
    assert check._bytes
    check._bytes.close()


def test_checking_opens_no_connection_and_changes_nothing(run: Path, tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tsa")
    stamp(run, authority)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}
    script = NO_NETWORK + (
        "from blockwatch.cli import main\n"
        "try:\n"
        "    main(['verify', *sys.argv[1:]])\n"
        "except SystemExit as done:\n"
        "    assert not done.code, done.code\n"
        "assert 'httpx' not in sys.modules\n"
        "assert 'pandas' not in sys.modules\n"
    )
    argv = [sys.executable, "-c", script, str(run.parent), "--tsa-root", str(authority.roots)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "sealed and timed" in done.stdout
    after = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in run.rglob("*") if path.is_file()}
    assert after == before

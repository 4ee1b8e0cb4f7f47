"""Keys whose days are over: what only the signer says, and what an outside timestamp shows."""

from __future__ import annotations

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from blockwatch.evidence.allow import parse_allow_list, unproven_day
from blockwatch.evidence.log import log_root
from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.reading import last_byte, read_run
from blockwatch.evidence.report import Level, Report
from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from tests.cli.command import blockwatch
from tests.evidence.assets.world import HOUR, OURS, SECOND, STARTED, THEIRS, log_of, put_log, stamp, write_run
from tests.exchange.authority import Authority

DAY = 24 * HOUR
LATER = STARTED + 400_000 * DAY  # long after any stamp that is made today
WORD = "the signer's own word"


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("tsa") / "one")


def read(
    path: Path, days: str, authority: Authority, *, now: int | None = LATER, **more: str
) -> list[Report]:
    lines = "\n".join([f"{OURS.key} {days}", *(f"{key} {line}" for key, line in more.items())])
    trust = Trust(roots=(authority.root,))
    return list(
        verify_paths([path], Reader(keys=tuple(parse_allow_list(lines, "keys")), trust=trust, now=now))
    )


@pytest.mark.parametrize("proven", [False, True])
def test_a_stamp_of_its_days_shows_that_a_retired_key_sealed_it_then(
    tmp_path: Path, authority: Authority, *, proven: bool
) -> None:
    run = write_run(tmp_path / "results")
    proof = tmp_path / "proof.json"
    if proven:
        stamp(run, authority)
    proof.write_bytes(make_proof(run, "2"))
    for path in (run, proof):
        (report,) = read(path, "to=2999-12-31 Aigerim", authority)
        assert (report.findings, report.signer) == ((), "Aigerim")
        assert report.days_unproven is not proven
        assert report.reaches(Level.TIMED if proven else Level.SEALED) is proven
        assert report.reaches(Level.UNSIGNED)
        assert (WORD in " ".join(report.notes)) is not proven


@pytest.mark.parametrize(
    ("days", "unproven"),
    [
        ("", False),
        ("from=2019-01-01", False),
        ("to=2020-01-01", True),
        ("from=2020-01-01 to=2020-01-01", True),
    ],
)
def test_a_later_stamp_does_not(tmp_path: Path, authority: Authority, days: str, *, unproven: bool) -> None:
    run = write_run(tmp_path / "results")
    stamp(run, authority)
    (report,) = read(run, days, authority)
    assert (report.findings, report.level, report.days_unproven) == ((), Level.TIMED, unproven)
    assert report.reaches(Level.SEALED) is not unproven


def test_a_stamp_over_some_of_its_lines_does_not(tmp_path: Path, authority: Authority) -> None:
    """The thief takes a run that is stamped, and goes on with it."""
    run = write_run(tmp_path / "results")
    stamp(run, authority, of="checkpoints/3")
    (report,) = read(run, "to=2999-12-31", authority)
    assert (report.timed, report.days_unproven) == (3, True)


def test_a_day_that_is_still_to_come_needs_no_stamp(tmp_path: Path, authority: Authority) -> None:
    run = write_run(tmp_path / "results")
    (report,) = read(run, "to=2020-01-02", authority, now=STARTED + 2 * DAY - 1)
    assert not report.days_unproven
    (report,) = read(run, "to=2020-01-02", authority, now=STARTED + 2 * DAY)
    assert report.days_unproven
    (report,) = read(run, "to=2020-01-02", authority, now=None)
    assert report.days_unproven


def test_a_key_is_retired_when_all_its_lines_are() -> None:
    two = f"{OURS.key} to=2020-01-31 Aigerim\n{OURS.key} from=2020-03-01 to=2020-03-31 Aigerim\n"
    keys = parse_allow_list(two, "keys")
    assert str(unproven_day(keys, OURS.key, STARTED, None)) == "2020-01-31"
    assert str(unproven_day(keys, OURS.key, STARTED + 70 * DAY, None)) == "2020-03-31"
    assert unproven_day(keys, OURS.key, STARTED + 70 * DAY, STARTED + 80 * DAY) is None
    assert str(unproven_day(keys, OURS.key, STARTED, STARTED + 80 * DAY)) == "2020-01-31"
    assert unproven_day(keys, THEIRS.key, STARTED, None) is None
    keys = parse_allow_list(f"{two}{OURS.key} from=2020-05-01 Aigerim\n", "keys")
    assert unproven_day(keys, OURS.key, STARTED, None) is None


def test_a_run_out_of_all_days_is_from_nobody_that_was_named(tmp_path: Path, authority: Authority) -> None:
    run = write_run(tmp_path / "results")
    (report,) = read(run, "to=2019-12-31", authority)
    assert [finding.kind for finding in report.findings] == ["signer"]
    assert not report.days_unproven


def test_one_of_unproven_days_bears_out_no_other(tmp_path: Path, authority: Authority) -> None:
    both: dict[str, Any] = {"signer": THEIRS, "asn": 29355, "started": STARTED + HOUR // 2}
    stamp(write_run(tmp_path), authority)
    stamp(write_run(tmp_path, SECOND, **both), authority)
    levels = [report.level for report in read(tmp_path, "", authority, **{str(THEIRS.key): ""})]
    assert levels == [Level.WITNESSED] * 2
    levels = [report.level for report in read(tmp_path, "", authority, **{str(THEIRS.key): "to=2020-06-30"})]
    assert levels == [Level.TIMED] * 2


def test_the_command_says_so(tmp_path: Path) -> None:
    run = write_run(tmp_path / "results")
    (tmp_path / "keys").write_text(f"{OURS.key} to=2020-06-30 Aigerim\n")
    done = blockwatch("verify", run, "--allow", "keys", cwd=tmp_path)
    assert done.returncode == 0
    assert f"signed by Aigerim: {OURS.key.name}, if it was made in the days of that key" in done.stdout
    assert "its key was good until 2020-06-30 only" in done.stdout
    assert "without one it reaches no grade of --require" in done.stdout
    done = blockwatch("verify", run, "--allow", "keys", "--require", "sealed", cwd=tmp_path)
    assert (done.returncode, "1 of 1 below the grade 'sealed'" in done.stderr) == (9, True)
    told = json.loads(blockwatch("verify", run, "--allow", "keys", "--json", cwd=tmp_path).stdout)
    assert (told["ok"], told["days_unproven"], told["signer"]) == (True, True, "Aigerim")


@pytest.mark.parametrize("by", ["run", "tombstone", "encrypted run"])
def test_what_a_thief_may_have_written_confirms_no_end(tmp_path: Path, authority: Authority, by: str) -> None:
    """Who has a retired key cuts a run where it was stamped, and says that it ended there."""
    run = write_run(tmp_path / "results")
    stamp(run, authority, of="checkpoints/3")
    end_at(run, 3)
    root = log_root(run / "measurements.jsonl")[1]
    if by == "run":
        write_run(run.parent, SECOND, started=STARTED + HOUR)
    elif by == "tombstone":
        put_note(run.parent / "forgotten" / SECOND, tombstone(root))
    else:
        hidden = run.parent / f"20200101T010000Z-{SECOND}"
        put_note(hidden / "root", root_text(SECOND, str(OURS.key), "ab" * 32, root, sha256(b"x").digest()))
        (hidden / "run.age").write_bytes(b"x")
    for days, confirmed in [("", True), ("to=2999-12-31", False)]:
        first = read(run.parent, days, authority)[0]
        assert (first.findings, first.level, first.days_unproven) == ((), Level.TIMED, False)
        assert first.open_ended is not confirmed
        assert first.reaches(Level.TIMED) is confirmed


@pytest.mark.parametrize("by", ["tombstone", "encrypted run"])
def test_what_a_thief_may_have_written_is_no_good_link(tmp_path: Path, authority: Authority, by: str) -> None:
    """A run was taken away; who has the retired key puts a note in its place."""
    root, note = "ab" * 32, tmp_path / "forgotten" / SECOND
    write_run(tmp_path, previous_root=root)
    if by == "tombstone":
        put_note(note, tombstone("cd" * 32, root))
    else:
        note = tmp_path / f"20200101T010000Z-{SECOND}" / "root"
        put_note(note, root_text(SECOND, str(OURS.key), root, None, sha256(b"x").digest()))
        (note.parent / "run.age").write_bytes(b"x")
    word = "vouched for only by a note of a retired key"
    for days, unproven in [("", False), ("to=2999-12-31", True)]:
        run = read(tmp_path, days, authority)[0]
        assert (run.findings, run.unsigned_link) == ((), unproven)
        assert (word in " ".join(run.notes)) is unproven
    note.write_bytes(note.read_bytes().split(b"\n\n")[0] + b"\n")
    assert "only by an unsigned note" in " ".join(read(tmp_path, "to=2999-12-31", authority)[0].notes)


def end_at(run: Path, lines: int) -> None:
    """Cut a run at an earlier seal, as if it had been killed there."""
    put_log(run, log_of(run)[:lines])
    (run / "checkpoint").write_bytes((run / "checkpoints" / str(lines)).read_bytes())
    for name in ("checkpoint.sig", "run.json", "verdicts.jsonl"):
        (run / name).unlink()
    os.truncate(run / "bodies.warc.gz", max(map(last_byte, read_run(run).measurements)))


def put_note(path: Path, text: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(OURS.note(text))


def tombstone(previous: str, root: str = "00" * 32) -> bytes:
    return (
        f"blockwatch/forgotten\nrun {SECOND}\nkey {OURS.key}\nsize 9\nroot {root}\n"
        f"previous {previous}\nwhen 2020-01-01T06:40:00Z\n"
    ).encode()

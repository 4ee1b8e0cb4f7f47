"""The chain goes on where it ends, whatever the clocks said when its runs were made."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from blockwatch.evidence.chain import last_root
from blockwatch.evidence.log import log_root
from blockwatch.evidence.receipt import Buried, Receipt, write_receipt
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from tests.evidence.assets.world import HOUR, OURS, STARTED, log_of, unseal, write_run
from tests.evidence.collector import bundled, take

KEY = str(OURS.key)
AHEAD = STARTED + 90_000 * HOUR


def root(run: Path) -> str:
    return log_root(run / "measurements.jsonl")[1]


def before(run: Path) -> str | None:
    found: str | None = json.loads(log_of(run)[0]).get("previous_root")
    return found


def chain(results: Path, *started: int) -> list[Path]:
    return [write_run(results, f"{n:016x}", started=when) for n, when in enumerate(started)]


def findings(results: Path) -> list[str]:
    return [one.where for report in verify_paths([results], Reader()) for one in report.findings]


def test_a_clock_that_was_ahead_once_does_not_end_the_chain(tmp_path: Path) -> None:
    runs = chain(tmp_path, STARTED, AHEAD, STARTED + HOUR, STARTED + 2 * HOUR, STARTED + 3 * HOUR)
    assert [before(run) for run in runs] == [None, *(root(run) for run in runs[:-1])]
    assert findings(tmp_path) == []
    shutil.rmtree(runs[3])
    assert findings(tmp_path) == ["measurements.jsonl:1"]


def test_it_goes_on_along_forgotten_runs(tmp_path: Path) -> None:
    runs = chain(tmp_path, AHEAD, STARTED, STARTED + HOUR)
    last = root(runs[2])
    for run in runs[1:]:
        forget_run(run, OURS, "2026-11-22T06:40:00Z")
    assert last_root(tmp_path, KEY) == last
    forget_run(runs[0], OURS, "2026-11-22T06:40:00Z")
    assert last_root(tmp_path, KEY) == last


def test_of_two_ends_the_newest_by_name_is_taken(tmp_path: Path) -> None:
    first, second, third = chain(tmp_path, STARTED, STARTED + HOUR, STARTED + 2 * HOUR)
    shutil.rmtree(third)
    other = write_run(tmp_path, "f" * 16, started=STARTED + HOUR // 2, previous_root=root(first))
    assert last_root(tmp_path, KEY) == root(second)
    shutil.rmtree(second)
    assert last_root(tmp_path, KEY) == root(other)


def test_it_is_said_where_two_runs_name_the_same_one(tmp_path: Path) -> None:
    first = chain(tmp_path, STARTED, STARTED + HOUR)[0]
    write_run(tmp_path, "f" * 16, started=STARTED + 2 * HOUR, previous_root=root(first))
    write_run(tmp_path, "e" * 16, started=STARTED + 3 * HOUR, previous_root=None)
    word = "or none, as this one does: one of them was killed while it was encrypted, a clock was set back"
    said = {
        report.run: [note for note in report.notes if word in note]
        for report in verify_paths([tmp_path], Reader())
    }
    assert {run: len(notes) for run, notes in said.items()} == dict.fromkeys(said, 1)
    assert "(run ffffffffffffffff)" in said["0000000000000001"][0]
    assert "(run eeeeeeeeeeeeeeee)" in said["0000000000000000"][0]
    assert findings(tmp_path) == []


@pytest.mark.parametrize("sealed", [True, False])
def test_a_run_that_came_is_of_the_chain_only_where_its_key_sealed_all_of_it(
    tmp_path: Path, sealed: bool
) -> None:
    """Whoever has my public key can write a run that names it, and send it to me."""
    (mine,) = chain(tmp_path / "mine", STARTED)
    came = write_run(tmp_path / "made", "e" * 16, started=STARTED + HOUR, previous_root=root(mine))
    if not sealed:
        unseal(came)
    take(bundled([came], tmp_path / "x")[0], tmp_path / "mine")
    assert last_root(tmp_path / "mine", KEY) == root(came if sealed else mine)


@pytest.mark.parametrize("signer", [None, OURS])
def test_a_tombstone_that_came_is_of_the_chain_only_where_it_is_signed(
    tmp_path: Path, signer: Signer | None
) -> None:
    mine = write_run(tmp_path, started=STARTED)
    gone = write_run(tmp_path, "d" * 16, started=STARTED + HOUR)
    last = root(gone)
    forget_run(gone, signer, "2026-11-22T06:40:00Z")
    assert last_root(tmp_path, KEY) == last  # by my own hand, though the key is lost
    buried = Buried(run="d" * 16, outcome="new")
    receipt = Receipt(
        kind="blockwatch receipt", received="2026-11-22T06:40:00Z", software="x", sha256="0" * 64, bytes=1,
        forgotten=(buried,),
    )  # fmt: skip
    write_receipt(tmp_path, receipt)
    assert last_root(tmp_path, KEY) == (last if signer else root(mine))

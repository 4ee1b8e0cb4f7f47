"""How far an encrypted run came: what is noted in the clear, when, and for how long."""

from __future__ import annotations

import base64
import errno
import json
from collections.abc import Iterable
from pathlib import Path

import pyrage
import pytest

from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence import progress
from blockwatch.evidence.naming import PROGRESS_FILE
from blockwatch.evidence.progress import Noting, drop_superseded, read_progress, veiled
from blockwatch.evidence.shelf import EncryptedShelf, Memory
from blockwatch.evidence.sweep import sweep
from blockwatch.model import Measurement
from blockwatch.run import LineCheck, RunClose
from blockwatch.store import RunWriter, last_root
from tests.evidence.collector import SIGNER, STRANGER
from tests.evidence.made import RUN, measured, run_close, run_open

MINE = pyrage.x25519.Identity.generate()
PLAN = b'{"tasks":["https://site.example.org/"]}'
KEY = str(SIGNER.key)


class Counting:
    """Counts a measurement as the task that its id ends with; none is done twice."""

    def __init__(self, count: int = 11) -> None:
        self.count, self.numbers, self.checks, self.closed = count, set[int](), 0, False

    def add(self, measurement: Measurement) -> None:
        self.numbers.add(measurement.seq - 1)

    def heard(self, checks: Iterable[LineCheck]) -> None:
        self.checks += 1

    def ended(self, close: RunClose) -> None:
        self.closed = True

    @property
    def done(self) -> frozenset[int]:
        return frozenset(self.numbers)

    @property
    def worked(self) -> tuple[int, ...]:
        return tuple(sorted(self.numbers))[:1]

    @property
    def complete(self) -> bool:
        return len(self.numbers) == self.count


def begun(results: Path, tally: Counting, run: str = RUN, signer: object = SIGNER) -> RunWriter:
    shelf = EncryptedShelf([MINE.to_public()], Memory(), Noting(PLAN, tally))
    writer = RunWriter(results, signer=signer, shelf=shelf)  # type: ignore[arg-type]
    writer.open(run_open(run))
    return writer


def test_it_is_there_from_the_beginning_and_says_what_is_done(tmp_path: Path) -> None:
    tally = Counting()
    writer = begun(tmp_path, tally)
    noted = read_progress(writer.folder)
    assert noted is not None
    assert (noted.run, noted.key, noted.tasks, noted.numbers) == (RUN, KEY, 11, frozenset())
    assert (noted.plan, noted.network) == (veiled(RUN, PLAN), veiled(RUN, PLAN, 9198))
    assert len({noted.plan, noted.network, veiled(RUN, PLAN, 1), veiled("f" * 16, PLAN)}) == 4
    for seq in (1, 2, 9, 11):
        writer.write(measured(seq))
    noted = read_progress(writer.folder)
    assert noted is not None
    assert noted.numbers == {0, 1, 8, 10}
    raw = (writer.folder / PROGRESS_FILE).read_bytes()
    assert sorted(json.loads(raw)) == ["done", "key", "network", "plan", "run", "tasks", "worked"]
    assert noted.worked == (0,)
    assert base64.b64decode(json.loads(raw)["done"]) == bytes([0b11, 0b101])
    assert (writer.folder / PROGRESS_FILE).stat().st_mode & 0o777 == 0o600
    assert tally.checks == 1
    writer.close(run_close(4))
    assert tally.closed
    assert read_progress(writer.folder) == noted  # it stopped before its end, and can be resumed


def test_it_goes_when_nothing_is_left(tmp_path: Path) -> None:
    writer = begun(tmp_path, Counting(2))
    writer.write(measured(1))
    writer.write(measured(2))
    assert read_progress(writer.folder) is not None  # the last line is not written yet
    writer.close(run_close(2))
    assert sorted(path.name for path in writer.folder.iterdir()) == ["root", "run.age"]


def test_it_goes_when_another_run_of_the_key_has_begun(tmp_path: Path) -> None:
    first = begun(tmp_path, Counting()).folder
    (first / f"{PROGRESS_FILE}.part").write_bytes(b"of one that was killed")
    other = begun(tmp_path, Counting(), "a" * 16, STRANGER).folder
    bad = begun(tmp_path, Counting(), "b" * 16).folder
    (bad / PROGRESS_FILE).write_bytes(b"{}")
    plain = RunWriter(tmp_path, signer=SIGNER)
    plain.open(run_open("c" * 16))
    drop_superseded(tmp_path, plain.folder, plain.key)
    assert list(first.glob("progress*")) == []
    assert read_progress(other) is not None
    assert (bad / PROGRESS_FILE).exists()
    last = begun(tmp_path, Counting(), "d" * 16)
    drop_superseded(tmp_path, last.folder, last.key)
    assert read_progress(last.folder) is not None
    assert last_root(tmp_path, str(STRANGER.key)) is None


def test_a_disk_that_does_not_take_it_fails_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = begun(tmp_path, Counting())

    def full(path: Path, content: bytes) -> None:
        raise DiskError("no room", where=str(path)) from OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(progress, "replace_file", full)
        writer.write(measured(1))
    assert writer.failed is None
    noted = read_progress(writer.folder)
    assert noted is not None
    assert noted.numbers == frozenset()
    writer.write(measured(2))
    noted = read_progress(writer.folder)
    assert noted is not None
    assert noted.numbers == {0, 1}


GOOD = {"run": RUN, "tasks": 9, "done": "AAA=", "plan": base64.b64encode(bytes(32)).decode()}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff",
        b"{}",
        b"[" * 100_000,
        json.dumps(GOOD | {"done": "AA=="}).encode(),
        json.dumps(GOOD | {"tasks": -1}).encode(),
        json.dumps(GOOD | {"tasks": 10**15}).encode(),
        json.dumps(GOOD | {"plan": "AAAA"}).encode(),
        json.dumps(GOOD | {"worked": [-1]}).encode(),
        json.dumps(GOOD | {"network": "AAAA"}).encode(),
        json.dumps(GOOD | {"run": "f" * 16}).encode(),
        json.dumps(GOOD | {"run": "../../../../../x"}).encode(),
        json.dumps(GOOD | {"format": 2}).encode(),
    ],
)
def test_what_cannot_be_read_is_said(tmp_path: Path, content: bytes) -> None:
    folder = tmp_path / f"20261122T042000Z-{RUN}"
    folder.mkdir()
    assert read_progress(folder) is None
    (folder / PROGRESS_FILE).write_text(json.dumps(GOOD))
    assert read_progress(folder) is not None
    (folder / PROGRESS_FILE).write_bytes(content)
    with pytest.raises(EvidenceError, match="how far this run had come"):
        read_progress(folder)
    (folder / PROGRESS_FILE).unlink()
    (folder / PROGRESS_FILE).symlink_to("/dev/zero")
    with pytest.raises(EvidenceError, match="how far this run had come"):
        read_progress(folder)


def test_wiping_takes_it_also_where_the_folder_was_renamed(tmp_path: Path) -> None:
    folder = begun(tmp_path, Counting()).folder
    folder.rename(tmp_path / "mine")
    begun(tmp_path, Counting(), "a" * 16)
    swept = sweep(tmp_path)
    assert (swept.failed, swept.strange) == ([], [])
    assert list(tmp_path.iterdir()) == []

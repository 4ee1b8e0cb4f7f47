"""How far an encrypted run came: what is noted of it, for whom, and for how long."""

from __future__ import annotations

import base64
import errno
import json
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from blockwatch.errors import DiskError, EvidenceError
from blockwatch.evidence import progress
from blockwatch.evidence.naming import PROGRESS_FILE
from blockwatch.evidence.note import from_base64
from blockwatch.evidence.progress import Noting, Progress, drop_superseded, read_progress, veiled
from blockwatch.evidence.shelf import EncryptedShelf, Memory
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.sweep import sweep
from blockwatch.model import Measurement
from blockwatch.run import LineCheck, RunClose
from blockwatch.store import RunWriter, last_root
from tests.evidence.collector import SIGNER, STRANGER
from tests.evidence.made import RUN, measured, run_close, run_open

MINE = pyrage.x25519.Identity.generate()
PLAN = b'{"tasks":["https://site.example.org/"]}'


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


def begun(results: Path, tally: Counting, run: str = RUN, signer: Signer = SIGNER) -> RunWriter:
    shelf = EncryptedShelf([MINE.to_public()], Memory(), Noting(PLAN, tally, signer))
    writer = RunWriter(results, signer=signer, shelf=shelf)
    writer.open(run_open(run))
    return writer


def test_it_is_there_from_the_beginning_and_says_what_is_done(tmp_path: Path) -> None:
    tally = Counting()
    writer = begun(tmp_path, tally)
    noted = read_progress(writer.folder, SIGNER)
    assert noted is not None
    assert (noted.run, noted.tasks, noted.numbers) == (RUN, 11, frozenset())
    assert (noted.plan, noted.network) == (veiled(RUN, PLAN), veiled(RUN, PLAN, 9198))
    assert len({noted.plan, noted.network, veiled(RUN, PLAN, 1), veiled("f" * 16, PLAN)}) == 4
    for seq in (1, 2, 9, 11):
        writer.write(measured(seq))
    noted = read_progress(writer.folder, SIGNER)
    assert noted is not None
    assert noted.numbers == {0, 1, 8, 10}
    assert noted.worked == (0,)
    assert (writer.folder / PROGRESS_FILE).stat().st_mode & 0o777 == 0o600
    assert tally.checks == 1
    writer.close(run_close(4))
    assert tally.closed
    assert read_progress(writer.folder, SIGNER) == noted  # it stopped before its end, and can be resumed


def test_only_the_key_opens_it(tmp_path: Path) -> None:
    """By hand, as docs/evidence.md says; two notes of one content have no bytes in common."""
    writer = begun(tmp_path, Counting())
    path = writer.folder / PROGRESS_FILE
    before = path.read_bytes()
    writer.write(measured(9))
    raw = path.read_bytes()
    assert len(raw) == len(before)
    assert (len(raw) - 12 - 16) % 256 == 0
    assert raw[:44] != before[:44]
    secret = from_base64(SIGNER.secret().decode().strip().split("+", 4)[4])
    assert secret is not None
    key = HKDF(SHA256(), 32, None, b"blockwatch/progress\n" + RUN.encode()).derive(secret[1:])
    text = ChaCha20Poly1305(key).decrypt(raw[:12], raw[12:], RUN.encode())
    told = json.loads(text)
    assert sorted(told) == ["done", "network", "plan", "run", "tasks", "worked"]
    assert base64.b64decode(told["done"]) == bytes([0, 1])
    assert read_progress(writer.folder, STRANGER) is None
    for altered in (raw[:-1], raw[:5], b"", bytes(len(raw)), raw[:20] + bytes([raw[20] ^ 1]) + raw[21:]):
        path.write_bytes(altered)
        assert read_progress(writer.folder, SIGNER) is None


def test_it_goes_when_nothing_is_left(tmp_path: Path) -> None:
    writer = begun(tmp_path, Counting(2))
    writer.write(measured(1))
    writer.write(measured(2))
    assert read_progress(writer.folder, SIGNER) is not None  # the last line is not written yet
    writer.close(run_close(2))
    assert sorted(path.name for path in writer.folder.iterdir()) == ["root", "run.age"]


def test_it_goes_when_another_run_of_the_key_has_begun(tmp_path: Path) -> None:
    first = begun(tmp_path, Counting()).folder
    (first / f"{PROGRESS_FILE}.part").write_bytes(b"of one that was killed")
    other = begun(tmp_path, Counting(), "a" * 16, STRANGER).folder
    plain = RunWriter(tmp_path, signer=SIGNER)
    plain.open(run_open("c" * 16))
    drop_superseded(tmp_path, plain.folder, None)
    assert read_progress(first, SIGNER) is not None
    drop_superseded(tmp_path, plain.folder, SIGNER)
    assert list(first.glob("progress*")) == []
    assert read_progress(other, STRANGER) is not None
    last = begun(tmp_path, Counting(), "d" * 16)
    drop_superseded(tmp_path, last.folder, SIGNER)
    assert read_progress(last.folder, SIGNER) is not None
    assert last_root(tmp_path, str(STRANGER.key)) is None


def test_a_disk_that_does_not_take_it_fails_no_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    writer = begun(tmp_path, Counting())

    def full(path: Path, content: bytes) -> None:
        raise DiskError("no room", where=str(path)) from OSError(errno.ENOSPC, "no room")

    with monkeypatch.context() as patch:
        patch.setattr(progress, "replace_file", full)
        writer.write(measured(1))
    assert writer.failed is None
    noted = read_progress(writer.folder, SIGNER)
    assert noted is not None
    assert noted.numbers == frozenset()
    writer.write(measured(2))
    noted = read_progress(writer.folder, SIGNER)
    assert noted is not None
    assert noted.numbers == {0, 1}


GOOD = Progress(run=RUN, tasks=9, done=bytes(2), plan=bytes(32))
BAD = [
    {"done": bytes(1)},
    {"tasks": -1},
    {"tasks": 10**15},
    {"plan": bytes(31)},
    {"network": bytes(3)},
    {"worked": (-1,)},
    {"run": "f" * 16},
    {"format": 2},
]


def put(folder: Path, noted: Progress) -> None:
    nonce, key = bytes(12), SIGNER.derived(b"blockwatch/progress\n" + RUN.encode())
    content = ChaCha20Poly1305(key).encrypt(nonce, msgspec.json.encode(noted), RUN.encode())
    (folder / PROGRESS_FILE).write_bytes(nonce + content)


@pytest.mark.parametrize("changes", BAD)
def test_what_is_no_note_of_ours_is_said(tmp_path: Path, changes: dict[str, Any]) -> None:
    folder = tmp_path / f"20261122T042000Z-{RUN}"
    folder.mkdir()
    assert read_progress(folder, SIGNER) is None
    put(folder, GOOD)
    assert read_progress(folder, SIGNER) == GOOD
    put(folder, msgspec.structs.replace(GOOD, **changes))
    with pytest.raises(EvidenceError, match="how far this run had come"):
        read_progress(folder, SIGNER)


def test_nothing_else_is_opened_in_its_place(tmp_path: Path) -> None:
    folder = tmp_path / f"20261122T042000Z-{RUN}"
    folder.mkdir()
    (folder / PROGRESS_FILE).symlink_to("/dev/zero")
    with pytest.raises(EvidenceError, match="how far this run had come"):
        read_progress(folder, SIGNER)
    (folder / PROGRESS_FILE).unlink()
    os.mkfifo(folder / PROGRESS_FILE)
    with pytest.raises(EvidenceError, match="how far this run had come"):
        read_progress(folder, SIGNER)


def test_wiping_takes_it_also_where_the_folder_was_renamed(tmp_path: Path) -> None:
    folder = begun(tmp_path, Counting()).folder
    folder.rename(tmp_path / "mine")
    begun(tmp_path, Counting(), "a" * 16)
    swept = sweep(tmp_path)
    assert (swept.failed, swept.strange) == ([], [])
    assert list(tmp_path.iterdir()) == []

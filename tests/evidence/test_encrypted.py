"""A run that is encrypted as it is written, and what becomes of it in the hands of whoever has the key."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path
from typing import Any

import pyrage
import pytest

from blockwatch.codec import canonical
from blockwatch.errors import DiskError, EvidenceError, UsageError
from blockwatch.evidence.chunks import ChunkHead, chunk
from blockwatch.evidence.crypt import sealed
from blockwatch.evidence.incoming import Imported, Incoming
from blockwatch.evidence.naming import ENCRYPTED_FILE
from blockwatch.evidence.opened import opened_runs
from blockwatch.evidence.reading import find_runs, read_run
from blockwatch.evidence.report import Level
from blockwatch.evidence.rootnote import parse_root
from blockwatch.evidence.shelf import EncryptedShelf, Memory, Shelf
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.model import HttpStep
from blockwatch.store import RunWriter, last_root
from tests.cli.command import blockwatch
from tests.evidence.collector import SIGNER
from tests.evidence.made import RUN, STARTED, measured, run_close, run_open
from tests.tools import needs

LOG, BODIES = "measurements.jsonl", "bodies.warc.gz"
MINE, OTHER = (pyrage.x25519.Identity.generate() for _ in range(2))


def write(
    results: Path, shelf: Shelf | None, *, run: str = RUN, close: bool = True, count: int = 4, **changes: Any
) -> RunWriter:
    """A sealed run, with a seal after each measurement."""
    ticks = iter(range(10_000))
    writer = RunWriter(
        results, label="home", signer=SIGNER, shelf=shelf, seal_every_s=0.5, clock=lambda: float(next(ticks))
    )
    writer.open(run_open(run, label="home", campaign="springtime", **changes))
    for seq in range(1, count + 1):
        writer.write(measured(seq, run=run))
    if close:
        writer.close(run_close(count))
    return writer


def encrypted(results: Path, memory: Memory | None = None, **options: Any) -> Path:
    return write(results, EncryptedShelf([MINE.to_public()], memory or Memory()), **options).folder


def unsealed(source: Path, results: Path, identity: Any = MINE) -> Path:
    results.mkdir(exist_ok=True)
    came = Incoming(results, [identity], "blockwatch 0").take(source)
    assert isinstance(came, Imported)
    (run,) = came.receipt.runs
    assert run.folder is not None
    return results / run.folder


def chunks(folder: Path) -> list[bytes]:
    """The chunks of a file, each with its line."""
    raw, found = (folder / ENCRYPTED_FILE).read_bytes(), []
    while raw:
        line, _, rest = raw.partition(b"\n")
        size = int(line.split()[2])
        found.append(line + b"\n" + rest[:size])
        raw = rest[size:]
    return found


def test_the_holder_of_the_key_gets_the_run_as_it_would_have_been(tmp_path: Path) -> None:
    plain = write(tmp_path / "plain", None).folder
    folder = unsealed(encrypted(tmp_path / "sealed"), tmp_path / "collected")
    for name in (LOG, BODIES, "checkpoint", "checkpoint.sig"):
        assert (folder / name).read_bytes() == (plain / name).read_bytes()
    report = verify_run(folder, Reader()).report
    assert report.findings == ()
    assert report.level is Level.SEALED
    assert report.sealed == report.lines == 6
    assert folder.name.endswith(f"-home-{RUN}")
    assert len(list((folder / "checkpoints").iterdir())) >= 1


def test_what_stays_readable(tmp_path: Path) -> None:
    folder = encrypted(tmp_path / "sealed")
    assert {path.name for path in folder.iterdir()} == {ENCRYPTED_FILE, "root"}
    assert folder.name == f"20261122T042000Z-{RUN}"
    plain = write(tmp_path / "plain", None).folder
    raw = (folder / ENCRYPTED_FILE).read_bytes()
    noted = parse_root((folder / "root").read_bytes())
    assert (noted.run, noted.root, noted.previous) == (RUN, read_run(plain).root(), None)
    assert (noted.key, noted.signed, noted.sha256) == (SIGNER.key, True, sha256(raw).hexdigest())
    for word in (b"site.example", b"home", b"springtime", b"blockwatch", RUN.encode(), b"203.0.113"):
        assert word not in raw
    assert [path.name for path in tmp_path.rglob("*") if ".part" in path.name] == []


def test_it_is_judged_in_memory_as_it_would_be_from_the_disk(tmp_path: Path) -> None:
    memory = Memory()
    encrypted(tmp_path / "sealed", memory)
    plain = read_run(write(tmp_path / "plain", None).folder)
    assert memory.open == plain.open
    assert memory.close == plain.close
    assert list(memory.measurements) == list(plain.measurements)
    for measurement in plain.measurements:
        for step in measurement.observations:
            if isinstance(step, HttpStep):
                assert memory.body(measurement, step) == plain.body(measurement, step) != b""


def test_a_killed_run_can_be_read_up_to_where_it_was_killed(tmp_path: Path) -> None:
    folder = encrypted(tmp_path / "sealed")
    pieces = chunks(folder)
    ends = [sum(map(len, pieces[: n + 1])) for n in range(len(pieces))]
    raw = (folder / ENCRYPTED_FILE).read_bytes()
    assert ends[-1] == len(raw)
    results, lines = tmp_path / "collected", 0
    for end in ends[:-1]:
        for torn in (b"", raw[end : end + 5], raw[end : end + 200], bytes(300)):
            (tmp_path / "cut").write_bytes(raw[:end] + torn)
            kept = unsealed(tmp_path / "cut", results)
            assert verify_run(kept, Reader()).report.findings == ()
            now = verify_run(kept, Reader()).report.lines
            assert now >= lines
            lines = now
    assert lines >= 5
    kept = unsealed(folder, results)
    assert verify_run(kept, Reader()).report.level is Level.SEALED
    assert len(find_runs([results])) == 1
    for cut in (b"", raw[:3], raw[: ends[0] - 1]):
        (tmp_path / "cut").write_bytes(cut)
        with pytest.raises(EvidenceError):
            unsealed(tmp_path / "cut", tmp_path / "none")


def by_hand(number: int, *pieces: tuple[str, int, bytes], run: str = RUN) -> bytes:
    return chunk(run, number, pieces, [MINE.to_public()])


def sealed_alone(plain: bytes, number: int) -> bytes:
    age = sealed(plain, [MINE.to_public()])
    return b"chunk %d %d\n" % (number, len(age)) + age


FIRST = (BODIES, 0, b"x" * 10), (LOG, 0, b"{}\n")
THIRD = by_hand(3, (LOG, 3, b"{}\n")).partition(b"\n")[2]
FLIPPED = bytearray(by_hand(2, (LOG, 3, b"{}\n")))
FLIPPED[-1] ^= 1
MORE = sealed_alone(canonical(ChunkHead(run=RUN, number=2, pieces=())) + b"\n\0more", 2)
BAD = {
    "another run": (by_hand(2, (LOG, 3, b"{}\n"), run="f" * 16), "another run or another place"),
    "another number inside": (b"chunk 2 %d\n" % len(THIRD) + THIRD, "another run or another place"),
    "an earlier number": (by_hand(1, *FIRST), "chunk 1 stands where chunk 2 should"),
    "a later number": (by_hand(3, (LOG, 3, b"{}\n")), "chunk 3 stands where chunk 2 should"),
    "a gap": (by_hand(2, (LOG, 4, b"{}\n")), "impossible place"),
    "written over": (by_hand(2, (LOG, 0, b"{}\n")), "impossible place"),
    "traversal": (by_hand(2, ("../../escaped", 0, b"x")), "is no file of a run"),
    "absolute": (by_hand(2, ("/tmp/escaped", 0, b"x")), "is no file of a run"),
    "unknown": (by_hand(2, ("run.json", 0, b"{}")), "is no file of a run"),
    "a large seal": (by_hand(2, ("checkpoint", 0, bytes(65_537))), "impossible place or size"),
    "a length": (b"chunk 2 999999999\n" + bytes(99), "stands where chunk 2 should"),
    "something else": (b"hello\n", "something else stands where chunk 2 should"),
    "a bit": (bytes(FLIPPED), "damaged"),
    "more than it says": (MORE, "it holds more than it says"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_what_no_writer_of_ours_leaves_is_refused(name: str, tmp_path: Path) -> None:
    raw, words = BAD[name]
    (tmp_path / "x").write_bytes(by_hand(1, *FIRST) + raw)
    with pytest.raises(EvidenceError, match=words):
        unsealed(tmp_path / "x", tmp_path / "results")
    assert {path.name for path in tmp_path.iterdir()} == {"x", "results"}
    assert list((tmp_path / "results").iterdir()) == []


@pytest.mark.parametrize("count", [1, 5, 13, 40])
def test_number_and_lengths_of_chunks_tell_little(tmp_path: Path, count: int) -> None:
    """Of a run that has ended: neither how many were measured twice, nor which page came."""
    pieces = chunks(encrypted(tmp_path / "sealed", count=count))
    assert len(pieces) % 16 == 0
    assert all(16_384 < len(piece.partition(b"\n")[2]) < 17_000 for piece in pieces)
    for size, filled in ((16_000, 16_384), (16_384, 32_768), (40_000, 65_536), (70_000, 131_072)):
        whole = by_hand(1, (LOG, 0, b"x" * size)).partition(b"\n")[2]
        assert filled < len(whole) < filled + 1_000
    assert (
        read_run(unsealed(tmp_path / "sealed" / f"20261122T042000Z-{RUN}", tmp_path / "out")).close
        is not None
    )


def test_chunks_that_are_left_out_or_moved_show(tmp_path: Path) -> None:
    pieces = chunks(encrypted(tmp_path / "sealed"))
    for number, changed in enumerate(
        (pieces[:2] + pieces[3:], [pieces[0], pieces[2], pieces[1], *pieces[3:]], [*pieces[:2], *pieces[1:]])
    ):
        path = tmp_path / str(number)
        path.write_bytes(b"".join(changed))
        with pytest.raises(EvidenceError, match="stands where chunk"):
            unsealed(path, tmp_path / "results")


def test_without_the_key(tmp_path: Path) -> None:
    folder = encrypted(tmp_path / "sealed")
    with pytest.raises(UsageError, match="none of the keys"):
        unsealed(folder, tmp_path / "results", OTHER)
    with pytest.raises(UsageError, match="it is encrypted"):
        Incoming(tmp_path / "results", [], "blockwatch 0").take(folder)
    for path in (folder, folder.parent, folder / ENCRYPTED_FILE):
        with pytest.raises(UsageError, match="this is encrypted"), opened_runs([path]):
            pass


@needs("age", "age-keygen")
def test_the_age_program_opens_each_chunk(tmp_path: Path) -> None:
    (tmp_path / "key").write_text(f"{MINE}\n")
    contents = b""
    for piece in chunks(encrypted(tmp_path / "sealed")):
        done = subprocess.run(
            ["age", "-d", "-i", "key"],
            cwd=tmp_path, input=piece.partition(b"\n")[2], capture_output=True, check=True,
        )  # fmt: skip
        contents += done.stdout
    assert contents.count(b'"type":"measurement"') == 4


def test_the_chain_goes_on(tmp_path: Path) -> None:
    results, key = tmp_path / "results", str(SIGNER.key)
    first = encrypted(results)
    root = parse_root((first / "root").read_bytes()).root
    assert last_root(results, key) == root
    assert last_root(results, None) is None
    second = tmp_path / "killed"
    shutil.copytree(first, second)
    (second / "root").unlink()
    second.rename(results / f"20261123T000000Z-{'1' * 16}")
    assert last_root(results, key) == root  # one that was killed noted none
    plain = write(results, None, started=1_800_000_000_000_000, previous_root=root).folder
    assert last_root(results, key) == read_run(plain).root()
    assert [report.findings for report in verify_paths([results], Reader())] == [()]
    (first / "root").unlink()
    (report,) = verify_paths([results], Reader())
    assert "is missing" in report.findings[0].what


def test_a_full_disk(tmp_path: Path) -> None:
    shelf = EncryptedShelf([MINE.to_public()], Memory())
    writer = write(tmp_path / "sealed", shelf, close=False)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, shelf._file._descriptor)
    with pytest.raises(DiskError):
        writer.write(measured(5))
    with pytest.raises(DiskError):
        writer.close(run_close(4))
    os.close(full)
    kept = unsealed(writer.folder, tmp_path / "collected")
    assert len(list(read_run(kept).measurements)) == 4


def test_several_go_and_come_in_one_command(tmp_path: Path) -> None:
    """Each in a file of its own."""
    for number in (1, 2):
        encrypted(tmp_path / "results", run=f"{number:016x}", started=STARTED + number * 3_600_000_000)
    (tmp_path / "key").write_text(f"{MINE}\n")
    (tmp_path / "out").mkdir()
    refused = blockwatch("bundle", "results", "-o", "one", cwd=tmp_path)
    assert (refused.returncode, "of several runs a folder to -o" in refused.stderr) == (2, True)
    done = blockwatch("bundle", "results", "results", "-o", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert ", each in a file of its own" in done.stderr
    assert "parts" not in done.stderr
    sent = sorted(path.read_bytes() for path in (tmp_path / "out").iterdir())
    assert sent == sorted(path.read_bytes() for path in (tmp_path / "results").glob(f"*/{ENCRYPTED_FILE}"))
    came = blockwatch("import", "results", "--identity", "key", "--results", "collected", cwd=tmp_path)
    assert came.returncode == 0, came.stderr
    assert len(find_runs([tmp_path / "collected"])) == 2
    told = blockwatch("timestamp", "results", "--tsa", "http://127.0.0.1:9/", cwd=tmp_path)
    assert (told.returncode, "the runs here are encrypted" in told.stderr) == (2, True)

"""Somebody who collects runs: bundles that come, copies of a run, and what is there then."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch.evidence import ots
from blockwatch.evidence.bundle import Bundle, tombstones_for, write_bundle
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.incoming import Imported, Incoming
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.reading import find_runs
from blockwatch.evidence.receipt import Receipt, read_receipt
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.store import RunWriter
from tests.evidence.made import RUN, make_run, measured, run_close, run_open

LOG, BODIES = "measurements.jsonl", "bodies.warc.gz"


def bundled(folders: list[Path], file: Path, **options: Any) -> list[Path]:
    return write_bundle(Bundle(folders, tombstones_for(folders)), file, **options)


def take(file: Path, results: Path) -> Receipt:
    results.mkdir(exist_ok=True)
    came = Incoming(results, [], "blockwatch 0").take(file)
    assert isinstance(came, Imported)
    if came.receipt.changed:
        assert read_receipt(came.path).runs == came.receipt.runs
    return came.receipt


def contents(folder: Path) -> dict[str, bytes]:
    """Every file below, but for receipts."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "receipts" not in path.parts
    }


def made(at: Path, count: int, *, close: bool = True, run: str = RUN) -> Path:
    return make_run(at, count, run=run, close=close)


def come(tmp_path: Path, first: Path, then: Path) -> tuple[Receipt, dict[str, bytes], dict[str, bytes]]:
    """Import a run, then another copy; the second receipt, and the results before and after it."""
    results = tmp_path / "collected"
    for number, folder in enumerate((first, then)):
        bundled([folder], tmp_path / f"{number}.tar.gz")
    take(tmp_path / "0.tar.gz", results)
    before = contents(results)
    receipt = take(tmp_path / "1.tar.gz", results)
    return receipt, before, contents(results)


SIGNER = Signer(Ed25519PrivateKey.from_private_bytes(bytes(32)))


def sealed(results: Path, count: int) -> Path:
    writer = RunWriter(results, signer=SIGNER)
    writer.open(run_open())
    for seq in range(1, count + 1):
        writer.write(measured(seq))
    writer.close(run_close(count))
    return writer.folder


def calendar_proof(digest: bytes, nonce: bytes) -> bytes:
    """An OpenTimestamps proof that a calendar has promised to complete."""
    proof, end = ots.veiled(digest, nonce)
    address = b"https://calendar.example.org"
    end.attestations.append(
        ots.Attestation(bytes.fromhex("83dfe30d2ef90c8e"), bytes([len(address)]) + address)
    )
    return ots.write_proof(proof)


STRANGER = Signer(Ed25519PrivateKey.from_private_bytes(b"\1" * 32))


def lines(folder: Path) -> list[bytes]:
    return (folder / LOG).read_bytes().splitlines(keepends=True)


def begun(whole: Path, at: Path, count: int, seal: int, signer: Signer = SIGNER) -> Path:
    """The same run as it was when it had so many lines, of which so many are sealed."""
    folder = shutil.copytree(whole, at)
    for name in ("checkpoint", "checkpoint.sig", "run.json"):
        (folder / name).unlink()
    shutil.rmtree(folder / "checkpoints", ignore_errors=True)
    (folder / LOG).write_bytes(b"".join(lines(whole)[:count]))
    if seal:
        root = root_of([leaf_hash(line[:-1]) for line in lines(whole)[:seal]])
        (folder / "checkpoint").write_bytes(signer.note(checkpoint_text(RUN, seal, root)))
    return folder


def forge(folder: Path, line: int = -1) -> Path:
    """Change what one line says, where no seal can tell."""
    log = lines(folder)
    log[line] = log[line].replace(b'"us":400000', b'"us":400001')
    assert log != lines(folder)
    (folder / LOG).write_bytes(b"".join(log))
    return folder


class Collector:
    """A results folder into which copies come, one after the other."""

    def __init__(self, at: Path) -> None:
        self.at, self.results, self.count = at, at / "collected", 0

    def take(self, folder: Path) -> Receipt:
        self.count += 1
        (path,) = write_bundle(Bundle([folder]), self.at / f"{self.count}.tar.gz")
        return take(path, self.results)

    @property
    def kept(self) -> Path:
        (folder,) = find_runs([self.results])
        return folder

    def holds(self, folder: Path) -> bool:
        return lines(self.kept) == lines(folder) and not verify_run(self.kept, Reader()).report.findings


def outcome(receipt: Receipt) -> tuple[str, bool]:
    (run,) = receipt.runs
    return run.outcome, receipt.contradicts

"""Good evidence that is named for what it is not is never called damaged, and the remedy works."""

from __future__ import annotations

import gzip
import tarfile
from pathlib import Path

import pytest

from tests.cli.command import blockwatch, kept_run, no_traceback


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle beside the results folder it is of."""
    kept_run(tmp_path / "results")
    assert blockwatch("bundle", "results", "-o", "x.tar.gz", cwd=tmp_path).returncode == 0
    return tmp_path / "x.tar.gz"


def refused(tmp_path: Path, *words: str | Path) -> str:
    """What a command says that refuses what it was given."""
    done = blockwatch(*words, cwd=tmp_path)
    assert done.returncode == 2, done.stdout + done.stderr
    no_traceback(done)
    assert "DAMAGED" not in done.stdout + done.stderr
    return done.stderr


@pytest.mark.parametrize("name", ["measurements.jsonl", "bodies.warc.gz", "run.json", "exported"])
@pytest.mark.parametrize("command", ["verify", "import"])
def test_one_file_of_a_run(bundle: Path, name: str, command: str) -> None:
    (folder,) = (bundle.parent / "results").glob("2*")
    said = refused(bundle.parent, command, folder / name)
    assert "one file of a run" in said
    assert str(folder) in said


def test_a_receipt(bundle: Path) -> None:
    assert blockwatch("import", bundle, "--results", "kept", cwd=bundle.parent).returncode == 0
    (receipt,) = (bundle.parent / "kept" / "receipts").iterdir()
    assert "receipt of an import" in refused(bundle.parent, "verify", receipt)


def test_a_bundle_that_was_unzipped(bundle: Path) -> None:
    plain, folder = bundle.parent / "plain.tar", bundle.parent / "unpacked"
    plain.write_bytes(gzip.decompress(bundle.read_bytes()))
    for command in ("verify", "import"):
        assert "gzip -n" in refused(bundle.parent, command, plain)
    again = bundle.parent / "plain.tar.gz"
    again.write_bytes(gzip.compress(plain.read_bytes(), mtime=0))
    assert blockwatch("import", again, "--results", "kept", cwd=bundle.parent).returncode == 0
    with tarfile.open(plain) as archive:
        archive.extractall(folder, filter="data")
    assert "blockwatch bundle" in refused(bundle.parent, "import", folder)
    made = blockwatch("bundle", folder, "-o", "y.tar.gz", cwd=bundle.parent)
    assert made.returncode == 0, made.stderr
    assert (bundle.parent / "y.tar.gz").read_bytes() == bundle.read_bytes()


def test_what_is_not_there_and_what_is_a_proof(bundle: Path) -> None:
    assert "there is no such file" in refused(bundle.parent, "import", "nowhere.tar.gz")
    proof = bundle.parent / "proof.json"
    proof.write_text('{"checkpoint":"blockwatch/run/0123456789abcdef\\n3\\n","key":""}')
    assert "blockwatch verify" in refused(bundle.parent, "import", proof)

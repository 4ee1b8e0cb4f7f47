"""Good input: a run like a real one, made up by the tests' own makers."""

from __future__ import annotations

import shutil
from functools import lru_cache
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch.evidence.signing import Signer
from blockwatch.store import RunWriter
from tests.evidence.made import measured, run_close, run_open
from tests.evidence.test_warc import EXCHANGES

SIGNER, OTHER = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))


@lru_cache(maxsize=1)
def run_folder(work: Path) -> Path:
    """A sealed run whose exchanges broke in many ways."""
    writer = RunWriter(work / "results", signer=SIGNER)
    writer.open(run_open(key=str(SIGNER.key)))
    for seq, (request, response, _) in enumerate(EXCHANGES.values(), 1):
        writer.write(measured(seq, request=request, response=response))
    writer.close(run_close(len(EXCHANGES)))
    return writer.folder


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder

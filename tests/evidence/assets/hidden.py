# ruff: noqa: E501
"""Assets with runs that are not here to be read: encrypted as they were written, or forgotten."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.tombstone import forget_run
from tests.evidence.assets.asset import Asset, Authorities, two_runs
from tests.evidence.assets.world import HOUR, OURS, SECOND, STARTED, THEIRS, log_of, write_run

Make = Callable[[Path, Authorities], Path]
THIRD = "c" * 16
HIDDEN = f"20191231T000000Z-{THIRD}"


def encrypted(*, signer: Signer | None = OURS, content: bytes = b"chunk 1 5\nhello") -> Make:
    """A run in the place of the first of two, of which only what an encrypted one leaves readable is there."""

    def make(folder: Path, authorities: Authorities) -> Path:
        first = write_run(folder)
        second = write_run(folder, SECOND, started=STARTED + HOUR)
        root = json.loads(log_of(second)[0])["previous_root"]
        shutil.rmtree(first)
        text = root_text(THIRD, str(OURS.key), root, None, sha256(b"chunk 1 5\nhello").digest())
        (folder / HIDDEN).mkdir()
        (folder / HIDDEN / "run.age").write_bytes(content)
        (folder / HIDDEN / "root").write_bytes(signer.note(text) if signer else text)
        return folder

    return make


def killed_in_the_dark(folder: Path, authorities: Authorities) -> Path:
    """Beside a run that can be read one of which nothing is known: it was encrypted, and has no note yet."""
    write_run(folder)
    (folder / HIDDEN).mkdir()
    (folder / HIDDEN / "run.age").write_bytes(b"chunk 1 5\nhel")
    return folder


def bare_tombstone(folder: Path, first: Path, second: Path) -> None:
    forget_run(first, None, "2026-11-22T06:40:00Z")


HIDDEN_RUNS: dict[str, Asset] = {
    "a chain with an encrypted run": Asset(encrypted(), ("sealed",)),
    "an unsigned note of an encrypted run": Asset(encrypted(signer=None), ("sealed",), says="only by an unsigned note", require="sealed", low=True),
    "a note of an encrypted run by another key": Asset(encrypted(signer=THEIRS), where=f"{HIDDEN}/root"),
    "an encrypted run that was killed": Asset(killed_in_the_dark, ("sealed",)),
    "a note without its encrypted run": Asset(encrypted(content=b""), where=f"{HIDDEN}/run.age"),
    "an unsigned tombstone": Asset(two_runs(bare_tombstone), ("sealed",), says="only by an unsigned note", require="sealed", low=True),
    "an unsigned tombstone, and nothing is required": Asset(two_runs(bare_tombstone), ("sealed",), says="only by an unsigned note"),
}  # fmt: skip

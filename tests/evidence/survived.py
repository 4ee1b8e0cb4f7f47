"""What must hold of a run after its writer was stopped."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, SSH_FILE, checkpoint_files, read_checkpoint
from blockwatch.evidence.log import read_lines
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.sshsig import is_ssh_signed
from blockwatch.model import HttpStep
from blockwatch.store import Run
from tests.evidence.made import PAGE, signer

ROOT = Path(__file__).parents[2]


WRITER = [sys.executable, "-m", "tests.evidence.writer"]


def check(run: Run, told: set[int]) -> set[int]:
    """Everything a writer was told is kept is there and whole; gives all that is there."""
    kept: set[int] = set()
    for each in run.measurements:
        step = each.observations[11]
        assert isinstance(step, HttpStep)
        assert run.body(each, step) == PAGE
        kept.add(each.seq)
    assert told <= kept
    return kept


def check_seal(run: Run) -> int:
    """Every checkpoint that is there holds, for the log up to its size; gives the lines that are sealed."""
    sealed = 0
    leaves = [leaf_hash(line) for line in read_lines(run.log, [])]
    for path in checkpoint_files(run.folder):
        found = read_checkpoint(path)
        assert found.signed_by(signer().key) is True
        assert found.size <= len(leaves)
        assert (found.run, found.root) == (run.open.run, root_of(leaves[: found.size]))
        sealed = found.size
    ssh = run.folder / SSH_FILE
    if ssh.exists():
        assert is_ssh_signed((run.folder / CHECKPOINT_FILE).read_bytes(), ssh.read_bytes(), signer().key)
    return sealed


def numbers(output: bytes) -> set[int]:
    """Numbers reported as kept; the last line may be torn too."""
    return {int(n) for n in re.findall(rb"^kept (\d+)\n", output, re.M)}

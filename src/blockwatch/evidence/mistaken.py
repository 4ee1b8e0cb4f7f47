"""Files that are good, and were named for something that they are not: what to say instead of "damaged".

Rule of this file: it goes by names and first bytes, and proves nothing; what it does not know is left to
the reader that was meant.
"""

from __future__ import annotations

from pathlib import Path

from blockwatch.errors import UsageError
from blockwatch.evidence.naming import (
    NO_EVIDENCE,
    evidence_order,
)
from blockwatch.evidence.reading import is_run, runs_at

_BEGIN = 4_096
_SEAL = b'":"blockwatch/run/'  # how the first field of a proof goes on, in canonical order
_TAR = (257, b"ustar")  # POSIX.1-1988: offset and magic of a tar's first head


def mistake(path: Path) -> UsageError | None:
    """What to raise where ``path`` is one file of a run or of a results folder, or a bundle that was unzipped
    on its way; ``None`` for everything else.
    """
    if not path.is_file():
        return None
    for folder in path.absolute().parents[:2]:
        name = path.absolute().relative_to(folder).as_posix()
        if (evidence_order(name) is not None or name in NO_EVIDENCE) and is_run(folder):
            return _error("this is one file of a run", path, f"Name its folder: {folder}")
    if path.absolute().parent.name == "receipts":
        return _error(
            "this is the receipt of an import, not evidence", path, "Name the run folders beside it."
        )
    if _begin(path)[_TAR[0] :].startswith(_TAR[1]):
        remedy = "A mail program or browser unzipped it: `gzip -n FILE`, and give FILE.gz."
        return _error("this is a tar that is not compressed", path, remedy)
    return None


def mistake_as_incoming(path: Path) -> UsageError | None:
    """The same where ``path`` is to be imported: runs and proofs are nothing for that, either."""
    if path.is_dir() and runs_at(path):
        remedy = f"Make a bundle of them: blockwatch bundle {path}. Runs made here need no import."
        return _error("these are runs, not a bundle", path, remedy)
    if path.is_file() and begins_as_proof(_begin(path)):
        return _error("this is a proof, not a bundle", path, "blockwatch verify FILE checks it.")
    return mistake(path)


def begins_as_proof(begin: bytes) -> bool:
    """Whether these are the first bytes of a proof of ours."""
    return _SEAL in begin[:64]


def _begin(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_BEGIN)
    except OSError:  # its reader says why
        return b""


def _error(what: str, path: Path, remedy: str) -> UsageError:
    return UsageError(what, where=str(path), remedy=remedy)

"""What a run's folder is called, and which files belong into it.

Rules of this file:

* a name is made from the log's first line, never taken from somebody else's archive;
* the names of evidence files are a closed list of patterns in lower-case ASCII: what does not fit
  one of them is no evidence and goes into no bundle.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.run import RunOpen

STAMPS_FOLDER = "timestamps"
SUMMARY_FILE, VERDICTS_FILE = "run.json", "verdicts.jsonl"
EXPORTED_FILE, REPLACES_FILE = "exported", "replaces"  # notes of ours about a run
ROOT_FILE = "root"  # what an encrypted run says of itself in the clear
PROGRESS_FILE = "progress"  # how far it came, for who has its key
DERIVED = frozenset({SUMMARY_FILE, VERDICTS_FILE})  # made from the evidence, and can be made again
NO_EVIDENCE = DERIVED | {EXPORTED_FILE, REPLACES_FILE, PROGRESS_FILE}  # what else we put into a run's folder
ENCRYPTED_FILE = "run.age"  # a run that was encrypted as it was written
NO_FILE = "a link, a pipe or something else stands where a file should"
NO_FOLDER = "a link, a file or something else stands where a folder should"
OWN_FOLDERS = ("forgotten", "receipts", "aside", ".parts")  # what we put into a results folder beside runs
MAX_VOUCHER = 65_536  # bytes of a seal, a stamp or a tombstone
RUN_ID = re.compile(r"[0-9a-f]{16}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# Order in a bundle: the log, the bytes it refers to, then what vouches for them.
_EVIDENCE = tuple(
    re.compile(pattern)
    for pattern in (
        re.escape(LOG_FILE),
        re.escape(WARC_FILE),
        r"checkpoint",
        r"checkpoint\.sig",
        r"checkpoints/[1-9][0-9]{0,15}",
        r"timestamps/[a-z0-9][a-z0-9._-]{0,79}",
    )
)


def run_folder_name(run_open: RunOpen, label: str | None) -> str:
    """``<utc compact>-<label>-<run id>``; of the label only letters, digits, "_" and "-"."""
    started = (_EPOCH + timedelta(microseconds=run_open.started)).strftime("%Y%m%dT%H%M%SZ")
    plain = re.sub(r"[^A-Za-z0-9_]+", "-", label or "").strip("-")[:40]
    return "-".join(part for part in (started, plain, run_open.run) if part)


def stands(path: Path) -> bool:
    """Whether there is anything of this name: a folder, a pipe, or a link, also one that leads nowhere."""
    return path.is_symlink() or path.exists()


def is_plain(path: Path) -> bool:
    """Whether it is a file itself: no link, and no pipe that would be waited for."""
    return path.is_file() and not path.is_symlink()


def no_folder(path: Path) -> bool:
    """Whether something stands there that is not itself a folder."""
    return stands(path) and (path.is_symlink() or not path.is_dir())


def evidence_order(name: str) -> tuple[int, str] | None:
    """Sort key of an evidence file's name within its run folder; ``None``: no evidence."""
    kind = next((n for n, pattern in enumerate(_EVIDENCE) if pattern.fullmatch(name)), None)
    return None if kind is None else (kind, name)


def most_bytes(name: str) -> int | None:
    """Bytes that an evidence file of this name may have at most; ``None``: what a tar head can say."""
    return None if name in (LOG_FILE, WARC_FILE) else MAX_VOUCHER

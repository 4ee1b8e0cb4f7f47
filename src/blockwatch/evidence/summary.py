"""``run.json``: a run at a glance. Derived from the log; may be deleted and made again."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.log import LOG_FILE, log_root
from blockwatch.evidence.naming import SUMMARY_FILE
from blockwatch.evidence.reading import Run
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import Noun
from blockwatch.run import RunClose, RunOpen


class KeptFile(Noun, frozen=True, kw_only=True):
    """One file of the run folder."""

    name: str
    bytes: int
    sha256: str  # lower-case hex, of the whole file


class RunSummary(Noun, frozen=True, kw_only=True):
    """Counts and hashes of one closed run."""

    format: int = 1
    run: str
    label: str | None = None
    campaign: str | None = None
    asn: int | None = None
    country: str | None = None
    software: str
    versions: tuple[tuple[str, str], ...] = ()
    started: int  # microseconds since the epoch, UTC
    ended: int | None = None
    reason: str | None = None  # as in run_close; null: killed
    planned: int | None = None
    lines: int  # leaves of the tree
    measurements: int
    root: str  # RFC 6962 tree root over the lines, lower-case hex
    previous_root: str | None = None
    key: str | None = None  # as in run_open
    files: tuple[KeptFile, ...] = ()


def summarise(folder: Path) -> RunSummary:
    """Read the files of a run and sum them up."""
    run = Run(folder)
    lines, root = log_root(run.log)
    return summary_of(folder, run.open, run.close, lines, root)


def summary_of(folder: Path, opened: RunOpen, close: RunClose | None, lines: int, root: str) -> RunSummary:
    """Sum up a run whose log was read already; only its files are hashed."""
    with in_words(folder):
        files = tuple(_kept(folder / name) for name in (LOG_FILE, WARC_FILE) if (folder / name).is_file())
    return RunSummary(
        run=opened.run,
        label=opened.label,
        campaign=opened.campaign,
        asn=opened.vantage.asn,
        country=opened.vantage.country,
        software=opened.software,
        versions=opened.versions,
        started=opened.started,
        ended=close.ended if close else None,
        reason=close.reason if close else None,
        planned=close.planned if close else None,
        lines=lines,
        measurements=lines - 1 - (close is not None),
        root=root,
        key=opened.key,
        previous_root=opened.previous_root,
        files=files,
    )


def _kept(path: Path) -> KeptFile:
    with path.open("rb") as file:
        digest = file_digest(file, "sha256").hexdigest()
        return KeptFile(name=path.name, bytes=file.tell(), sha256=digest)


def write_summary(folder: Path) -> RunSummary:
    """Make ``run.json`` (anew); raises ``DiskError``."""
    summary = summarise(folder)
    replace_file(folder / SUMMARY_FILE, msgspec.json.format(canonical(summary), indent=2) + b"\n")
    return summary

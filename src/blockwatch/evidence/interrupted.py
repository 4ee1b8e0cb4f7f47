"""Imports that were killed: what they had done is found again, finished, and receipted.

Rules of this file:

* the caller holds the lock of the results folder: what lies here unfinished is of an import that is gone;
* before runs are placed, what would be new is noted (``coming``, in the hidden folder of the import): so that
  what was placed is known to have come from elsewhere, though no receipt was written;
* a run that replaces another says so (``replaces``, in its own folder) until that one has gone aside.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence.copies import checked
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.merge import Kept
from blockwatch.evidence.receipt import Receipt, read_receipt, receipts_of, same_but_for_time, write_receipt
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER

_COMING = "coming"
_STOPPED = "the import was stopped before its end"


def note_coming(staging: Path, draft: Receipt, kept: Kept) -> None:
    """Note what of ``draft`` (all of it said to be new) is not here yet. Raises ``DiskError``."""
    stones = kept.results / FORGOTTEN_FOLDER
    fresh = msgspec.structs.replace(
        draft,
        runs=tuple(run for run in draft.runs if run.run not in kept),
        forgotten=tuple(one for one in draft.forgotten if not (stones / one.run).is_file()),
    )
    replace_file(staging / _COMING, canonical(fresh))


def receipt_what_came(left: Path, kept: Kept) -> None:
    """Write the receipt that a killed import (its hidden folder) owes. Raises ``DiskError``."""
    try:
        draft = read_receipt(left / _COMING)
    except EvidenceError:
        return  # it had not come to that
    runs = []
    for run in draft.runs:
        folder = kept.folder(run.run)
        if folder is None:
            continue
        try:
            report = checked(folder, run.run)
        except EvidenceError:
            continue  # altered since: whoever reads it will say so
        runs.append(
            msgspec.structs.replace(
                run,
                why=_STOPPED,
                folder=folder.name,
                key=report.key,
                previous_root=report.previous,
                lines=report.lines,
                root=report.root,
            )
        )
    stones = tuple(one for one in draft.forgotten if (kept.results / FORGOTTEN_FOLDER / one.run).is_file())
    receipt = msgspec.structs.replace(draft, runs=tuple(runs), forgotten=stones)
    before = receipts_of(kept.results, receipt.sha256)
    if receipt.brought and not (before and same_but_for_time(before[-1], receipt)):
        with in_words(kept.results):
            write_receipt(kept.results, receipt)

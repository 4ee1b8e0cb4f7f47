"""One copy of a run takes the place of another one that is kept: at each moment one of them is there.

Rules of this file:

* the new copy comes into the folder of results first, with a note (``replaces``) of the name of the other one
  and where that goes; then the other one goes aside, and the new one gets its own name;
* the other one is deleted only where the same, byte for byte, lies aside already;
* the note goes when a receipt has said all this; so what a killed import left is finished by the next one;
* a note is believed as far as it names a copy of the same run in the same folder of results, and no further.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.aside import place_for, put_aside
from blockwatch.evidence.disk import in_words, replace_file, sync_folder
from blockwatch.evidence.naming import REPLACES_FILE, run_folder_name
from blockwatch.evidence.reading import read_run, run_folders

_ASIDE = re.compile(r"[0-9a-f]{16}-[0-9a-f]{12}")


def note_replaced(folder: Path, old: Path, aside: Path) -> None:
    """Note in the new copy, before it is in its place, what it replaces and where that goes."""
    replace_file(folder / REPLACES_FILE, f"{old.name}\n{aside.name}\n".encode())


def unsettled(results: Path) -> list[Path]:
    """Runs with such a note: of an import that was killed, where the lock is held."""
    return [path.parent for path in results.glob(f"[!.]*/{REPLACES_FILE}") if path.is_file()]


def settle(folder: Path) -> None:
    """Take the note away: all of it is done and said."""
    with in_words(folder):
        (folder / REPLACES_FILE).unlink(missing_ok=True)


def finish(folder: Path, aside: Path) -> tuple[Path, Path | None]:
    """Do what is left to do; ``aside``: the folder for what is put aside.

    Gives where the run is then, and where the other copy is (null: the note tells of none).
    """
    results, run = folder.parent, read_run(folder).open
    named = (folder / REPLACES_FILE).read_bytes()[:1_024].decode("utf-8", "replace").splitlines()
    name, place = named if len(named) == 2 else ("", "")
    if not _ASIDE.fullmatch(place) or not place.startswith(run.run):
        settle(folder)
        return folder, None
    there = aside / place
    with in_words(folder):
        for old in _copies(results, name, run.run):
            there = place_for(old, there)
            if there.name != place:  # said before it is done, so that it is found again
                note_replaced(folder, old, there)
            put_aside(old, there)
            if old.exists():  # the same lies there: compared, byte for byte
                gone = results / f".import-{place}"
                old.rename(gone)
                shutil.rmtree(gone, ignore_errors=True)
        own = results / run_folder_name(run, run.label)
        if not own.exists():
            folder = folder.rename(own)
            sync_folder(results)
    if there.is_dir():
        return folder, there
    settle(folder)
    return folder, None


def _copies(results: Path, name: str, run: str) -> Iterator[Path]:
    """The run of this id under this name, if there is one that is not the new copy itself."""
    for old in [
        path for path in run_folders(results) if path.name == name and not (path / REPLACES_FILE).exists()
    ]:
        with suppress(EvidenceError):
            if read_run(old).open.run == run:
                yield old

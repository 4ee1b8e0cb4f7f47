"""Which results folders runs of this user went to, so that ``wipe`` can find them all.

A file of absolute paths, one a line, in the folder for state.
"""

from __future__ import annotations

from pathlib import Path

from blockwatch.errors import ConfigError
from blockwatch.host.keys import overwritten
from blockwatch.host.place import read_state, remove_state, state_folder, write_state

FOLDERS_FILE = "results_folders"


def known_folders() -> list[Path]:
    """The folders noted so far, whether they still exist or not."""
    lines = (read_state(FOLDERS_FILE) or b"").decode("utf-8", "surrogateescape").split("\n")
    return [Path(line) for line in dict.fromkeys(lines) if line.startswith("/")]


def note_folder(results: Path) -> None:
    """Note a results folder; a place for state that cannot be written is no reason to fail a run."""
    path = str(results.resolve())
    known = [str(folder) for folder in known_folders()]
    if path in known or "\n" in path:
        return
    try:
        write_state(
            FOLDERS_FILE, "".join(f"{each}\n" for each in [*known, path]).encode("utf-8", "surrogateescape")
        )
    except ConfigError:
        return


def keep_only(folders: list[Path]) -> None:
    """Leave only these (resolved) in the list; where there are none, no list. Raises :class:`ConfigError`."""
    left = [folder for folder in known_folders() if folder.resolve() in folders]
    with overwritten(state_folder() / FOLDERS_FILE):
        if left:
            write_state(
                FOLDERS_FILE, "".join(f"{each}\n" for each in left).encode("utf-8", "surrogateescape")
            )
        else:
            remove_state(FOLDERS_FILE)

"""Files that a command writes where it is told to (``-o``, ``--announce``, ``--screenshot``).

Rule of this file: nothing that is there already is written over. It may be evidence.
"""

from __future__ import annotations

import os
from pathlib import Path

from blockwatch.errors import DiskError, UsageError


def fresh(path: Path) -> Path:
    """The path, if nothing is there yet, neither a file nor the parts of one; UsageError otherwise."""
    first = path.with_name(f"{path.name}.001")  # of a bundle in parts
    taken = next((each for each in (path, first) if os.path.lexists(each)), None)
    if taken is not None:
        raise UsageError("this file is there already", where=str(taken), remedy="Name another one.")
    return path


def unwritable(error: OSError, output: Path) -> DiskError:
    """What to say where the file of ``-o`` cannot be written."""
    return DiskError(
        f"cannot be written ({error.strerror or error})",
        where=str(output),
        remedy="Name a file with -o in a folder that is there, that you may write to and that has room.",
    )

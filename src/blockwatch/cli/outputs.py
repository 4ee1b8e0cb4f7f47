"""Files that a command writes where it is told to (``-o``, ``--announce``, ``--screenshot``).

Rule of this file: nothing that is there already is written over. It may be evidence.
"""

from __future__ import annotations

import os
from pathlib import Path

from blockwatch.errors import UsageError


def fresh(path: Path) -> Path:
    """The path, if nothing is there yet, neither a file nor the parts of one; UsageError otherwise."""
    first = path.with_name(f"{path.name}.001")  # of a bundle in parts
    taken = next((each for each in (path, first) if os.path.lexists(each)), None)
    if taken is not None:
        raise UsageError("this file is there already", where=str(taken), remedy="Name another one.")
    return path

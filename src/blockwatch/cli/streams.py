"""Standard streams that are closed, full or read by nobody must not end a run.

Rules of this file:

* a closed descriptor 0, 1 or 2 is filled first: the next file that is opened would get its number,
  and words for people would land in it;
* what cannot be written to standard error is dropped: a measurement is worth more than a line of
  progress.
"""

from __future__ import annotations

import io
import os
import sys
from typing import Any


class _Forgiving(io.FileIO):
    """A file of words for people that takes no notice when nobody can take them."""

    def write(self, content: Any) -> int:
        try:
            return super().write(content) or 0
        except OSError:
            return len(content)


def mend_streams() -> None:
    """Make ``sys.stdout`` and ``sys.stderr`` usable, whatever the caller left of them."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    if sys.stdout is None:
        sys.stdout = io.TextIOWrapper(io.FileIO(1, "w", closefd=False), encoding="utf-8")
    if sys.stderr is None or _is_descriptor(sys.stderr, 2):
        raw = io.BufferedWriter(_Forgiving(2, "w", closefd=False))
        encoding = "utf-8" if sys.stderr is None else sys.stderr.encoding
        sys.stderr = io.TextIOWrapper(raw, encoding=encoding, errors="backslashreplace", line_buffering=True)


def _is_descriptor(stream: Any, number: int) -> bool:
    """Whether it is the process's own stream, and not one that a caller put in its place."""
    try:
        return bool(stream.fileno() == number)
    except (OSError, ValueError, AttributeError):
        return False

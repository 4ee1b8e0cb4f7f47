"""Reads the bytes of a targets file: bounded, as UTF-8 text, with a place for every bad byte.

Rules of this file:

* at most :data:`MOST_BYTES` are ever read, also from a device or a pipe;
* text in another encoding is refused with its place, never guessed: a guessed host name would be
  the name of another site.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from blockwatch.targets.problem import Place, Report

MOST_BYTES = 4_000_000  # about 30,000 targets; Citizen Lab's largest list has 250 kB

# What YAML 1.1 and a text file may not hold.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\x80-\x84\x86-\x9f\ufffe\uffff]")


def place_of(text: str, offset: int) -> Place:
    """Return the line and column of a character offset."""
    before = text[:offset]
    return Place(before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1)


def read_text(path: Path, report: Report) -> str | None:
    """Return the text of the file; ``None`` where it cannot be used, with the reasons in ``report``."""
    raw = _read_bytes(path, report)
    if raw is None:
        return None
    if raw.startswith((b"\xff\xfe", b"\xfe\xff")):
        report.error(
            Place(),
            "the file is UTF-16",
            'Save it as UTF-8 (in the Windows editor: "Save as", encoding UTF-8).',
        )
        return None
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].decode("utf-8", "replace")
        report.error(
            place_of(before, len(before)),
            f"the byte 0x{raw[error.start]:02X} is not UTF-8",
            "Save the file as UTF-8; it may be in windows-1251 or another older encoding.",
        )
        return None
    return text if _only_text(text, report) else None


def _read_bytes(path: Path, report: Report) -> bytes | None:
    try:
        with open(path, "rb", opener=_open_at_once) as file:
            raw = file.read(MOST_BYTES + 1)
    except FileNotFoundError:
        report.error(Place(), "there is no such file", "Name an existing file with --targets FILE.")
    except IsADirectoryError:
        report.error(Place(), "this is a folder", "Name a file in it.")
    except PermissionError:
        report.error(Place(), "the file may not be read", f"Allow it: chmod u+r {path}")
    except (OSError, ValueError) as error:
        words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        report.error(Place(), f"the file cannot be read: {words}")
    else:
        if len(raw) <= MOST_BYTES:
            return raw
        report.error(
            Place(),
            f"the file is larger than {MOST_BYTES // 1_000_000} MB",
            "This is no list of targets, or one to split: name several files, each with --targets.",
        )
    return None


def _open_at_once(path: str, flags: int) -> int:
    """Open without waiting for somebody to write into a named pipe; with no writer it reads as empty."""
    descriptor = os.open(path, flags | getattr(os, "O_NONBLOCK", 0))
    os.set_blocking(descriptor, True)
    return descriptor


def _only_text(text: str, report: Report) -> bool:
    clean = True
    for found in _FORBIDDEN.finditer(text):
        clean = False
        report.error(
            place_of(text, found.start()),
            f"the control character U+{ord(found.group()):04X} in the file",
            "Delete it; the file may be damaged or no text at all.",
        )
        if len(report.problems()) >= 20:
            break
    return clean

"""The readers that take strangers' bytes, each with a corpus of good input, made afresh."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.fuzz.readers import (
    agreement,
    asked,
    bundles,
    folders,
    imports,
    lists,
    network,
    ooni,
    pages,
    runs,
    seals,
)
from tools.fuzz.target import Target

READERS: dict[str, Callable[[Path], Target]] = {
    name: make
    for module in (bundles, imports, runs, seals, agreement, folders, ooni, network, asked, pages, lists)
    for name, make in module.READERS.items()
}
"""Name → what makes the target; its argument is an empty folder for files."""

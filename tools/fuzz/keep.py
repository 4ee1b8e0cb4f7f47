"""What is kept of fuzzing: inputs that reached something new, and those that crashed."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path


def folder_of(keep: Path, name: str) -> Path:
    """The folder of one reader."""
    return keep / "".join(c if c.isalnum() else "-" for c in name)


def crash(folder: Path, words: str, raw: bytes) -> Path:
    """Write down an input that crashed its reader, and say so."""
    path = folder / f"crash-{sha256(raw).hexdigest()[:12]}"
    path.write_bytes(raw)
    print(f"{folder.name}: {words}: {path}", flush=True)
    return path


def add(folder: Path, inputs: Iterable[bytes]) -> None:
    """Add inputs to the corpus."""
    place = folder / "corpus"
    place.mkdir(parents=True, exist_ok=True)
    for raw in inputs:
        (place / sha256(raw).hexdigest()[:24]).write_bytes(raw)


def corpus(folder: Path) -> list[bytes]:
    """All inputs of the corpus, short ones first."""
    place = folder / "corpus"
    found = [path.read_bytes() for path in sorted(place.iterdir())] if place.is_dir() else []
    return sorted(found, key=lambda raw: (len(raw), raw))

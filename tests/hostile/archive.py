"""A bundle made by hand, and ways to make it wrong; nothing here is taken from the writer under test."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.evidence.made import make_run

RUN, LOG, BODIES = "0123456789abcdef", "measurements.jsonl", "bodies.warc.gz"


END = bytes(1_024)


def block(
    name: bytes, size: int | bytes, *, kind: bytes = b"0", mode: bytes = b"0000600\0", owner: bytes = b"",
    number: bytes = b"0000000\0", time: bytes = b"00000000000\0", link: bytes = b"", prefix: bytes = b"",
    magic: bytes = b"ustar\x0000", total: int | None = None,
) -> bytes:  # fmt: skip
    """One tar head, as right or wrong as asked for."""
    field = size if isinstance(size, bytes) else b"%011o\0" % size
    parts = (
        *(name.ljust(100, b"\0"), mode, number, number, field, time, b" " * 8, kind, link.ljust(100, b"\0")),
        *(magic, owner.ljust(32, b"\0"), owner.ljust(32, b"\0"), b"0000000\x000000000\0"),
        *(prefix.ljust(155, b"\0"), bytes(12)),
    )
    raw = b"".join(parts)
    checksum = sum(raw) if total is None else total
    return raw[:148] + b"%06o\0 " % checksum + raw[156:]


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def listed(files: dict[str, bytes]) -> dict[str, Any]:
    """The list of a bundle that holds these files of one run."""
    entries = [
        {"bytes": len(raw), "name": name, "sha256": sha256(raw).hexdigest()} for name, raw in files.items()
    ]
    return {"kind": "blockwatch bundle", "runs": [{"files": entries, "run": RUN}]}


def text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def start(listing: bytes) -> bytes:
    return block(b"bundle.json", len(listing)) + padded(listing)


def body(files: dict[str, bytes]) -> bytes:
    return b"".join(block(f"{RUN}/{name}".encode(), len(raw)) + padded(raw) for name, raw in files.items())


class Bad:
    """Writes bad files; each method by its name in :data:`WORDS` or :func:`make`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = make_run(folder.parent / "source", 2)
        self.files = {name: (source / name).read_bytes() for name in (LOG, BODIES)}
        self.words: dict[str, str] = {}

    def put(self, name: str, raw: bytes, words: str, *, zipped: bool = True) -> None:
        (self.folder / name).write_bytes(gzip.compress(raw, 6, mtime=0) if zipped else raw)
        self.words[name] = words

    def archive(self, listing: dict[str, Any] | None = None, files: dict[str, bytes] | None = None) -> bytes:
        return start(text(listing or listed(self.files))) + body(files or self.files) + END

    def with_head(self, label: str, words: str, *, content: bytes | None = None, **changes: Any) -> None:
        """The head of the log is another one."""
        raw = self.files[LOG] if content is None else content
        given = {"name": f"{RUN}/{LOG}".encode(), "size": len(raw)} | changes
        rest = body({BODIES: self.files[BODIES]})
        self.put(label, start(text(listed(self.files))) + block(**given) + padded(raw) + rest + END, words)

    def with_list(self, name: str, words: str, change: Callable[[dict[str, Any]], object]) -> None:
        """The list says something else."""
        listing = listed(self.files)
        change(listing)
        self.put(name, self.archive(listing), words)

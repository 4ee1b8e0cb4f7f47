"""Evidence that others send, in a bundle without fault, imported beside the good run that it claims to be."""

from __future__ import annotations

import gzip
import shutil
import struct
from pathlib import Path

from blockwatch.codec import canonical
from blockwatch.evidence import tarform
from blockwatch.evidence.bundle import KIND, LIST_FILE, BundleList, list_run
from blockwatch.evidence.incoming import Imported, Incoming
from blockwatch.evidence.receipt import read_receipt
from tests.evidence.made import RUN
from tools.fuzz.readers.made import fresh, run_folder
from tools.fuzz.target import Target

_NAMES = ("measurements.jsonl", "bodies.warc.gz", "checkpoint", "checkpoint.sig")
_MODULES = (
    "merge",
    "incoming:Incoming._take_whole Incoming._unpack Incoming._bury Incoming.take",
    "unbundle",
)


def _bundled(folder: Path) -> bytes:
    listed = list_run(folder, RUN)
    said = canonical(BundleList(kind=KIND, runs=(listed,)))
    pieces = [tarform.head(LIST_FILE, len(said)), said, tarform.padding(len(said))]
    for file in listed.files:
        inside = f"{RUN}/{file.name}"
        pieces += [tarform.head(inside, file.bytes), (folder / file.name).read_bytes()]
        pieces += [tarform.padding(file.bytes)]
    return gzip.compress(b"".join((*pieces, tarform.END)), 1)


def _imported(work: Path) -> Target:
    good = run_folder(work)
    files = [(good / name).read_bytes() for name in _NAMES]
    results, staged, file = work / "into", work / "staged", work / "bundle"

    def read(raw: bytes) -> None:
        """All evidence files of the run in one piece, each after its length."""
        fresh(staged)
        at = 0
        for name in _NAMES:
            size = min(len(raw), int.from_bytes(raw[at : at + 4], "big"))
            if size:
                (staged / name).write_bytes(raw[at + 4 : at + 4 + size])
            at += 4 + size
        file.write_bytes(_bundled(staged))
        shutil.copytree(good, fresh(results) / good.name)
        try:
            came = Incoming(results, [], "fuzz").take(file)
            if isinstance(came, Imported):
                read_receipt(came.path)
        finally:
            for name, content in zip(_NAMES[:2], files, strict=False):
                if not (results / good.name / name).read_bytes().startswith(content):
                    raise AssertionError(f"{name} of the run that was there is another one")

    whole = b"".join(struct.pack(">I", len(raw)) + raw for raw in files)
    unsealed = b"".join(struct.pack(">I", len(raw)) + raw for raw in (*files[:2], b"", b""))
    shorter = files[0][: files[0].rindex(b"\n", 0, -1) + 1]
    earlier = b"".join(struct.pack(">I", len(raw)) + raw for raw in (shorter, files[1], b"", b""))
    modules = tuple(f"blockwatch.evidence.{name}" for name in _MODULES)
    return Target([whole, unsealed, earlier], read, modules)


READERS = {"bundle that is imported": _imported}

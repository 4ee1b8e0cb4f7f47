"""What others send: bundles, their parts, encrypted files, receipts.

A container is also damaged inside (``open_up``, ``close_up``): a changed byte of a gzip file alone would
hardly ever get past its sum.
"""

from __future__ import annotations

import gzip
from pathlib import Path

from blockwatch.evidence import tarform
from blockwatch.evidence.bundle import LIST_FILE, Bundle
from blockwatch.evidence.crypt import opened, sealed
from blockwatch.evidence.parts import Outcome, read_part
from blockwatch.evidence.receipt import read_receipt
from blockwatch.evidence.unbundle import unpack
from tools.fuzz.readers.made import fresh, run_folder
from tools.fuzz.target import Target

_MODULES = ("blockwatch.evidence.unbundle", "blockwatch.evidence.tarform")
_RECEIPT = (
    b'{"kind":"blockwatch receipt","received":"2026-11-22T06:40:00Z","software":"b","sha256":"00",'
    b'"bytes":1,"runs":[{"run":"0123456789abcdef","outcome":"new","files":[{"name":"a","bytes":1,'
    b'"sha256":"00"}]}],"forgotten":[{"run":"0123456789abcdef","outcome":"aside","why":"x"}]}'
)


def _bundle(work: Path) -> Target:
    def read(raw: bytes) -> None:
        (work / "bundle").write_bytes(raw)
        with (work / "bundle").open("rb") as file:
            unpack(file, fresh(work / "unpacked"), "bundle")

    return Target([b"".join(Bundle([run_folder(work)]).packed())], read, _MODULES)


def _inside(work: Path) -> Target:
    return _bundle(work)._replace(open_up=gzip.decompress, close_up=_zipped)


def _list(work: Path) -> Target:
    return _bundle(work)._replace(open_up=gzip.decompress, close_up=_with_sizes)


def _zipped(raw: bytes) -> bytes:
    return gzip.compress(raw, 1)


def _with_sizes(raw: bytes) -> bytes:
    """Mend the list's own head, so that its content is what is read."""
    end = raw.find(b"}\0", tarform.BLOCK)
    listing = raw[tarform.BLOCK : end + 1] if end > 0 else b""
    head = tarform.head(LIST_FILE, len(listing)) if listing else raw[: tarform.BLOCK]
    rest = raw[tarform.BLOCK + len(listing) :].lstrip(b"\0") if listing else raw[tarform.BLOCK :]
    return gzip.compress(head + listing + tarform.padding(len(listing)) + rest, 1, mtime=0)


def _part(work: Path) -> Target:
    outcome = Outcome(work / "whole", 300)
    outcome.write(bytes(range(256)))
    corpus = [path.read_bytes() for path in outcome.finish()]

    def read(raw: bytes) -> None:
        (work / "part").write_bytes(raw)
        read_part(work / "part")

    return Target(corpus, read, ("blockwatch.evidence.parts:read_part",))


def _age(work: Path) -> Target:
    import pyrage

    # Nobody's key, always the same: the corpus of an earlier day is to be of use.
    identity = pyrage.x25519.Identity.from_str(
        "AGE-SECRET-KEY-14JW626DURHY6Z2JQAVF2MQPDFLD3M4MCGRFX68FMMPDL77UD66UQK6UKJU"
    )
    corpus = [sealed(content, [identity.to_public()]) for content in (b"", b"hello", bytes(70_000))]
    return Target(
        corpus,
        lambda raw: opened(raw, [identity], "age"),
        ("blockwatch.evidence.crypt:opened decrypt _has_a_head _Kept",),
    )


def _receipt(work: Path) -> Target:
    def read(raw: bytes) -> None:
        (work / "receipt").write_bytes(raw)
        read_receipt(work / "receipt")

    return Target([_RECEIPT], read, ("blockwatch.evidence.receipt:read_receipt",))


READERS = {
    "bundle": _bundle,
    "bundle, unzipped": _inside,
    "bundle, its list": _list,
    "part": _part,
    "age": _age,
    "receipt": _receipt,
}

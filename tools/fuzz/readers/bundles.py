"""What others send: bundles, their parts, encrypted files, receipts.

A container is also damaged inside (``open_up``, ``close_up``): a changed byte of a gzip file alone would
hardly ever get past its sum.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any

from blockwatch.evidence import tarform
from blockwatch.evidence.bundle import LIST_FILE, Bundle
from blockwatch.evidence.chunks import chunk, unseal
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
    identity = _nobody()
    corpus = [sealed(content, [identity.to_public()]) for content in (b"", b"hello", bytes(70_000))]
    return Target(
        corpus,
        lambda raw: opened(raw, [identity], "age"),
        ("blockwatch.evidence.crypt:opened decrypt _has_a_head _Kept",),
    )


def _nobody() -> Any:
    """Nobody's key, always the same: the corpus of an earlier day is to be of use."""
    import pyrage

    return pyrage.x25519.Identity.from_str(
        "AGE-SECRET-KEY-14JW626DURHY6Z2JQAVF2MQPDFLD3M4MCGRFX68FMMPDL77UD66UQK6UKJU"
    )


def _encrypted_run(work: Path) -> Target:
    run, recipients = run_folder(work), [_nobody().to_public()]
    bodies, log = ((run / name).read_bytes() for name in ("bodies.warc.gz", "measurements.jsonl"))
    pieces = [
        [("bodies.warc.gz", 0, bodies[:5_000]), ("measurements.jsonl", 0, log[:9_000])],
        [("measurements.jsonl", 9_000, log[9_000:18_000]), ("checkpoint", 0, b"a seal\n")],
        [("checkpoints/3", 0, b"a seal\n"), ("checkpoint", 0, b"another\n")],
    ]
    corpus = b"".join(chunk("0123456789abcdef", n, some, recipients) for n, some in enumerate(pieces, 1))

    def read(raw: bytes) -> None:
        (work / "run.age").write_bytes(raw)
        with (work / "run.age").open("rb") as file:
            unseal(file, fresh(work / "unsealed"), [_nobody()], "run.age")

    return Target([corpus], read, ("blockwatch.evidence.chunks:unseal _Unsealer _Window",))


_BETWEEN = b"\n--- chunk ---\n"


def _its_chunks(work: Path) -> Target:
    return _encrypted_run(work)._replace(open_up=_decrypted, close_up=_encrypted)


def _decrypted(raw: bytes) -> bytes:
    plain = []
    while raw:
        line, _, raw = raw.partition(b"\n")
        size = int(line.split()[2])
        plain.append(opened(raw[:size], [_nobody()], "chunk"))
        raw = raw[size:]
    return _BETWEEN.join(plain)


def _encrypted(raw: bytes) -> bytes:
    ages = [sealed(plain, [_nobody().to_public()]) for plain in raw.split(_BETWEEN)]
    return b"".join(b"chunk %d %d\n" % (n, len(age)) + age for n, age in enumerate(ages, 1))


def _receipt(work: Path) -> Target:
    def read(raw: bytes) -> None:
        (work / "receipt").write_bytes(raw)
        read_receipt(work / "receipt")

    return Target([_RECEIPT], read, ("blockwatch.evidence.receipt:read_receipt",), is_json=True)


READERS = {
    "bundle": _bundle,
    "bundle, unzipped": _inside,
    "bundle, its list": _list,
    "part": _part,
    "age": _age,
    "encrypted run": _encrypted_run,
    "encrypted run, its chunks": _its_chunks,
    "receipt": _receipt,
}

"""The readers that take strangers' bytes, each with a corpus of good input, made afresh.

A reader may return or raise an error for people (``BlockwatchError``); anything else is a crash. Containers
are also damaged inside (``open_up``, ``close_up``): a changed byte of a gzip file alone would hardly ever
get past its sum.
"""

from __future__ import annotations

import gzip
import shutil
import struct
import zlib
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch.errors import BlockwatchError
from blockwatch.evidence import ots, tarform, tsp
from blockwatch.evidence.allow import parse_allow_list, parse_rotation, rotation_note
from blockwatch.evidence.bundle import LIST_FILE, Bundle
from blockwatch.evidence.checkpoint import checkpoint_text, parse_checkpoint
from blockwatch.evidence.crypt import opened, sealed
from blockwatch.evidence.note import parse_campaign_key, parse_note
from blockwatch.evidence.parts import Outcome, read_part
from blockwatch.evidence.proof import check_proof, make_proof
from blockwatch.evidence.receipt import read_receipt
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.tombstone import parse_tombstone, tombstone_text
from blockwatch.evidence.unbundle import unpack
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.warc import exchange_members, parse_member
from blockwatch.judge import judge_run
from blockwatch.model import HttpStep
from blockwatch.ooni import Record, Unreadable, digest, head_of, read_measurement, records, to_ooni
from blockwatch.store import RunWriter, read_run
from tests.evidence.made import OBSERVATIONS, REQUEST, RUN, measured, run_close, run_open
from tests.evidence.test_warc import EXCHANGES

SIGNER, OTHER = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))


class Target(NamedTuple):
    """One reader."""

    corpus: Sequence[bytes]
    read: Callable[[bytes], object]
    modules: tuple[str, ...]  # whose lines count as covered
    open_up: Callable[[bytes], bytes] = bytes  # to the bytes that are worth damaging …
    close_up: Callable[[bytes], bytes] = bytes  # … and back


def _run(work: Path) -> Path:
    writer = RunWriter(work / "results", signer=SIGNER)
    writer.open(run_open(key=str(SIGNER.key)))
    for seq, (request, response, _) in enumerate(EXCHANGES.values(), 1):
        writer.write(measured(seq, request=request, response=response))
    writer.close(run_close(len(EXCHANGES)))
    return writer.folder


def _fresh(folder: Path) -> Path:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def targets(work: Path) -> dict[str, Target]:
    """Every reader, by name; ``work`` is a folder for files."""
    folder = _run(work)
    made = (_bundles, _parts, _age, _warc, _logs, _notes, _proofs, _stamps, _ooni)
    return {name: target for make in made for name, target in make(work, folder).items()}


def _bundles(work: Path, folder: Path) -> dict[str, Target]:
    def read(raw: bytes) -> None:
        (work / "bundle").write_bytes(raw)
        with (work / "bundle").open("rb") as file:
            unpack(file, _fresh(work / "unpacked"), "bundle")

    def sum_up(raw: bytes) -> bytes:
        """Mend the list's own head, so that its content is what is read."""
        end = raw.find(b"}\0", tarform.BLOCK)
        listing = raw[tarform.BLOCK : end + 1] if end > 0 else b""
        head = tarform.head(LIST_FILE, len(listing)) if listing else raw[: tarform.BLOCK]
        rest = raw[tarform.BLOCK + len(listing) :].lstrip(b"\0") if listing else raw[tarform.BLOCK :]
        return gzip.compress(head + listing + tarform.padding(len(listing)) + rest, 1, mtime=0)

    def read_a_receipt(raw: bytes) -> None:
        (work / "receipt").write_bytes(raw)
        read_receipt(work / "receipt")

    whole = b"".join(Bundle([folder]).packed())
    modules = ("blockwatch.evidence.unbundle", "blockwatch.evidence.tarform", "blockwatch.evidence.naming")
    receipt = (
        b'{"kind":"blockwatch receipt","received":"2026-11-22T06:40:00Z","software":"b","sha256":"00",'
        b'"bytes":1,"runs":[{"run":"0123456789abcdef","outcome":"new","files":[{"name":"a","bytes":1,'
        b'"sha256":"00"}]}],"forgotten":[{"run":"0123456789abcdef","outcome":"aside","why":"x"}]}'
    )
    return {
        "bundle": Target([whole], read, modules),
        "bundle, unzipped": Target([whole], read, modules, gzip.decompress, _zipped),
        "bundle, its list": Target([whole], read, modules, gzip.decompress, sum_up),
        "receipt": Target([receipt], read_a_receipt, ("blockwatch.evidence.receipt",)),
    }


def _zipped(raw: bytes) -> bytes:
    return gzip.compress(raw, 1)


def _parts(work: Path, folder: Path) -> dict[str, Target]:
    outcome = Outcome(work / "whole", 300)
    outcome.write(bytes(range(256)))
    corpus = [path.read_bytes() for path in outcome.finish()]

    def read(raw: bytes) -> None:
        (work / "part").write_bytes(raw)
        read_part(work / "part")

    return {"part": Target(corpus, read, ("blockwatch.evidence.parts",))}


def _age(work: Path, folder: Path) -> dict[str, Target]:
    import pyrage

    identity = pyrage.x25519.Identity.generate()
    corpus = [sealed(content, [identity.to_public()]) for content in (b"", b"hello", bytes(70_000))]
    return {"age": Target(corpus, lambda raw: opened(raw, [identity], "age"), ("blockwatch.evidence.crypt",))}


def _warc(work: Path, folder: Path) -> dict[str, Target]:
    step = OBSERVATIONS[11]
    if not isinstance(step, HttpStep):
        raise TypeError(step)
    corpus = []
    for request, response, _ in EXCHANGES.values():
        exchange = measured(request=request or REQUEST, response=response).exchanges[11]
        corpus += [member for _, member in exchange_members("m", step, exchange)]
    modules = ("blockwatch.evidence.warc",)
    return {
        "WARC member": Target(corpus, lambda raw: parse_member(raw, ""), modules),
        "WARC member, unzipped": Target(
            corpus, lambda raw: parse_member(raw, ""), modules,
            lambda raw: zlib.decompress(raw, 31), lambda raw: zlib.compress(raw, 1, wbits=31),
        ),
    }  # fmt: skip


def _logs(work: Path, folder: Path) -> dict[str, Target]:
    copy = work / "copy"

    def read(raw: bytes) -> None:
        """All evidence files of a run in one piece, each after its length."""
        _fresh(copy)
        at = 0
        for name in NAMES:
            size = min(len(raw), int.from_bytes(raw[at : at + 4], "big"))
            (copy / name).write_bytes(raw[at + 4 : at + 4 + size])
            at += 4 + size
        verify_run(copy, Reader())  # never raises
        run = read_run(copy)
        for measurement in run.measurements:
            for step in measurement.observations:
                if isinstance(step, HttpStep):
                    run.body(measurement, step)

    files = [(folder / name).read_bytes() for name in NAMES]
    corpus = b"".join(struct.pack(">I", len(raw)) + raw for raw in files)
    modules = ("reading", "log", "verify", "verify_log", "verify_bytes", "verify_seal", "verify_derived")
    return {"run folder": Target([corpus], read, tuple(f"blockwatch.evidence.{name}" for name in modules))}


NAMES = ("measurements.jsonl", "bodies.warc.gz", "checkpoint", "checkpoint.sig", "run.json")


def _notes(work: Path, folder: Path) -> dict[str, Target]:
    bare = tombstone_text(read_run(folder), "2026-11-22T06:40:00Z")
    note = SIGNER.note(checkpoint_text(RUN, 3, bytes(32)))
    allowed = f"# keys\n{SIGNER.key} from=2026-01-01 to=2026-12-31 Aigul\n{OTHER.key}\n".encode()
    rotated = rotation_note(SIGNER, OTHER, "2026-11-22T06:40:00Z")

    def as_text(read: Callable[[str, str], object]) -> Callable[[bytes], object]:
        return lambda raw: read(raw.decode("utf-8", "replace"), "")

    key = str(SIGNER.key).encode()
    words: tuple[tuple[str, list[bytes], Callable[[bytes], object], tuple[str, ...]], ...] = (
        ("note", [note, rotated], parse_note, ("note",)),
        ("checkpoint", [note], lambda raw: parse_checkpoint(raw, Path("c")), ("checkpoint", "note")),
        ("tombstone", [bare, SIGNER.note(bare)], parse_tombstone, ("tombstone", "note")),
        ("rotation", [rotated], parse_rotation, ("allow", "note")),
        ("key", [key], as_text(parse_campaign_key), ("note",)),
        ("list of keys", [allowed], as_text(parse_allow_list), ("allow",)),
    )
    return {
        name: Target(corpus, read, tuple(f"blockwatch.evidence.{module}" for module in modules))
        for name, corpus, read, modules in words
    }


def _proofs(work: Path, folder: Path) -> dict[str, Target]:
    corpus = [make_proof(folder, str(seq)) for seq in (1, 4)]
    modules = ("blockwatch.evidence.proof", "blockwatch.evidence.merkle")
    return {"proof of a record": Target(corpus, lambda raw: check_proof(raw, "p"), modules)}


def _stamps(work: Path, folder: Path) -> dict[str, Target]:
    from tests.exchange.authority import Authority

    seal = sha256((folder / "checkpoint").read_bytes()).digest()
    proof, end = ots.veiled(seal, bytes(16))
    end.attestations.append(ots.Attestation(bytes.fromhex("83dfe30d2ef90c8e"), b"\x10https://calendar"))
    end.attestations.append(ots.Attestation(bytes.fromhex("0588960d73d71901"), b"\x90\xf7\x36"))
    found = {
        "OpenTimestamps": Target([ots.write_proof(proof)], ots.read_proof, ("blockwatch.evidence.ots",)),
    }
    if shutil.which("openssl"):
        reply = Authority(work / "tsa").reply(tsp.request_for(seal, 7))
        modules = ("blockwatch.evidence.tsp", "blockwatch.evidence.der")
        found["RFC 3161"] = Target([reply], tsp.read_reply, modules)
    return found


def _ooni(work: Path, folder: Path) -> dict[str, Target]:
    corpus = _ooni_lines(folder)

    def read(raw: bytes) -> None:
        (work / "ooni.jsonl").write_bytes(raw)
        for record in records(work / "ooni.jsonl"):
            if isinstance(record, Record):
                try:
                    head = head_of(record.object)
                except Unreadable:
                    continue
                known = digest(record.object).hex()
                read_measurement(record.object, head, run=RUN, seq=1, run_started=0, source=known)

    modules = (
        "lines",
        "head",
        "read",
        "fields",
        "flows",
        "lookups",
        "responses",
        "rows",
        "answer",
        "traffic",
    )
    return {"OONI": Target(corpus, read, tuple(f"blockwatch.ooni.{name}" for name in modules))}


def _ooni_lines(folder: Path) -> list[bytes]:
    """Ours in their format: their records are not ours to ship."""
    run = read_run(folder)
    measurements = tuple(run.measurements)
    verdicts = judge_run(run.open, measurements, run.close, run.body)
    return [
        msgspec.json.encode(to_ooni(run.open, one, lambda step, one=one: run.body(one, step), verdict))
        for one, verdict in zip(measurements, verdicts, strict=True)
    ][:6]


PERMITTED = (BlockwatchError,)

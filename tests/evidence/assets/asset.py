"""What an asset is, and the ways to make one that several of them share."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

from blockwatch.codec import canonical
from blockwatch.evidence import ots
from blockwatch.evidence.proof import make_proof
from tests.evidence.assets.bad import append
from tests.evidence.assets.world import (
    HOUR,
    SECOND,
    STARTED,
    THEIRS,
    stamp,
    write_run,
)  # fmt: skip
from tests.exchange.authority import Authority

LOG, STAMP = "measurements.jsonl", "timestamps/tsa.tsr"
# Why ``verify`` alone sees something.
TIMES = "what a run says of the time is its own clock's word"
CALENDARS = "of a .ots the second checker looks only for the seal, and counts it for nothing"
WITNESSES = "witnesses are for verify"


class Authorities(NamedTuple):
    """One whose root the reader names, and one that the reader does not know."""

    known: Authority
    unknown: Authority


class Asset(NamedTuple):
    """A way to make one, and what both checkers must say of it."""

    make: Callable[[Path, Authorities], Path]  # in an empty folder; gives what is to be checked
    grades: tuple[
        str | None, ...
    ] = ()  # of the runs or the proof, in order of names; null: something is wrong
    where: str = ""  # the place of the first finding
    require: str | None = None
    low: bool = False  # it does not satisfy that
    says: str = ""  # what both checkers must say of it
    key: str | None = None  # named by the reader; "both": those of both volunteers
    titles: tuple[str | None, ...] = ()  # the words of the grades
    alone: str = ""  # why ``verify`` alone sees it, and the second checker does not


def one(**options: Any) -> Callable[[Path, Authorities], Path]:
    return lambda folder, authorities: write_run(folder, **options)


def stamped(change: Callable[[Path, Authorities], object]) -> Callable[[Path, Authorities], Path]:
    """A good run, a stamp of the known authority, then the change."""

    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder)
        stamp(run, authorities.known)
        change(run, authorities)
        return run

    return make


def calendar_proof(digest: bytes) -> bytes:
    proof, end = ots.veiled(digest, bytes(16))
    address = b"https://calendar.example.org"
    end.attestations.append(
        ots.Attestation(bytes.fromhex("83dfe30d2ef90c8e"), bytes([len(address)]) + address)
    )
    return ots.write_proof(proof)


def with_calendar(digest: bytes | None = None, tail: bytes = b"") -> Callable[[Path, Authorities], Path]:
    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder)
        (run / "timestamps").mkdir()
        seal = sha256((run / "checkpoint").read_bytes()).digest()
        (run / "timestamps" / "calendar.ots").write_bytes(calendar_proof(digest or seal) + tail)
        return run

    return make


def run_of_the_future(folder: Path, authorities: Authorities) -> Path:
    run = write_run(folder, started=STARTED + 200 * 8_766 * HOUR)
    stamp(run, authorities.known)
    return run


def two_runs(change: Callable[[Path, Path, Path], object]) -> Callable[[Path, Authorities], Path]:
    """A results folder with a chain of two runs; then the change (folder, first run, second run)."""

    def make(folder: Path, authorities: Authorities) -> Path:
        first = write_run(folder)
        second = write_run(folder, SECOND, started=STARTED + HOUR)
        change(folder, first, second)
        return folder

    return make


def witnesses(folder: Path, authorities: Authorities, **second: Any) -> Path:
    stamp(write_run(folder), authorities.known)
    options: dict[str, Any] = {"signer": THEIRS, "asn": 29355, "started": STARTED + HOUR // 2, **second}
    stamp(write_run(folder, SECOND, **options), authorities.known)
    return folder


def apart(**second: Any) -> Callable[[Path, Authorities], Path]:
    return lambda folder, authorities: witnesses(folder, authorities, **second)


def proof(
    change: Callable[[dict[str, Any]], object] = lambda said: None,
) -> Callable[[Path, Authorities], Path]:
    """The proof of the second measurement, changed."""

    def make(folder: Path, authorities: Authorities) -> Path:
        said = json.loads(make_proof(write_run(folder), "2"))
        change(said)
        path = folder / "proof.json"
        path.write_bytes(canonical(said) + b"\n")
        return path

    return make


def proof_with_stamp(
    change: Callable[[dict[str, Any], Authorities], object] = lambda said, authorities: None,
    *,
    known: bool = True,
) -> Callable[[Path, Authorities], Path]:
    """The proof of the second measurement of a stamped run, changed."""

    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder)
        stamp(run, authorities.known if known else authorities.unknown)
        said = json.loads(make_proof(run, "2"))
        change(said, authorities)
        path = folder / "proof.json"
        path.write_bytes(canonical(said) + b"\n")
        return path

    return make


def killed(folder: Path, authorities: Authorities, tail: bytes = b"") -> Path:
    run = write_run(folder, close=False)
    append(LOG, tail)(run)
    return run


def changed(change: Callable[[Path], object], **options: Any) -> Callable[[Path, Authorities], Path]:
    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder, **options)
        change(run)
        return run

    return make

# ruff: noqa: E501
"""Assets that somebody with a purpose would make: what can be had without a key, and where two readers may differ."""

from __future__ import annotations

import base64
import os
import shutil
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from blockwatch.evidence import ots
from blockwatch.evidence.proof import make_proof
from tests.evidence.assets.asset import (
    CALENDARS,
    LOG,
    TIMES,
    Asset,
    Authorities,
    apart,
    calendar_proof,
    changed,
    killed,
    one,
    proof,
    run_of_the_future,
    stamped,
    two_runs,
    witnesses,
)
from tests.evidence.assets.world import (
    HOUR,
    OURS,
    SECOND,
    STARTED,
    THEIRS,
    in_record,
    log_of,
    put_log,
    sealed_again,
    stamp,
    write_run,
)

Make = Callable[[Path, Authorities], Path]
THIRD = "c" * 16


def shortened(folder: Path, authorities: Authorities) -> Path:
    """The log is cut at an earlier seal, which becomes the newest: no key is needed for that."""
    run = write_run(folder, count=6)
    stamp(run, authorities.known, of="checkpoints/3")
    put_log(run, log_of(run)[:3])
    for name in ("checkpoint.sig", "run.json", "verdicts.jsonl"):
        (run / name).unlink()
    (run / "checkpoints" / "3").replace(run / "checkpoint")
    return run


def killed_then_another(folder: Path, authorities: Authorities) -> Path:
    write_run(folder, count=2, close=False)  # sealed to its last line
    write_run(folder, SECOND, started=STARTED + HOUR)
    return folder


def witness_with_a_gap(folder: Path, authorities: Authorities) -> Path:
    """The witness names a run before it that is not there."""
    write_run(folder, THIRD, signer=THEIRS, started=STARTED - 30 * 24 * HOUR)
    witnesses(folder, authorities)
    shutil.rmtree(next(folder.glob(f"*{THIRD}")))
    return folder


def witness_who_did_nothing(folder: Path, authorities: Authorities) -> Path:
    write_run(folder, signer=None)  # only for its name
    shutil.rmtree(next(folder.iterdir()))
    stamp(write_run(folder), authorities.known)
    other = write_run(folder, SECOND, signer=THEIRS, asn=29355, started=STARTED + HOUR // 2)
    for line in range(2, 6):
        in_record(line, lambda said: said.update(observations=[]))(other)
    (other / "bodies.warc.gz").unlink()
    sealed_again(other, THEIRS, run=SECOND)
    stamp(other, authorities.known)
    return folder


def witness_before_and_after(folder: Path, authorities: Authorities) -> Path:
    """Two days before and two days after, and nothing between."""
    stamp(write_run(folder), authorities.known)
    other = write_run(folder, SECOND, signer=THEIRS, asn=29355, started=STARTED - 48 * HOUR)
    in_record(5, lambda said: said.update(started=STARTED + 48 * HOUR))(other)
    in_record(6, lambda said: said.update(ended=STARTED + 49 * HOUR))(other)
    sealed_again(other, THEIRS, run=SECOND)
    stamp(other, authorities.known)
    return folder


def three_copies(folder: Path, authorities: Authorities) -> Path:
    """The first is a beginning of both others, which differ."""
    for name, count in (("a", 2), ("b", 3), ("c", 5)):
        run = write_run(folder / name / "x", count=count, signer=None, close=name == "b")
        run.rename(folder / name / "run")
        shutil.copytree(folder / name / "run", folder / f"copy-{name}")
        shutil.rmtree(folder / name)
    return folder


def late_proof(folder: Path, authorities: Authorities) -> Path:
    path = folder / "proof.json"
    path.write_bytes(make_proof(run_of_the_future(folder / "run", authorities), "2"))
    return path


def unchecked_clock(folder: Path, authorities: Authorities) -> Path:
    run = write_run(folder, started=STARTED + 200 * 8_766 * HOUR, offset=None)
    stamp(run, authorities.known)
    return run


def rough_authority(folder: Path, authorities: Authorities) -> Path:
    """It gives its time to ten minutes, and the run ended five minutes after that."""
    config = authorities.known.folder / "ts.cnf"
    text = config.read_text()
    run = write_run(folder, started=int(time.time()) * 1_000_000 + 291_000_000, offset=0)
    try:
        config.write_text(text.replace("secs:1", "secs:600"))
        stamp(run, authorities.known)
    finally:
        config.write_text(text)
    return run


def status_of_another_time(folder: Path, authorities: Authorities) -> Path:
    """The run is to end in a year; the words of the status, which nobody signs, say that it was stamped after that."""
    year = 8_766 * HOUR
    run = write_run(folder, started=int(time.time()) * 1_000_000 + year)
    path = stamp(run, authorities.known)
    raw, granted = path.read_bytes(), bytes.fromhex("3003020100")
    assert raw[4:9] == granted
    words = time.strftime(
        "granted\nTime stamp: %b %d %H:%M:%S %Y GMT\n", time.gmtime(time.time() + 2 * 8_766 * 3_600)
    ).encode()
    status = der(0x30, granted[2:] + der(0x30, der(0x0C, words)))
    path.write_bytes(der(0x30, status + raw[9:]))
    return run


def der(tag: int, content: bytes) -> bytes:
    size = len(content).to_bytes(2)
    return bytes([tag]) + (b"\x82" + size if len(content) > 127 else size[1:]) + content


def bytes_of_the_first_run(folder: Path, first: Path, second: Path) -> None:
    path = first / "bodies.warc.gz"
    path.write_bytes(path.read_bytes() + b"more")


def with_proofs(count: int, tree: bytes | None = None) -> Make:
    """So many proofs of a calendar; ``tree``: what stands after the hash."""

    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder)
        (run / "timestamps").mkdir()
        seal = sha256((run / "checkpoint").read_bytes()).digest()
        raw = calendar_proof(seal) if tree is None else ots.MAGIC + b"\x01\x08" + seal + tree
        for number in range(count):
            (run / "timestamps" / f"calendar{number or ''}.ots").write_bytes(raw)
        return run

    return make


def swapped_members(said: dict[str, Any]) -> None:
    said["members"].reverse()


def added_to_seals(more: bytes) -> Callable[[Path, Authorities], None]:
    """What somebody without the key can do to a good run that is stamped, and signed for ssh, too."""

    def change(run: Path, authorities: Authorities) -> None:
        for name in ("checkpoint", "checkpoints/3"):
            (run / name).write_bytes((run / name).read_bytes() + more)

    return change


def further_signature(
    name: str, key: bytes, signature: bytes, *, last: bool = False
) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        line = f"\u2014 {name} {base64.b64encode(key + signature).decode()}\n".encode()
        text, signed = (run / "checkpoint").read_bytes().split(b"\n\n")
        (run / "checkpoint").write_bytes(text + b"\n\n" + (signed + line if last else line + signed))
        (run / "checkpoint.sig").unlink()

    return change


def piped_stamp(run: Path, authorities: Authorities) -> None:
    os.mkfifo(run / "timestamps" / "a.tsr")


def added_before(more: bytes) -> Callable[[Path], None]:
    def change(run: Path) -> None:
        text, signed = (run / "checkpoint").read_bytes().split(b"\n\n")
        (run / "checkpoint").write_bytes(text + b"\n\n" + more + signed)

    return change


JUNK_LINES = "".join(f"\u2014 other{number} {'A' * 92}\n" for number in range(63)).encode()
LEFT_OUT = "what stands in it beside the seal"
BOTH_TIMED = ("timed", "timed")
CALENDAR = "timestamps/calendar.ots"

TRICKS: dict[str, Asset] = {
    # The end of a run.
    "shortened to an earlier seal": Asset(shortened, ("timed",), require="sealed", low=True),
    "shortened to an earlier seal, and stamped": Asset(shortened, ("timed",), require="timed", low=True),
    "killed, and a later run says where": Asset(killed_then_another, ("sealed", "sealed"), require="sealed"),
    # Keys.
    "unsigned, and a key named": Asset(one(signer=None), where=f"{LOG}:1", key="ours"),
    "partly sealed, and a key named": Asset(killed, where=f"{LOG}:4", key="ours"),
    "a signature by somebody with an odd name after that of the key": Asset(
        changed(further_signature("o\u00a0d+d", b"1234", bytes(64), last=True)), ("sealed",), key="ours"),
    "a signature by somebody else before that of the key": Asset(
        changed(further_signature("other", b"1234", bytes(64))), where="checkpoint", key="ours"),
    "a bad signature by the key before a good one": Asset(
        changed(further_signature(OURS.key.name, OURS.key.id, bytes(64))), where="checkpoint", key="ours"),
    "a bad signature by the key after a good one": Asset(
        changed(further_signature(OURS.key.name, OURS.key.id, bytes(64), last=True)), ("sealed",), key="ours"),
    "a signature in the key's name by an id that is not known": Asset(
        changed(further_signature(OURS.key.name, b"1234", bytes(64), last=True)), ("sealed",), key="ours"),
    "junk behind the seals": Asset(stamped(added_to_seals(b"junk\n\n\xff\0")), ("timed",), require="timed", says=LEFT_OUT),
    "more behind the seals than is read": Asset(stamped(added_to_seals(b"x\n" * 40_000)), ("timed",), require="timed", says=LEFT_OUT),
    "many signatures behind that of the key": Asset(
        stamped(added_to_seals(JUNK_LINES)), ("timed",), require="timed", says=LEFT_OUT),
    "a line before the signature of a seal": Asset(changed(added_before(b"x\n")), where="checkpoint"),
    # Runs that can be read.
    "with a stray encrypted file": Asset(changed(lambda run: (run / "run.age").write_bytes(b"")), ("sealed",)),
    "a chain whose first run has damaged bytes": Asset(two_runs(bytes_of_the_first_run), (None, "sealed"), where="bodies.warc.gz"),
    # Witnesses and copies.
    "a witness whose chain has a gap": Asset(witness_with_a_gap, ("timed", None), where=f"{LOG}:1", key="both"),
    "a witness that was imported": Asset(apart(imported="ooni x"), BOTH_TIMED, require="witnessed", low=True, key="both"),
    "a witness who did nothing": Asset(witness_who_did_nothing, BOTH_TIMED, require="witnessed", low=True, key="both"),
    "a witness before and after": Asset(witness_before_and_after, BOTH_TIMED, require="witnessed", low=True, key="both"),
    "three copies, of which two differ": Asset(three_copies, where=LOG),
    # Time.
    "a proof of a record that is younger than its stamp": Asset(late_proof, where="proof.json", alone=TIMES),
    "a stamp older than a run whose clock nobody checked": Asset(unchecked_clock, ("timed",), says="by a clock that nobody checked"),
    "a stamp whose status names another time": Asset(
        status_of_another_time, where="timestamps/tsa.tsr", alone=TIMES),
    "a stamp by a rough clock": Asset(rough_authority, ("timed",), require="timed"),
    "a good stamp beside a bad one": Asset(
        stamped(lambda run, _: (run / "timestamps" / "a.tsr").write_bytes(b"<html>")), ("timed",), where="timestamps/a.tsr"),
    "a good stamp beside a pipe": Asset(stamped(piped_stamp), ("timed",), where="timestamps/a.tsr"),
    "a calendar's proof that is garbage": Asset(
        with_proofs(1, b"\xf0garbage"), ("sealed",), where=CALENDAR, alone=CALENDARS),
    "a calendar's proof without an end": Asset(
        with_proofs(1, b"\x08"), ("sealed",), where=CALENDAR, alone=CALENDARS),
    "more stamps than are looked at": Asset(with_proofs(260), ("sealed",), says="stamps"),
    # Proofs.
    "a proof with its bytes in another order": Asset(proof(swapped_members), where="proof.json"),
}  # fmt: skip

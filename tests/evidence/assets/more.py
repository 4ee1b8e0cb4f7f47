# ruff: noqa: E501
"""Assets beyond one run's own files: stamps, folders, keys, proofs; and the good ones, which must pass."""

from __future__ import annotations

import base64
import json
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from blockwatch.codec import canonical
from blockwatch.evidence import ots
from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.tsp import request_for
from blockwatch.model import HttpStep, Measured
from blockwatch.store import RunWriter
from tests.evidence.assets.bad import append, cut
from tests.evidence.assets.world import (
    FIRST,
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
    stamp_of,
    unseal,
    write_run,
)  # fmt: skip
from tests.evidence.made import measured, run_close, run_open
from tests.exchange.authority import Authority

LOG, STAMP = "measurements.jsonl", "timestamps/tsa.tsr"


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


def stamp_of_another_digest(run: Path, authorities: Authorities) -> None:
    stamp_of(run, authorities.known, sha256(b"something else").digest())


def stamp_of_a_stranger(run: Path, authorities: Authorities) -> None:
    stamp(run, authorities.unknown)


def bit_in_stamp(run: Path, authorities: Authorities) -> None:
    path = run / STAMP
    raw = bytearray(path.read_bytes())
    raw[raw.index(b"20", raw.index(sha256((run / "checkpoint").read_bytes()).digest())) + 3] ^= 1  # its year
    path.write_bytes(raw)


def signed_anew(run: Path, authorities: Authorities) -> None:
    """The owner of the key alters the run and seals it again; the stamp is older and shows it."""
    in_record(3, lambda said: said.update(target="other"))(run)
    sealed_again(run)


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


def tombstone_altered(folder: Path, first: Path, second: Path) -> None:
    path = forget_run(first, OURS, "2026-11-22T06:40:00Z")
    assert path
    path.write_bytes(path.read_bytes().replace(b"size 6", b"size 7"))


def another_first_run(folder: Path, first: Path, second: Path) -> None:
    shutil.rmtree(first)
    write_run(folder, count=3)


def two_histories(folder: Path, authorities: Authorities) -> Path:
    write_run(folder)
    other = write_run(folder / "other")
    in_record(3, lambda said: said.update(target="other"))(other)
    sealed_again(other)
    other.rename(folder / "copy")
    (folder / "other").rmdir()
    return folder


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


def other_stamp(said: dict[str, Any], authorities: Authorities) -> None:
    reply = authorities.known.reply(request_for(sha256(b"something else").digest(), 7))
    said["stamps"][0]["data"] = base64.b64encode(reply).decode()


def changed_line(said: dict[str, Any]) -> None:
    said["record"]["line"] = said["record"]["line"].replace('"target":"site"', '"target":"sitE"')


def changed_path(said: dict[str, Any]) -> None:
    said["record"]["path"] = said["record"]["path"][::-1]


def changed_member(said: dict[str, Any]) -> None:
    raw = bytearray(base64.b64decode(said["members"][0]["data"]))
    raw[30] ^= 4
    said["members"][0]["data"] = base64.b64encode(bytes(raw)).decode()


def of_another_key(said: dict[str, Any]) -> None:
    said["key"] = str(THEIRS.key)


# The good ones.


def killed(folder: Path, authorities: Authorities, tail: bytes = b"") -> Path:
    run = write_run(folder, close=False)
    append(LOG, tail)(run)
    return run


def power_cut(folder: Path, authorities: Authorities) -> Path:
    return killed(folder, authorities, b'{"id":"aaaaaaaaaaaaaaaa-000005","obs' + bytes(4_096))


def torn(folder: Path, authorities: Authorities) -> Path:
    run = killed(folder, authorities, b'{"id":"aaaaaaaaaaaaaaaa-000005","obs')
    append("bodies.warc.gz", b"\x1f\x8b\x08torn")(run)
    return run


def without(*names: str) -> Callable[[Path, Authorities], Path]:
    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder)
        for name in names:
            (run / name).unlink()
        return run

    return make


def changed(change: Callable[[Path], object], **options: Any) -> Callable[[Path, Authorities], Path]:
    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder, **options)
        change(run)
        return run

    return make


def unknown_fields(run: Path) -> None:
    in_record(3, lambda said: said.update(added_later={"a": [1, -2, None, "я"], "z": True}))(run)
    sealed_again(run)


def scrubbed(run: Path) -> None:
    """A redirect that named the volunteer's address: cut in the step; the capture is cut in its own way."""
    in_record(3, lambda said: said["observations"][11].update(url="https://site.example.org/?ip=[scrubbed]"))(
        run
    )
    sealed_again(run)


def full_disk(run: Path) -> None:
    in_record(6, lambda said: said.update(reason="disk", measured=5))(run)
    append("bodies.warc.gz", b"half a member")(run)
    sealed_again(run)


def gap(run: Path) -> None:
    """What was captured for an invalid measurement lies unreferenced between two others."""
    lines = [json.loads(line) for line in log_of(run)]
    lines[2] |= {"valid": False, "fault": "not kept: a record of more than 8388608 bytes", "observations": []}
    put_log(run, [canonical(line) for line in lines])
    sealed_again(run)


def nobody_knows_where(folder: Path, authorities: Authorities) -> Path:
    """As read from another program's record that does not say which address it asked."""
    writer = RunWriter(folder, signer=OURS)
    writer.open(run_open(FIRST, started=STARTED, imported="ooni x"))
    one = measured(1, run=FIRST, started=STARTED + 1)
    *steps, page = one.measurement.observations
    assert isinstance(page, HttpStep)
    page = msgspec.structs.replace(page, address="")
    record = msgspec.structs.replace(one.measurement, observations=(*steps, page))
    exchange = msgspec.structs.replace(one.exchanges[11], address="")
    writer.write(Measured(measurement=record, exchanges={11: exchange}))
    writer.close(run_close(1, ended=STARTED + 9))
    return writer.folder


def retest(folder: Path, authorities: Authorities) -> Path:
    run = write_run(folder)
    in_record(5, lambda said: said.update(attempt="retest"))(run)
    sealed_again(run)
    return run


def rest_of_a_write(run: Path) -> None:
    (run / "checkpoints" / "5.part").write_bytes(b"half")
    (run / "run.json.part").write_bytes(b"half")
    (run / "exported").write_text("bundled 2026-11-22T06:40:00Z\n")


def both_names(run: Path) -> None:
    shutil.copy(run / "checkpoint", run / "checkpoints" / "6")


MORE: dict[str, Asset] = {
    "a stamp over another digest": Asset(stamped(stamp_of_another_digest), ("sealed",), where=STAMP),
    "a stamp of an unknown authority": Asset(stamped(stamp_of_a_stranger), ("sealed",), require="timed", low=True),
    "a bit in a stamp": Asset(stamped(bit_in_stamp), ("sealed",), where=STAMP),
    "a stamp cut short": Asset(stamped(lambda run, _: cut(STAMP, 30)(run)), ("sealed",), where=STAMP),
    "no stamp at all": Asset(stamped(lambda run, _: (run / STAMP).write_bytes(b"<html>")), ("sealed",), where=STAMP),
    "a tree signed anew under an older stamp": Asset(stamped(signed_anew), ("sealed",), where=STAMP),
    "a stamp older than the run": Asset(run_of_the_future, where=STAMP),
    "a calendar's proof over another digest": Asset(with_calendar(bytes(32)), ("sealed",), where="timestamps/calendar.ots"),
    "a run removed from the chain": Asset(two_runs(lambda folder, first, second: shutil.rmtree(first)), where=f"{LOG}:1"),
    "another run in its place": Asset(two_runs(another_first_run), where=f"{LOG}:1"),
    "a tombstone altered": Asset(two_runs(tombstone_altered), where=f"forgotten/{FIRST}"),
    "two histories of one run": Asset(two_histories, where=LOG),
    "sealed by another key than named": Asset(one(signer=THEIRS), where=f"{LOG}:1", key="ours"),
    "an unsigned run where a seal is required": Asset(one(signer=None), ("unsigned",), require="sealed", low=True),
    "a killed run where a seal is required": Asset(killed, ("unsigned",), require="sealed", low=True),
    "no witness on another network": Asset(apart(asn=9198), ("timed", "timed"), require="witnessed", low=True, key="both"),
    "no witness with another key": Asset(apart(signer=OURS), ("timed", "timed"), require="witnessed", low=True, key="both"),
    "no witness at that time": Asset(
        apart(started=STARTED + 2 * HOUR), ("timed", "timed"), require="witnessed", low=True, key="both"),
    "a witness whose clock is off": Asset(
        apart(offset=90_000_000), ("timed", "timed"), require="witnessed", low=True, key="both"),
    "witnesses whose keys nobody knows": Asset(apart(), ("timed", "timed"), require="witnessed", low=True),
    "a proof with another record": Asset(proof(changed_line), where="proof.json"),
    "a proof with another path": Asset(proof(changed_path), where="proof.json"),
    "a proof with another place": Asset(proof(lambda said: said["record"].update(index=3)), where="proof.json"),
    "a proof with other bytes": Asset(proof(changed_member), where="proof.json"),
    "a proof without its bytes": Asset(proof(lambda said: said.update(members=[])), where="proof.json"),
    "a proof of another key": Asset(proof(of_another_key), where="proof.json"),
    "a proof by a key that was not named": Asset(proof(), where="proof.json", key="theirs"),
    "a proof with a stamp over another digest": Asset(proof_with_stamp(other_stamp), ("sealed",), where="proof.json"),
    "a proof with a stamp of an unknown authority": Asset(
        proof_with_stamp(known=False), ("sealed",), require="timed", low=True
    ),
    # Good ones.
    "sealed": Asset(one(), ("sealed",)),
    "sealed by the key named": Asset(one(), ("sealed",), key="ours", require="sealed"),
    "killed": Asset(killed, ("unsigned",)),
    "killed in a line": Asset(torn, ("unsigned",)),
    "killed by a power cut": Asset(power_cut, ("unsigned",)),
    "unsigned": Asset(one(signer=None), ("unsigned",)),
    "unsigned, nothing beside it": Asset(changed(unseal, signer=None), ("unsigned",)),
    "without its summary": Asset(without("run.json"), ("sealed",)),
    "without its verdicts and its ssh signature": Asset(without("verdicts.jsonl", "checkpoint.sig"), ("sealed",)),
    "without its newest seal": Asset(without("checkpoint", "checkpoint.sig"), ("unsigned",)),
    "stamped": Asset(stamped(lambda run, _: None), ("timed",), require="timed"),
    "stamped twice, once by a stranger": Asset(
        stamped(lambda run, them: stamp(run, them.unknown, "other.tsr")), ("timed",), require="timed"),
    "stamped on the way": Asset(
        stamped(lambda run, them: stamp(run, them.known, of="checkpoints/3")), ("sealed",)),
    "promised by a calendar": Asset(with_calendar(), ("sealed",)),
    "a chain": Asset(two_runs(lambda *_: None), ("sealed", "sealed")),
    "a chain with one forgotten": Asset(
        two_runs(lambda folder, first, _: forget_run(first, OURS, "2026-11-22T06:40:00Z")), ("sealed",)),
    "retested": Asset(retest, ("sealed",)),
    "imported from another program": Asset(
        one(imported="ooni 20261122T042000Z_webconnectivity_KZ_9198_n1_x", signer=None), ("unsigned",)),
    "imported without an address": Asset(nobody_knows_where, ("sealed",)),
    "with fields that came later": Asset(changed(unknown_fields), ("sealed",)),
    "with an address cut out": Asset(changed(scrubbed), ("sealed",)),
    "ended by a full disk": Asset(changed(full_disk), ("sealed",)),
    "with a fault of ours in it": Asset(one(invalid=(2,)), ("sealed",)),
    "with a record too large to keep": Asset(changed(gap), ("sealed",)),
    "with rests of a write": Asset(changed(rest_of_a_write), ("sealed",)),
    "with its seal under both names": Asset(changed(both_names), ("sealed",)),
    "with an unknown network and clock": Asset(one(asn=None, offset=None), ("sealed",)),
    "witnessed": Asset(apart(), ("witnessed", "witnessed"), key="both", require="witnessed"),
    "a proof": Asset(proof(), ("sealed",)),
    "a proof with a stamp": Asset(proof_with_stamp(), ("timed",), require="timed"),
    "a proof by the key named": Asset(proof(), ("sealed",), key="ours"),
}  # fmt: skip

# ruff: noqa: E501
"""Assets beyond one run's own files: stamps, folders, keys, proofs."""

from __future__ import annotations

import base64
import shutil
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.tsp import request_for
from tests.evidence.assets.asset import (
    LOG,
    STAMP,
    TIMES,
    Asset,
    Authorities,
    apart,
    killed,
    one,
    proof,
    proof_with_stamp,
    run_of_the_future,
    stamped,
    two_runs,
    with_calendar,
)
from tests.evidence.assets.bad import cut
from tests.evidence.assets.world import (
    FIRST,
    HOUR,
    OURS,
    STARTED,
    THEIRS,
    in_record,
    sealed_again,
    stamp,
    stamp_of,
    unseal,
    write_run,
)  # fmt: skip


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


def tombstone_altered(folder: Path, first: Path, second: Path) -> None:
    path = forget_run(first, OURS, "2026-11-22T06:40:00Z")
    assert path
    path.write_bytes(path.read_bytes().replace(b"size 6", b"size 7"))


def another_first_run(folder: Path, first: Path, second: Path) -> None:
    shutil.rmtree(first)
    write_run(folder, count=3)


def seemingly_imported(folder: Path, first: Path, second: Path) -> None:
    shutil.rmtree(first)
    (folder / "receipts").mkdir()


def two_histories(folder: Path, authorities: Authorities) -> Path:
    write_run(folder)
    other = write_run(folder / "other")
    in_record(3, lambda said: said.update(target="other"))(other)
    sealed_again(other)
    other.rename(folder / "copy")
    (folder / "other").rmdir()
    return folder


def beside(copy: Callable[[Path], object], **options: Any) -> Callable[[Path, Authorities], Path]:
    """A good run, and in the same folder another copy of it, changed."""

    def make(folder: Path, authorities: Authorities) -> Path:
        write_run(folder)
        other = write_run(folder / "other", **options)
        copy(other)
        other.rename(folder / "30000101T000000Z-copy")
        (folder / "other").rmdir()
        return folder

    return make


def made_up(run: Path) -> None:
    unseal(run)
    in_record(3, lambda said: said.update(target="other"))(run)


def goes_on_otherwise(run: Path) -> None:
    """What is under the earlier seal is the same; who has no key can change the rest, and seals nothing."""
    (run / "checkpoint").write_bytes((run / "checkpoints" / "3").read_bytes())
    for name in ("checkpoint.sig", "run.json"):
        (run / name).unlink()
    in_record(6, lambda said: said.update(bytes_sent=77))(run)


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


MORE: dict[str, Asset] = {
    "a stamp over another digest": Asset(stamped(stamp_of_another_digest), ("sealed",), where=STAMP),
    "a stamp of an unknown authority": Asset(stamped(stamp_of_a_stranger), ("sealed",), require="timed", low=True),
    "a bit in a stamp": Asset(stamped(bit_in_stamp), ("sealed",), where=STAMP),
    "a stamp cut short": Asset(stamped(lambda run, _: cut(STAMP, 30)(run)), ("sealed",), where=STAMP),
    "no stamp at all": Asset(stamped(lambda run, _: (run / STAMP).write_bytes(b"<html>")), ("sealed",), where=STAMP),
    "a tree signed anew under an older stamp": Asset(stamped(signed_anew), ("sealed",), where=STAMP),
    "a stamp older than the run": Asset(run_of_the_future, where=STAMP, alone=TIMES),
    "a calendar's proof over another digest": Asset(with_calendar(bytes(32)), ("sealed",), where="timestamps/calendar.ots"),
    "a run removed from the chain": Asset(two_runs(lambda folder, first, second: shutil.rmtree(first)), where=f"{LOG}:1"),
    "a run removed, and a folder put there that says it is a collector's": Asset(two_runs(seemingly_imported), where=f"{LOG}:1"),
    "another run in its place": Asset(two_runs(another_first_run), where=f"{LOG}:1"),
    "a tombstone altered": Asset(two_runs(tombstone_altered), where=f"forgotten/{FIRST}"),
    "two histories of one run": Asset(two_histories, where=LOG),
    "a made-up copy beside a sealed run": Asset(beside(made_up), ("sealed", None), where=LOG),
    "a made-up copy without a key": Asset(beside(made_up, signer=None), ("sealed", None), where=LOG),
    "a copy by a key that was not named": Asset(
        beside(lambda run: None, signer=THEIRS), ("sealed", None), where=LOG, key="ours"),
    "copies by two keys of which none was named": Asset(beside(lambda run: None, signer=THEIRS), (None, None), where=LOG),
    "a copy that goes on otherwise after its seal": Asset(beside(goes_on_otherwise), ("sealed", None), where=LOG),
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
}  # fmt: skip

# ruff: noqa: E501
"""Assets that are whole, however odd they look: both checkers must let them pass."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import msgspec

from blockwatch.codec import canonical
from blockwatch.evidence.tombstone import forget_run
from blockwatch.model import HttpStep, Measured
from blockwatch.store import RunWriter
from tests.evidence.assets.asset import (
    WITNESSES,
    Asset,
    Authorities,
    apart,
    changed,
    killed,
    one,
    proof,
    proof_with_stamp,
    stamped,
    two_runs,
    with_calendar,
)
from tests.evidence.assets.bad import append
from tests.evidence.assets.world import (
    FIRST,
    OURS,
    STARTED,
    in_record,
    log_of,
    put_log,
    sealed_again,
    stamp,
    unseal,
    write_run,
)  # fmt: skip
from tests.evidence.made import measured, run_close, run_open


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


GOOD: dict[str, Asset] = {
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
    "witnessed": Asset(apart(), ("witnessed", "witnessed"), key="both", require="witnessed", alone=WITNESSES),
    "a proof": Asset(proof(), ("sealed",)),
    "a proof with a stamp": Asset(proof_with_stamp(), ("timed",), require="timed"),
    "a proof by the key named": Asset(proof(), ("sealed",), key="ours"),
}  # fmt: skip

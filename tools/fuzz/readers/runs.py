"""Folders of runs: the log, its captured bytes, everything beside them, and what the judge makes of them."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from pathlib import Path

import msgspec

from blockwatch.codec import canonical, decode_record
from blockwatch.evidence.log import decode_line
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_log import decode_canonical
from blockwatch.evidence.wacz import Wacz
from blockwatch.evidence.warc import exchange_members, parse_member
from blockwatch.judge import explain_run, judge_run
from blockwatch.model import HttpStep
from blockwatch.ooni import NotWeb, to_ooni
from blockwatch.store import read_run
from tests.evidence.made import OBSERVATIONS, REQUEST, measured
from tests.evidence.test_warc import EXCHANGES
from tools.fuzz.readers.made import JUDGE, fresh, run_folder, worlds
from tools.fuzz.target import Target

_NAMES = ("measurements.jsonl", "bodies.warc.gz", "checkpoint", "checkpoint.sig", "run.json")
_VERIFY = ("log", "verify", "verify_log", "verify_bytes", "verify_seal", "verify_derived", "reading")
_WACZ = ("wacz", "cdxj", "reading")


def _evidence(*names: str) -> tuple[str, ...]:
    return tuple(f"blockwatch.evidence.{name}" for name in names)


def _members(work: Path) -> Target:
    step = OBSERVATIONS[11]
    if not isinstance(step, HttpStep):
        raise TypeError(step)
    corpus = []
    for request, response, _ in EXCHANGES.values():
        exchange = measured(request=request or REQUEST, response=response).exchanges[11]
        corpus += [member for _, member in exchange_members("m", step, exchange)]
    return Target(corpus, lambda raw: parse_member(raw, ""), _evidence("warc:parse_member"))


def _inside_members(work: Path) -> Target:
    return _members(work)._replace(
        open_up=lambda raw: zlib.decompress(raw, 31), close_up=lambda raw: zlib.compress(raw, 1, wbits=31)
    )


def _lines(work: Path) -> Target:
    def read(raw: bytes) -> None:
        """What is canonical must be read, and say the same when it is written again."""
        record = decode_line(raw, Path("log"), 1)
        if decode_record(canonical(record)) != record:
            raise AssertionError("written otherwise than it was read")
        if decode_canonical(raw) != record:
            raise AssertionError("read in two ways")

    corpus = (run_folder(work) / _NAMES[0]).read_bytes().splitlines()
    modules = (
        "blockwatch.codec:canonical decode_record",
        *_evidence("verify_log:decode_canonical _small _no_float", "log:decode_line"),
    )
    return Target([*corpus[:2], corpus[-1]], read, modules, is_json=True)


def _folder(work: Path) -> Target:
    folder, copy = run_folder(work), work / "copy"

    def read(raw: bytes) -> None:
        """All evidence files of a run in one piece, each after its length."""
        fresh(copy)
        at = 0
        for name in _NAMES:
            size = min(len(raw), int.from_bytes(raw[at : at + 4], "big"))
            (copy / name).write_bytes(raw[at + 4 : at + 4 + size])
            at += 4 + size
        verify_run(copy, Reader())  # never raises
        run = read_run(copy)
        for measurement in run.measurements:
            for step in measurement.observations:
                if isinstance(step, HttpStep):
                    run.body(measurement, step)

    files = [(folder / name).read_bytes() for name in _NAMES]
    return Target([b"".join(struct.pack(">I", len(raw)) + raw for raw in files)], read, _evidence(*_VERIFY))


def _judged(work: Path) -> Target:
    """A log that reads well and says anything, beside bytes that are whole; judged, explained, exported."""
    folder, copy = run_folder(work), work / "copy"
    fresh(copy)
    (copy / _NAMES[1]).write_bytes((folder / _NAMES[1]).read_bytes())

    def read(raw: bytes) -> None:
        (copy / _NAMES[0]).write_bytes(raw)
        run = read_run(copy)
        measurements = tuple(run.measurements)
        verdicts = judge_run(run.open, measurements, run.close, run.body)
        list(explain_run(run.open, measurements, run.close, run.body))
        for one, verdict in zip(measurements, verdicts, strict=True):
            canonical(verdict)
            with suppress(NotWeb):
                said = to_ooni(run.open, one, lambda step, one=one: run.body(one, step), verdict)  # type: ignore[misc]
                msgspec.json.encode(said)

    lines = (folder / _NAMES[0]).read_bytes().splitlines(keepends=True)
    corpus = [lines[0] + line + lines[-1] for line in lines[1:4]]
    corpus += [
        b"".join(canonical(record) + b"\n" for record in (one.open, *one.measurements, one.close))
        for one in worlds()
    ]
    return Target(corpus, read, JUDGE, is_json=True)


def _replayed(work: Path) -> Target:
    """The same log, made a web archive of."""
    judged = _judged(work)

    def read(raw: bytes) -> None:
        (work / "copy" / _NAMES[0]).write_bytes(raw)
        for _ in Wacz([work / "copy"]).packed():
            pass

    return judged._replace(read=read, modules=_evidence(*_WACZ))


READERS = {
    "line of a log": _lines,
    "WARC member": _members,
    "WARC member, unzipped": _inside_members,
    "run folder": _folder,
    "run that is judged": _judged,
    "run as web archive": _replayed,
}

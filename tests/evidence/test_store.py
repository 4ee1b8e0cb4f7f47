"""Writing a run and reading it again."""

from __future__ import annotations

import gzip
import json
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
import trio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from blockwatch.cli.sink import AsyncSink
from blockwatch.codec import canonical
from blockwatch.errors import DiskError, EvidenceError, UsageError
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.summary import summarise, write_summary
from blockwatch.model import HttpStep
from blockwatch.store import RunWriter, find_runs, last_root, read_run
from tests.evidence.made import (
    PAGE,
    REQUEST,
    RESPONSE,
    RUN,
    STARTED,
    make_run,
    measured,
    observations,
    run_close,
    run_open,
)


def page_of(measurement: object) -> HttpStep:
    step = measurement.observations[11]  # type: ignore[attr-defined]
    assert isinstance(step, HttpStep)
    return step


def test_round_trip(tmp_path: Path) -> None:
    folder = make_run(tmp_path / "deep" / "results", 3)
    assert folder.name == "20261122T042000Z-home-" + RUN
    assert sorted(path.name for path in folder.iterdir()) == [
        "bodies.warc.gz",
        "measurements.jsonl",
        "run.json",
    ]
    run = read_run(folder)
    assert run.open == run_open()
    assert run.close == run_close(3)
    kept = list(run.measurements)
    assert [each.id for each in kept] == [f"{RUN}-{seq:06d}" for seq in (1, 2, 3)]
    assert run.notes == []
    step = page_of(kept[1])
    assert run.body(kept[1], step) == PAGE
    assert run.exchange(kept[1], step) == measured(2).exchanges[11]
    bare = msgspec.structs.replace(step, request=None, response=None)
    assert bare == measured(2).measurement.observations[11]
    assert run.body(kept[1], bare) is None
    assert run.exchange(kept[1], bare) is None


def test_bytes_are_as_documented(tmp_path: Path) -> None:
    """Read by hand, with nothing of the reader: docs/evidence.md."""
    folder = make_run(tmp_path, 2)
    raw = (folder / "measurements.jsonl").read_bytes()
    assert raw.endswith(b"\n")
    lines = raw[:-1].split(b"\n")
    records = [json.loads(line) for line in lines]
    assert [record["type"] for record in records] == ["run_open", "measurement", "measurement", "run_close"]
    for line, record in zip(lines, records, strict=True):
        again = json.dumps(record, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        assert again.encode() == line
    bodies = (folder / "bodies.warc.gz").read_bytes()
    ref = records[2]["observations"][11]["response"]
    member = bodies[ref["offset"] : ref["offset"] + ref["length"]]
    assert sha256(member).hexdigest() == ref["sha256"]
    head, _, block = gzip.decompress(member).partition(b"\r\n\r\n")
    assert block == RESPONSE + b"\r\n\r\n"
    assert b"WARC-IP-Address: 203.0.113.7\r\n" in head
    summary = json.loads((folder / "run.json").read_bytes())
    assert summary["root"] == root_of(map(leaf_hash, lines)).hex() == read_run(folder).root()
    assert (summary["lines"], summary["measurements"], summary["reason"]) == (4, 2, "done")
    for kept in summary["files"]:
        content = (folder / kept["name"]).read_bytes()
        assert (kept["bytes"], kept["sha256"]) == (len(content), sha256(content).hexdigest())
    (folder / "run.json").unlink()
    assert canonical(write_summary(folder)) == canonical(summarise(folder))
    assert json.loads((folder / "run.json").read_bytes()) == summary


def test_private_to_its_owner(tmp_path: Path) -> None:
    folder = make_run(tmp_path, 1)
    assert folder.stat().st_mode & 0o077 == 0
    assert (folder / "measurements.jsonl").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    ("label", "part"),
    [
        (None, ""),
        ("", ""),
        ("../../etc", "-etc"),
        ("a b/c", "-a-b-c"),
        ("дом", ""),
        ("x" * 90, "-" + "x" * 40),
    ],
)
def test_labels_are_harmless(tmp_path: Path, label: str | None, part: str) -> None:
    writer = RunWriter(tmp_path, label=label)
    writer.open(run_open())
    writer.close(run_close())
    assert [path.name for path in tmp_path.iterdir()] == [f"20261122T042000Z{part}-{RUN}"]


def test_many_writers(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(writer.write, (measured(seq) for seq in range(1, 301))))
    writer.close(run_close(300))
    run = read_run(writer.folder)
    kept = list(run.measurements)
    assert sorted(each.seq for each in kept) == list(range(1, 301))
    assert all(run.body(each, page_of(each)) == PAGE for each in kept)


async def test_async_sink(tmp_path: Path) -> None:
    sink = AsyncSink(tmp_path, label="line")
    assert sink.folder is None
    await sink.open(run_open())
    folder = sink.folder
    assert folder is not None
    log = folder / "measurements.jsonl"

    async def one(seq: int) -> None:
        await sink.write(measured(seq))
        assert b'"id":"%s-%06d"' % (RUN.encode(), seq) in log.read_bytes()

    async with trio.open_nursery() as nursery:
        for seq in range(1, 65):
            nursery.start_soon(one, seq)
    with trio.CancelScope() as scope:
        scope.cancel()
        await sink.write(measured(65))  # a Ctrl-C does not lose what was handed over
    await sink.close(run_close(65))
    assert len(list(read_run(folder).measurements)) == 65


def test_nothing_after_the_end(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    with pytest.raises(RuntimeError):
        writer.submit(measured())
    with pytest.raises(RuntimeError):
        _ = writer.folder
    writer.open(run_open())
    writer.close(run_close())
    with pytest.raises(RuntimeError):
        writer.submit(measured())


def test_our_fault_reaches_the_caller_and_no_other(tmp_path: Path) -> None:
    """An exchange of a step that is no HTTP step is a bug: its writer hears of it, the run goes on."""
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    wrong = measured(1)
    wrong = msgspec.structs.replace(wrong, exchanges={3: wrong.exchanges[11]})
    with pytest.raises(TypeError, match="no HTTP step"):
        writer.write(wrong)
    writer.write(measured(2))
    writer.close(run_close(1))
    assert [each.seq for each in read_run(writer.folder).measurements] == [2]


def test_what_cannot_be_a_line_is_said_to_be_our_fault(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    steps = observations()
    torn = msgspec.structs.replace(steps[11], title="\udcff")
    writer.write(measured(1, observations=(*steps[:11], torn)))
    huge = msgspec.structs.replace(steps[9], chain=(bytes(7_000_000),))
    writer.write(measured(2, observations=(*steps[:9], huge, *steps[10:])))
    writer.write(measured(3))
    writer.close(run_close(3))
    first, second, third = read_run(writer.folder).measurements
    assert (first.valid, first.observations) == (False, ())
    assert first.fault == "not kept: text that is not Unicode (surrogates not allowed)"
    assert second.fault == "not kept: a record of more than 8388608 bytes"
    assert third.valid


def test_groups_are_bounded(tmp_path: Path) -> None:
    """Lines of 3 MB: each group stays below what the reader allows for a tail."""
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    steps = observations()
    big = (*steps[:9], msgspec.structs.replace(steps[9], chain=(bytes(2_300_000),)), *steps[10:])
    futures = [writer.submit(measured(seq, observations=big)) for seq in range(1, 9)]
    for future in futures:
        future.result()
    writer.close(run_close(8))
    run = read_run(writer.folder)
    kept = list(run.measurements)
    assert [each.seq for each in kept] == list(range(1, 9))
    assert run.body(kept[-1], page_of(kept[-1])) == PAGE


def test_runs_are_found(tmp_path: Path) -> None:
    results = tmp_path / "results"
    assert last_root(results) is None
    results.mkdir()
    assert find_runs([results]) == []
    assert last_root(results) is None
    first = make_run(results, 1, run="a" * 16)
    root = last_root(results)
    writer = RunWriter(results)
    writer.open(run_open("b" * 16, started=STARTED + 5_000_000, previous_root=root))
    second = writer.folder
    assert find_runs([results, first, second]) == [first, second]
    assert find_runs([second, results]) == [second, first]
    assert read_run(second).open.previous_root == read_run(first).root()
    assert last_root(results) == read_run(second).root()
    writer.close(run_close())
    assert last_root(results) == read_run(second).root() != root
    (second / "measurements.jsonl").write_bytes(b"")
    assert last_root(results) == root
    with pytest.raises(UsageError):
        find_runs([tmp_path / "missing"])
    with pytest.raises(EvidenceError):
        read_run(results)


@given(
    response=st.one_of(
        st.binary(max_size=300), st.binary(max_size=200).map(lambda tail: RESPONSE[:90] + tail)
    ),
    request=st.one_of(st.just(REQUEST), st.binary(max_size=50)),
    title=st.text(max_size=20),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_bytes_come_back(tmp_path: Path, response: bytes, request: bytes, title: str) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open(f"{len(list(tmp_path.iterdir())):016x}"))
    steps = observations()
    given_title = msgspec.structs.replace(steps[11], title=title)
    original = measured(1, response=response, request=request, observations=(*steps[:11], given_title))
    writer.write(original)
    writer.close(run_close(1))
    run = read_run(writer.folder)
    (kept,) = run.measurements
    step = page_of(kept)
    assert step.title == title
    assert (step.response is None, step.request is None) == (not response, not request)
    if response or request:
        assert run.exchange(kept, step) == original.exchanges[11]


def test_the_last_word_on_a_lying_disk(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    writer.write(measured(1))
    log = writer.folder / "measurements.jsonl"
    raw = bytearray(log.read_bytes())
    raw[-100] ^= 1
    log.write_bytes(raw)
    with pytest.raises(DiskError, match="other bytes than were written"):
        writer.close(run_close(1))

"""``blockwatch.load``: real run folders, read, judged and put into frames."""

import subprocess
import sys
from pathlib import Path

import pytest

import blockwatch
from blockwatch.errors import EvidenceError, UsageError
from blockwatch.model import Exchange, HttpStep, Measured, TcpStep
from blockwatch.run import RunClose
from blockwatch.store import RunWriter
from tests.analysis.rows import measurement, opened

PAGE = b"HTTP/1.1 200 OK\r\nContent-Length: 25\r\n\r\n<title>A</title>some page"


def keep(results: Path, run: str, *, close: bool = True, **more) -> Path:
    """Write a run of two measurements."""
    first = opened(run=run, **more)
    url = "http://site.example/"
    steps = (
        TcpStep(i=0, t=5, us=5, failure=None, flow=0, address="93.184.215.14", port=80),
        HttpStep(i=1, t=10, us=5, failure=None, flow=0, address="93.184.215.14", port=80, method="GET",
                 url=url, host="site.example", status=200, version="HTTP/1.1", body_length=25, title="A"),
    )  # fmt: skip
    writer = RunWriter(results)
    writer.open(first)
    exchange = Exchange(
        url=url, address="93.184.215.14", started=first.started, request=b"GET", response=PAGE
    )
    for seq, attempt in ((1, "first"), (2, "retest")):
        made = measurement(first, seq, url=url, attempt=attempt, steps=steps)
        writer.write(Measured(measurement=made, exchanges={1: exchange}))
    if close:
        writer.close(RunClose(ended=first.started + 9, us=9, reason="done", planned=1, measured=2))
    return writer.folder


def test_load_judges_every_run_of_a_results_folder(tmp_path):
    keep(tmp_path / "a", "00" * 8, label="home")
    keep(tmp_path / "a", "11" * 8, asn=29355, label="home")
    frame = blockwatch.load(tmp_path / "a")
    assert frame["run"].tolist() == ["00" * 8] * 2 + ["11" * 8] * 2
    assert frame["final"].tolist() == [False, True] * 2
    assert frame["attempt"].tolist() == ["first", "retest"] * 2
    assert frame["asn"].tolist() == [9198, 9198, 29355, 29355]
    assert frame["state"].notna().all()
    assert frame["ruleset"].notna().all()
    assert frame["why"].str.len().gt(0).all()
    table = blockwatch.summarise(frame)
    assert table["n"].tolist() == [1, 1]
    assert table["asn"].tolist() == [9198, 29355]


def test_several_paths_and_text(tmp_path):
    one, two = keep(tmp_path / "a", "00" * 8), keep(tmp_path / "b", "11" * 8)
    assert len(blockwatch.load(str(one))) == 2
    assert len(blockwatch.load(one, str(two))) == 4
    assert len(blockwatch.load([one, tmp_path / "b"])) == 4
    assert len(blockwatch.load(one, tmp_path / "a")) == 2  # the same run, named twice


def test_observations_of_a_results_folder(tmp_path):
    keep(tmp_path, "00" * 8)
    steps = blockwatch.observations(tmp_path)
    assert steps["step"].tolist() == ["tcp", "http"] * 2
    assert steps["title"].tolist()[1] == "A"
    assert steps["sealed"].tolist() == [False] * 4  # there is no seal


def test_a_killed_run_counts_and_nothing_gives_an_empty_frame(tmp_path):
    keep(tmp_path / "killed", "00" * 8, close=False)
    (tmp_path / "empty").mkdir()
    assert len(blockwatch.load(tmp_path / "killed")) == 2
    assert blockwatch.load(tmp_path / "empty").empty
    assert blockwatch.observations(tmp_path / "empty").empty


def test_damage_and_absence_are_said(tmp_path):
    folder = keep(tmp_path, "00" * 8)
    log = folder / "measurements.jsonl"
    lines = log.read_bytes().splitlines(keepends=True)
    log.write_bytes(b"".join([lines[0], b'{"junk"\n', *lines[2:]]))
    with pytest.raises(EvidenceError, match=r"measurements\.jsonl:2"):
        blockwatch.load(tmp_path)
    with pytest.raises(UsageError):
        blockwatch.load(tmp_path / "nowhere")


def test_loading_never_loads_what_measures():
    code = (
        "import sys, blockwatch; blockwatch.load;"
        "bad = [m for m in sys.modules if m.startswith(('blockwatch.net', 'trio', 'httpx'))];"
        "assert not bad, bad"
    )
    subprocess.run([sys.executable, "-c", code], check=True)

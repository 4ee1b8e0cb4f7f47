"""The two frames: types, values, categories, and an empty one."""

import re
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import blockwatch
from blockwatch.analysis.columns import OBSERVATIONS, SUMMARY, VERDICTS
from blockwatch.analysis.frame import observation_frame, verdict_frame
from blockwatch.model import (
    ControlStep,
    DnsReply,
    DnsStep,
    HttpStep,
    Noun,
    Purpose,
    TcpStep,
    TlsStep,
)
from tests.analysis.rows import measurement, micros, opened, verdict

ROOT = Path(__file__).parents[2]
DTYPES = {
    "string": "string",
    "Int64": "Int64",
    "boolean": "boolean",
    "time": "datetime64[us, UTC]",
    "category": "category",
}


def one_run():
    run = opened(label="home", campaign="autumn", clock_offset_us=-2_500_000)
    first = measurement(run, 1)
    again = measurement(run, 2, attempt="retest")
    control = measurement(run, 3, "fine", role="control")
    verdicts = [
        verdict(first, "inconclusive", final=False),
        verdict(again, "blocked"),
        verdict(control),
    ]
    return run, (first, again, control), verdicts


def test_one_row_a_verdict():
    frame = verdict_frame([one_run()])
    assert len(frame) == 3
    row = frame.iloc[1]
    assert row["id"].endswith("-000002")
    assert row["state"] == "blocked"
    assert row["grade"] == "strong"
    assert row["clock_offset"] == -2_500_000
    assert row["mechanism"] == "tls.timeout.sni"
    assert row["why"] == "The handshake times out (T1); Control fine (T2)"
    assert row["started"] == pd.Timestamp("2026-11-22T10:00:02Z")
    assert (row["asn"], row["country"], row["network"]) == (9198, "KZ", "JSC Kazakhtelecom")
    assert (row["label"], row["campaign"], row["run"]) == ("home", "autumn", "00" * 8)
    assert list(frame["attempt"]) == ["first", "retest", "first"]
    assert list(frame["role"]) == ["target", "target", "control"]
    assert list(frame["final"]) == [False, True, True]
    assert frame["grade"].isna().tolist() == [True, False, True]


@pytest.mark.parametrize("runs", [[], [one_run()]])
def test_types_hold_also_when_empty(runs):
    frame = verdict_frame(runs)
    assert list(frame.columns) == [column.name for column in VERDICTS]
    for column in VERDICTS:
        assert str(frame[column.name].dtype) == DTYPES[column.kind], column.name
    assert list(frame["state"].cat.categories) == ["ok", "blocked", "down", "refused", "inconclusive"]
    assert frame["grade"].cat.ordered
    steps = observation_frame([(run, made) for run, made, _ in runs])
    assert list(steps.columns) == [column.name for column in OBSERVATIONS]
    for column in OBSERVATIONS:
        assert str(steps[column.name].dtype) == DTYPES[column.kind], column.name


def test_an_unknown_network_is_missing_and_not_zero():
    run = opened(asn=None)
    made = measurement(run, 1)
    frame = verdict_frame([(run, [made], [verdict(made, asn=None)])])
    assert frame["asn"].isna().all()
    assert frame["network"].isna().all()


def test_one_row_a_step():
    run = opened()
    reply = DnsReply(us=9, rcode=0)
    steps = (
        DnsStep(i=0, t=7, us=9, failure=None, resolver="system", name="site.example", qtype="A",
                addresses=("192.0.2.1", "192.0.2.2"), rcode=0, replies=(reply, reply)),
        TcpStep(i=1, t=20, us=3, failure=None, flow=0, address="192.0.2.1", port=443),
        TlsStep(i=2, t=30, us=3, failure="connection_reset", error="ECONNRESET", flow=0, address="192.0.2.1",
                port=443, server_name="site.example", purpose=Purpose.REPEAT, round=2),
        HttpStep(i=3, t=40, us=0, failure=None, skipped=True, flow=0, address="192.0.2.1", port=443,
                 method="GET", url="https://site.example/x", host="site.example"),
        ControlStep(i=4, t=50, us=3, failure=None, helper="https://th.example/", url="https://site.example/",
                    addresses=("192.0.2.1",), status=200, body_length=9, title="T"),
    )  # fmt: skip
    frame = observation_frame([(run, [measurement(run, 1, steps=steps)])])
    assert list(frame["step"]) == ["dns", "tcp", "tls", "http", "control"]
    assert frame["started"].iloc[0] == pd.Timestamp(micros("2026-11-22T10:00:00") + 7, unit="us", tz="UTC")
    assert frame["addresses"].tolist()[0] == "192.0.2.1 192.0.2.2"
    assert frame["replies"].iloc[0] == 2
    assert frame["replies"].iloc[1:].isna().all()
    assert frame["failure"].tolist()[2] == "connection_reset"
    assert (frame["purpose"].tolist()[2], frame["round"].iloc[2]) == ("repeat", 2)
    assert list(frame["skipped"]) == [False, False, False, True, False]
    assert frame["url"].tolist()[3] == "https://site.example/x"
    assert frame["url"].tolist()[1] == "https://site.example/"
    assert (frame["status"].iloc[4], frame["title"].iloc[4]) == (200, "T")
    assert frame["port"].isna().tolist() == [True, False, False, False, True]


def test_every_column_of_a_step_is_a_field_or_filled_in():
    """A misspelt column would silently be empty: hold the names to the nouns."""
    fields = {
        name for kind in (DnsStep, TcpStep, TlsStep, HttpStep, ControlStep) for name in kind.__struct_fields__
    }
    filled = {"id", "run", "target", "probe", "role", "attempt", "asn", "country", "step", "started"}
    filled |= {"label", "campaign", "key", "sealed", "url", "replies", "addresses"}
    assert {column.name for column in OBSERVATIONS} <= fields | filled
    assert issubclass(DnsStep, Noun)


def codebook():
    text = (ROOT / "docs" / "codebook.md").read_text(encoding="utf-8")
    tables = {}
    for title, body in re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", text, re.M | re.S):
        tables[title] = re.findall(r"^\| `([a-z0-9_]+)` \| ([^|]+) \| ([^|]+) \|$", body, re.M)
    return tables


@pytest.mark.parametrize(
    ("title", "columns"),
    [("load", VERDICTS), ("observations", OBSERVATIONS), ("summarise", SUMMARY)],
)
def test_the_codebook_documents_every_column(title, columns):
    assert codebook()[title] == [
        (
            column.name,
            column.kind,
            column.meaning + (f" Values: {', '.join(column.categories)}." if column.categories else ""),
        )
        for column in columns
    ]


def test_importing_blockwatch_stays_light():
    code = "import sys, blockwatch; assert not {'pandas', 'trio', 'msgspec', 'numpy'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
    with pytest.raises(AttributeError, match="no attribute 'lod'"):
        _ = blockwatch.lod

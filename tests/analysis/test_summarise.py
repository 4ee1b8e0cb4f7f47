"""The table by target and network: counts, days, shares, thresholds, and how it is written."""

import csv
import io
import json
from datetime import UTC, date, datetime

import pandas as pd
import pytest

from blockwatch.analysis.columns import SUMMARY
from blockwatch.analysis.frame import verdict_frame
from blockwatch.analysis.output import FORMATS, render
from blockwatch.analysis.summarise import summarise, wilson
from blockwatch.errors import UsageError
from tests.analysis.rows import measurement, micros, opened, verdict


def history(*entries, asn=9198, target="site", campaign="autumn"):
    """Runs of one measurement each: ``(time, state)`` or ``(time, state, more)``."""
    runs = []
    for number, (time, state, *more) in enumerate(entries):
        run = opened(run=f"{asn or 0:08x}{number:08x}", asn=asn, campaign=campaign)
        made = measurement(run, 1, target, started=micros(time))
        runs.append((run, [made], [verdict(made, state, asn=asn, **(more[0] if more else {}))]))
    return runs


BASE = (
    ("2026-11-01T23:59:59", "ok"),
    ("2026-11-02T00:00:01", "blocked"),
    ("2026-11-02T12:00:00", "blocked"),
    ("2026-11-05T12:00:00", "blocked", {"mechanism": "dns.nxdomain", "failed_step": "dns", "grade": "signs"}),
    ("2026-11-06T12:00:00", "down"),
    ("2026-11-07T12:00:00", "inconclusive"),
    ("2026-11-08T12:00:00", "refused"),
)


def test_a_group_is_counted():
    row = summarise(verdict_frame(history(*BASE))).iloc[0]
    assert row["target"] == "site"
    assert row["asn"] == 9198
    assert row["network"] == "JSC Kazakhtelecom"
    assert row["first_seen"] == pd.Timestamp("2026-11-01T23:59:59Z")
    assert row["last_seen"] == pd.Timestamp("2026-11-08T12:00:00Z")
    assert (row["days"], row["span_days"], row["runs"], row["campaigns"], row["n"]) == (6, 8, 7, 1, 7)
    counts = {s: row[s] for s in ("ok", "blocked", "down", "refused", "inconclusive")}
    assert counts == {"ok": 1, "blocked": 3, "down": 1, "refused": 1, "inconclusive": 1}
    assert (row["signs"], row["strong"], row["confirmed"]) == (1, 2, 0)
    assert (row["decided"], row["blocked_share"]) == (5, pytest.approx(0.6))
    assert (row["mechanism"], row["mechanism_share"]) == ("tls.timeout.sni", pytest.approx(2 / 3))
    assert row["failed_step"] == "tls"
    assert pd.isna(row["excluded"])


AT = pd.Timestamp


def test_a_block_is_a_bracket_and_what_was_not_measured_is_told():
    row = summarise(
        verdict_frame(
            history(
                ("2026-01-01T10:00:00", "ok", {"partial": True}),
                ("2026-01-02T10:00:00", "ok"),
                ("2026-01-03T10:00:00", "inconclusive"),
                ("2026-01-04T10:00:00", "blocked"),
                ("2026-02-01T10:00:00", "ok"),
                ("2026-03-01T10:00:00", "ok"),
                ("2026-03-01T12:00:00", "blocked", {"grade": "signs"}),
                ("2026-12-05T10:00:00", "refused"),
                ("2026-12-06T10:00:00", "ok"),
                ("2026-12-07T10:00:00", "ok"),
            )
        )
    ).iloc[0]
    assert (row["ok_before"], row["blocked_first"]) == (AT("2026-01-02T10:00Z"), AT("2026-01-04T10:00Z"))
    assert (row["blocked_last"], row["ok_after"]) == (AT("2026-03-01T12:00Z"), AT("2026-12-06T10:00Z"))
    assert (row["ok_between"], row["disputed_days"], row["partial"]) == (2, 1, 1)
    assert row["longest_gap"] == (date(2026, 12, 5) - date(2026, 3, 1)).days - 1


def test_without_a_block_there_is_no_bracket_and_groups_do_not_mix():
    found = summarise(
        verdict_frame(
            history(("2026-01-01T10:00:00", "ok"), ("2026-01-01T11:00:00", "ok"))
            + history(("2026-01-01T12:00:00", "blocked"), asn=29555)
        )
    ).set_index("asn")
    for name in ("ok_before", "blocked_first", "blocked_last", "ok_after"):
        assert pd.isna(found.loc[9198, name])
    assert found.loc[29555, "blocked_first"] == found.loc[29555, "blocked_last"] == AT("2026-01-01T12:00Z")
    assert pd.isna(found.loc[29555, "ok_before"])
    assert found[["ok_between", "disputed_days", "longest_gap", "partial"]].eq(0).all(axis=None)


@pytest.mark.parametrize(
    ("k", "n", "low", "high"),
    [  # R. G. Newcombe, Statistics in Medicine 17 (1998), table I, method 3
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (1, 29, 0.0061, 0.1718),
        (20, 20, 0.8389, 1.0),
    ],
)
def test_the_interval(k, n, low, high):
    assert wilson(k, n) == (pytest.approx(low, abs=6e-5), pytest.approx(high, abs=6e-5))


def test_nothing_decided_has_no_share():
    row = summarise(verdict_frame(history(("2026-11-06T12:00:00", "down")))).iloc[0]
    assert row["decided"] == 0
    assert pd.isna(row["blocked_share"])
    assert pd.isna(row["blocked_low"])
    assert pd.isna(row["mechanism"])


def test_only_final_verdicts_count():
    run = opened()
    made = [measurement(run, 1), measurement(run, 2, attempt="retest")]
    verdicts = [verdict(made[0], "blocked", final=False), verdict(made[1], "ok")]
    row = summarise(verdict_frame([(run, made, verdicts)])).iloc[0]
    assert (row["n"], row["ok"], row["blocked"]) == (1, 1, 0)


def test_networks_are_kept_apart_and_an_unknown_one_too():
    runs = history(*BASE) + history(("2026-11-09T12:00:00", "ok"), asn=29355) + history(*BASE[:1], asn=None)
    table = summarise(verdict_frame(runs))
    assert [None if pd.isna(a) else int(a) for a in table["asn"]] == [9198, 29355, None]
    assert table["n"].tolist() == [7, 1, 1]
    whole = summarise(verdict_frame(runs), by=("target",))
    assert whole["n"].tolist() == [9]
    assert whole["network"].isna().all()
    by_network = summarise(verdict_frame(runs), by=("network", "country"))
    assert sorted(by_network["n"]) == [1, 8]


def test_what_is_below_a_threshold_stays_with_its_reason():
    runs = history(("2026-11-09T12:00:00", "ok"), target="a-thin") + history(*BASE)
    table = summarise(verdict_frame(runs), min_n=5, min_days=2)
    assert table["target"].tolist() == ["site", "a-thin"]
    assert table["excluded"].tolist()[1] == "n 1 < 5, days 1 < 2"
    assert pd.isna(table["excluded"].iloc[0])


@pytest.mark.parametrize(
    ("since", "until", "n"),
    [
        ("2026-11-02", "2026-11-05", 2),
        ("2026-11-02T00:00:01Z", None, 6),
        (None, "2026-11-02T05:00:01+05:00", 1),
        (date(2026, 11, 5), datetime(2026, 11, 7, 12, tzinfo=UTC), 2),
        ("2027-01-01", None, 0),
    ],
)
def test_a_stretch_of_time(since, until, n):
    table = summarise(verdict_frame(history(*BASE)), since=since, until=until)
    assert table["n"].sum() == n
    assert list(table.columns) == ["target", "asn", *(column.name for column in SUMMARY)]


def test_an_empty_frame_gives_a_typed_empty_table():
    table = summarise(verdict_frame([]))
    assert table.empty
    kinds = {"string": "string", "Int64": "Int64", "time": "datetime64[us, UTC]", "float": "Float64"}
    for column in SUMMARY:
        assert str(table[column.name].dtype) == kinds[column.kind], column.name


def test_any_frame_with_the_needed_columns_will_do():
    frame = pd.DataFrame({"asn": [1, 1], "started": pd.to_datetime(["2026-11-01", "2026-11-02"], utc=True)})
    frame["state"] = ["blocked", "ok"]
    row = summarise(frame, by=("asn",)).iloc[0]
    assert (row["n"], row["days"], row["blocked"]) == (2, 2, 1)
    assert pd.isna(row["runs"])
    with pytest.raises(UsageError, match="target"):
        summarise(frame)
    with pytest.raises(UsageError, match="is no time"):
        summarise(frame, by=("asn",), since="yesterday-ish")


def table_of(title="site"):
    return summarise(verdict_frame(history(*BASE, target=title)))


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t=", "\r=", "\n@", " +", "＝"])
def test_csv_is_no_formula(start):
    text = render(table_of(f"{start}cmd|' /C calc'!A0"), "csv").decode("utf-8")
    row = next(csv.DictReader(io.StringIO(text, newline="")))
    flat = start.translate({9: " ", 10: " ", 13: " "})
    assert row["target"] == f"'{flat}cmd|' /C calc'!A0"
    assert len(text.splitlines()) == 2


def test_csv_can_be_read_again():
    text = render(table_of("Қазақ, «тілі»"), "csv").decode("utf-8")
    row = next(csv.DictReader(io.StringIO(text)))
    assert row["target"] == "Қазақ, «тілі»"
    assert row["first_seen"] == "2026-11-01T23:59:59.000000Z"
    assert row["asn"] == "9198"
    assert row["excluded"] == ""
    assert float(row["blocked_share"]) == pytest.approx(0.6)
    negative = render(pd.DataFrame({"offset": [-5]}), "csv").decode()
    assert negative == "offset\n-5\n"


def test_json_is_one_list_of_objects():
    rows = json.loads(render(table_of("=Қазақ"), "json"))
    assert rows[0]["target"] == "=Қазақ"
    assert rows[0]["last_seen"] == "2026-11-08T12:00:00.000000Z"
    assert rows[0]["excluded"] is None
    assert rows[0]["n"] == 7


def test_parquet_keeps_the_types(tmp_path):
    frame = verdict_frame(history(*BASE))
    (tmp_path / "f.parquet").write_bytes(render(frame, "parquet"))
    again = pd.read_parquet(tmp_path / "f.parquet")
    assert again["asn"].tolist() == frame["asn"].tolist()
    assert str(again["started"].dtype) == "datetime64[us, UTC]"
    assert str(again["state"].dtype) == "category"


def test_the_table_is_for_people():
    text = render(table_of(), "table").decode()
    assert "tls.timeout.sni" in text
    assert "0.60" in text
    assert "excluded" not in text
    assert render(summarise(verdict_frame([])), "table") == b"(nothing)\n"


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_writes_every_frame(form):
    for frame in (verdict_frame([]), verdict_frame(history(*BASE)), table_of()):
        assert render(frame, form)
    with pytest.raises(UsageError):
        render(frame, "xlsx")

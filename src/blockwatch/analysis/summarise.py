"""The table every report asks for: by target and network, from when to when, how often, how.

Rules of this file:

* only final verdicts count: a re-test within a run is not another day;
* nothing is dropped in silence: a group below a threshold stays, with the reason in ``excluded``;
* the blocked share is of decided verdicts (ok, blocked, refused); down for everybody and inconclusive
  say nothing of blocking; with its 95 % interval by Wilson's score (E. B. Wilson, JASA 22, 1927);
* days are UTC days; missing is NA, never 0.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from blockwatch.analysis.columns import STATES, Column
from blockwatch.errors import UsageError

Z = 1.959963984540054  # two-sided 95 %

SUMMARY = (
    Column("network", "string", "Name of the AS as last seen; only when grouped by asn."),
    Column("first_seen", "time", "First measurement of the group."),
    Column("last_seen", "time", "Last measurement of the group."),
    Column("days", "Int64", "UTC days with at least one measurement."),
    Column("span_days", "Int64", "UTC days from the first to the last, both included."),
    Column("runs", "Int64", "Runs."),
    Column("campaigns", "Int64", "Different campaigns; three networks may be one person."),
    Column("n", "Int64", "Final verdicts."),
    *(Column(state, "Int64", f"Of these, in state {state}.") for state in STATES),
    Column("signs", "Int64", "Of the blocked, with grade signs."),
    Column("strong", "Int64", "Of the blocked, with grade strong."),
    Column("confirmed", "Int64", "Of the blocked, with grade confirmed."),
    Column("decided", "Int64", "Verdicts that say something of blocking: ok, blocked or refused."),
    Column("blocked_share", "float", "Blocked among decided; NA: none decided."),
    Column("blocked_low", "float", "Lower end of its 95 % interval (Wilson)."),
    Column("blocked_high", "float", "Upper end of its 95 % interval (Wilson)."),
    Column("mechanism", "string", "Mechanism most often seen among the blocked."),
    Column("mechanism_share", "float", "Its share of the blocked."),
    Column("failed_step", "string", "Step that most often failed among the blocked."),
    Column("excluded", "string", "Why the group does not meet the thresholds asked for; NA: it does."),
)

Moment = str | date | datetime | None


def summarise(
    frame: pd.DataFrame,
    by: Sequence[str] = ("target", "asn"),
    *,
    min_n: int = 0,
    min_days: int = 0,
    since: Moment = None,
    until: Moment = None,
) -> pd.DataFrame:
    """Summarise verdicts; one row a group, columns ``by`` and then ``SUMMARY``, excluded groups last.

    ``frame`` needs ``by``, ``started`` and ``state``; other columns of :func:`blockwatch.load` are used
    where present. ``since`` is included, ``until`` is not; without a zone they are UTC.
    """
    keys = list(by)
    missing = [name for name in (*keys, "started", "state") if name not in frame.columns]
    if missing or not keys:
        raise UsageError(
            f"no column {', '.join(missing) or 'to group by'}",
            remedy=f"The columns are: {', '.join(map(str, frame.columns))}.",
        )
    chosen = _chosen(frame, since, until)
    rows = [
        dict(zip(keys, names, strict=True)) | _row(group, "asn" in keys, min_n, min_days)
        for names, group in chosen.groupby(keys, observed=True, dropna=False, sort=True)
    ]
    table = pd.DataFrame(rows, columns=[*keys, *(c.name for c in SUMMARY if c.name not in keys)])
    for column in SUMMARY:
        if column.name not in keys:
            table[column.name] = _cast(table[column.name], column.kind)
    for key in keys:
        table[key] = table[key].astype("Int64" if key == "asn" else "string")
    return table.sort_values("excluded", key=lambda c: c.notna(), kind="stable", ignore_index=True)


def wilson(k: int, n: int) -> tuple[float, float]:
    """95 % interval of a share of which ``k`` of ``n`` were seen; ``n`` of 0 gives NaN."""
    if n == 0:
        return math.nan, math.nan
    share, square = k / n, Z * Z
    middle = (share + square / (2 * n)) / (1 + square / n)
    half = Z / (1 + square / n) * math.sqrt(share * (1 - share) / n + square / (4 * n * n))
    return max(0.0, middle - half) if k else 0.0, min(1.0, middle + half) if k < n else 1.0


def _chosen(frame: pd.DataFrame, since: Moment, until: Moment) -> pd.DataFrame:
    chosen = frame[frame["final"].fillna(False).astype(bool)] if "final" in frame.columns else frame
    if since is not None:
        chosen = chosen[chosen["started"] >= _moment(since)]
    if until is not None:
        chosen = chosen[chosen["started"] < _moment(until)]
    return chosen


def _moment(given: str | date | datetime) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(given)
        return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    except ValueError:
        raise UsageError(
            f"{str(given)[:40]!r} is no time", remedy="Write 2026-11-22 or 2026-11-22T10:00:00Z."
        ) from None


def _row(group: pd.DataFrame, by_asn: bool, min_n: int, min_days: int) -> dict[str, Any]:
    counts = group["state"].astype("string").value_counts()
    states = {state: int(counts.get(state, 0)) for state in STATES}
    blocked = group[group["state"] == "blocked"]
    decided = states["ok"] + states["blocked"] + states["refused"]
    low, high = wilson(states["blocked"], decided)
    mechanism, mechanism_n = _most(blocked, "mechanism")
    grades = blocked["grade"].astype("string").value_counts() if "grade" in blocked.columns else {}
    days = group["started"].dt.floor("D")
    n, covered = len(group), int(days.nunique())
    below = [f"n {n} < {min_n}"] * (n < min_n) + [f"days {covered} < {min_days}"] * (covered < min_days)
    return {
        "network": _last(group, "network") if by_asn else None,
        "first_seen": group["started"].min(),
        "last_seen": group["started"].max(),
        "days": covered,
        "span_days": (days.max() - days.min()).days + 1,
        "runs": _distinct(group, "run"),
        "campaigns": _distinct(group, "campaign"),
        "n": n,
        **states,
        **{grade: int(grades.get(grade, 0)) for grade in ("signs", "strong", "confirmed")},
        "decided": decided,
        "blocked_share": states["blocked"] / decided if decided else math.nan,
        "blocked_low": low,
        "blocked_high": high,
        "mechanism": mechanism,
        "mechanism_share": mechanism_n / states["blocked"] if states["blocked"] and mechanism else math.nan,
        "failed_step": _most(blocked, "failed_step")[0],
        "excluded": ", ".join(below) or None,
    }


def _most(group: pd.DataFrame, name: str) -> tuple[str | None, int]:
    """The value seen most often, by name where two are even; and how often."""
    if name not in group.columns:
        return None, 0
    counts = group[name].dropna().astype(str).value_counts()
    if counts.empty:
        return None, 0
    most = int(counts.max())
    return min(str(value) for value, seen in counts.items() if seen == most), most


def _last(group: pd.DataFrame, name: str) -> str | None:
    if name not in group.columns:
        return None
    named = group.sort_values("started", kind="stable")[name].dropna()
    return None if named.empty else str(named.iloc[-1])


def _distinct(group: pd.DataFrame, name: str) -> int | None:
    return int(group[name].nunique()) if name in group.columns else None


def _cast(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    if kind == "time":
        return pd.Series(pd.to_datetime(values, utc=True)).astype("datetime64[us, UTC]")
    return values.astype("Float64" if kind == "float" else kind)

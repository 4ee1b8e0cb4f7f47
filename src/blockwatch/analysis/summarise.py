"""The table every report asks for: by target and network, from when to when, how often, how.

Rules of this file:

* only final verdicts count: a re-test within a run is not another day;
* nothing is dropped in silence: a group below a threshold stays, with the reason in ``excluded``;
* the blocked share is of decided verdicts (ok, blocked, refused); down for everybody and inconclusive
  say nothing of blocking; with its 95 % interval by Wilson's score (E. B. Wilson, JASA 22, 1927);
* days are UTC days; missing is NA, never 0; a time is the true one where it is known how far off the clock
  was, else the volunteer's word, and ``unchecked`` counts those;
* when a block began and ended is a bracket (``ok_before`` to ``blocked_first``, ``blocked_last`` to
  ``ok_after``); nothing is said of days without a measurement.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import date, datetime
from typing import Any

import pandas as pd

from blockwatch.analysis.columns import STATES, SUMMARY
from blockwatch.errors import UsageError

Z = 1.959963984540054  # two-sided 95 %

_LISTED = ("run", "target", "url")
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
    if "when" in frame.columns:
        frame = frame.assign(started=frame["when"].fillna(frame["started"]))
    chosen = _chosen(frame, since, until)
    groups = chosen.groupby(keys, observed=True, dropna=False, sort=True)
    table = _counted(chosen, groups.ngroup())
    names = chosen[keys].assign(_group=groups.ngroup()).drop_duplicates("_group").set_index("_group")
    for key in keys:
        table[key] = names[key].astype("Int64" if key == "asn" else "string")
    if "asn" in keys and "network" not in keys:
        table["network"] = _last(chosen, groups.ngroup(), "network")
    table["excluded"] = _excluded(table, min_n, min_days)
    columns = [column for column in SUMMARY if column.name not in keys]
    table = table.reindex(columns=[*keys, *(column.name for column in columns)])
    for column in columns:
        table[column.name] = _cast(table[column.name], column.kind)
    return table.sort_values("excluded", key=lambda c: c.notna(), kind="stable", ignore_index=True)


def doubts(table: pd.DataFrame) -> list[str]:
    """What should be known of a table of :func:`summarise` before it is believed, in sentences."""
    said = []
    unchecked, n = table["unchecked"].sum(), table["n"].sum()
    if unchecked:
        said.append(
            f"clock: of {unchecked:,} of {n:,} verdicts the time is the volunteer's word: nobody told it, or "
            "the clock was set on the way (column unchecked)"
        )
    if "target" in table.columns and "url" not in table.columns:
        for target, sites in table.groupby("target")["sites"].max().items():
            if sites > 1:
                said.append(
                    f"target {target}: lists call {sites} different sites so; --by url keeps them apart"
                )
    return said


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
    first, last = (None if given is None else _moment(given) for given in (since, until))
    if first is not None and last is not None and first >= last:
        raise UsageError(
            f"nothing is from {since} on and before {until}", remedy="The first time must be the earlier one."
        )
    if first is not None:
        chosen = chosen[chosen["started"] >= first]
    if last is not None:
        chosen = chosen[chosen["started"] < last]
    return chosen


def _moment(given: str | date | datetime) -> pd.Timestamp:
    try:
        moment = pd.Timestamp(given)
        return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    except ValueError:
        raise UsageError(
            f"{str(given)[:40]!r} is no time", remedy="Write 2026-11-22 or 2026-11-22T10:00:00Z."
        ) from None


def _counted(chosen: pd.DataFrame, group: pd.Series[int]) -> pd.DataFrame:
    """Counts and times, indexed by group number."""
    state = chosen["state"].astype("string")
    blocked = chosen[_is(state, "blocked")]
    by, day = chosen.groupby(group), chosen["started"].dt.floor("D")
    table = pd.DataFrame({"n": by.size()})
    table["first_seen"], table["last_seen"] = by["started"].min(), by["started"].max()
    table["days"] = day.groupby(group).nunique()
    table["span_days"] = (day.groupby(group).max() - day.groupby(group).min()).dt.days + 1
    for name, column in (("runs", "run"), ("campaigns", "campaign")):
        table[name] = by[column].nunique() if column in chosen.columns else None
    for one in STATES:
        table[one] = _is(state, one).groupby(group).sum()
    grade = blocked["grade"].astype("string") if "grade" in chosen.columns else state[:0]
    for one in ("signs", "strong", "confirmed"):
        table[one] = _is(grade, one).groupby(group).sum().reindex(table.index, fill_value=0)
    table["decided"] = table["ok"] + table["blocked"] + table["refused"]
    table["blocked_share"] = table["blocked"] / table["decided"].where(table["decided"] > 0)
    ends = [wilson(int(k), int(n)) for k, n in zip(table["blocked"], table["decided"], strict=True)]
    table["blocked_low"], table["blocked_high"] = [low for low, _ in ends], [high for _, high in ends]
    mechanism = _most(blocked, group, "mechanism")
    table["mechanism"] = mechanism["mechanism"]
    table["mechanism_share"] = mechanism["seen"] / table["blocked"]
    table["failed_step"] = _most(blocked, group, "failed_step")["failed_step"]
    if "partial" in chosen.columns:
        table["partial"] = chosen["partial"].fillna(False).astype(bool).groupby(group).sum()
    if "when" in chosen.columns:
        table["unchecked"] = chosen["when"].isna().groupby(group).sum()
    if {"run", "target", "url"} <= set(chosen.columns):
        table["sites"] = _sites(chosen, group)
    if {"key", "sealed"} <= set(chosen.columns):
        table["keys"] = chosen["key"].where(chosen["sealed"].fillna(False)).groupby(group).nunique()
    if {"orders", "orders_unclear", "searched"} <= set(chosen.columns):
        for name in ("orders", "orders_unclear"):
            listed = chosen[name].astype("string").groupby(group)
            table[name] = pd.Series({number: _ids(values) for number, values in listed}, dtype="string")
        table["searched"] = chosen["searched"].astype("string").groupby(group).max()
    return table.join(_brackets(chosen, group))


def _sites(chosen: pd.DataFrame, group: pd.Series[int]) -> pd.Series[int]:
    """By group: how many sites there are, where addresses listed together are one."""
    together: dict[int, dict[tuple[str, str], set[str]]] = defaultdict(lambda: defaultdict(set))
    rows = [chosen[name].astype("string").tolist() for name in _LISTED]
    for number, run, target, url in zip(group.tolist(), *rows, strict=True):
        together[number][run, target].add(url)
    return pd.Series({number: _apart(listed.values()) for number, listed in together.items()}, dtype="Int64")


def _apart(listed: Iterable[set[str]]) -> int:
    """How many sets of addresses have none in common, of those that each run lists under one target."""
    apart: list[set[str]] = []
    for urls in set(map(frozenset, listed)):
        touching = [one for one in apart if one & urls]
        apart = [one for one in apart if not one & urls] + [set(urls).union(*touching)]
    return len(apart)


def _ids(values: pd.Series[str]) -> str | None:
    return " ".join(sorted({one for value in values.dropna().unique() for one in value.split()})) or None


def _brackets(chosen: pd.DataFrame, group: pd.Series[int]) -> pd.DataFrame:
    """Between which measurements it was blocked, and what is not known of the time between."""
    state, day = chosen["state"].astype("string"), chosen["started"].dt.floor("D")
    well, bad = _is(state, "ok"), _is(state, "blocked")
    times = chosen["started"]
    begun = times.where(bad).groupby(group).transform("min")
    over = times.where(bad).groupby(group).transform("max")
    found = pd.DataFrame(
        {"blocked_first": begun.groupby(group).min(), "blocked_last": over.groupby(group).max()}
    )
    found["ok_before"] = times.where(well & (times < begun)).groupby(group).max()
    found["ok_after"] = times.where(well & (times > over)).groupby(group).min()
    among = (well & (times >= begun) & (times <= over)).groupby(group).sum()
    both = (well.groupby([group, day]).any() & bad.groupby([group, day]).any()).groupby(level=0).sum()
    seen = pd.DataFrame({"group": group, "day": day}).drop_duplicates().sort_values(["group", "day"])
    gap = seen.groupby("group")["day"].diff().dt.days.groupby(seen["group"]).max().sub(1).fillna(0)
    return found.assign(ok_between=among, disputed_days=both, longest_gap=gap)


def _is(values: pd.Series[Any], one: str) -> pd.Series[bool]:
    return values.eq(one).fillna(False).astype(bool)


def _most(rows: pd.DataFrame, group: pd.Series[int], name: str) -> pd.DataFrame:
    """By group: the value seen most often, the first by name where two are even; and how often."""
    values = rows[name].astype("string") if name in rows.columns else pd.Series([], dtype="string")
    known = values.dropna()
    counts = known.groupby([group.rename("group"), known.rename(name)]).size().rename("seen").reset_index()
    counts = counts.sort_values(["group", "seen", name], ascending=[True, False, True])
    return counts.drop_duplicates("group").set_index("group")


def _last(rows: pd.DataFrame, group: pd.Series[int], name: str) -> pd.Series[Any] | None:
    """By group: the latest value there is."""
    if name not in rows.columns:
        return None
    return rows.sort_values("started", kind="stable")[name].astype("string").groupby(group).last()


def _excluded(table: pd.DataFrame, min_n: int, min_days: int) -> list[str | None]:
    reasons = []
    for n, days in zip(table["n"], table["days"], strict=True):
        below = [f"n {n} < {min_n}"] * (n < min_n) + [f"days {days} < {min_days}"] * (days < min_days)
        reasons.append(", ".join(below) or None)
    return reasons


def _cast(values: pd.Series[Any], kind: str) -> pd.Series[Any]:
    if kind == "time":
        return pd.Series(pd.to_datetime(values, utc=True)).astype("datetime64[us, UTC]")
    return values.astype("Float64" if kind == "float" else kind)

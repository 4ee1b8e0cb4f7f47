"""Typed pandas frames out of judged runs: one row a verdict, or one row a step.

Rules of this file:

* it is handed verdicts and measurements, and never judges or reads a disk;
* every column of :mod:`blockwatch.analysis.columns` is there, with its type, also in an empty frame;
* a column whose values are fixed carries them all as categories, so that "none" can be counted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import pandas as pd

from blockwatch.analysis.columns import OBSERVATIONS, VERDICTS, Column
from blockwatch.analysis.orders import in_force, orders_on, searches_on
from blockwatch.model import ControlStep, DnsStep, Measurement, Observation
from blockwatch.run import RunOpen
from blockwatch.target import Order
from blockwatch.verdict import Verdict


class Judged(NamedTuple):
    """A run's first line, its measurements in the order made, and the verdict on each."""

    opened: RunOpen
    measurements: Iterable[Measurement]
    verdicts: Sequence[Verdict]
    sealed: int | None  # lines under a good seal, of which the first is ``opened``; null: not known
    offset: int | None  # microseconds that the clock was ahead the whole time; null: nothing is sure of it


class Made(NamedTuple):
    """A run's first line and its measurements in the order made."""

    opened: RunOpen
    measurements: Iterable[Measurement]
    sealed: int | None = None  # as in :class:`Judged`


Plain = tuple[RunOpen, Iterable[Measurement], Sequence[Verdict]]  # of a run whose seal nobody looked at


def verdict_frame(runs: Iterable[Judged | Plain]) -> pd.DataFrame:
    """One row a verdict, in the order given; columns: ``VERDICTS``."""
    rows: dict[str, list[Any]] = {column.name: [] for column in VERDICTS}
    for run in runs:
        judged = run if isinstance(run, Judged) else Judged(*run, None, run[0].clock_offset_us)
        opened, measurements, verdicts, sealed, offset = judged
        key = _key(opened)
        made = {one.id: (one.role, one.attempt, line) for line, one in enumerate(measurements, 2)}
        for verdict in verdicts:
            role, attempt, line = made[verdict.id]
            when = None if offset is None else verdict.started - offset
            at = verdict.started if when is None else when
            orders = [(one, in_force(one, at, verdict.asn)) for one in orders_on(opened, verdict.target)]
            fields = {
                "run": opened.run,
                "role": role,
                "attempt": attempt,
                "country": opened.vantage.country,
                "network": opened.vantage.network,
                "why": "; ".join(f"{reason.text} ({reason.rule})" for reason in verdict.why),
                "label": opened.label,
                "campaign": opened.campaign,
                "clock_offset": opened.clock_offset_us,
                "sealed": None if sealed is None else line <= sealed,
                "when": when,
                "key": key,
                "orders": _ids(one for one, then in orders if then),
                "orders_unclear": _ids(one for one, then in orders if then is None),
                "searched": _searched(opened, verdict.target),
            }
            for name, values in rows.items():
                values.append(fields[name] if name in fields else getattr(verdict, name))
    return _typed(rows, VERDICTS)


def observation_frame(runs: Iterable[Made | tuple[RunOpen, Iterable[Measurement]]]) -> pd.DataFrame:
    """One row a step, in the order made; columns: ``OBSERVATIONS``."""
    rows: dict[str, list[Any]] = {column.name: [] for column in OBSERVATIONS}
    for run in runs:
        opened, measurements, sealed = Made(*run)
        for line, measurement in enumerate(measurements, 2):
            covered = None if sealed is None else line <= sealed
            for step in measurement.observations:
                fields = {**_step_fields(opened, measurement, step), "sealed": covered}
                for name, values in rows.items():
                    values.append(fields[name] if name in fields else getattr(step, name, None))
    return _typed(rows, OBSERVATIONS)


def _step_fields(opened: RunOpen, measurement: Measurement, step: Observation) -> Mapping[str, Any]:
    """The columns that are not simply fields of the step."""
    fields: dict[str, Any] = {
        "id": measurement.id,
        "run": opened.run,
        "target": measurement.target,
        "url": getattr(step, "url", measurement.url),
        "probe": measurement.probe,
        "role": measurement.role,
        "attempt": measurement.attempt,
        "asn": opened.vantage.asn,
        "country": opened.vantage.country,
        "step": step.__struct_config__.tag,
        "started": opened.started + step.t,
        "label": opened.label,
        "campaign": opened.campaign,
        "key": _key(opened),
        "addresses": None,
        "replies": None,
    }
    if isinstance(step, DnsStep | ControlStep):
        fields["addresses"] = " ".join(step.addresses) or None
    if isinstance(step, DnsStep):
        fields["replies"] = len(step.replies)
    return fields


def _key(opened: RunOpen) -> str | None:
    """The name of a run's key: what stands before its hash and bytes (C2SP signed-note)."""
    return opened.key.partition("+")[0] if opened.key else None


def _ids(orders: Iterable[Order]) -> str | None:
    """Their ids, separated by spaces; one that holds a space, as no list of ours can, loses it."""
    return " ".join("_".join(one.id.split()) for one in orders) or None


def _searched(opened: RunOpen, target: str) -> str | None:
    return max((one.on for one in searches_on(opened, target) if one.found == "none"), default=None)


def _typed(rows: Mapping[str, list[Any]], columns: Iterable[Column]) -> pd.DataFrame:
    return pd.DataFrame({column.name: _series(rows[column.name], column) for column in columns})


def _series(values: list[Any], column: Column) -> pd.Series[Any]:
    if column.kind == "time":
        return pd.Series(pd.to_datetime(pd.Series(values, dtype="Int64"), unit="us", utc=True)).astype(
            "datetime64[us, UTC]"
        )
    if column.kind != "category":
        return pd.Series(values, dtype=column.kind)
    texts = [None if value is None else str(value) for value in values]
    known = column.categories or tuple(sorted({text for text in texts if text is not None}))
    unforeseen = sorted({text for text in texts if text is not None} - set(known))
    return pd.Series(pd.Categorical(texts, [*known, *unforeseen], ordered=column.name == "grade"))

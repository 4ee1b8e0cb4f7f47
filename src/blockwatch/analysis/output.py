"""Frames as text and files: table, CSV, JSON, Parquet.

Rules of this file:

* times are ISO 8601 in UTC, missing is an empty cell or null;
* a cell that a spreadsheet would run as a formula gets an apostrophe before it (titles and host names
  come from strangers), and its line breaks and tabs become spaces; numbers are left alone;
* what strangers wrote cannot steer a terminal: unprintable characters of a table or CSV are escaped;
* the same frame gives the same text.
"""

from __future__ import annotations

import io
from typing import Any

import pandas as pd

from blockwatch.errors import UsageError

FORMATS = ("table", "csv", "json", "parquet")
_FORMULA = ("=", "+", "-", "@", "＝", "＋", "－", "＠")
_BREAKS = str.maketrans(dict.fromkeys("\t\r\n\v\f\0\x85\u2028\u2029", " "))


def render(frame: pd.DataFrame, form: str) -> bytes:
    """Write ``frame`` in one of :data:`FORMATS`; text is UTF-8 and ends in a newline."""
    if form == "table":
        return _table(frame).encode("utf-8")
    if form == "csv":
        text = _texts(frame, guard=True).to_csv(index=False, lineterminator="\n")
        return str(text).encode("utf-8")
    if form == "json":
        text = _texts(frame, guard=False).to_json(orient="records", force_ascii=False, double_precision=6)
        return f"{text}\n".encode()
    if form == "parquet":
        return _parquet(frame)
    raise UsageError(f"no format {form}", remedy=f"The formats are: {', '.join(FORMATS)}.")


def _table(frame: pd.DataFrame) -> str:
    """Columns without any value are left out; shares are shown with two decimals."""
    if frame.empty:
        return "(nothing)\n"
    shown = frame.dropna(axis="columns", how="all").copy()
    for name in shown.columns:
        values = shown[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            shown[name] = values.dt.strftime("%Y-%m-%d %H:%MZ").astype("object")
        elif pd.api.types.is_float_dtype(values.dtype):
            shown[name] = values.map(lambda v: "" if pd.isna(v) else f"{v:.2f}").astype("object")
        else:
            shown[name] = values.astype("object")
        shown[name] = shown[name].map(_printable)
    return str(shown.where(shown.notna(), "").to_string(index=False)) + "\n"


def _texts(frame: pd.DataFrame, *, guard: bool) -> pd.DataFrame:
    """Times and categories as text, so that every writer agrees on them."""
    texts = frame.copy()
    for name in texts.columns:
        values = texts[name]
        if isinstance(values.dtype, pd.DatetimeTZDtype):
            texts[name] = values.dt.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        elif isinstance(values.dtype, pd.CategoricalDtype):
            texts[name] = values.astype("string")
        if guard and not pd.api.types.is_numeric_dtype(texts[name].dtype):
            texts[name] = texts[name].map(_guarded)
    return texts


def _printable(cell: Any) -> Any:
    if not isinstance(cell, str) or cell.isprintable():
        return cell
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in cell)


def _guarded(cell: Any) -> Any:
    if not isinstance(cell, str):
        return cell
    flat = _printable(cell.translate(_BREAKS))
    return "'" + flat if flat.lstrip().startswith(_FORMULA) else flat


def _parquet(frame: pd.DataFrame) -> bytes:
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        raise UsageError(
            "Parquet needs pyarrow", remedy="pip install 'blockwatch-toolkit[parquet]', or take --format csv."
        ) from None
    buffer = io.BytesIO()
    frame.to_parquet(buffer, engine="pyarrow", index=False)
    return buffer.getvalue()

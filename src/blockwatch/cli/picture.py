"""The picture of a captured page (``blockwatch show --screenshot``): which page, and what is said of it.

Rules of this file: the picture is derived, and says so itself; what is written into it names the record
and the programs, and nothing of the person or machine that had it drawn.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import click

from blockwatch import __version__
from blockwatch.cli.outputs import fresh
from blockwatch.cli.words import iso, size
from blockwatch.errors import PictureError, UsageError
from blockwatch.evidence.disk import replace_file
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import HttpStep, Measurement, Purpose
from blockwatch.picture.browser import NoCellError, find_browser
from blockwatch.picture.drawing import MOST_HEIGHT, Drawing, Page, draw, page_in
from blockwatch.picture.png import with_words
from blockwatch.store import Run
from blockwatch.verdict import Verdict


def check_place(file: Path) -> str:
    """Say at once what stands against drawing into ``file``; returns the browser."""
    fresh(file)
    return find_browser()


def draw_page(
    run: Run,
    measurement: Measurement,
    verdict: Verdict | None,
    *,
    step: int | None,
    seal: str,
    browser: str,
    file: Path,
) -> None:
    """Draw the page of ``step`` (``None``: the one that the verdict rests on, or the first) into ``file``.

    ``seal``: what is to be said there of the seal over the record.
    """
    candidates = _candidates(measurement, verdict, step)
    chosen, page = _chosen(run, candidates)
    try:
        drawing = draw(page, browser)
    except NoCellError as error:
        from blockwatch.lab.kernel import remedy  # what the lab needs of the kernel is needed here, too

        raise PictureError(error.what, remedy=remedy()) from error
    words = _words(run, measurement, chosen, page, drawing, seal)
    raw = with_words(drawing.png, words)
    replace_file(file, raw)
    click.echo(f"picture    {file}: {drawing.width} x {drawing.height} pixels, {size(len(raw))}")
    for keyword, text in words:
        click.echo(f"           {keyword}: {text}")
    if others := ", ".join(str(one.i) for one in candidates if one is not chosen):
        click.echo(f"Steps with other captured answers, to be drawn with --step: {others}", err=True)


def _candidates(measurement: Measurement, verdict: Verdict | None, step: int | None) -> list[HttpStep]:
    """Steps with captured bytes, the one to be drawn first."""
    captured = [one for one in measurement.observations if isinstance(one, HttpStep) and one.response]
    if step is not None:
        found = [one for one in captured if one.i == step]
        if not found:
            numbers = ", ".join(str(one.i) for one in captured) or "none"
            raise UsageError(
                f"step {step} of {measurement.id} has no captured answer",
                remedy=f"Steps that have one: {numbers}",
            )
        return found
    witnesses = [place for reason in (verdict.why if verdict else ()) for place in reason.witnesses]

    def rank(one: HttpStep) -> tuple[bool, bool, int, int]:
        place = f"{measurement.id}#{one.i}"
        redirect = one.status is not None and 300 <= one.status < 400
        weight = witnesses.index(place) if place in witnesses else len(witnesses)
        return redirect, one.purpose is not Purpose.FIRST, weight, one.i

    return sorted(captured, key=rank)


def _chosen(run: Run, candidates: list[HttpStep]) -> tuple[HttpStep, Page]:
    """The first that can be drawn; ``UsageError`` that says of each why not."""
    problems = []
    for step in candidates:
        assert step.response is not None  # noqa: S101  (chosen so)
        try:
            return step, page_in(run.record(step.response).block)
        except UsageError as error:
            problems.append(f"step {step.i}: {error.what}")
    why = "\n  ".join(problems) or "it has no HTTP answer with captured bytes"
    raise UsageError(f"nothing of this measurement can be drawn:\n  {why}")


def _words(
    run: Run, measurement: Measurement, step: HttpStep, page: Page, drawing: Drawing, seal: str
) -> list[tuple[str, str]]:
    """What the file says of itself: printable ASCII."""
    ref, exchange = step.response, run.exchange(measurement, step)
    assert ref is not None and exchange is not None  # noqa: S101, PT018  (chosen so)
    limits = []
    if not page.complete or step.truncated:
        limits.append("not all of the page was captured")
    if drawing.cut:
        limits.append(f"the page goes on below {MOST_HEIGHT} pixels")
    return [
        ("Title", "A page as captured by blockwatch, drawn later: a picture, not itself evidence"),
        ("Record", f"{measurement.id} step {step.i}"),
        ("Seal", seal),
        ("URL", quote(step.url, safe="!#$%&'()*+,/:;=?@[]~", errors="replace")[:2_000]),
        ("Captured", iso(exchange.started)),
        ("Stored bytes", f"SHA-256 {ref.sha256}, {ref.length} bytes from byte {ref.offset} of {WARC_FILE}"),
        ("Drawn", "from captured bytes, without network, scripts off, nothing loaded"),
        ("Shows", "; ".join(limits) or "all of the page as captured"),
        ("Software", f"blockwatch {__version__}"),
        ("Browser", drawing.browser),
    ]

"""Fingerprint packs made for a test, and what is judged with them."""

from __future__ import annotations

import csv
import io

from blockwatch.judge import Pack, judge_run, read_pack, together
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import Vantage
from blockwatch.verdict import Verdict
from tests.judge.stage import calm_measurement, changed, frame, measured
from tests.judge.world import HOST, Page, World

URL = f"http://{HOST}/"
COLUMNS = (
    "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,"
    "exp_url,notes"
)
WORDS = "This page was withheld by order no. 77 of the registry"
BLOCKED = Page(status=403, title="Sorry", length=200)
BODY = f"<html><title>Sorry</title><p>{WORDS}</p></html>"
PAGE_ROW = ("xx_page", "isp", "body", "contains", WORDS)


def table(*rows: tuple[str, ...]) -> bytes:
    """A CSV of rows (name, scope, place, kind, pattern[, confidence[, countries]])."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS.split(","))
    for name, scope, place, kind, pattern, *rest in rows:
        sure, countries = (*rest, "5", "")[:2] if len(rest) < 2 else rest
        writer.writerow([name, scope, "", place, kind, pattern, sure, countries, "somebody", "", ""])
    return out.getvalue().encode()


def pack(*rows: tuple[str, ...]) -> Pack:
    return together([read_pack(table(*rows), "mine.csv")])


def judged(world: World, fingerprints: Pack, body: str = "", country: str | None = None) -> Verdict:
    """The verdict on the first measurement of the site; ``body``: the text of what is not the true page."""
    made = [calm_measurement(1, 0), measured(world, 2, "first", 2_000_000, world.known_good)]
    open_, close = frame(world, 2)
    open_ = changed(open_, vantage=Vantage(asn=1, ipv4=True, country=country))  # type: ignore[type-var]

    def bodies(measurement: Measurement, step: HttpStep) -> bytes | None:
        return None if step.title == Page().title else body.encode()

    return judge_run(open_, made, close, bodies, fingerprints)[-1]

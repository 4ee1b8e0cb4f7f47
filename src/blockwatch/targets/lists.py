"""Lists in other forms: a URL a line (``.txt``), and Citizen Lab's test lists (``.csv``).

Rules of this file:

* both become the same :class:`~blockwatch.target.TargetsFile`; ids are made from the address and
  do not change when lines are added or moved;
* a bare domain is measured over https and over http: ``https://`` is the target's URL,
  ``http://`` a mirror of it;
* categories that may endanger a volunteer are left out unless they are named.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from hashlib import sha256

import msgspec

from blockwatch.target import Mirror, Target, TargetsFile
from blockwatch.targets.address import Address, BadAddress, is_bare_domain, web_address
from blockwatch.targets.problem import Place, Report, shown

RISKY = frozenset({"ALDR", "ANON", "DATE", "GMB", "HATE", "LGBT", "MILX", "PORN", "PROV"})
"""Categories that are off unless named: a visit may be held against the volunteer."""

COLUMNS = ("url", "category_code", "category_description", "date_added", "source", "notes")


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One row of a Citizen Lab list."""

    line: int
    url: Address
    category: str | None
    note: str | None


def read_plain(text: str, report: Report) -> TargetsFile:
    """Read a URL or bare domain a line; ``#`` begins a comment line."""
    targets: dict[str, Target] = {}
    for number, raw in enumerate(text.split("\n"), start=1):
        written = raw.strip()
        if not written or written.startswith("#"):
            continue
        place = Place(number, raw.index(written) + 1)
        try:
            target = _plain_target(written)
        except BadAddress as error:
            report.error(place, error.what, error.remedy)
            continue
        _add(targets, target, place, report)
    if not targets and not report.failed:
        report.error(Place(), "there are no targets", "Write one URL on each line.")
    return TargetsFile(targets=tuple(targets.values()))


def _plain_target(written: str) -> Target:
    if not is_bare_domain(written):
        found = web_address(written)
        return Target(id=slug(found.url), url=found.url, note=found.note)
    secure, plain = web_address(f"https://{written}"), web_address(f"http://{written}")
    note = f"written as {written}" if secure.note else None
    return Target(id=slug(secure.url), url=secure.url, mirrors=(Mirror(url=plain.url),), note=note)


def _add(targets: dict[str, Target], target: Target, place: Place, report: Report) -> None:
    url = target.url or ""
    if target.id in targets and targets[target.id].url != url:  # two URLs with one slug
        target = msgspec.structs.replace(target, id=f"{target.id}-{sha256(url.encode()).hexdigest()[:8]}")
    if target.id in targets:
        report.warn(place, f"{shown(url)} stands twice", "It is measured once.")
        return
    targets[target.id] = target


def citizenlab_rows(text: str, report: Report) -> Iterator[Row]:
    """Yield the rows of a Citizen Lab list that can be measured; others are problems."""
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    try:
        header = [name.strip().lower() for name in next(reader, [])]
        if "url" not in header:
            remedy = f"The columns of Citizen Lab's lists are: {', '.join(COLUMNS)}."
            report.error(Place(), "the first line has no column url", remedy)
            return
        end = reader.line_num
        for cells in reader:
            line, end = end + 1, reader.line_num
            if not any(cell.strip() for cell in cells):
                continue
            row = _row(dict(zip(header, cells, strict=False)), line, report)
            if row is not None:
                yield row
    except csv.Error as error:
        report.error(Place(reader.line_num), f"this is no CSV: {error}", "Check the quotes of this line.")


def _row(cells: dict[str, str], line: int, report: Report) -> Row | None:
    try:
        url = web_address(cells.get("url", "").strip())
    except BadAddress as error:
        report.error(Place(line), error.what, error.remedy)
        return None
    note = " ".join(cells.get("notes", "").split()) or None
    return Row(line=line, url=url, category=cells.get("category_code", "").strip().upper() or None, note=note)


def select(
    rows: Iterator[Row], categories: frozenset[str], country: str | None, report: Report
) -> tuple[list[Target], dict[str, int]]:
    """Return the targets of the wanted rows, and how many were left out by category.

    No categories named: all but :data:`RISKY`. What a note says of an order stays a note: it is
    for a person to make an order of it.
    """
    targets: dict[str, Target] = {}
    left_out: dict[str, int] = {}
    for row in rows:
        code = row.category or "no category"
        if (categories and code not in categories) or (not categories and code in RISKY):
            left_out[code] = left_out.get(code, 0) + 1
            continue
        target = Target(
            id=slug(row.url.url),
            url=row.url.url,
            category=row.category,
            country=country,
            note="; ".join(part for part in (row.note, row.url.note) if part) or None,
        )
        _add(targets, target, Place(row.line), report)
    return list(targets.values()), left_out


def read_citizenlab(text: str, report: Report) -> TargetsFile:
    """Read a Citizen Lab list as targets, without the risky categories."""
    targets, left_out = select(citizenlab_rows(text, report), frozenset(), None, report)
    if left_out:
        counts = ", ".join(f"{code} {count}" for code, count in sorted(left_out.items()))
        report.warn(
            Place(),
            f"{sum(left_out.values())} rows of risky categories are left out ({counts})",
            "To measure some of them name them: blockwatch targets import citizenlab FILE --category CODE.",
        )
    if not targets and not report.failed:
        report.error(Place(), "there are no targets", "No row of this list can be measured.")
    return TargetsFile(targets=tuple(targets))


def slug(url: str) -> str:
    """Return an id for a URL: host and path in letters, digits and hyphens; ``-http`` marks cleartext."""
    scheme, _, rest = url.partition("://")
    words = re.sub(r"[^a-z0-9]+", "-", rest.lower()).strip("-").removeprefix("www-")[:60].strip("-")
    return (words or "target") + ("-http" if scheme == "http" else "")

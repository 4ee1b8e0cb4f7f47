"""What each key of a targets file may hold, one reader a kind of value.

Rules of this file:

* a reader takes a node, notes every problem at its place, and returns the value or ``BAD``;
* the tables at the end are the schema: key, reader; the nouns are in :mod:`blockwatch.target`.
"""

from __future__ import annotations

import datetime
import functools
import re
from collections.abc import Callable
from typing import Any, Final

from blockwatch.targets.address import BadAddress, endpoint, web_address
from blockwatch.targets.problem import Report, nearest, shown
from blockwatch.targets.tree import Mapping, Node, Sequence, Text

BAD: Final = object()
"""Says: a problem was noted, there is no value."""

Reader = Callable[[Node, Report], Any]

KINDS = ("court", "prosecutor", "regulator", "ministry", "parliament", "oral", "registry", "unknown")
SCOPES = ("url", "host", "domain", "ip")
ROLES = ("target", "control")
# Citizen Lab's codes in use (its 00-LEGEND-new_category_codes.csv).
CATEGORIES = (
    *("ALDR", "REL", "PORN", "PROV", "POLR", "HUMR", "ENV", "MILX", "HATE", "NEWS", "XED"),
    *("PUBH", "GMB", "ANON", "DATE", "GRP", "LGBT", "FILE", "HACK", "COMT", "MMED", "HOST"),
    *("SRCH", "GAME", "CULTR", "ECON", "GOVT", "COMM", "CTRL", "IGO", "MISC"),
)
_IDENT = re.compile(r"\w[\w.-]{0,99}\Z")
_DAY = re.compile(r"(\d{4})(?:-(\d{2}))?(?:-(\d{2}))?\Z", re.ASCII)


def text(node: Node, report: Report) -> Any:
    """Any text that is not empty."""
    if isinstance(node, Text):
        if node.text is not None and node.text.strip():
            return node.text.strip()
        report.error(node, "there is no value", "Write one, or delete the key.")
    else:
        kind = "a list" if isinstance(node, Sequence) else "a group of keys"
        report.error(node, f"{kind} where a text is wanted", "Write one value; put it in quotes if in doubt.")
    return BAD


def ident(node: Node, report: Report) -> Any:
    """A stable name: letters, digits, ``.``, ``_``, ``-``."""
    value = text(node, report)
    if value is BAD or _IDENT.match(value):
        return value
    remedy = "Letters, digits, dots, hyphens and underscores, at most 100; for example: guljan."
    if "://" in value or "/" in value:
        remedy = "An id is a name that stays when the address changes; the address belongs under url."
    report.error(node, f"{shown(value)} cannot be an id", remedy)
    return BAD


def url(node: Node, report: Report) -> Any:
    """A web address in normal form."""
    return _address(node, report, lambda value: web_address(value).url)


def url_note(node: Node) -> str | None:
    """What was written, where the normal form reads differently (an international name)."""
    try:
        return web_address(node.text.strip()).note if isinstance(node, Text) and node.text else None
    except BadAddress:
        return None


def _endpoint(node: Node, report: Report) -> Any:
    return _address(node, report, endpoint)


def _address(node: Node, report: Report, normal: Callable[[str], str]) -> Any:
    value = text(node, report)
    if value is BAD:
        return BAD
    try:
        return normal(value)
    except BadAddress as error:
        report.error(node, error.what, error.remedy)
        return BAD


def day(node: Node, report: Report) -> Any:
    """A day, month or year as ISO 8601 text."""
    value = text(node, report)
    if value is BAD:
        return BAD
    found = _DAY.match(value)
    remedy = "Write 2012-12-05; where day or month are not known 2012-12 or 2012; else delete the key."
    if found is None:
        report.error(node, f"{shown(value)} is no date", remedy)
        return BAD
    try:
        datetime.date(int(found[1]), int(found[2] or 1), int(found[3] or 1))
    except ValueError:
        report.error(node, f"there is no day {value}", remedy)
        return BAD
    return value


def country(node: Node, report: Report) -> Any:
    """Two capital letters (ISO 3166-1)."""
    value = text(node, report)
    if value is BAD or re.fullmatch(r"[A-Z]{2}", value):
        return value
    upper = value.upper()
    hint = f'Write "{upper}".' if re.fullmatch(r"[A-Z]{2}", upper) else "For example KZ, KG, TJ, TM, UZ."
    report.error(node, f"{shown(value)} is no two-letter country code", hint)
    return BAD


def category(node: Node, report: Report) -> Any:
    """A Citizen Lab category code; an unknown one is only a warning."""
    value = text(node, report)
    if value is not BAD and value not in CATEGORIES:
        report.warn(
            node, f"{shown(value)} is no category code of Citizen Lab", lambda: nearest(value, CATEGORIES)
        )
    return value


def one_of(*words: str) -> Reader:
    """One word out of a closed list."""

    def read(node: Node, report: Report) -> Any:
        value = text(node, report)
        if value is BAD or value in words:
            return value
        report.error(node, f"{shown(value)} is not known here", functools.partial(nearest, value, words))
        return BAD

    return read


def yes_no(node: Node, report: Report) -> Any:
    """``yes`` or ``no``."""
    value = text(node, report)
    if value is BAD:
        return BAD
    word = {"yes": "yes", "true": "yes", "no": "no", "false": "no"}.get(value.lower())
    if word is None:
        report.error(node, f"{shown(value)} is neither yes nor no", "Write yes or no, or delete the key.")
        return BAD
    return word


def listing(read: Reader, what: str) -> Reader:
    """A list of values; good ones are kept beside bad ones."""

    def read_all(node: Node, report: Report) -> Any:
        if not isinstance(node, Sequence):
            report.error(node, f"a list of {what} is wanted", f"Put it in brackets: [ {what} ].")
            return BAD
        values = [read(item, report) for item in node.items]
        return tuple(value for value in values if value is not BAD)

    return read_all


def networks(node: Node, report: Report) -> Any:
    """``all`` (gives ``None``) or a list of AS numbers."""
    if isinstance(node, Text) and (node.text or "").strip().lower() == "all":
        return None
    if not isinstance(node, Sequence):
        report.error(node, "networks are all, or a list of AS numbers", "For example: all, or [9198, 21299].")
        return BAD
    return tuple(value for value in (_as_number(item, report) for item in node.items) if value is not BAD)


def _as_number(node: Node, report: Report) -> Any:
    value = text(node, report)
    if value is BAD:
        return BAD
    digits = value.upper().removeprefix("AS")
    if digits.isascii() and digits.isdigit() and len(digits) <= 10 and 0 < int(digits) < 2**32:
        return int(digits)
    report.error(node, f"{shown(value)} is no AS number", "For example 9198 or AS9198.")
    return BAD


def record(table: dict[str, Reader], needed: tuple[str, ...], what: str) -> Reader:
    """A group of keys; unknown and missing keys are problems."""

    def read(node: Node, report: Report) -> Any:
        if not isinstance(node, Mapping):
            report.error(
                node, f"{what} is a group of keys", f'Write "{needed[0]}: …" and so on below each other.'
            )
            return BAD
        values: dict[str, Any] = {}
        for name, value in node.items.items():
            if name not in table:
                said = f"{shown(name)} is no key of {what}"
                report.error(node.keys[name], said, functools.partial(nearest, name, table))
            else:
                values[name] = table[name](value, report)
        for name in needed:
            if name not in node.items:
                report.error(node, f"{what} has no {name}", f'Add "{name}: …".')
                values[name] = BAD
        return BAD if any(value is BAD for value in values.values()) else values

    return read


_MIRROR: dict[str, Reader] = {"url": url, "from": day, "to": day}
TARGET: dict[str, Reader] = {
    "id": ident,
    "url": url,
    "endpoints": listing(_endpoint, "endpoints"),
    "category": category,
    "country": country,
    "role": one_of(*ROLES),
    "mirrors": listing(record(_MIRROR, ("url",), "a mirror"), "mirrors"),
    "identity_to": day,
    "expires": day,
    "note": text,
}
ORDER: dict[str, Reader] = {
    "id": ident,
    "targets": listing(ident, "target ids"),
    "kind": one_of(*KINDS),
    "issuer": text,
    "number": text,
    "issued": day,
    "effective_from": day,
    "effective_to": day,
    "published": yes_no,
    "names": listing(text, "what the order names"),
    "scope": one_of(*SCOPES),
    "networks": networks,
    "source": text,
    "checked_on": day,
    "note": text,
}
SEARCH: dict[str, Reader] = {
    "targets": listing(ident, "target ids"),
    "source": text,
    "on": day,
    "found": text,
}

"""A tree to a :class:`~blockwatch.target.TargetsFile`, and the checks that need more than one value.

Rules of this file:

* all problems of all items are noted before anything is refused;
* an order or a search speaks of targets of its own file;
* dates are compared only as far as both are known (``2012`` and ``2012-12-05`` do not contradict).
"""

from __future__ import annotations

import functools
from itertools import islice
from typing import Any, TypeVar

import msgspec

from blockwatch.target import Mirror, Order, Search, Target, TargetsFile
from blockwatch.targets import fields
from blockwatch.targets.fields import BAD, Reader
from blockwatch.targets.problem import Place, Report, nearest, shown
from blockwatch.targets.tree import Mapping, Node, Sequence, Text

_T = TypeVar("_T")
_PARTS = ("targets", "orders", "searches")
_READ_TARGET = fields.record(fields.TARGET, ("id",), "a target")
_READ_ORDER = fields.record(fields.ORDER, ("id", "targets", "kind", "source", "checked_on"), "an order")
_READ_SEARCH = fields.record(fields.SEARCH, ("targets", "source", "on", "found"), "a search")


def read(root: Node | None, report: Report) -> TargetsFile:
    """Return what the tree says; of use only if ``report`` has not failed."""
    parts = _parts(root, report)
    targets = [
        _target(item, values)
        for item, values in _items(parts["targets"], _READ_TARGET, report)
        if _addressed(item, report) and values is not BAD
    ]
    orders = _made(parts["orders"], _READ_ORDER, Order, report)
    searches = _made(parts["searches"], _READ_SEARCH, Search, report)
    known = _ids(parts["targets"], "target", report)
    _ids(parts["orders"], "order", report)
    for item in (*parts["orders"], *parts["searches"]):
        _references(item, known, report)
        _in_order(item, "effective_from", "effective_to", report)
        _in_order(item, "issued", "effective_to", report)
    for item in parts["targets"]:
        for mirror in _child_items(item, "mirrors"):
            _in_order(mirror, "from", "to", report)
    if not report.failed:
        _same_address_twice(parts["targets"], report)
    return TargetsFile(targets=tuple(targets), orders=tuple(orders), searches=tuple(searches))


def _parts(root: Node | None, report: Report) -> dict[str, list[Node]]:
    """Return the three lists of the file; whatever is missing or wrong is empty."""
    parts: dict[str, list[Node]] = {name: [] for name in _PARTS}
    if root is None or (isinstance(root, Text) and root.text is None):
        report.error(Place(), "the file is empty", 'It begins with "targets:" and a list below.')
        return parts
    if not isinstance(root, Mapping):
        remedy = (
            'Put "targets:" before the list.'
            if isinstance(root, Sequence)
            else ('It begins with "targets:"; a plain list of URLs has a name ending in .txt.')
        )
        report.error(root, "this is no targets file", remedy)
        return parts
    for name, node in root.items.items():
        if name not in parts:
            report.error(
                root.keys[name],
                f"{shown(name)} is no part of a targets file",
                functools.partial(nearest, name, _PARTS),
            )
        elif isinstance(node, Sequence):
            parts[name] = node.items
        elif not (isinstance(node, Text) and node.text is None):
            report.error(node, f"{name} is a list", 'Begin each item with "- " on a line of its own.')
    if "targets" not in root.items or (not parts["targets"] and not report.failed):
        report.error(root, "there are no targets", 'Add "targets:" with at least one item.')
    return parts


def _items(nodes: list[Node], reader: Reader, report: Report) -> list[tuple[Node, Any]]:
    return [(node, reader(node, report)) for node in nodes]


def _made(nodes: list[Node], reader: Reader, kind: type[_T], report: Report) -> list[_T]:
    return [msgspec.convert(values, kind) for _, values in _items(nodes, reader, report) if values is not BAD]


def _target(item: Node, values: dict[str, Any]) -> Target:
    """Build a target; what an international name looked like is added to the note."""
    mirrors = tuple(
        Mirror(url=mirror["url"], from_=mirror.get("from"), to=mirror.get("to"))
        for mirror in values.pop("mirrors", ())
        if mirror is not BAD
    )
    written = [fields.url_note(node) for node in _url_nodes(item)]
    note = "; ".join(part for part in (values.pop("note", None), *written) if part) or None
    return msgspec.convert({**values, "mirrors": mirrors, "note": note}, Target, from_attributes=True)


def _addressed(item: Node, report: Report) -> bool:
    """Whether the target says what to measure."""
    if isinstance(item, Mapping) and not ({"url", "endpoints"} & item.items.keys()):
        report.error(
            item,
            "a target has neither url nor endpoints",
            'Add "url: https://…", or endpoints: [ "tcp://host:port" ] where there is no page.',
        )
        return False
    return True


def _child(item: Node, key: str) -> Text | None:
    node = item.items.get(key) if isinstance(item, Mapping) else None
    return node if isinstance(node, Text) else None


def _child_items(item: Node, key: str) -> list[Node]:
    node = item.items.get(key) if isinstance(item, Mapping) else None
    return node.items if isinstance(node, Sequence) else []


def _url_nodes(item: Node) -> list[Text]:
    nodes = [_child(item, "url"), *(_child(mirror, "url") for mirror in _child_items(item, "mirrors"))]
    return [node for node in nodes if node is not None]


def _ids(items: list[Node], what: str, report: Report) -> dict[str, int]:
    """Return id → line; an id that stands twice is a problem."""
    lines: dict[str, int] = {}
    for item in items:
        node = _child(item, "id")
        if node is None or not node.text:
            continue
        name = node.text.strip()
        if name in lines:
            report.error(
                node,
                f"the {what} id {shown(name)} stands twice",
                f"It stands in line {lines[name]} already; give each {what} an id of its own.",
            )
        lines.setdefault(name, node.line)
    return lines


def _references(item: Node, known: dict[str, int], report: Report) -> None:
    for node in _child_items(item, "targets"):
        if isinstance(node, Text) and node.text and node.text.strip() not in known:
            name = node.text.strip()
            some = functools.partial(nearest, name, list(islice(known, 20)))
            said = f"there is no target {shown(name)} in this file"
            report.error(node, said, some if known else "Add the target first.")


def _in_order(item: Node, first: str, last: str, report: Report) -> None:
    a, b = _child(item, first), _child(item, last)
    if a is None or b is None or not a.text or not b.text:
        return
    known = min(len(a.text), len(b.text))
    if a.text[:4].isdigit() and b.text[:4].isdigit() and a.text[:known] > b.text[:known]:
        report.error(b, f"{last} {shown(b.text)} lies before {first} {shown(a.text)}", "Check both dates.")


def _same_address_twice(items: list[Node], report: Report) -> None:
    first: dict[str, int] = {}
    silent = Report(report.file)  # its problems were noted already
    for item in items:
        for node in _url_nodes(item):
            url = fields.url(node, silent)
            if url is BAD:
                continue
            if url in first:
                report.warn(
                    node,
                    f"{shown(url)} stands in line {first[url]} already",
                    "It will be measured once for each; delete one if that is not meant.",
                )
            first.setdefault(url, node.line)

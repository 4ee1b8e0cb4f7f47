"""YAML text to a tree in which every node knows its place.

Rules of this file:

* built from parser events, without recursion: no depth and no alias can make it grow;
* every scalar stays the text that was written: ``NO`` is Norway, ``2012-12-05`` is a day in text;
* aliases, anchors and tags are refused (no bombs, no objects), duplicate keys too;
* only one document.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice

import yaml  # type: ignore[import-untyped]

from blockwatch.targets.problem import Place, Report, shown

DEEPEST = 12
MOST_VALUES = 500_000  # of keys, values, lists; a target has five and more
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # libyaml where the wheel has it
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_TAB_INDENT = re.compile(r"^[ ]*(?:- *)?(\t)", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Text:
    """A scalar. ``text`` is ``None`` where the file says null or nothing."""

    line: int
    column: int
    text: str | None


@dataclass(slots=True)
class Sequence:
    """A list."""

    line: int
    column: int
    items: list[Node] = field(default_factory=list)


@dataclass(slots=True)
class Mapping:
    """Keys in the order of the file; each key stands once."""

    line: int
    column: int
    items: dict[str, Node] = field(default_factory=dict)
    keys: dict[str, Text] = field(default_factory=dict)


Node = Text | Sequence | Mapping


class _Builder:
    """Puts events together; ``stack`` holds what is still open."""

    def __init__(self, report: Report) -> None:
        self.report = report
        self.root: Node | None = None
        self.stack: list[Sequence | Mapping] = []
        self.pending: list[Text | None] = []  # the key that waits for its value, one per open node
        self.documents = 0
        self.values = 0

    def take(self, event: yaml.Event) -> bool:
        """Take one event; false: no use in going on."""
        mark = event.start_mark
        line, column = mark.line + 1, mark.column + 1
        if isinstance(event, yaml.DocumentStartEvent):
            self.documents += 1
            if self.documents > 1:
                self.report.error(
                    Place(line, column), "a second YAML document", 'Delete the line "---" before it.'
                )
                return False
        elif isinstance(event, yaml.AliasEvent):
            self._refuse(line, column, f"the alias *{event.anchor[:40]}", "Write the value out.")
            self._place(Text(line, column, None))
        elif isinstance(event, yaml.NodeEvent):
            return self._open(event, line, column)
        elif isinstance(event, (yaml.SequenceEndEvent, yaml.MappingEndEvent)):
            self.stack.pop()
            self.pending.pop()
        return True

    def _open(self, event: yaml.NodeEvent, line: int, column: int) -> bool:
        self.values += 1
        if self.values > MOST_VALUES:
            remedy = "Split the list: name several files, each with --targets."
            self.report.error(Place(line, column), f"more than {MOST_VALUES} keys and values", remedy)
            return False
        if event.anchor is not None:
            self._refuse(line, column, f"the anchor &{event.anchor[:40]}", "Delete it, and write values out.")
        tag = getattr(event, "tag", None)
        if tag not in (None, "!", "tag:yaml.org,2002:str"):
            self._refuse(line, column, f"the tag {shown(str(tag), 40)}", "Delete it: all values are text.")
        if isinstance(event, yaml.ScalarEvent):
            plain = event.style is None
            text = None if plain and event.value in _NULLS else event.value
            self._place(Text(line, column, text))
            return True
        made = Sequence(line, column) if isinstance(event, yaml.SequenceStartEvent) else Mapping(line, column)
        if len(self.stack) >= DEEPEST:
            self.report.error(made, f"lists and keys nested deeper than {DEEPEST} levels")
            return False
        self._place(made)
        self.stack.append(made)
        self.pending.append(None)
        return True

    def _refuse(self, line: int, column: int, what: str, remedy: str) -> None:
        self.report.error(Place(line, column), f"{what} is not taken here", remedy)

    def _place(self, node: Node) -> None:
        if not self.stack:
            self.root = node
            return
        parent, key = self.stack[-1], self.pending[-1]
        if isinstance(parent, Sequence):
            parent.items.append(node)
        elif key is None:
            self.pending[-1] = self._key(node)
        else:
            self.pending[-1] = None
            self._put(parent, key, node)

    def _key(self, node: Node) -> Text:
        if isinstance(node, Text):
            return Text(node.line, node.column, node.text or "")
        self.report.error(node, "a key that is no text", 'A line has the form "key: value".')
        return Text(node.line, node.column, "")

    def _put(self, parent: Mapping, key: Text, node: Node) -> None:
        name = key.text or ""
        if name in parent.items:
            first = parent.keys[name].line
            self.report.error(
                key,
                f"the key {shown(name)} stands twice",
                f"It stands in line {first} already; keep one of the two.",
            )
            return
        parent.items[name] = node
        parent.keys[name] = key


def parse(text: str, report: Report) -> Node | None:
    """Return the tree of ``text``; ``None`` where it is no YAML, with the reasons in ``report``."""
    builder = _Builder(report)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            if not builder.take(event):
                return None
    except yaml.MarkedYAMLError as error:
        _syntax_error(text, error, report)
        return None
    except yaml.YAMLError as error:
        report.error(Place(), f"this is no YAML: {' '.join(str(error).split())[:200]}")
        return None
    return builder.root


def _syntax_error(text: str, error: yaml.MarkedYAMLError, report: Report) -> None:
    tabs = list(islice(_TAB_INDENT.finditer(text), 50))
    for found in tabs:
        line = text.count("\n", 0, found.start(1)) + 1
        column = found.start(1) - text.rfind("\n", 0, found.start(1))
        report.error(Place(line, column), "a tab at the beginning of a line", "Indent with spaces only.")
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place()
    if any(text.count("\n", 0, found.start(1)) + 1 == place.line for found in tabs):
        return  # said already, in better words
    words = " ".join(part for part in (error.context, error.problem) if part)
    report.error(place, f"this is no YAML: {words or 'syntax error'}", _hint(words, text, place.line))


def _hint(words: str, text: str, number: int) -> str:
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    if "mapping values are not allowed" in words:
        return 'Put a value that holds ": " in quotes, and begin keys of one item in the same column.'
    if "did not find expected" in words and "block" in words:
        return "Begin all keys of one item in the same column, and each item of a list too."
    if "cannot start any token" in words and ("@" in line or "`" in line or "%" in line):
        return "Put the value in quotes."
    if "end of" in words or "quoted scalar" in words:
        return "A quote or bracket was opened and not closed."
    return "Check the indentation and quotes of this line and of the one above."

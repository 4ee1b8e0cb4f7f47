"""Thirty and more broken targets files: each names the place, the fault and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.errors import ConfigError
from blockwatch.targets import check, load
from blockwatch.targets.source import MOST_BYTES

GOOD = "targets:\n  - id: a\n    url: https://example.org/\n"
ORDER = GOOD + (
    "orders:\n  - id: o\n    targets: [a]\n    kind: court\n    source: a page\n    checked_on: 2026-11-22\n"
)


def url(text: str) -> str:
    return f"targets:\n  - id: a\n    url: {text}\n"


# Name of the file's fault: (content, [(line, column, part of what, part of the remedy), …]).
BROKEN: dict[str, tuple[str | bytes, list[tuple[int, int, str, str]]]] = {
    "empty": ("", [(1, 1, "the file is empty", "targets:")]),
    "only comments": ("# nothing\n", [(1, 1, "the file is empty", "")]),
    "no targets": ("orders: []\n", [(1, 1, "there are no targets", "")]),
    "empty list": ("targets: []\n", [(1, 1, "there are no targets", "")]),
    "a bare list": ("- id: a\n", [(1, 1, "no targets file", 'Put "targets:" before the list')]),
    "a sentence": ("please measure everything\n", [(1, 1, "no targets file", ".txt")]),
    "duplicate key": (
        GOOD + "    url: https://example.net/\n",
        [(4, 5, 'the key "url" stands twice', "line 3")],
    ),
    "duplicate section": (GOOD + GOOD, [(4, 1, 'the key "targets" stands twice', "line 1")]),
    "duplicate id": (
        GOOD + "  - id: a\n    url: https://example.net/\n",
        [(4, 9, 'target id "a" stands twice', "line 2")],
    ),
    "tab": (
        "targets:\n\t- id: a\n\t  url: https://example.org/\n",
        [(2, 1, "a tab", "spaces"), (3, 1, "a tab", "")],
    ),
    "open quote": ('targets:\n  - id: "a\n', [(3, 1, "no YAML", "quote")]),
    "bad indentation": (
        "targets:\n  - id: a\n   url: https://example.org/\n",
        [(3, 4, "no YAML", "same column")],
    ),
    "list for text": (url("[https://example.org/]"), [(3, 10, "a list where a text is wanted", "")]),
    "map for text": (
        "targets:\n  - id: {x: y}\n    url: https://example.org/\n",
        [(2, 9, "a group of keys where a text is wanted", "")],
    ),
    "text for list": (
        "targets:\n  - id: a\n    endpoints: tcp://example.org:443\n",
        [(3, 16, "a list of endpoints is wanted", "brackets")],
    ),
    "target is text": ("targets:\n  - example.org\n", [(2, 5, "a target is a group of keys", "id")]),
    "no id": ("targets:\n  - url: https://example.org/\n", [(2, 5, "a target has no id", "")]),
    "neither url nor endpoints": (
        "targets:\n  - id: a\n",
        [(2, 5, "neither url nor endpoints", "endpoints")],
    ),
    "null url": (url(""), [(3, 9, "there is no value", "")]),
    "url as id": (
        "targets:\n  - id: https://example.org/\n    url: https://example.org/\n",
        [(2, 9, "cannot be an id", "belongs under url")],
    ),
    "unknown key": (
        GOOD + "    categori: NEWS\n",
        [(4, 5, '"categori" is no key of a target', 'Did you mean "category"?')],
    ),
    "unknown section": (GOOD + "order: []\n", [(4, 1, '"order" is no part', 'Did you mean "orders"?')]),
    "bare domain": (
        url("guljan.org"),
        [(3, 10, '"guljan.org" has no scheme', "https://guljan.org/ or http://guljan.org/")],
    ),
    "url with newline": (url('"https://example.org/\\nHost: x"'), [(3, 10, "a line break", "one line")]),
    "url with control character": (url('"https://example.org/\\x07"'), [(3, 10, "a control character", "")]),
    "url with space": (url("https://example.org/a b"), [(3, 10, "holds a space", "%20")]),
    "url with user": (url("https://me:secret@example.org/"), [(3, 10, "a user name or password", "@")]),
    "port 0": (url("https://example.org:0/"), [(3, 10, '"0" is no port', "1 to 65535")]),
    "port 99999": (url("https://example.org:99999/"), [(3, 10, "is no port", "")]),
    "two schemes": (url("http://http://example.org/"), [(3, 10, "the scheme stands twice", "once")]),
    "one slash": (url("http:/example.org/"), [(3, 10, "lacks the //", "")]),
    "ftp": (url("ftp://example.org/"), [(3, 10, 'the scheme "ftp"', "https://")]),
    "no host": (url("https:///path"), [(3, 10, "names no host", "")]),
    "bad IPv4": (url("http://1.2.3.999/"), [(3, 10, "no IPv4 address", "")]),
    "bad IPv6": (url("'http://[::zz]/'"), [(3, 10, "no IPv6 address", "")]),
    "bad A-label": (url("http://xn--a/"), [(3, 10, "no valid international host name", "")]),
    "bad host": (url("http://exa$mple.org/"), [(3, 10, "is no host name", "")]),
    "endpoint under url": (url("tcp://example.org:443"), [(3, 10, "no web address", "endpoints")]),
    "endpoint without port": (
        'targets:\n  - id: a\n    endpoints: ["tls://example.org"]\n',
        [(3, 17, "has no port", ":443")],
    ),
    "unknown role": (GOOD + "    role: controll\n", [(4, 11, "is not known", 'Did you mean "control"?')]),
    "country in words": (GOOD + "    country: Kazakhstan\n", [(4, 14, "no two-letter country code", "KZ")]),
    "small country": (GOOD + "    country: kz\n", [(4, 14, "no two-letter country code", 'Write "KZ"')]),
    "no such day": (GOOD + "    expires: 2026-02-30\n", [(4, 14, "there is no day 2026-02-30", "")]),
    "day in words": (GOOD + "    expires: next year\n", [(4, 14, '"next year" is no date', "2012-12-05")]),
    "order for nobody": (
        ORDER.replace("[a]", "[b, a]"),
        [(6, 15, 'there is no target "b"', "Known: a")],
    ),
    "unknown kind": (
        ORDER.replace("court", "cort"),
        [(7, 11, '"cort" is not known', 'Did you mean "court"?')],
    ),
    "unknown scope": (ORDER + "    scope: hst\n", [(10, 12, '"hst" is not known', "host")]),
    "order without source": (
        ORDER.replace("    source: a page\n", ""),
        [(5, 5, "an order has no source", "")],
    ),
    "dates in the wrong order": (
        ORDER + "    effective_from: 2013-01-01\n    effective_to: 2012-12\n",
        [(11, 19, "lies before", "Check both dates")],
    ),
    "published perhaps": (ORDER + "    published: perhaps\n", [(10, 16, "neither yes nor no", "")]),
    "network in words": (ORDER + "    networks: [Kazakhtelecom]\n", [(10, 16, "is no AS number", "AS9198")]),
    "alias bomb": (
        "a: &a [x, x]\nb: &b [*a, *a]\nc: &c [*b, *b]\ntargets: *c\n",
        [(1, 4, "the anchor &a", ""), (2, 8, "the alias *a", "")],
    ),
    "python object": (url("!!python/object/apply:os.system ['x']"), [(3, 10, "the tag", "")]),
    "deep nesting": ("targets: " + "[" * 50 + "]" * 50, [(1, 21, "nested deeper", "")]),
    "two documents": (GOOD + "---\n" + GOOD, [(4, 1, "a second YAML document", "---")]),
    "NUL": (GOOD + "\0", [(4, 1, "control character U+0000", "Delete")]),
    "windows-1251": (
        (GOOD + "    note: ").encode() + "Новости".encode("cp1251") + b"\n",
        [(4, 11, "is not UTF-8", "windows-1251")],
    ),
    "UTF-16": (GOOD.encode("utf-16"), [(1, 1, "the file is UTF-16", "UTF-8")]),
    "10 MB of junk": (b"junk\n" * 2_000_000, [(1, 1, f"larger than {MOST_BYTES // 1_000_000} MB", "")]),
    "binary": (bytes(range(256)) * 10, [(2, 118, "is not UTF-8", "")]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_says_where_what_and_what_to_do(name: str, tmp_path: Path) -> None:
    content, expected = BROKEN[name]
    file = tmp_path / "targets.yaml"
    file.write_bytes(content.encode() if isinstance(content, str) else content)
    found = [problem for problem in check(file) if not problem.warning]
    for line, column, what, remedy in expected:
        assert any(
            (p.line, p.column) == (line, column) and what in p.what and remedy in p.remedy for p in found
        ), "\n".join(map(str, found))
    with pytest.raises(ConfigError) as error:
        load(file)
    for problem in found:
        assert str(problem) in str(error.value)
    assert error.value.exit_code == 6


def test_there_are_at_least_thirty() -> None:
    assert len(BROKEN) >= 30


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text(
        "targets:\n"
        "  - {id: a, url: guljan.org, categori: NEWS, country: kz}\n"
        "  - {id: a, url: 'http://http://x.org/', expires: soon}\n"
        "orders:\n"
        "  - {id: o, targets: [b], kind: cort, source: x, checked_on: 2026-11-22}\n",
        encoding="utf-8",
    )
    lines = [problem.line for problem in check(file)]
    assert lines == [2, 2, 2, 3, 3, 3, 5, 5]


def test_many_problems_are_counted_not_printed(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text("targets:\n" + "  - nothing\n" * 5_000, encoding="utf-8")
    found = check(file)
    assert len(found) == 201
    assert found[-1].what == "and 4800 more problems"


def test_what_a_file_says_cannot_write_to_the_terminal(tmp_path: Path) -> None:
    file = tmp_path / "targets.yaml"
    file.write_text('targets:\n  - id: "\\e[2Jevil"\n    url: https://example.org/\n', encoding="utf-8")
    assert all(str(problem).replace("\n", "").isprintable() for problem in check(file))


@pytest.mark.parametrize("what", ["missing", "folder"])
def test_no_file_is_a_problem_too(what: str, tmp_path: Path) -> None:
    path = tmp_path if what == "folder" else tmp_path / "none.yaml"
    assert [(p.line, p.column) for p in check(path)] == [(1, 1)]


def test_an_endless_device_is_read_only_so_far() -> None:
    assert "larger than" in check("/dev/zero")[0].what


def test_an_unknown_pack_names_the_known_ones() -> None:
    with pytest.raises(ConfigError, match="circumvention"):
        load("pack:circumvetion")

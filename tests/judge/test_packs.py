"""Fingerprint packs are read with care, and OONI's tables whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.errors import ConfigError
from blockwatch.judge import Fingerprint, Pack, read_pack, together
from blockwatch.judge.gaps import GapPattern
from blockwatch.verdict import State
from tests.judge.packed import BLOCKED, BODY, PAGE_ROW, URL, WORDS, judged, table
from tests.judge.world import GOOD, SITE, World
from tests.judge.worlds.say import by_host, everywhere

SHARED = Path(__file__).parents[3] / "shared" / "data" / "fingerprints"
TABLES = [SHARED / "fingerprints_dns.csv", SHARED / "fingerprints_http.csv"]
needs_tables = pytest.mark.skipif(
    not all(table.is_file() for table in TABLES), reason="OONI's tables are not at hand (no licence to ship)"
)


@pytest.mark.parametrize(
    ("data", "place", "words"),
    [
        (b"", "bad.csv:1", "empty"),
        (b"name,pattern\n", "bad.csv:1", "no column scope"),
        (table(PAGE_ROW) + b"a,b\n", "bad.csv:3", "2 columns"),
        (table(PAGE_ROW) + b"\xff\n", "bad.csv:3", "UTF-8"),
        (table(PAGE_ROW) + b'"open', "bad.csv:3", "not a table"),
        (table(("a", "nat", "cookie", "full", WORDS)), "bad.csv:2", "location_found"),
        (table(("a", "nat", "body", "glob", WORDS)), "bad.csv:2", "pattern_type"),
        (table(("a", "nat", "body", "full", "")), "bad.csv:2", "a pattern has"),
        (table(("a", "nat", "body", "full", "x" * 9_000)), "bad.csv:2", "a pattern has"),
        (table(("", "nat", "body", "full", WORDS)), "bad.csv:2", "a name has"),
        (table(("a", "nat", "body", "full", WORDS, "11")), "bad.csv:2", "confidence_no_fp"),
        (table(("a", "nat", "dns", "prefix", "10.")), "bad.csv:2", "full"),
        (table(PAGE_ROW, ("a", "nat", "body", "regexp", "(a+)+$")), "bad.csv:3", "regular expression"),
    ],
)
def test_a_broken_table_is_refused_with_its_line(data: bytes, place: str, words: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read_pack(data, "bad.csv")
    assert refused.value.where == place
    assert words in refused.value.what
    assert refused.value.remedy


def test_a_table_beyond_all_measure_is_refused() -> None:
    with pytest.raises(ConfigError, match="8 MB"):
        read_pack(b"x" * 8_000_001, "big.csv")


@pytest.mark.parametrize("pattern", ["(a+)+", "a|b", "a{3}", "a*", "^a", "a$", r"\1", "a.*+", "[a", "", ".*"])
def test_regular_expressions_that_could_run_away_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        GapPattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        (r"URL .* Sp.*er Gate", "URL x\n Spider Gate", "Spider Gate URL"),
        (r"don.t", "don't", "dont"),
        (r'{"msg":.*"id":', '{"msg":1,"id":', '{"msg": 1}'),
        (r"a.+b", "axb", "ab"),
        (r"[0-9]\.\d", "x1.2", "1x2"),
    ],
)
def test_regular_expressions_with_gaps(pattern: str, yes: str, no: str) -> None:
    assert GapPattern(pattern).found(yes)
    assert not GapPattern(pattern).found(no)
    assert GapPattern(pattern).literal in yes


# Matching.


@needs_tables
def test_oonis_tables_are_read_whole() -> None:
    packs = [read_pack(table.read_bytes(), table.name) for table in TABLES]
    assert [len(one.prints) for one in packs] == [226, 1_729]
    everything = together(packs)
    for one in everything.prints:
        assert one.shown.isprintable()
        if one.where == "header.location" and one.scope != "fp":
            assert everything.redirect(one.pattern) is not None or _vetoed(everything, one)
    assert everything.address("1.2.3.4") is not None
    assert everything.address("0.0.0.0") is None


@needs_tables
def test_every_row_of_oonis_tables_can_match() -> None:
    rows = [one for table in TABLES for one in read_pack(table.read_bytes(), table.name).prints]
    for one in rows:
        if one.where == "body" and one.kind != "regexp":
            page = one.pattern if one.kind != "contains" else f"<html>\n{one.pattern}\n</html>"
            assert Pack([one]).page((), page) is (None if one.scope == "fp" else one)
        elif one.where.startswith("header.") and one.where != "header.location" and one.scope != "fp":
            name = one.where.removeprefix("header.")
            assert Pack([one]).page(((name, one.pattern),), "") is one


@needs_tables
def test_oonis_tables_accuse_no_ordinary_site() -> None:
    everything = together([read_pack(table.read_bytes(), table.name) for table in TABLES])
    for world in (World(), World(url=URL), World(url=URL, lookup=everywhere((SITE, GOOD[0])))):
        assert judged(world, everything, "<html><title>x</title></html>").state is State.OK
    blocked = judged(World(url=URL, answer=by_host(BLOCKED)), everything, BODY)
    assert blocked.state is State.BLOCKED


def _vetoed(everything: Pack, one: Fingerprint) -> bool:
    return any(
        veto.matches(one.pattern)
        for veto in everything.prints
        if veto.scope == "fp" and veto.where == one.where
    )

"""Fingerprint packs: reading, matching, and what a match may and may not settle."""

from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path
from typing import Any

import pytest

from blockwatch import failure as f
from blockwatch.errors import ConfigError
from blockwatch.judge import LATEST, OURS, Fingerprint, Pack, judge_run, read_pack, together
from blockwatch.judge.gaps import GapPattern
from blockwatch.model import HttpStep, Measurement
from blockwatch.run import Vantage
from blockwatch.verdict import Grade, State, Verdict
from tests.judge import forged
from tests.judge.stage import calm_measurement, changed, frame, measured
from tests.judge.world import GOOD, HOST, OTHER, SITE, SITE2, UDP, Hello, Page, World
from tests.judge.worlds.say import by_host, everywhere

URL = f"http://{HOST}/"
COLUMNS = (
    "name,scope,other_names,location_found,pattern_type,pattern,confidence_no_fp,expected_countries,source,"
    "exp_url,notes"
)
WORDS = "This page was withheld by order no. 77 of the registry"
BLOCKED = Page(status=403, title="Sorry", length=200)
BODY = f"<html><title>Sorry</title><p>{WORDS}</p></html>"
SHARED = Path(__file__).parents[3] / "shared" / "data" / "fingerprints"
TABLES = [SHARED / "fingerprints_dns.csv", SHARED / "fingerprints_http.csv"]
needs_tables = pytest.mark.skipif(
    not all(table.is_file() for table in TABLES), reason="OONI's tables are not at hand (no licence to ship)"
)


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


def told(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.state, verdict.grade, verdict.mechanism


# What a match settles.

PAGE_ROW = ("xx_page", "isp", "body", "contains", WORDS)
ON_SITE: dict[str, Any] = {  # the page comes from the site's address only: no round proves a middlebox
    "url": URL,
    "answer": lambda a, h, t, n: BLOCKED if a == SITE and h == HOST and not t else None,
}
EVERYWHERE: dict[str, Any] = {"url": URL, "answer": by_host(BLOCKED)}
NEWS = Page(title="The news", length=40_000, headers=(("Content-Type", "text/html"),))
QUOTING = f"<html><title>The news</title>{'<p>Words.</p>' * 2_000}<p>{WORDS}</p>{'<p>More.</p>' * 1_000}"


@pytest.mark.parametrize("control", [{}, None], ids=["the control differs", "no control contradicts"])
def test_a_page_on_record_is_confirmed_with_its_name(control: dict[str, Any] | None) -> None:
    verdict = judged(World(**EVERYWHERE, control=control), pack(PAGE_ROW), BODY)
    assert told(verdict) == (State.BLOCKED, Grade.CONFIRMED, "http.blockpage")
    assert "xx_page" in verdict.why[0].text
    assert "xx_page" not in judged(World(**EVERYWHERE, control=control), OURS, BODY).why[0].text


def test_a_page_on_record_that_only_the_site_gives_is_a_sign() -> None:
    verdict = judged(World(**ON_SITE), pack(PAGE_ROW), BODY)
    assert told(verdict) == (State.BLOCKED, Grade.SIGNS, "http.blockpage")
    assert "xx_page" in verdict.why[0].text


def test_a_page_on_record_is_strong_where_only_the_control_contradicts() -> None:
    verdict = judged(World(**ON_SITE, good=False), pack(PAGE_ROW), BODY)
    assert told(verdict) == (State.BLOCKED, Grade.STRONG, "http.blockpage")


@pytest.mark.parametrize("good", [True, False], ids=["rounds", "no rounds"])
def test_a_page_on_record_that_came_once_and_nobody_contradicts_accuses_nobody(good: bool) -> None:
    verdict = judged(World(**ON_SITE, control=None, good=good), pack(PAGE_ROW), BODY)
    assert verdict.state is State.INCONCLUSIVE
    assert "xx_page" in verdict.why[0].text


def test_a_page_on_record_is_none_the_less_for_a_title_with_words_of_the_controls() -> None:
    named = Page(title="The site's own page: sorry", length=600)
    world = World(
        url=URL, answer=lambda a, h, t, n: named if a == SITE and h == HOST and not t else None, good=False
    )
    verdict = judged(world, pack(PAGE_ROW), BODY)
    assert verdict.state is State.INCONCLUSIVE  # the body was not at hand to see that it is worth a repeat
    assert "xx_page" in verdict.why[0].text
    assert judged(world, OURS).state is State.OK


@pytest.mark.parametrize("good", [True, False], ids=["rounds", "no rounds"])
@pytest.mark.parametrize(
    "control",
    [None, {"status": 403, "title": "Forbidden", "body_length": 150}, {"title": "Headlines of today"}],
    ids=["no helper", "the helper is refused", "the helper sees another title"],
)
def test_a_large_page_that_quotes_what_is_on_record_accuses_nobody(
    control: dict[str, Any] | None, good: bool
) -> None:
    world = World(
        url=URL,
        control=control,
        good=good,
        answer=lambda a, h, t, n: NEWS if a == SITE and h == HOST and not t else None,
        dial=lambda a, port, n: "connection_refused" if port == 443 and a == SITE else None,
    )
    verdict = judged(world, pack(PAGE_ROW), QUOTING)
    assert verdict.state is not State.BLOCKED, verdict.why
    early = judged(world, pack(PAGE_ROW), f"{BODY}{QUOTING}")  # at the beginning it counts, a little
    assert "xx_page" in early.why[0].text
    assert early.state is State.INCONCLUSIVE or (early.grade is Grade.SIGNS and not good)


def test_the_ruleset_names_the_packs() -> None:
    data = table(PAGE_ROW)
    label = f"ooni:{hashlib.sha256(data).hexdigest()[:8]}"
    other = read_pack(table(("b", *PAGE_ROW[1:])), "b.csv")
    mine = read_pack(data, "a.csv")
    assert judged(World(), OURS).ruleset == f"{LATEST}"
    assert judged(World(), together([mine])).ruleset == f"{LATEST}+{label}"
    assert together([mine, other]).label == together([other, mine, mine]).label


@pytest.mark.parametrize("control", [{}, None], ids=["the control differs", "no control contradicts"])
def test_a_redirect_on_record_is_confirmed(control: dict[str, Any] | None) -> None:
    row = ("xx_away", "nat", "header.location", "prefix", "http://stop.example.com/")
    away = Page(status=302, location="http://stop.example.com/why?n=1")
    world = World(
        url=URL,
        control=control,
        answer=lambda a, h, t, n: away if h == HOST and not t else BLOCKED if h != HOST and not t else None,
        controls=lambda url: {} if HOST in url else {"status": 403, "title": "Sorry", "body_length": 200},
    )
    verdict = judged(world, pack(row), BODY)
    assert told(verdict) == (State.BLOCKED, Grade.CONFIRMED, "http.redirect")
    assert "xx_away" in verdict.why[0].text


def test_a_redirect_to_a_page_on_record_is_the_censors() -> None:
    away = Page(status=302, location="http://stop.example.com/")
    world = World(
        url=URL,
        answer=lambda a, h, t, n: away if h == HOST and not t else BLOCKED if h != HOST and not t else None,
        controls=lambda url: {} if HOST in url else {"status": 403, "title": "Sorry", "body_length": 200},
    )
    assert told(judged(world, pack(PAGE_ROW), BODY)) == (State.BLOCKED, Grade.CONFIRMED, "http.redirect")


def test_a_redirect_on_record_that_the_control_followed_too_is_the_sites() -> None:
    row = ("xx_away", "nat", "header.location", "prefix", "http://new.example.com/")
    world = World(
        url=URL,
        page=lambda url, a: Page(status=301, location="http://new.example.com/") if HOST in url else Page(),
    )
    verdict = judged(world, pack(row))
    assert verdict.state is not State.BLOCKED, verdict.why


@pytest.mark.parametrize("alone", [True, False], ids=["no control contradicts", "the control differs"])
def test_an_address_on_record_is_confirmed_if_others_give_another_one(alone: bool) -> None:
    row = ("xx_dns", "isp", "dns", "full", OTHER)
    world = World(
        url=URL,
        lookup=everywhere((OTHER,)) if alone else lambda r, name, n: (OTHER,) if r == "system" else (SITE,),
        resolvers=("system",) if alone else World().resolvers,
        control=None if alone else {},
        site=(SITE,),
    )
    verdict = judged(world, pack(row))
    grade = Grade.SIGNS if alone else Grade.CONFIRMED  # a site may live at an address on record
    assert (verdict.state, verdict.grade) == (State.BLOCKED, grade), verdict.why
    assert verdict.why[0].rule == "dns.known"
    assert "xx_dns" in verdict.why[0].text


def test_an_address_on_record_that_the_control_gets_too_is_the_sites() -> None:
    assert judged(World(url=URL), pack(("xx_dns", "isp", "dns", "full", SITE))).state is State.OK


def test_an_address_on_record_that_proves_to_be_the_site_is_the_sites() -> None:
    world = World(control=None, resolvers=("system",))
    assert judged(world, pack(("xx_dns", "isp", "dns", "full", SITE))).state is State.OK


def test_an_address_on_record_with_the_sites_own_certificate_is_the_sites() -> None:
    expired = Hello(
        trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired", chain=forged.plain(HOST)
    )
    world = World(control=None, resolvers=("system", *UDP), shake=lambda a, sni, n: expired)
    verdict = judged(world, pack(("xx_dns", "isp", "dns", "full", SITE)))
    assert verdict.state is State.INCONCLUSIVE, verdict.why


def test_an_address_on_record_that_everybody_gives_is_a_sign() -> None:
    world = World(
        url=URL,
        control=None,
        resolvers=("system", *UDP),
        dial=lambda a, port, n: f.REFUSED if port == 443 and a in (SITE, SITE2) else None,
    )
    verdict = judged(world, pack(("xx_dns", "isp", "dns", "full", SITE)))
    assert verdict.grade in (None, Grade.SIGNS), verdict.why


def test_special_and_vague_addresses_name_no_censor() -> None:
    rows = pack(("zero", "nat", "dns", "full", "0.0.0.0"), ("vague", "vbw", "dns", "full", "1.2.3.4", "10"))
    assert rows.address("0.0.0.0") is None
    world = World(url=URL, lookup=lambda r, name, n: ("1.2.3.4",) if r == "system" else (SITE,), site=(SITE,))
    verdict = judged(world, rows)
    assert told(verdict) == (State.BLOCKED, Grade.SIGNS, "dns.bogon"), verdict.why


# What forbids it.


def test_never_where_the_control_got_the_same_page() -> None:
    world = World(**ON_SITE, control={"status": 403, "title": "Sorry", "body_length": 200})
    assert judged(world, pack(PAGE_ROW), BODY).state is not State.BLOCKED


def test_never_where_the_page_came_over_a_valid_chain() -> None:
    world = World(answer=lambda a, h, t, n: BLOCKED if a == SITE and h == HOST else None)
    assert judged(world, pack(PAGE_ROW), BODY).state is State.REFUSED


def test_never_where_a_copy_over_tls_is_the_same_page() -> None:
    world = World(url=URL, answer=lambda a, h, t, n: BLOCKED if a == SITE and h == HOST else None)
    assert judged(world, pack(PAGE_ROW), BODY).state is not State.BLOCKED


def test_what_is_on_record_as_no_block_page_comes_first() -> None:
    harmless = ("fp_1", "fp", "body", "contains", "order no. 77")
    assert "xx_page" not in judged(World(**ON_SITE), pack(PAGE_ROW, harmless), BODY).why[0].text
    assert pack(PAGE_ROW, harmless).page((), BODY) is None
    away = pack(
        ("a", "isp", "header.location", "prefix", "http://stop.example/"),
        ("b", "fp", "header.location", "prefix", "http://stop.example/fine"),
    )
    assert away.redirect("http://stop.example/") is not None
    assert away.redirect("http://stop.example/fine/page") is None


@pytest.mark.parametrize(
    "row",
    [
        ("weak", "vbw", "body", "contains", WORDS),
        ("school", "inst", "body", "contains", WORDS),
        ("new", "whatever", "body", "contains", WORDS),
        ("unsure", "nat", "body", "contains", WORDS, "4"),
        ("short", "nat", "body", "contains", "order no. 7"),
        ("tags", "isp", "body", "contains", "<html><title>"),
    ],
    ids=lambda row: row[0],
)
def test_weak_rows_are_signs(row: tuple[str, ...]) -> None:
    rows = pack(row)
    found = rows.page((), BODY)
    assert found is not None
    assert not found.settles
    assert judged(World(**ON_SITE), rows, BODY).grade in (None, Grade.SIGNS, Grade.STRONG)


def test_the_country_is_told_beside_the_match_and_decides_nothing() -> None:
    rows = pack((*PAGE_ROW, "5", "RU,BY"))
    far, near = (judged(World(**ON_SITE), rows, BODY, country) for country in ("KZ", "BY"))
    assert told(far) == told(near)
    assert "on record for RU, BY; this line is in KZ" in far.why[0].text
    assert "on record for" not in near.why[0].text


def test_names_are_shown_harmless() -> None:
    strange = Fingerprint("cp.\x1b[2Jx\x1a", "isp", "body", "contains", WORDS, 5)
    verdict = judged(World(**EVERYWHERE), together([Pack([strange], "ooni:0")]), BODY)
    assert verdict.grade is Grade.CONFIRMED
    assert verdict.why[0].text.isprintable()


def test_headers_by_name() -> None:
    rows = pack(("box", "prod", "header.Server", "prefix", "Protected by WireFilter"))
    assert rows.page((("SERVER", "Protected by WireFilter 2"),), "") is not None
    assert rows.page((("Via", "Protected by WireFilter 2"),), "Protected by WireFilter 2") is None


def test_plain_text_instead_of_tls() -> None:
    assert OURS.plain(b"Object not found\r\n") is not None
    assert OURS.plain(b"HTTP/1.1 400 Bad Request\r\n\r\nObject not found") is None


# Reading.


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

"""Fingerprint packs: what a match may and may not settle."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from blockwatch import failure as f
from blockwatch.judge import LATEST, OURS, Fingerprint, Pack, read_pack, together
from blockwatch.verdict import Grade, State, Verdict
from tests.judge import forged
from tests.judge.packed import BLOCKED, BODY, PAGE_ROW, URL, WORDS, judged, pack, table
from tests.judge.world import HOST, OTHER, SITE, SITE2, UDP, Hello, Page, World
from tests.judge.worlds.say import by_host, everywhere


def told(verdict: Verdict) -> tuple[Any, ...]:
    return verdict.state, verdict.grade, verdict.mechanism


# What a match settles.

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

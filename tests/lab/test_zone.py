"""What the lab's resolvers say, read by dnspython."""

from __future__ import annotations

import base64

import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import pytest

from blockwatch.judge.soa import soa_zone
from blockwatch.lab.build import build_world
from blockwatch.lab.scenarios.say import https, nowhere, ok, row, site
from blockwatch.lab.servers.malformed import malformed
from blockwatch.lab.servers.town import Town
from blockwatch.lab.servers.zone import Zone
from blockwatch.lab.world import ISP_RESOLVER, ROUTER, DnsRule, Rule, Site
from blockwatch.lab.world_ports import fixed_sites

PUBLIC = "9.9.9.10"
NAME = "site-under-test.kz"


def zone(*rules: Rule, **fields: object) -> tuple[Zone, Site]:
    """A zone with one site."""
    only = site(host=NAME, **fields)
    made = row("x", "x", https(ok(), see="ok"), family="dns", source="own", sites=(only,), rules=rules)
    world = build_world([made])
    return Zone(world, Town(world), fixed_sites()), world.sites[0]


def ask(
    served: Zone, name: str = NAME, kind: str = "A", *, resolver: str = PUBLIC, helper: bool = False
) -> dns.message.Message | None:
    query = dns.message.make_query(name, kind, use_edns=True)
    answer = served.answer(query.to_wire(), resolver=resolver, helper=helper)
    if answer is None:
        return None
    message = dns.message.from_wire(answer)
    assert query.is_response(message)
    return message


def addresses(message: dns.message.Message | None) -> list[str]:
    assert message is not None
    kinds = (dns.rdatatype.A, dns.rdatatype.AAAA)
    return [item.to_text() for rrset in message.answer if rrset.rdtype in kinds for item in rrset]


def test_addresses_by_type() -> None:
    served, here = zone(n=2, v6=1)
    assert addresses(ask(served)) == list(here.addresses[:2])
    assert addresses(ask(served, kind="AAAA")) == [here.addresses[2]]
    assert addresses(ask(served, NAME.upper())) == list(here.addresses[:2])
    assert addresses(ask(served, "dns.google")) == ["8.8.8.8"]


def test_a_root_server_refers_every_name_and_knows_no_address() -> None:
    served, _ = zone()
    for name in (NAME, "nobody.example"):
        query = dns.message.make_query(name, "A", flags=0)
        answer = served.answer(query.to_wire(), resolver="193.0.14.129", helper=False)
        assert answer is not None
        message = dns.message.from_wire(answer)
        assert query.is_response(message)
        assert (message.rcode(), message.answer) == (dns.rcode.NOERROR, [])
        (referred,) = message.authority
        assert referred.name.to_text() == name.rpartition(".")[2] + "."
        assert referred.rdtype == dns.rdatatype.NS


def test_unknown_names_do_not_exist() -> None:
    served, _ = zone()
    answer = ask(served, "no-such-name.example.com")
    assert answer is not None
    assert answer.rcode() == dns.rcode.NXDOMAIN


def test_an_alias_comes_before_its_addresses() -> None:
    served, here = zone(aliases=(f"edge.{NAME}",), dns={"cname": f"edge.{NAME}"})
    answer = ask(served)
    assert answer is not None
    assert [rrset.rdtype for rrset in answer.answer] == [dns.rdatatype.CNAME, dns.rdatatype.A]
    assert answer.answer[1].name == dns.name.from_text(f"edge.{NAME}")
    assert addresses(answer) == list(here.addresses)


def test_views_by_who_asks_whom() -> None:
    views = {"isp": ["5.45.65.1"], "helper": ["5.45.65.2"], "8.8.8.8": ["5.45.65.3"], "*": ["5.45.65.4"]}
    served, _ = zone(dns={"views": views})
    assert addresses(ask(served, resolver=ISP_RESOLVER)) == ["5.45.65.1"]
    assert addresses(ask(served, helper=True)) == ["5.45.65.2"]
    assert addresses(ask(served, resolver="8.8.8.8")) == ["5.45.65.3"]
    assert addresses(ask(served, resolver="1.1.1.1")) == ["5.45.65.4"]


def test_words_in_place_of_addresses() -> None:
    served, here = zone(v6=1, dns={"views": {"isp": "servfail", "8.8.8.8": "drop", "*": "nxdomain"}})
    lie = ask(served, resolver=ISP_RESOLVER)
    assert lie is not None
    assert lie.rcode() == dns.rcode.SERVFAIL
    assert ask(served, resolver="8.8.8.8") is None
    gone = ask(served)
    assert gone is not None
    assert gone.rcode() == dns.rcode.NXDOMAIN
    served, here = zone(v6=1, dns={"aaaa": "drop"})
    assert ask(served, kind="AAAA") is None
    assert addresses(ask(served)) == list(here.addresses[:1])
    served, _ = zone(dns={"edns": "formerr"})
    refused = ask(served)
    assert refused is not None
    assert refused.rcode() == dns.rcode.FORMERR


def test_answers_that_only_fit_tcp() -> None:
    query = dns.message.make_query(NAME, "A").to_wire()
    served, _ = zone(dns={"tcp_only": True})
    short = served.truncated(query, resolver=PUBLIC)
    assert short is not None
    message = dns.message.from_wire(short)
    assert message.flags & dns.flags.TC
    assert message.answer == []
    assert addresses(ask(served)) != []
    assert served.truncated(b"\0" * 5, resolver=PUBLIC) is None
    assert zone()[0].truncated(query, resolver=PUBLIC) is None
    served, _ = zone(dns={"tcp_only": "isp"})
    assert served.truncated(query, resolver=PUBLIC) is None
    assert served.truncated(query, resolver=ROUTER) == short


def test_a_share_of_the_queries_meets_a_lie() -> None:
    served, here = zone(DnsRule(name="", match="substring", do="servfail", to="isp", share=0.5))
    replies = [ask(served, resolver=ROUTER) for _ in range(100)]
    failed = [reply for reply in replies if reply is not None and reply.rcode() == dns.rcode.SERVFAIL]
    assert 30 <= len(failed) <= 70  # four standard deviations
    assert all(addresses(reply) == list(here.addresses) for reply in replies if reply not in failed)


def test_a_lie_by_alias_by_type_and_for_missing_names() -> None:
    served, _ = zone(DnsRule(name="@a@", answers=("92.46.33.7",), to="isp", alias="gate.example"))
    lie = ask(served, resolver=ISP_RESOLVER)
    assert lie is not None
    assert lie.answer[0].rdtype == dns.rdatatype.CNAME
    assert addresses(lie) == ["92.46.33.7"]
    served, here = zone(DnsRule(name="@a@", do="nxdomain", to="isp", types=("A",)), v6=1)
    lie = ask(served, resolver=ISP_RESOLVER)
    assert lie is not None
    assert lie.rcode() == dns.rcode.NXDOMAIN
    assert addresses(ask(served, kind="AAAA", resolver=ISP_RESOLVER)) == [here.addresses[1]]
    rule = DnsRule(name="", match="substring", do="wildcard", to="isp", answers=("5.45.65.9",))
    served, here = zone(rule)
    assert addresses(ask(served, "no-such-name.example", resolver=ISP_RESOLVER)) == ["5.45.65.9"]
    assert addresses(ask(served, resolver=ISP_RESOLVER)) == list(here.addresses)


def test_rotation_gives_some_of_the_addresses_in_turn() -> None:
    served, here = zone(n=5, dns={"rotate": 2})
    answers = [tuple(sorted(addresses(ask(served)))) for _ in range(40)]
    assert {len(answer) for answer in answers} == {2}
    assert len(set(answers)) > 1
    assert {address for answer in answers for address in answer} == set(here.addresses)


@pytest.mark.parametrize(("do", "rcode"), [("nxdomain", 3), ("refused", 5), ("servfail", 2), ("empty", 0)])
def test_only_the_isp_lies_by_code(do: str, rcode: int) -> None:
    served, here = zone(DnsRule(name="@a@", do=do, to="isp"))
    lie = ask(served, resolver=ISP_RESOLVER)
    assert lie is not None
    assert (lie.rcode(), addresses(lie)) == (rcode, [])
    assert addresses(ask(served)) == list(here.addresses)


def test_the_isp_lies_by_address_of_the_type_asked() -> None:
    served, _ = zone(DnsRule(name="@a@", answers=("10.10.34.35",), to="isp", ttl=7))
    lie = ask(served, resolver=ISP_RESOLVER)
    assert lie is not None
    assert (addresses(lie), lie.answer[0].ttl) == (["10.10.34.35"], 7)
    assert addresses(ask(served, kind="AAAA", resolver=ISP_RESOLVER)) == []


def test_a_dropped_and_a_lost_query() -> None:
    served, _ = zone(DnsRule(name="@a@", do="drop", to="isp"))
    assert ask(served, resolver=ISP_RESOLVER) is None
    served, here = zone(DnsRule(name="@a@", do="lose", first=2, to="isp"))
    assert [ask(served, resolver=ISP_RESOLVER) for _ in range(2)] == [None, None]
    assert addresses(ask(served, resolver=ISP_RESOLVER)) == list(here.addresses)


@pytest.mark.parametrize(
    ("match", "name", "hit"),
    [
        ("exact", "a.site-under-test.kz", False),
        ("suffix", "a.site-under-test.kz", True),
        ("suffix", "notsite-under-test.kz", False),
        ("substring", "notsite-under-test.kz", True),
    ],
)
def test_names_that_a_lie_covers(match: str, name: str, hit: bool) -> None:
    served, _ = zone(DnsRule(name="@a@", match=match, do="refused", to="isp"))
    answer = ask(served, name, resolver=ISP_RESOLVER)
    assert answer is not None
    assert (answer.rcode() == dns.rcode.REFUSED) is hit


def test_what_is_no_query_gets_no_answer() -> None:
    served, _ = zone()
    good = dns.message.make_query(NAME, "A").to_wire()
    for message in (b"", b"\0" * 11, good[:14], good[:2] + b"\x80" + good[3:], good[:12] + b"\x7fabc"):
        assert served.answer(message, resolver=PUBLIC, helper=False) is None


@pytest.mark.parametrize("how", ["garbage", "loop", "cut", "counts"])
def test_malformed_replies_are_refused_by_a_parser(how: str) -> None:
    query = dns.message.make_query(NAME, "A").to_wire()
    with pytest.raises((dns.exception.DNSException, ValueError)):
        dns.message.from_wire(malformed(how, query, len(query)))


def test_a_reply_to_another_question_is_no_reply() -> None:
    query = dns.message.make_query(NAME, "A")
    wire = query.to_wire()
    assert not query.is_response(dns.message.from_wire(malformed("question", wire, len(wire))))
    with pytest.raises(ValueError, match="no such"):
        malformed("politely", wire, len(wire))


def test_a_malformed_zone_answers_so() -> None:
    made = row("x", "x", https(ok(), see="ok"), family="dns", source="own", sites=(nowhere(malformed="cut"),))
    world = build_world([made])
    served = Zone(world, Town(world), fixed_sites())
    query = dns.message.make_query(str(world.sites[0].host), "A").to_wire()
    assert served.answer(query, resolver=PUBLIC, helper=False) == malformed("cut", query, len(query))


def test_queries_in_http() -> None:
    served, _ = zone()
    query = dns.message.make_query(NAME, "A").to_wire()
    text = base64.urlsafe_b64encode(query).rstrip(b"=").decode()
    assert served.doh_query("GET", f"/dns-query?dns={text}", b"") == query
    assert served.doh_query("POST", "/dns-query", query) == query
    assert served.doh_query("GET", "/dns-query", b"") is None


def test_an_honest_denial_names_its_zone_and_a_lie_does_not() -> None:
    honest, _ = zone()
    lying, _ = zone(DnsRule(name=NAME, do="nxdomain", to="isp"))
    for name in ("nobody.at-all.kz", "at-all.kz"):
        denied = ask(honest, name)
        assert denied is not None
        assert denied.rcode() == dns.rcode.NXDOMAIN
        assert soa_zone(denied.to_wire()) == "at-all.kz"
        assert [rrset.rdtype for rrset in denied.authority] == [dns.rdatatype.SOA]
    lie = ask(lying, resolver=ISP_RESOLVER)
    assert lie is not None
    assert (lie.rcode(), lie.authority) == (dns.rcode.NXDOMAIN, [])
    assert soa_zone(lie.to_wire()) is None

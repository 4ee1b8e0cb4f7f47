"""Names that resolvers answer oddly, though nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    down,
    http,
    https,
    nowhere,
    ok,
    signs,
    site,
    unclear,
)
from blockwatch.lab.world import Allowed, DnsRule

row = partial(say.row, family="clean", world="more")

ROWS = (
    row(
        "name-too-new",
        "a new name: the line's resolver still remembers that it did not exist",
        https(
            unclear(),
            signs("dns.nxdomain"),
            Allowed(state="blocked", mechanisms=("dns.nxdomain",)),
            see="dns.nxdomain",
        ),
        source="own: negative answers are kept (RFC 2308)",
        sites=(site(dns={"views": {"isp": "nxdomain", "*": ["@a.ip@"]}}),),
    ),
    row(
        "aaaa-unanswered",
        "queries for AAAA are never answered",
        https(ok(), unclear(), see="ok"),
        source="own: RFC 4074, name servers that err on AAAA",
        sites=(site(dns={"aaaa": "drop"}),),
    ),
    row(
        "dnssec-broken",
        "broken signatures: validating resolvers say SERVFAIL, the line's resolver does not validate",
        https(ok(), see="ok"),
        source="own: signatures that have run out; only some resolvers validate",
        sites=(site(dns={"views": {"isp": ["@a.ip@"], "*": "servfail"}}),),
    ),
    row(
        "dnssec-broken-http",
        "the same in cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: signatures that have run out; only some resolvers validate",
        sites=(site(https=None, dns={"views": {"isp": ["@a.ip@"], "*": "servfail"}}),),
    ),
    row(
        "intranet-name",
        "intranet name: only the line's resolver knows it, a private address (nobody answers)",
        https(down(), unclear(), signs("dns."), Allowed(state="refused"), see="any"),
        source="own: split-horizon DNS",
        sites=(nowhere(views={"isp": ["10.44.3.9"], "*": "nxdomain"}),),
        dead=("10.44.3.9",),
    ),
    row(
        "known-here-only-http",
        "only the line's resolver knows the name; the site works in cleartext",
        http(ok(), unclear(), down("dns"), see="ok"),
        source="own: split-horizon DNS",
        sites=(site(https=None, dns={"views": {"isp": ["@a.ip@"], "*": "nxdomain"}}),),
    ),
    row(
        "edns-formerr",
        "name servers say FORMERR to EDNS",
        https(ok(), unclear(), see="any"),
        source="own: RFC 6891, servers that do not know EDNS",
        sites=(site(dns={"edns": "formerr"}),),
    ),
    row(
        "answers-over-tcp",
        "answers only fit TCP",
        https(ok(), see="any"),
        source="own: RFC 7766, answers that only fit TCP",
        sites=(site(dns={"tcp_only": True}),),
    ),
    row(
        "slow-lookup",
        "the answer for this name takes 2.5 s",
        https(ok(), see="ok"),
        source="own: slow name servers",
        rules=(DnsRule(name="@a@", do="delay", true_after=2.5),),
    ),
    row(
        "address-each-time",
        "every lookup another address of a large pool, cleartext",
        http(ok(), see="ok"),
        source="own: large pools with one address an answer",
        sites=(site(n=12, https=None, pool="aws", dns={"rotate": 1}),),
    ),
    row(
        "one-of-two-dead",
        "one of two addresses dead for everybody",
        https(ok(), see="any"),
        source="own: one dead address among several",
        sites=(site(n=2),),
        dead=("@a.ip1@",),
    ),
)

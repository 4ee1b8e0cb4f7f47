"""Worlds in which resolvers are broken, remember, belong to the house, or relay what zones refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from blockwatch.model import Measurement
from blockwatch.run import Vantage
from tests.judge.stage import changed, measured
from tests.judge.world import DOH, GOOD_HOSTS, HOST, OTHER, SECOND, SITE, UDP, World
from tests.judge.worlds.say import (
    everywhere,
    isp,
    late_truth,
    on_address,
    row,
)


def relayed(failure: str) -> Callable[[str, str, int], Any]:
    """A router hijacks lookups and relays what two resolvers say: for every name first a failure."""
    return lambda r, name, n: (SITE,) if r == DOH or (r == "system" and n > 3) else failure


def relayed_late(resolver: str, name: str) -> Any:
    """Then the answer."""
    return (SITE,)


# a resolver that answers for hardly any name; an answer made up on the path is not its
def hardly(said: str) -> Callable[[str, str, int], Any]:
    """The line's resolver fails on every name; the others do not."""
    return lambda r, name, n: said if r in ("system", "line") else (SITE,)


def lost(said: str) -> tuple[Measurement, ...]:
    """Other names of the run, which it does not find either, and one for which the path lies."""
    made = []
    for number in range(4):
        host = f"other{number}.example"
        answer: Any = ("10.10.34.36",) if number == 3 else said
        world = World(url=f"https://{host}/", lookup=lambda r, name, n, answer=answer: answer, control=None)
        one = measured(world, 10 + number, "first", number * SECOND, ())
        made.append(changed(one, target=host, url=world.url))
    return tuple(made)


for said in (f.SERVFAIL, f.NXDOMAIN, f.NO_ANSWER, f.DNS_REFUSED, f.TIMEOUT):
    row(
        f"the line's resolver says {said} to every name, and the path lies about one",
        "ok inconclusive",
        lookup=hardly(said),
        calm=False,
        others=lost(said),
    )

# a resolver that remembers that there was no such name, and one of the volunteer's own
HOME = Vantage(asn=9198, ipv4=True)
CHOSEN = Vantage(asn=9198, ipv4=True, resolver_asn=36692)
for said in (f.NXDOMAIN, f.NO_ANSWER):
    denied = "dns.nxdomain" if said == f.NXDOMAIN else "dns.empty"
    for title, zone in (("its zone's", "example.org"), ("the parent's", "org")):
        row(
            f"the ISP's resolver denies a new name ({said}) and sends {title} own record",
            "blocked inconclusive",
            denied,
            lookup=isp(said),
            soa=lambda r, name, zone=zone: zone if name == HOST else "example.net",
            grades="signs",
        )
    row(
        f"a resolver that never says where a denial comes from ({said})",
        "blocked inconclusive",
        denied,
        lookup=isp(said),
        soa=lambda r, name: None,
        grades="signs",
    )
    row(
        f"a denial by the record of a zone that the name does not lie in ({said})",
        "blocked",
        denied,
        lookup=isp(said),
        soa=lambda r, name: "policy.isp.example" if name == HOST else None,
        grades="strong",
    )
    for title, vantage in (("in the house", HOME), ("of the volunteer's choice", CHOSEN)):
        row(
            f"a resolver {title} denies the name ({said})",
            "blocked inconclusive",
            denied,
            lookup=isp(said),
            vantage=vantage,
            grades="signs",
        )
for title, vantage in (("in the house", HOME), ("of the volunteer's choice", CHOSEN)):
    for null in ("0.0.0.0", "127.0.0.1", "::", "10.1.1.9"):
        row(
            f"a filter {title} answers {null}",
            "blocked inconclusive",
            "dns.",
            lookup=isp((null,)),
            vantage=vantage,
            dial=on_address(f.NETWORK_UNREACHABLE, null),
            grades="signs",
        )
row(
    "a filter in the house, and the path answers so for others too",
    "blocked",
    "dns.injection",
    lookup=everywhere(("127.0.0.1",)),
    vantage=HOME,
    grades="confirmed",
)
for said, kind in ((("0.0.0.0",), "dns.bogon"), (f.NXDOMAIN, "dns.nxdomain")):
    row(
        f"a router in the house answers all lookups itself, whoever is asked: {said}",
        "blocked inconclusive",
        kind,
        lookup=everywhere(said),
        vantage=HOME,
        ip_ttl=64,
        grades="signs",
    )
row(
    "a table of this machine's own says 0.0.0.0",
    "inconclusive",
    lookup=isp(("0.0.0.0",), line=False),
)
row(
    "the ISP's resolver leads to a filtering resolver's page",
    "blocked inconclusive",
    "dns.redirect",
    lookup=isp(("146.112.61.106",)),
    site=(SITE,),
    grades="signs",
)

# a router that relays two replies for every name
for failure in (f.SERVFAIL, f.DNS_REFUSED, f.NXDOMAIN):
    row(
        f"a router relays two replies for every name: {failure}, then the answer",
        "ok inconclusive",
        lookup=relayed(failure),
        late=relayed_late,
    )
    row(
        f"the same, {failure} to the system always",
        "ok inconclusive blocked",
        "dns.",
        lookup=lambda r, name, n, failure=failure: (SITE,) if r == DOH else failure,
        late=relayed_late,
        grades="signs",
    )
row(
    "a router relays two resolvers' answers by place for every name",
    "ok inconclusive",
    lookup=lambda r, name, n: (OTHER,) if r in ("line", *UDP) else (SITE,),
    late=relayed_late,
)
row(
    "SERVFAIL first and the answer behind it from the same sender, for this name alone",
    "blocked",
    "dns.servfail",
    "dns.fails",
    lookup=everywhere(f.SERVFAIL),
    late=late_truth,
    ip_ttl=56,
    grades="signs",
)

# a zone that fails or refuses one resolver
row(
    "REFUSED from the ISP, as where a zone refuses its resolver",
    "blocked",
    "dns.refused",
    lookup=isp(f.DNS_REFUSED),
    grades="signs",
)
row(
    "broken signatures: whoever validates fails, the helper does not validate",
    "inconclusive",
    "",
    "dns.fails",
    lookup=lambda r, name, n: f.SERVFAIL if name == HOST else (SITE,),
)
row(
    "broken signatures, no encrypted resolver",
    "inconclusive blocked",
    "dns.servfail",
    lookup=lambda r, name, n: f.SERVFAIL if name == HOST else (SITE,),
    resolvers=("system", *UDP),
    grades="signs",
)


# A resolver that has lost its upstream: what it remembers it still gives, so control names are no witness.

for failing in (f.TIMEOUT, f.SERVFAIL, f.REFUSED):
    for lives, states in ((False, "inconclusive"), (True, "blocked")):
        row(
            f"{failing}, not for controls; a name that nobody has {'is denied' if lives else 'fails, too'}",
            states,
            "dns." if lives else "",
            rule="dns.fails",
            grades="signs",
            lookup=isp(failing),
            nobody=lambda r, said=f.NXDOMAIN if lives else failing: said if r == "line" else f.NXDOMAIN,
        )

# The control name at hand may be forged itself.
row(
    "SERVFAIL injected whoever is asked, for the control name at hand as well",
    "blocked",
    "dns.injection",
    "dns.fails",
    lookup=lambda r, name, n: (SITE,) if r == DOH or name not in (HOST, GOOD_HOSTS[0]) else f.SERVFAIL,
    late=lambda r, name: (SITE,) if name in (HOST, *GOOD_HOSTS) else None,
)
row(
    "SERVFAIL and then an address, from a path that answers every name twice",
    "inconclusive blocked",
    "dns.servfail",
    lookup=lambda r, name, n: (SITE,) if r == DOH or name not in (HOST, GOOD_HOSTS[0]) else f.SERVFAIL,
    late=lambda r, name: (SITE,),
    grades="signs",
)

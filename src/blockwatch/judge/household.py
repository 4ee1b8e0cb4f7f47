"""Filters that a volunteer, a family, a school or a company runs itself: what they answer looks like a block.

Rules of this file:

* a resolver with a private address is a box of the volunteer's own network, which may filter, and remember;
* a resolver of another network than the line's may have been chosen because it filters;
* no technique tells these from the state's: what rests on such a resolver alone is a sign, and says why;
* a product that names itself is no state's block page, unless the page is on record as one;
* a proxy of the machine's or of the house gives each name a special-purpose address of its own, at which
  it answers for everybody: on such a line these addresses accuse nobody.

Sources: docs.pi-hole.net (blocking modes); AdGuard Home, "Blocking mode"; support.opendns.com, block page
addresses; docs.fortinet.com, DNS filter; docs.paloaltonetworks.com, DNS sinkholing; sing-box.sagernet.org and
wiki.metacubex.one, "Fake IP" (198.18.0.0/15 by default).
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable

from blockwatch import asn
from blockwatch.judge.addresses import bogon, unreal
from blockwatch.judge.answers import LINE, SYSTEM
from blockwatch.judge.finding import Finding, sign
from blockwatch.judge.names import owner
from blockwatch.judge.rules_known import censors_page, censors_redirect
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow
from blockwatch.model import HttpStep
from blockwatch.run import Vantage
from blockwatch.verdict import State

HOUSE = "The resolver is a box of the volunteer's own network, whose filter or memory would look the same"
BOTH = "The control is told the same: the zone may say so to some, or both are lied to"
ECHO = "A public resolver says the like, perhaps by itself: its own filter, or the zone, would look the same"
CHOSEN = "The resolver is not of the line's own network: one that filters by choice would look the same"
_BLOCK_HOSTS = {  # where filtering resolvers lead to
    **{f"146.112.61.{last}": "OpenDNS or Cisco Umbrella" for last in range(104, 111)},
    "208.91.112.55": "FortiGuard",
    "72.5.65.111": "Palo Alto Networks",
}
_PRODUCTS = (
    *("fortiguard", "fortigate", "fortinet", "zscaler", "cisco umbrella", "opendns", "sophos", "kaspersky"),
    *("cleanbrowsing", "adguard", "nextdns", "pi-hole", "pihole", "netgear", "symantec", "mcafee"),
    *("barracuda", "forcepoint", "websense", "smoothwall", "lightspeed systems", "securly", "goguardian"),
    *("sonicwall", "watchguard", "untangle", "checkpoint", "check point", "palo alto networks"),
    *("bitdefender", "eset", "avast", "norton", "dr.web", "qustodio", "net nanny", "squidguard", "dnsfilter"),
    *("safedns", "skydns", "usergate", "ideco", "linewize", "contentkeeper", "iboss", "lightspeed rocket"),
    *("your network administrator", "your administrator"),
)
_PRODUCT = re.compile("|".join(rf"(?<![^\W_]){re.escape(word)}(?![^\W_])" for word in _PRODUCTS))
_LOOKED_AT = 20_000  # characters of a page
_INVENTED = "198.18.0.0/15"  # whence such proxies take IPv4 addresses; a house of its own may use 10.0.0.0/8
_BLOCK = {4: 15, 6: 48}  # by IP version: how much of an address such a proxy's addresses have in common


def resolver_doubt(scene: Scene) -> str:
    """Why what the system's resolver alone says may be the doing of somebody on this side; empty: hardly."""
    vantage = scene.vantage
    if (
        vantage is None
        or vantage.resolver_local
        or (vantage.resolver_local is None and not vantage.resolver_asn)
    ):
        return HOUSE
    known = vantage.asn is not None or vantage.resolver_asn is None
    return CHOSEN if known and not same_network(vantage.asn, vantage.resolver_asn) else ""


def same_network(one: int | None, other: int | None) -> bool:
    """Whether two AS numbers are of one owner, by the name under which they are registered: large providers
    have several, and their resolvers in another than their customers.
    """
    if one == other or one is None or other is None:
        return one == other
    name = asn.name(one)
    return name is not None and not name.startswith("-") and name == asn.name(other)


def whose_line(vantage: Vantage) -> str:
    """Whose line a verdict is about, as far as is known: the network, and who answers for names on it."""
    known = ", ".join(filter(None, (vantage.network, vantage.country)))
    network = f"AS{vantage.asn} ({known})" if vantage.asn is not None else "a network not known"
    declared = f"; {vantage.declared_isp}, as the volunteer says" if vantage.declared_isp else ""
    if vantage.resolver_local:
        resolver = "a box of the volunteer's own network"
    elif vantage.resolver_asn is None:
        resolver = "not known"
    elif vantage.resolver_asn == vantage.asn:
        resolver = "of the same network"
    else:
        same = " (the same owner)" if same_network(vantage.asn, vantage.resolver_asn) else ""
        resolver = f"of AS{vantage.resolver_asn}{same}"
    return f"{network}{declared}; its resolver is {resolver}. A gateway behind this line could do the same"


def answer_doubt(scene: Scene) -> str:
    """Why the false addresses of the system's resolver may be a filter's of this side; empty: hardly.

    Not so where the path answers for others too, nor where the address is of the line's own network.
    """
    answers = scene.answers
    if answers.injected:
        return ""
    if answers.public.echo:
        return ECHO
    if answers.control_given & answers.false:
        return BOTH
    if answers.udp_agrees:
        return ""
    products = {_BLOCK_HOSTS.get(address) for address in answers.given}
    if products and None not in products:
        named = ", ".join(sorted(map(str, products)))
        return f"It is where a filter leads that homes and companies use ({named})"
    own = on_the_line(scene, answers.false)
    return "" if own and all(own) else resolver_doubt(scene)


def on_the_line(scene: Scene, addresses: Iterable[str]) -> list[bool]:
    """Of each address that can be a server's: whether it is in the line's own network, as far as is known."""
    ours = scene.vantage.asn if scene.vantage is not None else None
    places = [asn.lookup(address) for address in addresses if unreal(address) is None]
    return [place is not None and same_network(place.asn, ours) for place in places]


def proxied(scene: Scene) -> bool:
    """Whether this line gives other owners' names special-purpose addresses of the same block as well, each
    its own: they are seen to work (a valid chain came from one), or the control names have nothing else.
    """
    blocks = _blocks(scene.answers.given)
    if not blocks:
        return False
    ours = owner(scene.hop.host)
    working = [address for name, address in scene.peers.proven if owner(name) != ours]
    if any(block in _blocks(working) for block in blocks if block == _INVENTED or ":" in block):
        return True
    told = [x for x in scene.hop.name_controls if x.step.resolver in (SYSTEM, LINE) and x.step.addresses]
    theirs = frozenset(address for lookup in told for address in lookup.step.addresses)
    apart = all(blocks & _blocks((address,)) for address in theirs)
    return bool(theirs) and apart and not theirs & scene.answers.given


def _blocks(addresses: Iterable[str]) -> frozenset[str]:
    """The blocks in which those addresses lie that can be no site's."""
    found = set()
    for address in addresses:
        try:
            version = ipaddress.ip_address(address).version
        except ValueError:
            continue
        if bogon(address) is not None:
            found.add(str(ipaddress.ip_network(f"{address}/{_BLOCK[version]}", strict=False)))
    return frozenset(found)


def product(step: HttpStep, text: str = "", asked: str = "") -> str:
    """The filter for homes and companies that a page or redirect names; empty: none.

    ``asked``: the URL asked for, which block pages quote. What it is called names nobody else.
    """
    told = [value for name, value in step.headers if name.lower() in ("location", "server", "via")]
    words = "\n".join((step.title or "", *told, text[:_LOOKED_AT])).lower()
    if not any(name in words for name in _PRODUCTS):  # much faster than the pattern
        return ""
    quoted = frozenset(_PRODUCT.findall(asked.lower()))
    return next((found[0] for found in _PRODUCT.finditer(words) if found[0] not in quoted), "")


def tempered(finding: Finding | None, scene: Scene, flow: Flow | None) -> Finding | None:
    """A finding that rests on a page or redirect: a sign at most where a product names itself in it, unless
    it is on record as a provider's or a state's: these use such products, too.
    """
    if finding is None or flow is None or flow.http is None or finding.state is not State.BLOCKED:
        return finding
    name = product(flow.http, scene.text(flow), scene.sight.hops[0].url)
    if not name or _on_record(scene, flow):
        return finding
    said = f'{finding.text}. It speaks of "{name}": a filter that homes, schools and companies use'
    return sign(finding.mechanism or "http.blockpage", said, finding.witnesses)


def _on_record(scene: Scene, flow: Flow) -> bool:
    """Whether a page or redirect is on record as a provider's or a state's."""
    known = censors_page(scene, flow) or censors_redirect(scene, step_of(flow))
    return known is not None and known.scope in ("nat", "isp")

"""The usual blocks, and sites without interference, to be told apart in every condition of a line.

Rules of this file: a situation has a key; :func:`rows` puts those named into a world. Where a condition
makes it fair to conclude nothing of a situation, the caller says so; it never makes an accusation fair.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import (
    blocked,
    down,
    http,
    https,
    nowhere,
    ok,
    redirect,
    serve,
    site,
    unclear,
)
from blockwatch.lab.world import (
    Allowed,
    DnsRule,
    Expected,
    HttpRule,
    Manners,
    Rule,
    Scenario,
    Site,
    TcpRule,
    TlsRule,
)

_LARGE = serve("large", bytes=200_000, html=True)
_Situation = tuple[str, Expected, tuple[Site, ...], tuple[Rule, ...], tuple[str, ...]]


def _block(desc: str, target: Expected, *rules: Rule, **fields: Any) -> _Situation:
    return desc, target, (site(**fields),), rules, ()


def _clean(desc: str, target: Expected, *sites: Site, dead: tuple[str, ...] = ()) -> _Situation:
    return desc, target, sites or (site(),), (), dead


SITUATIONS: dict[str, _Situation] = {
    "rst": _block("reset by name", https(blocked("tls.reset"), see="any"), TlsRule(sni="@a@", do="rst")),
    "drop": _block("dropped by name", https(blocked("tls.timeout"), see="any"), TlsRule(sni="@a@")),
    "nxdomain": _block(
        "denied by the ISP's resolver",
        https(blocked("dns.nxdomain"), see="any"),
        DnsRule(name="@a@", do="nxdomain", to="isp"),
    ),
    "bogon": _block(
        "led to this machine by the ISP's resolver",
        https(blocked("dns.bogon", "dns."), see="any"),
        DnsRule(name="@a@", answers=("127.0.0.1",), to="isp"),
    ),
    "inject": _block(
        "answers injected",
        https(blocked("dns.injection", "dns."), see="any"),
        DnsRule(name="@a@", answers=("10.10.34.36",)),
    ),
    "page": _block(
        "block page by Host",
        http(blocked("http.blockpage"), see="any"),
        HttpRule(host="@a@", do="page", response=pages.RU_UTF8),
        https=None,
    ),
    "host-rst": _block(
        "reset by Host",
        http(blocked("http.reset"), see="any"),
        HttpRule(host="@a@", do="rst"),
        https=None,
    ),
    "ip": _block("address dropped", https(blocked("tcp.timeout"), see="any"), TcpRule(ip="@a.ip@")),
    "throttle": _block(
        "slowed down by name",
        https(blocked("throttle", "http.timeout", "tls.timeout", "freeze"), see="any", slow=True),
        TlsRule(sni="@a@", do="throttle", rate=8),
        https=_LARGE,
    ),
    "freeze": _block(
        "stopped after 20 KB by name",
        https(blocked("freeze", "throttle", "http.timeout"), see="any", slow=True),
        TlsRule(sni="@a@", do="freeze", after=20_000),
        https=_LARGE,
    ),
    "ok": _clean("clean", https(ok(), see="any")),
    "cdn": _clean("clean, at a content network", https(ok(), see="any"), site(n=2, pool="cloudflare")),
    "cleartext": _clean("clean, cleartext", http(ok(), see="any"), site(https=None)),
    "upgrade": _clean(
        "clean, led from http to https", http(ok(), see="any"), site(http=redirect("https://@a@/", 301))
    ),
    "hop": _clean(
        "clean, led to another host",
        https(ok(), see="any"),
        site(https=redirect("https://@b@/")),
        site("b"),
    ),
    "large": _clean("120 KB", https(ok(), see="any"), site(https=serve("large", bytes=120_000, html=True))),
    "gone": _clean("the name does not exist", https(down(), unclear(), see="any"), nowhere(rcode=3)),
    "dead": _clean("dead for everybody", https(down(), unclear(), see="any"), dead=("@a.ip@",)),
    "closed": _clean("closed", https(down(), unclear(), see="any"), site(http=None, https=None)),
    "hang": _clean(
        "never answers anybody", http(down(), unclear(), see="any"), site(https=None, http=serve("hang"))
    ),
    "flaky": _clean(
        "resets half of everybody's handshakes",
        https(ok(), down(), unclear(), see="any"),
        site(manners=Manners(tls_flaky=0.5)),
    ),
    "expired": _clean("certificate expired", https(down(), ok(), unclear(), see="any"), site(cert="expired")),
}


def rows(
    world: str,
    keys: str,
    *,
    source: str,
    open_to: str = "",
    also: Iterable[Allowed] = (),
) -> tuple[Scenario, ...]:
    """The situations ``keys`` (words; ``ok*3``: three of them) in ``world``.

    ``open_to``: of these (``all``: of each) nothing may be concluded either. ``also``: allowed of every
    situation without interference that works for nobody.
    """
    found: list[Scenario] = []
    for word in keys.split():
        key, _, times = word.partition("*")
        desc, target, own, blocks, dead = SITUATIONS[key]
        truth = target.truth
        if (open_to == "all" or key in open_to.split()) and unclear() not in truth:
            truth = (*truth, unclear())
        if not blocks and down() in truth:
            truth = (*truth, *also)
        for number in range(int(times or 1)):
            found.append(
                say.row(
                    f"{world}-{key}{number + 1 if number else ''}",
                    desc,
                    replace(target, truth=truth),
                    family="noise" if blocks else "clean",
                    source=source,
                    world=world,
                    sites=own,
                    rules=blocks,
                    dead=dead,
                )
            )
    return tuple(found)

"""Worlds by name, each with the verdict that a run in it must give: the table of situations.

A row: the world, the states allowed, a mechanism prefix (blocked only) and the rule that must decide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blockwatch import failure as f
from blockwatch.model import Endpoint, Measurement
from blockwatch.run import LineCheck, Vantage
from tests.judge import forged
from tests.judge.stage import (
    CUT,
    DOH,
    GOOD,
    GOOD_HOSTS,
    HOST,
    OTHER,
    SECOND,
    SILENCE,
    SITE,
    SITE2,
    Hello,
    Page,
    World,
    changed,
    measured,
    resolves,
)

HTTP = f"http://{HOST}/"
BLOCK = Page(title="Access Denied", length=185, headers=(("Content-Type", "text/html"),))
UNTITLED = Page(title=None, length=90, headers=())


@dataclass(frozen=True)
class Row:
    """One situation and its truth."""

    world: World
    states: str  # space-separated
    mechanism: str = ""
    rule: str = ""
    grades: str = "signs strong confirmed"


def isp(said: Any, *, line: bool = True) -> Callable[[str, str, int], Any]:
    """The line's own resolver lies about the site; everybody else tells the truth."""
    mine = ("system", "line") if line else ("system",)
    return lambda resolver, name, n: said if resolver in mine and name == HOST else (SITE,)


def everywhere(said: Any) -> Callable[[str, str, int], Any]:
    """Answers over UDP are made up on the path, whoever is asked; DoH is not reached."""
    return lambda resolver, name, n: said if resolver != DOH and name == HOST else (SITE,)


def by_sni(hello: Hello) -> Callable[[str, str | None, int], Hello | None]:
    """The censor acts on the site's name in the ClientHello, wherever it is sent."""
    return lambda address, sni, n: hello if sni == HOST else None


def by_host(answer: Any) -> Callable[[str, str, bool, int], Any]:
    """The censor acts on the site's name in a cleartext request, wherever it is sent."""
    return lambda address, host, tls, n: answer if host == HOST and not tls else None


def on_address(failure: str, *addresses: str) -> Callable[[str, int, int], str | None]:
    """Connections to these addresses fail."""
    return lambda address, port, n: failure if address in addresses else None


def broken_for_control(**fields: Any) -> dict[str, Any]:
    """A helper that got no page."""
    return {
        "status": None,
        "headers": (),
        "body_length": None,
        "title": None,
        "http_failure": "unknown_error",
        **fields,
    }


def ends(
    tcp: str | None = None, tls: str | None = None, address: str = SITE, port: int = 443
) -> tuple[Endpoint, ...]:
    """What the helper saw of one endpoint."""
    return (Endpoint(address=address, port=port, tcp_failure=tcp, tls=tcp is None, tls_failure=tls),)


def redirecting(to: str, status: int = 302) -> Callable[[str, str], Page]:
    """The site's http address redirects; what is behind it is a page."""
    return lambda url, address: Page(status=status, location=to) if url.startswith("http:") else Page()


FROM = "http://site.example.org/"
SLOW = Page(length=300_000, us=20 * SECOND, truncated=True)
FAST = Page(length=400_000, us=500_000)
FROZEN = Page(length=16_384, us=200_000, stall=True)
SELF = Hello(trust=f.UNKNOWN_AUTHORITY)
OLD = Hello(trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired")


WORLDS: dict[str, Row] = {}


def row(
    name: str,
    states: str,
    mechanism: str = "",
    rule: str = "",
    *,
    grades: str = "signs strong confirmed",
    **world: Any,
) -> None:
    """Add a row to the table."""
    if name in WORLDS:
        raise ValueError(f"two rows are called {name}")
    WORLDS[name] = Row(World(**world), states, mechanism, rule, grades)


# Clean.
row("clean https", "ok", rule="page.tls")
row("clean http", "ok", rule="page.cleartext", url=HTTP)
row("clean https, no helper", "ok", rule="page.tls", control=None)
row("clean https, helper down", "ok", rule="page.tls", control={"failure": f.TIMEOUT, "status": None})
row("clean http, no helper", "ok inconclusive", url=HTTP, control=None)
row("http upgrades to https", "ok", url=HTTP, page=redirecting(f"https://{HOST}/"))
row(
    "303 to a path (A)",
    "ok",
    page=lambda url, a: Page(status=303, location="/x") if url.endswith("/") else Page(),
)
row(
    "http redirects to another clean site",
    "ok",
    url=HTTP,
    page=redirecting(f"https://{GOOD_HOSTS[0]}/"),
    answer=lambda a, h, t, n: Page() if a in GOOD and h == GOOD_HOSTS[0] and t else None,
)
row(
    "control got a challenge (D)",
    "ok",
    url=HTTP,
    control={"status": 403, "title": "Just a moment...", "body_length": 900},
)
row("multi-CDN over https (L)", "ok", lookup=lambda r, name, n: (SITE2,) if r == "system" else (SITE,))
row(
    "dynamic http page (N)",
    "ok",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(title=f"News of minute {n}: all quiet", length=7_000 + 13 * (n % 50))
        if h == HOST and a == SITE
        else None
    ),
    control={"title": "Other headlines entirely", "body_length": 11_900},
)
row("404 for everybody", "ok down", page=lambda url, a: Page(status=404, title="Not Found", length=300))
row(
    "server errs for everybody",
    "down",
    rule="page.tls",
    page=lambda url, a: Page(status=500, title="Oops", length=300),
)
row(
    "server errs for everybody, http",
    "down",
    rule="page.cleartext",
    url=HTTP,
    page=lambda url, a: Page(status=500, title="Oops", length=300),
)
row("reach, clean", "ok", rule="page.none", probe="reach")
row("tls endpoint", "ok", url=f"https://{HOST}:443/", probe="reach")
row("dns, clean", "ok", rule="name.resolves", probe="dns")
row(
    "one lost packet (I)",
    "ok",
    lookup=lambda r, name, n: f.TIMEOUT if n == 0 or (r == "system" and n < 4 and n == 0) else (SITE,),
)
row("server slow for everybody", "ok", page=lambda url, a: SLOW, control={"us": 15 * SECOND})
row("passing trouble", "ok", shake=lambda a, sni, n: CUT if n in range(5, 11) and sni == HOST else None)
row(
    "one of two addresses dead (Y)",
    "ok",
    rule="page.tls",
    lookup=resolves(SITE, SITE2),
    dial=on_address(f.TIMEOUT, SITE2),
)
row(
    "injection elsewhere only",
    "ok",
    lookup=resolves(SITE),
    late=lambda r, name: ("127.0.0.1",) if r == UDP0 else None,
) if (UDP0 := "udp://8.8.8.8:53") else None
row(
    "resolver dead",
    "ok inconclusive",
    calm=False,
    lookup=lambda r, name, n: f.DNS_TEMPORARY if r in ("system", "line") else (SITE,),
)

# The server refuses.
row(
    "451 over https (H)",
    "refused",
    rule="page.tls",
    page=lambda url, a: Page(status=451, title="Unavailable", length=200),
    control={"status": 200},
)
row(
    "403 for everybody, http",
    "refused",
    rule="page.cleartext",
    url=HTTP,
    page=lambda url, a: Page(status=403, title="Forbidden", length=200),
)
row(
    "challenge over https",
    "refused",
    page=lambda url, a: Page(status=503, title="Just a moment...", length=900),
    control={"status": 200},
)
row(
    "403 in cleartext only here",
    "refused",
    url=HTTP,
    answer=lambda a, h, t, n: Page(status=403, title="Forbidden", length=200) if a == SITE else None,
)

# DNS.
row("bogon from the ISP", "blocked", "dns.bogon", "dns.bogon", lookup=isp(("127.0.0.1",)), grades="confirmed")
row(
    "private address from the ISP",
    "blocked",
    "dns.redirect",
    "dns.bogon",
    lookup=isp(("10.10.34.35",)),
    dial=on_address(f.NETWORK_UNREACHABLE, "10.10.34.35"),
)
row(
    "bogon injected, true answer late",
    "blocked",
    "dns.injection",
    "dns.bogon",
    lookup=everywhere(("127.0.0.1",)),
    late=lambda r, name: (SITE,),
)
row("NXDOMAIN from the ISP", "blocked", "dns.nxdomain", "dns.fails", lookup=isp(f.NXDOMAIN), grades="strong")
row(
    "NXDOMAIN from the ISP, no helper",
    "blocked",
    "dns.nxdomain",
    "dns.fails",
    lookup=isp(f.NXDOMAIN),
    control=None,
)
row(
    "NXDOMAIN injected",
    "blocked",
    "dns.injection",
    "dns.fails",
    lookup=everywhere(f.NXDOMAIN),
    late=lambda r, name: (SITE,),
)
row(
    "REFUSED hidden by getaddrinfo",
    "blocked",
    "dns.refused",
    lookup=lambda r, name, n: (
        (f.DNS_TEMPORARY if r == "system" else f.DNS_REFUSED if r == "line" else (SITE,))
        if name == HOST
        else (SITE,)
    ),
)
row("SERVFAIL from the ISP", "blocked", "dns.servfail", lookup=isp(f.SERVFAIL))
row("empty answer from the ISP", "blocked", "dns.empty", lookup=isp(f.NO_ANSWER))
row("silence from the ISP", "blocked", "dns.timeout", lookup=isp(f.TIMEOUT))
row(
    "ISP points to a stranger",
    "blocked",
    "dns.redirect",
    "dns.certificate",
    lookup=isp((OTHER,)),
    grades="strong confirmed",
)
row("stranger injected for all", "blocked", "dns.injection", "dns.certificate", lookup=everywhere((OTHER,)))
row(
    "stranger without TLS, control finds nobody",
    "blocked",
    "dns.redirect",
    "dns.certificate",
    lookup=isp((OTHER,)),
    dial=on_address(f.REFUSED, OTHER),
    controls=lambda url: {"endpoints": ends() + ends(tcp=f.REFUSED, address=OTHER)},
)
row(
    "ISP points to a block page, http (Z2)",
    "blocked",
    "dns.redirect",
    "dns.page",
    url=HTTP,
    lookup=isp((OTHER,)),
    site=(SITE,),
    dial=lambda a, port, n: f.REFUSED if port == 443 else None,
    answer=lambda a, h, t, n: BLOCK if a == OTHER else None,
    controls=lambda url: {"endpoints": ()},
)
row(
    "spoof inside one AS, bad certificates at both (W)",
    "blocked",
    "dns.redirect",
    "dns.named",
    lookup=isp((OTHER,)),
    control=broken_for_control(
        endpoints=ends(tls=f.INVALID_CERTIFICATE) + ends(tls=f.UNKNOWN_AUTHORITY, address=OTHER)
    ),
    shake=lambda a, sni, n: (
        Hello(trust=f.INVALID_CERTIFICATE, chain=forged.plain(HOST))
        if a == SITE
        else Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain("router.lan"))
        if a == OTHER
        else None
    ),
)
row(
    "ghost",
    "blocked down",
    "dns",
    "dns.ghost",
    url=HTTP,
    lookup=lambda r, name, n: f.NXDOMAIN if r == DOH else (OTHER,),
    site=(),
    control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
)
row(
    "ghost from the ISP only",
    "down",
    rule="dns.ghost",
    url=HTTP,
    lookup=lambda r, name, n: (
        (OTHER,) if r in ("system", "line") and name == HOST else f.NXDOMAIN if name == HOST else (SITE,)
    ),
    site=(),
    control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
)
row(
    "name gone for everybody",
    "down",
    rule="dns.gone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=()),
)
row(
    "name gone, no helper",
    "down",
    rule="dns.gone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=None,
)
row(
    "zone says 127.0.0.1",
    "down",
    rule="dns.zone",
    url=HTTP,
    lookup=resolves("127.0.0.1"),
    site=(),
    control=broken_for_control(addresses=("127.0.0.1",), endpoints=()),
)
row(
    "IPv6 only (J)",
    "inconclusive",
    rule="dns.ipv6",
    lookup=lambda r, name, n: (
        f.NO_ANSWER
        if r in ("system", "line") and name == HOST
        else ("2a00:1450::5",)
        if name == HOST
        else (SITE,)
    ),
    dial=on_address(f.NETWORK_UNREACHABLE, "2a00:1450::5"),
    site=("2a00:1450::5",),
)
row(
    "resolver dead, nothing else",
    "inconclusive",
    rule="dns.dead",
    calm=False,
    lookup=lambda r, name, n: f.DNS_TEMPORARY,
    resolvers=("system",),
    controls=lambda url: {"addresses": (SITE,)},
    probe="dns",
)
row(
    "NXDOMAIN, nobody to ask (B)",
    "inconclusive",
    rule="dns.alone",
    lookup=lambda r, name, n: f.NXDOMAIN if name == HOST else (SITE,),
    control=None,
    resolvers=("system",),
)

row(
    "one page a hop, fetched over another address than the resolver's",
    "ok",
    rule="page.tls",
    lookup=lambda r, name, n: (SITE,) if r == "system" else (SITE, SITE2),
    answer=lambda a, h, t, n: None,
    dial=lambda a, port, n: None,
)

# TCP.
row(
    "address dead for us",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    grades="strong",
)
row("RST on SYN", "blocked", "tcp.refused", "tcp.blocked", dial=on_address(f.REFUSED, SITE))
row(
    "port 443 dropped only",
    "blocked",
    "tcp.timeout",
    dial=lambda a, port, n: f.TIMEOUT if a == SITE and port == 443 else None,
)
row(
    "address dead for everybody",
    "down",
    rule="tcp.down",
    dial=on_address(f.TIMEOUT, SITE),
    control=broken_for_control(endpoints=ends(tcp=f.TIMEOUT)),
)
row(
    "address dead, no helper",
    "inconclusive",
    rule="tcp.alone",
    dial=on_address(f.TIMEOUT, SITE),
    control=None,
)
row(
    "IP block on a multi-CDN site (M)",
    "blocked",
    "tcp.timeout",
    lookup=lambda r, name, n: (SITE2,) if r in ("system", "line") else (SITE,),
    dial=on_address(f.TIMEOUT, SITE2),
)
row(
    "stale address, dead for the control too",
    "inconclusive",
    lookup=resolves(SITE2),
    dial=on_address(f.TIMEOUT, SITE2),
    controls=lambda url: {
        "addresses": (SITE2, SITE),
        "endpoints": ends() + ends(tcp=f.TIMEOUT, address=SITE2),
    },
)
row(
    "redirect target refuses everybody (C)",
    "down",
    page=lambda url, a: (
        Page(status=308, location="https://www.site.example.org/") if "www" not in url else Page()
    ),
    lookup=lambda r, name, n: (SITE2,) if name.startswith("www") else (SITE,),
    dial=on_address(f.REFUSED, SITE2),
    controls=lambda url: (
        broken_for_control(endpoints=ends(tcp=f.REFUSED, address=SITE2), addresses=(SITE2,))
        if "www" in url
        else broken_for_control()
    ),
)
row(
    "redirect target is gone (C2)",
    "down",
    rule="dns.gone",
    page=lambda url, a: Page(status=308, location="https://www.site.example.org/"),
    lookup=lambda r, name, n: f.NXDOMAIN if name.startswith("www") else (SITE,),
    controls=lambda url: (
        broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=())
        if "www" in url
        else broken_for_control()
    ),
)
row(
    "redirect target blocked",
    "blocked",
    "tls.reset",
    page=lambda url, a: (
        Page(status=308, location="https://www.site.example.org/") if "www" not in url else Page()
    ),
    shake=lambda a, sni, n: CUT if sni and sni.startswith("www") else None,
)
row("local firewall", "inconclusive", rule="line.firewall", dial=on_address(f.PERMISSION_DENIED, SITE))

# TLS.
row("SNI drop", "blocked", "tls.timeout.sni", "tls.blocked", shake=by_sni(SILENCE), grades="strong")
row(
    "SNI drop, no helper",
    "blocked",
    "tls.timeout.sni",
    "tls.name",
    shake=by_sni(SILENCE),
    control=None,
    grades="strong",
)
row(
    "SNI drop on one address, no helper",
    "blocked",
    "tls.timeout.sni",
    "tls.name",
    shake=lambda a, sni, n: SILENCE if sni == HOST and a == SITE else None,
    control=None,
    grades="signs strong",
)
row(
    "SNI drop, nothing known good, no helper",
    "inconclusive",
    rule="tls.alone",
    shake=by_sni(SILENCE),
    control=None,
    good=False,
)
row("SNI reset", "blocked", "tls.reset.sni", shake=by_sni(CUT))
row("SNI FIN", "blocked", "tls.eof", shake=by_sni(Hello(failure=f.EOF, chain=(), us=20_000)))
row(
    "SNI reset; control sees an expired certificate (F)",
    "blocked",
    "tls.reset",
    shake=by_sni(CUT),
    control=broken_for_control(endpoints=ends(tls=f.INVALID_CERTIFICATE)),
)
row(
    "SNI alert",
    "blocked",
    "tls.alert",
    shake=by_sni(Hello(failure=f.FAILED_HANDSHAKE, alert=40, chain=(), us=9_000, first_byte_us=9_000)),
)
row(
    "plain text instead of TLS",
    "blocked",
    "tls.plaintext",
    "tls.plaintext",
    shake=by_sni(Hello(failure=f.FAILED_HANDSHAKE, plaintext=b"Object not found\r\n", chain=())),
    grades="confirmed",
)
row(
    "unknown plain text",
    "blocked",
    "tls.plaintext",
    "tls.blocked",
    shake=by_sni(Hello(failure=f.FAILED_HANDSHAKE, plaintext=b"go away\r\n", chain=())),
)
row(
    "flaky SNI reset",
    "blocked ok inconclusive",
    "tls.reset",
    shake=lambda a, sni, n: CUT if sni == HOST and n % 4 < 3 else None,
    grades="signs strong",
)
row(
    "flaky SNI reset, half",
    "blocked",
    "tls.reset.sni",
    "tls.flaky",
    shake=lambda a, sni, n: CUT if sni == HOST and (n < 12 or a in GOOD) else None,
    grades="signs",
    attempts=1,
)
row(
    "ClientHello unanswered for everybody",
    "down",
    rule="tls.down",
    shake=by_sni(SILENCE),
    control=broken_for_control(endpoints=ends(tls=f.TIMEOUT)),
    good=False,
)
row(
    "state interception",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca(HOST)) if sni == HOST else None
    ),
    grades="confirmed",
)
row(
    "state interception, no helper",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca(HOST)) if sni == HOST else None
    ),
    control=None,
    grades="strong",
)
row(
    "unknown interception",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "Somebody")) if sni == HOST else None
    ),
)
row(
    "unknown interception, true chain without SNI, no helper",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    control=None,
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "Somebody"))
        if sni == HOST
        else Hello(chain=forged.plain(HOST))
        if a == SITE and sni is None
        else None
    ),
)
row(
    "local antivirus",
    "inconclusive",
    rule="line.antivirus",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "AO Kaspersky Lab"))
        if sni == HOST
        else None
    ),
)
row(
    "certificate broken for everybody (G)",
    "down ok",
    rule="tls.broken",
    url=f"https://{HOST}:8443/",
    shake=by_sni(SELF),
    control=broken_for_control(endpoints=()),
)
row(
    "certificate expired for everybody",
    "down ok",
    rule="tls.broken",
    shake=by_sni(OLD),
    control=broken_for_control(endpoints=ends(tls=f.INVALID_CERTIFICATE)),
)
row("certificate broken, no helper", "inconclusive", rule="tls.untrusted", shake=by_sni(SELF), control=None)
row(
    "clock days off",
    "inconclusive",
    rule="line.clock",
    shake=by_sni(OLD),
    clock_offset_us=9 * 86_400 * SECOND,
)

# HTTP.
row("RST on Host", "blocked", "http.reset", url=HTTP, answer=by_host(f.RESET), grades="strong")
row("FIN on Host", "blocked", "http.eof", url=HTTP, answer=by_host(f.EOF))
row("drop on Host", "blocked", "http.timeout", url=HTTP, answer=by_host(f.TIMEOUT))
row(
    "drop on Host, no helper",
    "blocked",
    "http.timeout.host",
    "http.name",
    url=HTTP,
    answer=by_host(f.TIMEOUT),
    control=None,
)
row(
    "RST on Host at one address only",
    "blocked",
    "http.reset",
    "http.blocked",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and h == HOST and not t else None,
)
row(
    "RST on Host at one address, no helper",
    "blocked",
    "http.reset",
    "http.alone",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE and h == HOST and not t else None,
    control=None,
    grades="signs",
)
row(
    "flaky RST on Host",
    "blocked",
    "http.reset.host",
    "http.flaky",
    url=HTTP,
    attempts=1,
    answer=lambda a, h, t, n: f.RESET if h == HOST and not t and (n < 8 or a in GOOD or n % 2) else None,
    grades="signs",
)
row(
    "server resets everybody",
    "down",
    rule="http.down",
    url=HTTP,
    answer=lambda a, h, t, n: f.RESET if a == SITE else None,
    control=broken_for_control(),
)
row(
    "request fails, nothing known",
    "inconclusive",
    rule="http.alone",
    url=HTTP,
    answer=by_host(f.TIMEOUT),
    control=None,
    good=False,
)
row(
    "text that is not HTTP on Host",
    "blocked",
    "http.blockpage",
    "http.name",
    url=HTTP,
    answer=by_host(f.HTTP_GARBAGE),
)
row(
    "block page with Content-Length (Z)",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=by_host(BLOCK),
    grades="confirmed",
)
row(
    "block page, no helper",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=by_host(BLOCK),
    control=None,
    grades="strong",
)
row("untitled block page (E)", "blocked", "http.blockpage", url=HTTP, answer=by_host(UNTITLED))
row(
    "short titles (E2)",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(Page(title="Stop", length=120)),
    control={"title": "BBC"},
)
row(
    "403 block page",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=by_host(Page(status=403, title="Forbidden", length=150)),
)
row(
    "block page at one address, https copy",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: BLOCK if a == SITE and h == HOST and not t else None,
)
row(
    "block page on record",
    "blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(title="Access to the requested website has been blocked by judicial decision!", length=140)
        if a == SITE
        else None
    ),
    grades="confirmed",
)
row(
    "redirect on record",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=302, location="http://reestr.mitc.uz/")),
    grades="confirmed",
)
row(
    "injected redirect",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=307, location="http://92.46.33.7/blocked?id=77")),
)
row(
    "injected redirect to valid https (P)",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    answer=by_host(Page(status=302, location=f"https://{GOOD_HOSTS[0]}/stop")),
)
row(
    "injected redirect, no helper",
    "blocked",
    "http.redirect",
    "http.redirect",
    url=HTTP,
    control=None,
    answer=by_host(Page(status=302, location=f"https://{GOOD_HOSTS[0]}/stop")),
)
row(
    "injected redirect at one address",
    "blocked",
    "http.redirect",
    url=HTTP,
    answer=lambda a, h, t, n: (
        Page(status=302, location="http://92.46.33.7/blocked") if a == SITE and h == HOST and not t else None
    ),
)

row(
    "block page, the first control name has one too",
    "blocked",
    "http.blockpage",
    "page.cleartext",
    url=HTTP,
    answer=lambda a, h, t, n: BLOCK if h in (HOST, GOOD_HOSTS[0]) and not t else None,
)
row(
    "block page of a server that says so to everybody",
    "inconclusive blocked",
    "http.blockpage",
    url=HTTP,
    answer=lambda a, h, t, n: UNTITLED if not t else None,
    grades="signs strong",
)
row(
    "stranger injected for all, http, its page came first",
    "blocked",
    "dns.injection",
    "dns.page",
    url=HTTP,
    lookup=everywhere((OTHER,)),
    site=(SITE,),
    dial=lambda a, port, n: f.REFUSED if port == 443 else None,
    answer=lambda a, h, t, n: BLOCK if a == OTHER else None,
    controls=lambda url: {"endpoints": ()},
)

# Speed.
row(
    "throttled by SNI",
    "blocked",
    "throttle.sni",
    "http.throttle",
    page=lambda url, a: FAST,
    carry=lambda name, page: SLOW if name == HOST else page,
    grades="strong",
)
row(
    "frozen by SNI",
    "blocked",
    "freeze.sni",
    "http.freeze",
    page=lambda url, a: FAST,
    carry=lambda name, page: FROZEN if name == HOST else page,
    grades="strong",
)
row(
    "frozen, nothing to compare with",
    "blocked inconclusive",
    "freeze",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=by_host(FROZEN),
)
row(
    "throttled in cleartext",
    "blocked",
    "throttle",
    "http.throttle",
    url=HTTP,
    page=lambda url, a: FAST,
    answer=by_host(SLOW),
    grades="signs strong",
)
row(
    "stalls for everybody",
    "down inconclusive ok",
    page=lambda url, a: FROZEN,
    control=broken_for_control(http_failure=f.TIMEOUT),
)

# Residual blocking: what one name leaves behind at an address.


def cleartext_banned() -> tuple[Measurement, ...]:
    """The same over http."""
    world = World(url="http://banned.example/", answer=lambda a, h, t, n: f.TIMEOUT)
    return (changed(measured(world, 4, "first", 2 * SECOND, ()), target="banned", url=world.url),)


def banned(**world: Any) -> tuple[Measurement, ...]:
    """Another owner's name at the same address, measured just before, that broke there."""
    made = measured(World(url="https://banned.example/", **world), 3, "first", 2 * SECOND, ())
    return (changed(made, target="banned", url="https://banned.example/"),)


row(
    "neighbour of a name that leaves a residue",
    "inconclusive",
    rule="tls.blocked",
    shake=lambda a, sni, n: SILENCE if a == SITE else None,
    others=banned(shake=lambda a, sni, n: SILENCE),
)
row(
    "neighbour, cannot even connect",
    "inconclusive",
    rule="tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    others=banned(shake=lambda a, sni, n: SILENCE),
)
row(
    "neighbour in cleartext",
    "inconclusive",
    rule="http.blocked",
    url=HTTP,
    answer=lambda a, h, t, n: f.TIMEOUT if a == SITE else None,
    others=cleartext_banned(),
)
row(
    "a name that leaves a residue, SYNs dropped too",
    "blocked",
    "tls.timeout.sni",
    shake=by_sni(SILENCE),
    dial=lambda a, port, n: f.TIMEOUT if a == SITE and n > 9 else None,
    control=None,
)

# The line.
row(
    "offline (K)",
    "inconclusive",
    calm=False,
    good=False,
    lookup=lambda r, name, n: f.TIMEOUT,
    control={"failure": f.TIMEOUT, "status": None},
)
row(
    "offline by check",
    "inconclusive",
    rule="line.offline",
    calm=False,
    good=False,
    dial=lambda a, p, n: f.TIMEOUT,
    control={"failure": f.TIMEOUT, "status": None},
    checks=(LineCheck(kind="connectivity", when="before", t=0, ok=False, detail="nothing answered"),),
)
row(
    "portal",
    "inconclusive",
    rule="line.portal",
    shake=lambda a, sni, n: SILENCE,
    calm=False,
    good=False,
    url=HTTP,
    answer=lambda a, h, t, n: Page(status=302, location="http://10.77.0.3/login"),
    control={"failure": f.TIMEOUT, "status": None},
    checks=(LineCheck(kind="portal", when="before", t=0, ok=False, detail="a login page answered"),),
)
row("target expired", "inconclusive", rule="void.expired", expires="2026-01-01")
row(
    "IPv6 address without IPv6",
    "ok",
    lookup=resolves(SITE, "2a00:1450::5"),
    dial=on_address(f.NETWORK_UNREACHABLE, "2a00:1450::5"),
    vantage=Vantage(asn=9198, ipv4=True),
)
row(
    "http-only site with rotating addresses",
    "ok",
    rule="dns.differs",
    url=HTTP,
    lookup=lambda r, name, n: (SITE2,) if r == "system" else (SITE,),
    controls=lambda url: {"endpoints": ()},
)

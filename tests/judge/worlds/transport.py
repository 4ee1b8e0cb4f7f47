"""Worlds in which connecting or shaking hands fails."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import CUT, GOOD, GOOD_AT, HOST, SECOND, SILENCE, SITE, SITE2, Hello, Page, resolves
from tests.judge.worlds.say import OLD, SELF, broken_for_control, by_sni, ends, on_address, row

TRUE = Hello(chain=forged.plain(HOST))
STALE = Hello(
    trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired", chain=forged.plain(HOST)
)
MISNAMED = Hello(
    trust=f.INVALID_HOSTNAME, detail="X509 62: hostname mismatch", chain=forged.plain("edge.example.net")
)
SHORT = Hello(
    trust=f.UNKNOWN_AUTHORITY,
    detail="X509 20: unable to get local issuer certificate",
    chain=forged.plain(HOST),
)
ELSEWHERE: dict[str, Any] = {"endpoints": ends(address=SITE2), "addresses": (SITE2, SITE)}


def at_site(named: Hello, bare: Hello | None = None) -> Callable[[str, str | None, int], Hello | None]:
    """The site's own address answers so when its name is sent, and perhaps otherwise when none is."""
    said = {HOST: named, None: bare}
    return lambda address, sni, n: said.get(sni) if address == SITE else None


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
row("SNI reset", "blocked", "tls.reset.sni", shake=by_sni(CUT), grades="strong")
row(
    "a server that refuses this country resets every handshake",
    "blocked",
    "tls.reset",
    "tls.blocked",
    shake=lambda a, sni, n: CUT if a == SITE else None,
    grades="signs",
)
row(
    "a server that refuses this country drops the handshakes for its name",
    "blocked",
    "tls.timeout.sni",
    "tls.blocked",
    shake=at_site(SILENCE),
    grades="signs",
)
row(
    "resets at the site's address that come before the server can have sent them",
    "blocked",
    "tls.reset",
    "tls.blocked",
    shake=lambda a, sni, n: (
        Hello(failure=f.RESET, chain=(), us=9_000, first_byte_us=None) if a == SITE else None
    ),
    grades="strong",
)
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
    "flaky SNI reset that lets the first handshake of each try pass",
    "ok",
    rule="site.passing",
    shake=lambda a, sni, n: CUT if sni == HOST and n % 4 < 3 else None,
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
    "state interception at the site's address only, no helper",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca(HOST))),
    control=None,
    grades="signs",
)
row(
    "interception of 2019 at the site's address only, no helper",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.qaznet(HOST))),
    control=None,
    grades="strong",
)
row(
    "a state's own site under its national root, no helper",
    "inconclusive",
    rule="tls.national",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.national(HOST))),
    control=None,
)
row(
    "a state's own site under its national root",
    "down",
    rule="tls.national",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.national(HOST))),
    control=broken_for_control(endpoints=ends(tls=f.UNKNOWN_AUTHORITY)),
)
row(
    "unknown interception",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=by_sni(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "Somebody"))),
    grades="confirmed",
)
row(
    "unknown interception, no helper",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=by_sni(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole(HOST))),
    control=None,
    grades="strong",
)
row(
    "unknown interception without its root, no helper",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=by_sni(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "Somebody"))),
    control=None,
    grades="signs",
)
row(
    "unknown interception at the site's address only",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole(HOST))),
    grades="strong",
)
row(
    "unknown interception at the site's address only, true chain without SNI",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole(HOST)), TRUE),
    grades="confirmed",
)
row(
    "a server's self-signed host, its default is valid, no helper",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole(HOST)), TRUE),
    control=None,
    grades="signs",
)

# Ordinary faults of one edge; the helper met another.
row("expired at the same address (edge)", "inconclusive", rule="tls.untrusted", shake=at_site(STALE))
row(
    "an expired host, the server's default is valid, no helper",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(STALE, TRUE),
    control=None,
)
row(
    "an expired host, the server's default is valid",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(STALE, TRUE),
)
row(
    "a CDN's default chain at one edge",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(MISNAMED),
    control=ELSEWHERE,
)
row(
    "a CDN's default chain, though the helper's is valid at the same address",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=at_site(MISNAMED),
    grades="signs",
)
row(
    "an edge without its intermediate",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(SHORT),
    control=ELSEWHERE,
)
row(
    "an edge without its intermediate, though the helper's is valid at the same address",
    "blocked",
    "tls.mitm",
    "tls.mitm",
    shake=at_site(SHORT),
    grades="signs",
)
row(
    "a host without its intermediate, the default sends the same leaf with it",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(SHORT, TRUE),
)
row(
    "an appliance's own certificate at one edge",
    "inconclusive",
    rule="tls.untrusted",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole("appliance.example.net"))),
    control=ELSEWHERE,
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

row(
    "server resets everybody, control servers turn strange names away, no helper",
    "inconclusive",
    rule="tls.alone",
    shake=lambda a, sni, n: CUT if sni is not None and GOOD_AT.get(sni) != a else None,
    control=None,
)

"""Worlds in which shaking hands is done with somebody else."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import GOOD, GOOD_AT, GOOD_HOSTS, HOST, SILENCE, SITE, SITE2, Hello
from tests.judge.worlds.say import at_site, broken_for_control, by_sni, ends, isp, row

TRUE = Hello(chain=forged.plain(HOST))

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
    "state interception, whole chain, at the site's address only, no helper",
    "blocked",
    "tls.mitm.sni",
    "tls.authority",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca_whole(HOST)), TRUE),
    control=None,
    grades="strong",
)
row(
    "a state's chain for every name at the site's address, no helper",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca_whole(sni or HOST)) if a == SITE else None
    ),
    control=None,
    grades="signs",
)
row(
    "interception of 2019 at the site's address only, the true chain without the name, no helper",
    "blocked",
    "tls.mitm",
    "tls.state",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.qaznet(HOST)), TRUE),
    control=None,
    grades="strong",
)
row(
    "a server that shows a state's chain to everybody, whatever the name, no helper",
    "blocked inconclusive",
    "tls.mitm",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.qaznet(HOST)) if a == SITE else None
    ),
    control=None,
    grades="signs",
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
    grades="strong",
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
    grades="signs",
)
row(
    "unknown interception at the site's address only, true chain without SNI",
    "blocked",
    "tls.mitm.sni",
    "tls.mitm",
    shake=at_site(Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.whole(HOST)), TRUE),
    grades="strong",
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
row(
    "state interception of a site whose certificate has expired for everybody",
    "blocked",
    "tls.mitm.sni",
    "tls.authority",
    shake=at_site(
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca_whole(HOST)),
        Hello(
            trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired", chain=forged.plain(HOST)
        ),
    ),
    control=broken_for_control(endpoints=ends(tls=f.INVALID_CERTIFICATE)),
    grades="strong",
)
row(
    "the same, and nothing is heard from there without the name",
    "blocked",
    "tls.mitm",
    "tls.broken",
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca_whole(HOST))
        if a == SITE and sni == HOST
        else SILENCE
        if a == SITE
        else None
    ),
    control=broken_for_control(endpoints=ends(tls=f.INVALID_CERTIFICATE)),
    grades="signs",
)
row(
    "a server's valid certificate for another name is no antivirus's",
    "inconclusive",
    rule="tls.untrusted",
    shake=lambda a, sni, n: (
        Hello(
            trust=f.INVALID_HOSTNAME,
            detail="X509 62: hostname mismatch",
            chain=forged.plain(GOOD_HOSTS[0] if a in GOOD else "stranger.example.com"),
        )
        if sni == HOST or (a in GOOD and GOOD_AT.get(sni or "") != a)
        else None
    ),
    control=None,
)

# certificates that somebody on this line makes out for every name tell nothing of addresses
OWN_CA = Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain(HOST, "Company Proxy"))
ELSE_CA = Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain("blocked.isp.example", "Block Page"))
row(
    "a company's proxy signs everything, and the site answers by place",
    "inconclusive",
    lookup=isp((SITE2,)),
    shake=lambda a, sni, n: OWN_CA,
    calm=False,
    control={"addresses": (SITE,), "endpoints": ends()},
)
row(
    "a chain for another name of that make at the resolver's address",
    "blocked",
    "dns.redirect",
    lookup=isp((SITE2,)),
    shake=lambda a, sni, n: (
        Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.plain("other.example", "Company Proxy"))
        if a == SITE2
        else OWN_CA
    ),
    calm=False,
    control={"addresses": (SITE,), "endpoints": ends()},
)
row(
    "a stranger's chain at the resolver's address, while a proxy signs at the site's",
    "blocked",
    "dns.redirect",
    lookup=isp((SITE2,)),
    shake=lambda a, sni, n: ELSE_CA if a == SITE2 else OWN_CA,
    calm=False,
    control={"addresses": (SITE,), "endpoints": ends()},
)

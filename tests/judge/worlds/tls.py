"""Worlds in which shaking hands fails, or is done with somebody else."""

from __future__ import annotations

from collections.abc import Callable

from blockwatch import failure as f
from tests.judge import forged
from tests.judge.world import CUT, GOOD, GOOD_AT, GOOD_HOSTS, HOST, SILENCE, SITE, Hello
from tests.judge.worlds.say import broken_for_control, by_sni, ends, row

TRUE = Hello(chain=forged.plain(HOST))


def at_site(named: Hello, bare: Hello | None = None) -> Callable[[str, str | None, int], Hello | None]:
    """The site's own address answers so when its name is sent, and perhaps otherwise when none is."""
    said = {HOST: named, None: bare}
    return lambda address, sni, n: said.get(sni) if address == SITE else None


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
    "SNI drop, no helper, and every server cuts strangers off at once",
    "blocked",
    "tls.timeout.sni",
    "tls.name",
    shake=lambda a, sni, n: (
        SILENCE if sni == HOST else CUT if a in GOOD and sni != GOOD_HOSTS[GOOD.index(a)] else None
    ),
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

row(
    "RST by server name, for the helper as well",
    "blocked",
    "tls.reset.sni",
    "tls.name",
    shake=by_sni(CUT),
    control=broken_for_control(endpoints=ends(tls=f.RESET), http_failure=f.RESET),
)

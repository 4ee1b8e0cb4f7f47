"""Worlds in which shaking hands fails, or is done with somebody else."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, GOOD, GOOD_HOSTS, HOST, SILENCE, SITE, Hello
from tests.judge.worlds.say import at_site, broken_for_control, by_sni, ends, row

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
row(
    "SNI drop of the name's very bytes, nothing known good",
    "blocked",
    "tls.timeout.sni",
    "tls.blocked",
    shake=lambda a, sni, n: SILENCE if sni == HOST else None,
    good=False,
    grades="signs",
)
row(
    "SNI drop, nothing known good",
    "blocked",
    "tls.timeout",
    "tls.blocked",
    shake=by_sni(SILENCE),
    good=False,
    grades="signs",
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
    "flaky SNI reset that lets one handshake of four pass",
    "ok blocked",
    shake=lambda a, sni, n: CUT if sni == HOST and n % 4 < 3 else None,
    grades="signs",
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
    "RST by server name, for the helper as well",
    "blocked",
    "tls.reset.sni",
    "tls.name",
    shake=by_sni(CUT),
    control=broken_for_control(endpoints=ends(tls=f.RESET), http_failure=f.RESET),
)

# our own library gives up, and nobody sent an alert
TOO_OLD = Hello(failure=f.FAILED_HANDSHAKE, chain=(), us=60_000)
row(
    "an old server that our TLS library refuses, and the control's does not",
    "inconclusive",
    rule="tls.ours",
    shake=lambda a, sni, n: TOO_OLD if a == SITE else None,
)
row(
    "the same, and other names get another of the server's sites",
    "inconclusive",
    rule="tls.ours",
    shake=lambda a, sni, n: TOO_OLD if a == SITE and sni == HOST else None,
)
row(
    "the same for the control",
    "down",
    rule="tls.down",
    shake=lambda a, sni, n: TOO_OLD if a == SITE else None,
    control=broken_for_control(http_failure=f.FAILED_HANDSHAKE, endpoints=ends(tls=f.FAILED_HANDSHAKE)),
)
row(
    "what is no handshake comes for the name, wherever it is sent",
    "blocked",
    "tls.alert",
    "tls.blocked",
    shake=by_sni(TOO_OLD),
)
row(
    "an alert for the name at the site's own address",
    "blocked",
    "tls.alert",
    shake=lambda a, sni, n: (
        Hello(failure=f.FAILED_HANDSHAKE, alert=40, chain=()) if a == SITE and sni == HOST else None
    ),
    grades="signs",
)

"""The rows that are asked about each hop of the redirect chain: what happened to the site?

Rules of this file: as in :mod:`blockwatch.judge.rules`; the order is that of a connection, lookup first.
"""

from __future__ import annotations

from blockwatch.judge import rules_around as around
from blockwatch.judge import rules_certs as certs
from blockwatch.judge import rules_first as first
from blockwatch.judge import rules_first_pages as first_pages
from blockwatch.judge import rules_first_speed as first_speed
from blockwatch.judge import rules_http as http
from blockwatch.judge import rules_pages as page
from blockwatch.judge import rules_redirect as redirect
from blockwatch.judge import rules_speed as speed
from blockwatch.judge import rules_transport as transport
from blockwatch.judge.name_rows import NAMES
from blockwatch.judge.row import OWN, rows

_OONI = "OONI ts-017 web connectivity; defects of its verdicts, executed"
_TWO = "two-name rounds: net4people/bbs, RIPE Atlas 28589165 and 28589202; ICLab"

FLOWS = rows(
    "hop",
    (
        "line.firewall",
        transport.local_firewall,
        "EPERM and EACCES come from this machine",
        "ooni/probe-cli jafar README",
    ),
    ("tcp.port", around.other_port, "a port is less than an address", "IP matrices of the techniques", 2),
    (
        "tcp.neighbour",
        around.neighbour,
        "an address is less than a network",
        "techniques: neighbours in the same /24",
        2,
    ),
    (
        "site.residue",
        around.residue,
        "what fails for every name after one, and passes later, was left behind by that one",
        "Hyperquack's stateful blocks; breakerspace/turkmenistan-censorship",
        2,
    ),
    ("tcp.down", transport.tcp_down, "what the control cannot reach either is down", _OONI),
    (
        "tcp.blocked",
        transport.connecting_fails,
        "the control connects where we cannot, repeatedly",
        _OONI,
        1,
        1,
    ),
    ("tcp.blocked", transport.tcp_blocked, "the control connects where we cannot, repeatedly", _OONI, 2),
    (
        "tcp.alone",
        transport.tcp_alone,
        "silence without a control is not evidence",
        "architecture: no control is a value",
    ),
    (
        "site.partial",
        first.some_addresses,
        "one dead address is not the site",
        "OONI verdict defect Y",
        1,
        1,
    ),
    ("site.partial", around.some_addresses, "one dead address is not the site", "OONI verdict defect Y", 2),
    (
        "site.passing",
        transport.passing_trouble,
        "lost packets look like blocking once",
        "OONI verdict defect I",
    ),
    (
        "tls.flaky",
        transport.tls_flaky,
        "load-balanced censors miss flows; unrelated addresses do not fail for one name",
        "hyperion-cs/dpi-checkers#20",
    ),
    (
        "tls.plaintext",
        transport.tls_plaintext,
        "a text on record as a censor's settles it",
        "Qurium 2020-02-14 (Procera, AS8193)",
    ),
    (
        "tls.ours",
        around.own_library,
        "who refuses is who said so, and no alert came",
        "OpenSSL 3: security levels, legacy renegotiation",
        2,
    ),
    (
        "tls.blocked",
        transport.tls_blocked,
        "the control's handshake is answered where ours fails alike every time",
        "OONI verdict defect F",
    ),
    ("tls.name", transport.tls_by_name, "an unrelated server cannot know the name is unwanted", _TWO),
    ("tls.down", transport.tls_down, "what fails at the same step for the control is down", _OONI),
    ("tls.alone", transport.tls_alone, "silence without a control is not evidence", OWN),
    (
        "line.antivirus",
        first.local_interception,
        "an issuer that signs for every name is local",
        "Chromium known-interception list; techniques of local interception",
        1,
        1,
    ),
    (
        "line.antivirus",
        certs.local_interception,
        "an issuer that signs for every name is local",
        "Chromium known-interception list; techniques of local interception",
        2,
    ),
    (
        "tls.national",
        certs.national_root,
        "a state may sign for its own sites",
        "bugzilla 1229827, 1864724",
    ),
    (
        "tls.authority",
        certs.state_build,
        "an authority's name can be borrowed, its build for one name alone is its own doing",
        "bugzilla 1864724; OONI KZ 2024; Raman et al., IMC 2020: sites with a valid chain only",
        2,
    ),
    (
        "tls.state",
        certs.state_interception,
        "the issuer is on record as a state's",
        "bugzilla 1229827, 1567114, 1680927, 1864724; OONI KZ 2024",
    ),
    (
        "tls.broken",
        certs.certificate_broken,
        "a certificate broken for everybody is the site's own",
        "OONI verdict defect G",
    ),
    (
        "tls.mitm",
        certs.interception,
        "a made-up chain beside a true one was put in between; ordinary faults are not made up",
        "Raman et al., IMC 2020",
    ),
    (
        "tls.untrusted",
        certs.certificate_alone,
        "an untrusted chain may be the site's own, of one server at least",
        OWN,
    ),
    (
        "http.freeze",
        first_speed.frozen,
        "bytes that stop for one name and go on for another",
        "net4people/bbs#490",
        1,
        1,
    ),
    (
        "http.freeze",
        speed.frozen,
        "bytes that stop for one name and go on for another",
        "net4people/bbs#490",
        2,
    ),
    (
        "http.throttle",
        first_speed.throttled,
        "same address, two names, five times apart, no overlap",
        "net4people/bbs#65; darkk/ru-twi-ndt7",
        1,
        1,
    ),
    (
        "http.throttle",
        speed.throttled,
        "same address, two names, five times apart",
        "net4people/bbs#65; darkk/ru-twi-ndt7",
        2,
    ),
    ("http.flaky", http.http_flaky, "load-balanced censors miss flows", "hyperion-cs/dpi-checkers#20"),
    ("http.name", http.http_by_name, "an unrelated server cannot know the name is unwanted", _TWO),
    ("http.down", http.http_down, "what fails for the control too is down", _OONI),
    (
        "http.blocked",
        http.http_blocked,
        "the control is answered where we are not, alike every time",
        _OONI,
    ),
    ("http.alone", first_pages.request_fails_alone, "silence without a control is not evidence", OWN, 1, 1),
    ("http.alone", http.http_alone, "silence without a control is not evidence", OWN, 2),
    ("http.slow", speed.slow_note, "slower is not throttled", "IMC 2021, throttling of Twitter"),
    (
        "http.redirect",
        first_pages.false_redirect,
        "a stranger's redirect that an unrelated address gives too",
        "OONI verdict defect P",
        1,
        1,
    ),
    (
        "http.redirect",
        redirect.false_redirect,
        "a stranger's redirect that an unrelated address gives too",
        "OONI verdict defect P",
        2,
    ),
    (
        "page.tls",
        page.page_over_tls,
        "over a valid chain the server itself speaks",
        "OONI verdict defects A, H",
    ),
    (
        "page.address",
        page.page_at_address,
        "over a valid chain the server itself speaks, by whatever it is called",
        "RFC 2818, 3.1; RFC 6125",
        2,
    ),
    (
        "page.cleartext",
        first_pages.cleartext_page,
        "in cleartext a page needs a witness",
        "OONI verdict defects D, E, N, Z",
        1,
        1,
    ),
    (
        "page.cleartext",
        page.cleartext_page,
        "in cleartext a page needs a witness",
        "OONI verdict defects D, E, N, Z",
        2,
    ),
    ("page.none", http.transport_reached, "a probe without a page has reached what it asked for", OWN),
    (
        "name.resolves",
        http.name_resolves,
        "overlap with another resolver is agreement",
        "Satellite, IMC 2016",
    ),
)
HOP = (*NAMES, *FLOWS)

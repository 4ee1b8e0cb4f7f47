"""The rows about the name: does the line's resolver tell the truth?

Rules of this file: as in :mod:`blockwatch.judge.rules`.
"""

from __future__ import annotations

from blockwatch.judge import rules_around as around
from blockwatch.judge import rules_dns as dns
from blockwatch.judge import rules_false as false
from blockwatch.judge import rules_first as first
from blockwatch.judge import rules_first_names as first_names
from blockwatch.judge import rules_injection as injection
from blockwatch.judge import rules_lookups as lookups
from blockwatch.judge import rules_many as many
from blockwatch.judge import rules_record as record
from blockwatch.judge.row import rows

_OONI = "OONI ts-017 web connectivity; defects of its verdicts, executed"

NAMES = rows(
    "hop",
    (
        "line.helper",
        around.helper_belied,
        "a witness that is wrong where it can be checked is none where it cannot",
        "own: helpers on broken or lying lines",
        2,
    ),
    ("dns.gone", dns.gone, "a name that resolves for nobody is not blocked", _OONI),
    (
        "dns.ghost",
        dns.ghost,
        "an answer for a name that is gone was made up by somebody",
        "OONI x_null_null_flags 16",
    ),
    (
        "dns.zone",
        first_names.zone_says_so,
        "a zone may point nowhere by itself",
        "OONI QA: localhost for everybody",
        1,
        1,
    ),
    (
        "dns.zone",
        dns.zone_says_so,
        "a zone may point nowhere by itself",
        "OONI QA: localhost for everybody",
        2,
    ),
    (
        "dns.dead",
        dns.resolver_dead,
        "a resolver that answers nothing accuses nobody",
        "CensorPulse: local problem",
    ),
    (
        "dns.everybody",
        injection.for_everybody,
        "who answers for every name, wherever it is asked, is a resolver and no injector of one name",
        "ValdikSS/blockcheck; Jigsaw-Code/net-analysis measure.sh",
        2,
    ),
    (
        "dns.dropped",
        injection.dropped,
        "a root server refers every name alike",
        "Jigsaw-Code/net-analysis measure.sh",
        2,
    ),
    (
        "dns.nobody",
        injection.from_nobody,
        "where no resolver lives nobody can answer, least of all for one name alone",
        "Triplet Censors, FOCI 2020; ValdikSS/blockcheck",
        2,
    ),
    (
        "dns.root",
        injection.from_root,
        "the root zone has no address of a site",
        "Jigsaw-Code/net-analysis measure.sh; RFC 1034, 4.3.2",
        2,
    ),
    (
        "dns.senders",
        around.senders,
        "what one sender sends in a moment comes the same way",
        "techniques: reply TTL; breakerspace/turkmenistan-censorship",
        2,
    ),
    ("dns.ipv6", dns.only_ipv6, "what the line cannot reach it cannot measure", "OONI verdict defect J"),
    (
        "dns.bogon",
        first.bogon_answer,
        "no site can live at a special-purpose address",
        "IANA registries, RFC 6890",
        1,
        1,
    ),
    (
        "dns.bogon",
        false.bogon_answer,
        "no site can live at a special-purpose address",
        "IANA registries, RFC 6890",
        2,
    ),
    (
        "dns.known",
        first_names.address_known,
        "the address is on record as a censor's",
        "fingerprint packs",
        1,
        1,
    ),
    ("dns.known", record.address_known, "the address is on record as a censor's", "fingerprint packs", 2),
    (
        "dns.certificate",
        first.false_certificate,
        "a valid chain proves an address, its absence beside one disproves",
        "Satellite, IMC 2016",
        1,
        1,
    ),
    (
        "dns.certificate",
        false.false_certificate,
        "a valid chain proves an address, its absence beside one disproves",
        "Satellite, IMC 2016",
        2,
    ),
    (
        "dns.named",
        first.other_certificate,
        "a broken certificate that names the site beats one that does not",
        "OONI verdict defect W",
        1,
        1,
    ),
    (
        "dns.named",
        false.other_certificate,
        "a broken certificate that names the site beats one that does not",
        "OONI verdict defect W",
        2,
    ),
    (
        "dns.page",
        first.false_page,
        "where nothing is encrypted the page itself must tell",
        "Satellite; OONI verdict defect Z2",
        1,
        1,
    ),
    (
        "dns.page",
        false.false_page,
        "where nothing is encrypted the page itself must tell",
        "Satellite; OONI verdict defect Z2",
        2,
    ),
    (
        "dns.many",
        many.for_many,
        "zones of several owners do not point to one place where nobody is",
        "Satellite, IMC 2016; Nourin et al., WWW 2023 (Turkmenistan)",
        2,
    ),
    (
        "dns.fails",
        first_names.lookup_fails,
        "others find the name, and this resolver finds other names",
        "OONI ts-017; RFC 2308",
        1,
        1,
    ),
    (
        "dns.fails",
        lookups.lookup_fails,
        "others find the name, and this resolver finds other names",
        "OONI ts-017; RFC 2308",
        2,
    ),
    (
        "dns.alone",
        lookups.lookup_fails_alone,
        "without a control a failed lookup may be anybody's fault",
        "OONI verdict defects B, K",
    ),
    (
        "dns.injected",
        lookups.injection_seen,
        "two contradicting replies to one query have two senders",
        "GFWatch; breakerspace/turkmenistan-censorship",
    ),
    ("dns.differs", lookups.addresses_differ, "CDNs answer by place", "OONI verdict defect L"),
)

"""Certificates that tell who answered: state interception roots, local interception, the site itself.

Rules of this file:

* ``cryptography`` is imported late: a clean run never needs it;
* a chain that cannot be parsed says nothing; no function raises;
* a name alone is a match only together with "untrusted here": the caller has seen that the chain is
  not valid (and, for ``confirmed``, that the control sees another one).

Sources of the state names: bugzilla.mozilla.org 1229827, 1567114, 1680927, 1864724; OONI and IFKZ,
Kazakhstan report 2024; Raman et al., IMC 2020 (chain of 2019: exponent 3, extensions missing).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

_STATE_CN = (
    "qaznet trust network",
    "information security certification authority",
)
_NATIONAL_CN = "негізгі куәландырушы орталық"  # Kazakhstan's ordinary national root bears this name too
_STATE_LEAF_ISSUER = "security certificate"  # C=KZ, the intermediate of 2019
_LOCAL_ISSUERS = (
    "kaspersky",
    "eset",
    "avast",
    "avg",
    "bitdefender",
    "dr.web",
    "doctor web",
    "drweb",
    "adguard",
    "fortinet",
    "fortigate",
    "zscaler",
    "sophos",
    "mcafee",
    "norton",
    "symantec web",
    "trend micro",
    "palo alto",
    "checkpoint",
    "check point",
    "blue coat",
    "netskope",
    "cisco umbrella",
    "cisco secure access",
    "forcepoint",
    "barracuda",
    "watchguard",
    "sonicwall",
    "untangle",
    "squid",
    "mitmproxy",
    "charles proxy",
    "fiddler",
    "fiddlerroot",
    "burp",
    "portswigger",
    "covenant eyes",
    "net nanny",
    "qustodio",
)
_FILTERS = (  # known from ruleset 2 on
    "netgear",
    "opendns",
    "cleanbrowsing",
    "nextdns",
    "safedns",
    "skydns",
    "dnsfilter",
    "gateway ca - cloudflare",
    "cloudflare for teams",
    "lightspeed systems",
    "lightspeed rocket",
    "securly",
    "smoothwall",
    "goguardian",
    "linewize",
    "contentkeeper",
    "iboss",
    "usergate",
    "ideco",
    "kerio control",
    "f-secure",
    "g data",
    "comodo internet security",
)


_MOST_KEPT = 32_768  # bytes of a chain that is remembered


class Leaf(NamedTuple):
    """The few facts of a chain that rules use; text is lower case."""

    issuer: str  # RFC 4514 text of the leaf's issuer
    country: str  # C of the issuer, or of any issuer of the chain
    organisations: tuple[str, ...]  # O of all issuers
    issuer_names: tuple[str, ...]  # CN of all issuers
    hosts: tuple[str, ...]  # DNS names the leaf is for
    exponent: int | None  # of an RSA leaf
    extensions: int  # how many the leaf carries
    rooted: bool  # a certificate that signed itself was sent: the chain is whole
    linked: bool  # two certificates or more were sent, each made out by the next


def read_leaf(chain: Sequence[bytes]) -> Leaf | None:
    """What a chain says (DER, leaf first); ``None`` where it cannot be read."""
    if not chain:
        return None
    first = tuple(chain[:5])
    return _read(first) if sum(map(len, first)) <= _MOST_KEPT else _read.__wrapped__(first)


@lru_cache(maxsize=1_024)
def _read(chain: tuple[bytes, ...]) -> Leaf | None:
    from cryptography import x509
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
    from cryptography.x509.oid import NameOID

    try:
        certificates = [x509.load_der_x509_certificate(der) for der in chain]
        issuers = [certificate.issuer for certificate in certificates]
        names = [
            [
                str(attribute.value).lower()
                for issuer in issuers
                for attribute in issuer.get_attributes_for_oid(oid)
            ]
            for oid in (NameOID.COUNTRY_NAME, NameOID.ORGANIZATION_NAME, NameOID.COMMON_NAME)
        ]
        key = certificates[0].public_key()
        return Leaf(
            issuer=issuers[0].rfc4514_string().lower(),
            country=names[0][0] if names[0] else "",
            organisations=tuple(names[1]),
            issuer_names=tuple(names[2]),
            hosts=_hosts(certificates[0]),
            exponent=key.public_numbers().e if isinstance(key, RSAPublicKey) else None,
            extensions=len(certificates[0].extensions),
            rooted=any(certificate.issuer == certificate.subject for certificate in certificates),
            linked=len(issuers) >= 2
            and all(
                issuer == above.subject for issuer, above in zip(issuers, certificates[1:], strict=False)
            ),
        )
    except Exception:
        return None


def _hosts(certificate: object) -> tuple[str, ...]:
    from cryptography import x509
    from cryptography.x509.oid import NameOID

    assert isinstance(certificate, x509.Certificate)  # noqa: S101 - narrows the type of a lazy import
    try:
        found = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        return tuple(name.lower() for name in found.value.get_values_for_type(x509.DNSName))
    except x509.ExtensionNotFound:
        return tuple(
            str(name.value).lower()
            for name in certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        )


def issuer_key(chain: Sequence[bytes]) -> str:
    """One text per issuer, to see whether two chains come from the same; empty if unread."""
    leaf = read_leaf(chain)
    return leaf.issuer if leaf is not None else ""


def names_host(chain: Sequence[bytes], host: str) -> bool:
    """Whether the leaf is made out for ``host`` (RFC 6125 wildcards in the first label)."""
    leaf = read_leaf(chain)
    if leaf is None:
        return False
    parent = host.partition(".")[2]
    return any(name == host or (name.startswith("*.") and name[2:] == parent) for name in leaf.hosts)


def state_root(chain: Sequence[bytes]) -> str | None:
    """The name of a known state interception authority in the chain, or ``None``.

    Kazakhstan: country KZ with O=ISCA or one of the known names; hashes are not compared, as the
    intermediates change every 75 days.
    """
    leaf = read_leaf(chain)
    if leaf is None or leaf.country != "kz":
        return None
    for name in leaf.issuer_names:
        if any(name.startswith(known) for known in _STATE_CN):
            return name
    if "isca" in leaf.organisations:
        return "isca"
    if _STATE_LEAF_ISSUER in leaf.issuer_names and (leaf.exponent == 3 or leaf.extensions <= 2):
        return _STATE_LEAF_ISSUER
    return None


def built_by_state(chain: Sequence[bytes], host: str) -> bool:
    """Whether a chain has the build of the state's interception: made out for ``host``, each certificate by
    the next, down from a known authority that was sent along.
    """
    leaf = read_leaf(chain)
    return leaf is not None and leaf.linked and state_root(chain) is not None and names_host(chain, host)


def peculiar(chain: Sequence[bytes]) -> bool:
    """Whether the leaf has the public exponent 3 that only the interception of 2019 was seen with."""
    leaf = read_leaf(chain)
    return leaf is not None and leaf.exponent == 3 and state_root(chain) is not None


def national_root(chain: Sequence[bytes]) -> bool:
    """Whether the chain names the national root of Kazakhstan, lawful on the state's own sites."""
    leaf = read_leaf(chain)
    if leaf is None or leaf.country != "kz":
        return False
    return any(name.startswith(_NATIONAL_CN) for name in leaf.issuer_names)


def local_interceptor(chain: Sequence[bytes], *, filters: bool = False) -> str | None:
    """The antivirus or corporate proxy that made the chain out, or ``None``; ``filters``: those for homes and
    schools too.
    """
    leaf = read_leaf(chain)
    if leaf is None:
        return None
    words = " ".join((leaf.issuer, *leaf.organisations, *leaf.issuer_names))
    every = _LOCAL_ISSUERS + _FILTERS if filters else _LOCAL_ISSUERS
    return next((known for known in every if _word(known).search(words)), None)


@lru_cache(maxsize=len(_LOCAL_ISSUERS) + len(_FILTERS))
def _word(text: str) -> re.Pattern[str]:
    """``text`` as whole words: "Reset Ltd" is not ESET."""
    return re.compile(rf"(?<![^\W_]){re.escape(text)}(?![^\W_])")

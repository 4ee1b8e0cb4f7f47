"""Chains for worlds: one true-looking leaf, and Kazakhstan's of 2021 on."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

_WORDS = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}


@lru_cache(maxsize=64)
def leaf(host: str, issuer: tuple[tuple[str, str], ...]) -> bytes:
    """A DER leaf for ``host`` that says it comes from ``issuer``."""
    key = ec.generate_private_key(ec.SECP256R1())
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)]))
        .issuer_name(x509.Name([x509.NameAttribute(_WORDS[word], text) for word, text in issuer]))
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=90))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def plain(host: str, organisation: str = "Let's Sign") -> tuple[bytes, ...]:
    """A chain of one, from an authority of that name."""
    return (leaf(host, (("O", organisation), ("CN", organisation + " CA"))),)


def isca(host: str) -> tuple[bytes, ...]:
    """As seen in Kazakhstan since 2021."""
    name = (("C", "KZ"), ("O", "ISCA"), ("CN", "Information Security Certification Authority"))
    return (leaf(host, name),)

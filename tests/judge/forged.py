"""Chains for worlds: one true-looking leaf, and Kazakhstan's of 2021 on."""

from __future__ import annotations

import datetime as dt
from functools import lru_cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

_WORDS = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}


@lru_cache(maxsize=64)
def leaf(host: str, issuer: tuple[tuple[str, str], ...], exponent: int | None = None) -> bytes:
    """A DER leaf for ``host`` that says it comes from ``issuer``; an RSA one if an exponent is given."""
    key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey = ec.generate_private_key(ec.SECP256R1())
    if exponent is not None:
        key = rsa.generate_private_key(public_exponent=exponent, key_size=2048)
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


def isca_whole(host: str) -> tuple[bytes, ...]:
    """The same with its root."""
    name = (("C", "KZ"), ("O", "ISCA"), ("CN", "Information Security Certification Authority"))
    return (leaf(host, name), root(name))


@lru_cache(maxsize=64)
def root(issuer: tuple[tuple[str, str], ...]) -> bytes:
    """A DER certificate that signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(_WORDS[word], text) for word, text in issuer])
    start = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(8)
        .not_valid_before(start)
        .not_valid_after(start + dt.timedelta(days=900))
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def whole(host: str, organisation: str = "Somebody") -> tuple[bytes, ...]:
    """A chain down from a root of its own."""
    name = (("O", organisation), ("CN", organisation + " CA"))
    return (leaf(host, name), root(name))


def national(host: str) -> tuple[bytes, ...]:
    """From the national root of Kazakhstan."""
    name = (("C", "KZ"), ("CN", "НЕГІЗГІ КУӘЛАНДЫРУШЫ ОРТАЛЫҚ (RSA)"))
    return (leaf(host, name), root(name))


def qaznet(host: str) -> tuple[bytes, ...]:
    """As seen in Kazakhstan in 2019."""
    return (leaf(host, (("C", "KZ"), ("CN", "Security Certificate")), 3), root((("CN", "Qaznet"),)))

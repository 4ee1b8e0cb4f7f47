"""Time-stamp tokens (RFC 3161, RFC 5816): asking for one, and reading one.

Rules of this file:

* a reply is only ever read, never written again: the bytes that the authority sent are the evidence;
* :func:`read_reply` believes nothing that is not under the token's own signature, and says nothing of
  who signed: see ``authority.py``;
* what the reply brings is bounded (``MAX_REPLY``), and every fault in it is an ``EvidenceError``.

Written here and not with rfc3161-client, which refuses replies whose set of certificates is not in DER
order (real ones exist) and which would have to be installed where evidence is only checked.
"""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha1

import msgspec
from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.serialization import Encoding

from blockwatch.errors import EvidenceError
from blockwatch.evidence import der
from blockwatch.evidence.der import OCTETS, SEQUENCE, SET, Item

MAX_REPLY = 65_536  # bytes; real ones have about 6,000
_MAX_CERTIFICATES = 16
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)

_SHA256 = "2.16.840.1.101.3.4.2.1"
_HASHES: dict[str, type[hashes.SHA256] | type[hashes.SHA384] | type[hashes.SHA512]] = {
    _SHA256: hashes.SHA256,
    "2.16.840.1.101.3.4.2.2": hashes.SHA384,
    "2.16.840.1.101.3.4.2.3": hashes.SHA512,
}
_SIGNED_DATA, _TST_INFO = "1.2.840.113549.1.7.2", "1.2.840.113549.1.9.16.1.4"
_CONTENT_TYPE, _MESSAGE_DIGEST = "1.2.840.113549.1.9.3", "1.2.840.113549.1.9.4"
_SIGNING_CERTIFICATE, _SIGNING_CERTIFICATE_V2 = "1.2.840.113549.1.9.16.2.12", "1.2.840.113549.1.9.16.2.47"
_PSS = "1.2.840.113549.1.1.10"
_ALGORITHM = {  # of signatures; null: the digest algorithm names the hash
    "1.2.840.113549.1.1.1": None,
    _PSS: None,
    "1.3.101.112": None,
    "1.2.840.113549.1.1.11": _SHA256,
    "1.2.840.113549.1.1.12": "2.16.840.1.101.3.4.2.2",
    "1.2.840.113549.1.1.13": "2.16.840.1.101.3.4.2.3",
    "1.2.840.10045.4.3.2": _SHA256,
    "1.2.840.10045.4.3.3": "2.16.840.1.101.3.4.2.2",
    "1.2.840.10045.4.3.4": "2.16.840.1.101.3.4.2.3",
}
_TIME = re.compile(rb"(\d{14})(?:\.(\d{1,9}))?Z")
FAULTS = (  # what reading a certificate or a token that is none raises
    ValueError, TypeError, KeyError, IndexError, OverflowError, InvalidSignature, UnsupportedAlgorithm,
    x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.ExtensionNotFound, x509.InvalidVersion,
)  # fmt: skip


class Token(msgspec.Struct, frozen=True, kw_only=True):
    """What an authority signed."""

    imprint: str  # SHA-256 that it saw, lower-case hex
    time: int  # microseconds since the epoch, UTC: it saw it no later than this
    accuracy: int | None  # microseconds either way; null: not said
    nonce: int | None
    serial: int
    policy: str  # object identifier, dotted
    signer: x509.Certificate
    certificates: tuple[x509.Certificate, ...]  # all that the reply brought

    @property
    def authority(self) -> str:
        """Subject of the signer's certificate (RFC 4514); not to be believed without a path."""
        return self.signer.subject.rfc4514_string()


def request_for(digest: bytes, nonce: int) -> bytes:
    """Write a request for a stamp over a SHA-256, with the authority's certificates."""
    imprint = der.element(SEQUENCE, _algorithm(_SHA256), der.element(OCTETS, digest))
    return der.element(
        SEQUENCE, der.integer_of(1), imprint, der.integer_of(nonce), der.element(0x01, b"\xff")
    )


def _algorithm(oid: str) -> bytes:
    return der.element(SEQUENCE, der.oid_of(oid), der.element(der.NULL))


def read_reply(reply: bytes) -> Token:
    """Read a reply and check the token's signature; raises ``EvidenceError``."""
    if len(reply) > MAX_REPLY:
        raise EvidenceError(f"a reply of more than {MAX_REPLY} bytes")
    try:
        status, *token = der.one(reply, SEQUENCE)
        code, *words = der.inside(status, SEQUENCE)
        if der.integer(code) not in (0, 1):
            raise EvidenceError(f"the authority refused{_words(words)}")
        return _token(token[0])
    except FAULTS as error:
        words_of = " ".join(str(error).split())[:200] or type(error).__name__
        raise EvidenceError(f"not a time-stamp reply that can be believed ({words_of})") from error


def _words(rest: list[Item]) -> str:
    """Give the free text of a refusal, if there is one."""
    texts = [text.body for part in rest[:1] if part.tag == SEQUENCE for text in der.items(part.body)]
    return ": " + " ".join(b" ".join(texts).decode("utf-8", "replace").split())[:200] if texts else ""


def _token(content_info: Item) -> Token:
    kind, wrapped = der.inside(content_info, SEQUENCE)
    if der.oid(kind) != _SIGNED_DATA:
        raise ValueError("not signed data")
    signed = der.inside(der.inside(wrapped, 0xA0)[0], SEQUENCE)
    der.integer(signed[0]), der.inside(signed[1], SET)  # its version and hashes, which nothing rests on
    inner, octets = der.inside(signed[2], SEQUENCE)
    if der.oid(inner) != _TST_INFO:
        raise ValueError("signed data of another kind")
    content = der.body(der.inside(octets, 0xA0)[0], OCTETS)
    optional = {part.tag: part for part in signed[3:]}
    certificates = _certificates(optional[0xA0]) if 0xA0 in optional else ()
    (info,) = der.inside(optional[SET], SET)  # RFC 3161: exactly one signer
    return _stamped(content, _signer(der.inside(info, SEQUENCE), content, certificates), certificates)


def _certificates(part: Item) -> tuple[x509.Certificate, ...]:
    found = [item.whole for item in der.items(part.body) if item.tag == SEQUENCE]
    if len(found) > _MAX_CERTIFICATES:
        raise ValueError(f"more than {_MAX_CERTIFICATES} certificates")
    with warnings.catch_warnings():  # of old roots with odd serial numbers, which do no harm here
        warnings.simplefilter("ignore")
        return tuple(x509.load_der_x509_certificate(one) for one in found)


def _signer(info: list[Item], content: bytes, certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Give the certificate under whose key ``content`` is signed; raises one of ``FAULTS``."""
    _, identity, digest, attributes, algorithm, signature = info[:6]
    hash_oid = der.oid(der.inside(digest, SEQUENCE)[0])
    values = _attributes(attributes)
    if der.oid(values[_CONTENT_TYPE]) != _TST_INFO:
        raise ValueError("the signature is for content of another kind")
    hasher = hashes.Hash(_HASHES[hash_oid]())
    hasher.update(content)
    if der.body(values[_MESSAGE_DIGEST], OCTETS) != hasher.finalize():
        raise ValueError("the content is not that which was signed")
    signer = _named(values, certificates)
    if identity.tag != 0x80:  # the identifier of a key names no more than the attributes do
        issuer, serial = der.inside(identity, SEQUENCE)
        if (issuer.whole, der.integer(serial)) != (signer.issuer.public_bytes(), signer.serial_number):
            raise ValueError("the signature names another certificate")
    as_signed = bytes((SET,)) + attributes.whole[1:]  # RFC 5652, section 5.4
    _check_signature(
        signer, der.inside(algorithm, SEQUENCE), hash_oid, der.body(signature, OCTETS), as_signed
    )
    return signer


def _attributes(part: Item) -> dict[str, Item]:
    values: dict[str, Item] = {}
    for attribute in der.inside(part, 0xA0):
        kind, value = der.inside(attribute, SEQUENCE)
        if der.oid(kind) in values:
            raise ValueError("a signed attribute twice")
        values[der.oid(kind)] = der.inside(value, SET)[0]
    return values


def _named(values: dict[str, Item], certificates: Sequence[x509.Certificate]) -> x509.Certificate:
    """Find the certificate whose hash the signed attributes name (RFC 5035), so that none can be swapped."""
    if _SIGNING_CERTIFICATE_V2 in values:
        first = der.items(der.inside(values[_SIGNING_CERTIFICATE_V2], SEQUENCE)[0].body)[0]
        parts = der.inside(first, SEQUENCE)
        if parts[0].tag == SEQUENCE and der.oid(der.items(parts[0].body)[0]) not in _HASHES:
            raise ValueError("the certificate is named by a hash that we do not know")
        algorithm = der.oid(der.items(parts[0].body)[0]) if parts[0].tag == SEQUENCE else _SHA256
        wanted = der.body(parts[parts[0].tag == SEQUENCE], OCTETS)
        found = [one for one in certificates if one.fingerprint(_HASHES[algorithm]()) == wanted]
    else:
        first = der.items(der.inside(values[_SIGNING_CERTIFICATE], SEQUENCE)[0].body)[0]
        wanted = der.body(der.inside(first, SEQUENCE)[0], OCTETS)
        found = [
            one
            for one in certificates
            if sha1(one.public_bytes(Encoding.DER), usedforsecurity=False).digest() == wanted
        ]
    if not found:
        raise ValueError("the reply does not bring the certificate that it names")
    return found[0]


def _check_signature(
    signer: x509.Certificate, algorithm: list[Item], hash_oid: str, signature: bytes, signed: bytes
) -> None:
    kind = der.oid(algorithm[0])
    method = _HASHES[_ALGORITHM[kind] or hash_oid]()
    key = signer.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        how: padding.AsymmetricPadding = padding.PKCS1v15()
        if kind == _PSS:
            how = padding.PSS(padding.MGF1(method), padding.PSS.AUTO)
        key.verify(signature, signed, how, method)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(method))
    elif isinstance(key, ed25519.Ed25519PublicKey):
        key.verify(signature, signed)
    else:
        raise ValueError("a key of a kind that we do not know")


def _stamped(content: bytes, signer: x509.Certificate, certificates: tuple[x509.Certificate, ...]) -> Token:
    version, policy, imprint, serial, time, *rest = der.one(content, SEQUENCE)
    algorithm, digest = der.inside(imprint, SEQUENCE)
    if der.integer(version) != 1 or der.oid(der.inside(algorithm, SEQUENCE)[0]) != _SHA256:
        raise ValueError("a stamp over something else than a SHA-256")
    optional = {part.tag: part for part in rest}
    return Token(
        imprint=der.body(digest, OCTETS).hex(),
        time=_time(der.body(time, der.TIME)),
        accuracy=_accuracy(optional[SEQUENCE]) if SEQUENCE in optional else None,
        nonce=der.integer(optional[der.INTEGER]) if der.INTEGER in optional else None,
        serial=der.integer(serial),
        policy=der.oid(policy),
        signer=signer,
        certificates=certificates,
    )


def _time(text: bytes) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise ValueError("a time that is not UTC")
    moment = datetime.strptime(found[1].decode(), "%Y%m%d%H%M%S").replace(tzinfo=UTC)
    return (moment - EPOCH) // timedelta(microseconds=1) + int((found[2] or b"0").ljust(6, b"0")[:6])


def _accuracy(part: Item) -> int:
    scale = {der.INTEGER: 1_000_000, 0x80: 1_000, 0x81: 1}
    return sum(scale[item.tag] * int.from_bytes(item.body[:8], "big") for item in der.items(part.body))


def read_roots(pem: bytes) -> tuple[x509.Certificate, ...]:
    """Read the certificates of a PEM file; raises ``ValueError`` where there is none."""
    return tuple(x509.load_pem_x509_certificates(pem))

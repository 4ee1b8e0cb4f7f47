"""Certificates of the lab: its own authority, certificates broken in one named way, forged chains.

Rules of this file:

* only :attr:`LabCA.ca_file` is ever given to a probe: what the lab's authority did not sign is untrusted;
* every certificate is made once per name and kind, and lies as one PEM file (key, leaf, issuers);
* forged chains follow what was seen in Kazakhstan: 2019 (``qaznet``: Raman et al., "Kazakhstan's HTTPS
  interception", Censored Planet 2019) and since 2021 (``isca``), and what a local antivirus does (``av``).
"""

from __future__ import annotations

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey

_DAY = dt.timedelta(days=1)
KINDS = ("good", "expired", "wrong", "untrusted", "self")
STYLES = ("isca", "qaznet", "av", "gateway", "nameless", "company", "lone", "stranger")
_GATE_HOST = "warning.telecom-gw.net"  # names its own valid certificate, whoever was meant


@dataclass(frozen=True, kw_only=True)
class Signer:
    """A key with the certificate it signs under, and the certificates above it as servers send them."""

    key: Key
    certificate: x509.Certificate
    above: tuple[x509.Certificate, ...] = ()

    @property
    def sent(self) -> tuple[x509.Certificate, ...]:
        """What a server sends after a leaf of this signer."""
        return (self.certificate, *self.above)


class LabCA:
    """The lab's certificate authority; all it makes lies in ``folder``."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        self.ca_file = folder / "lab-ca.pem"
        self._files: dict[tuple[str, ...], Path] = {}
        self._rsa: rsa.RSAPrivateKey | None = None
        self._leaf_key = ec.generate_private_key(ec.SECP256R1())
        root = self._root(_name(O="Lab Trust Services", CN="Lab Root R1"))
        self._issuer = self._beneath(root, _name(O="Lab Trust Services", CN="Lab TLS CA 1"), send_root=False)
        self.ca_file.write_bytes(root.certificate.public_bytes(serialization.Encoding.PEM))
        self._signers: dict[str, Signer] = {}

    def site(self, names: tuple[str, ...], kind: str = "good") -> Path:
        """PEM file of a server for ``names`` (host names or addresses), of one of :data:`KINDS`."""
        return self._cached((kind, *names), lambda: self._site(names, kind))

    def forged(self, style: str, names: tuple[str, ...]) -> Path:
        """PEM file of an interception box that poses as the site of ``names``; one of :data:`STYLES`."""
        return self._cached((style, *names), lambda: self._forged(style, names))

    def _cached(self, key: tuple[str, ...], make: Callable[[], bytes]) -> Path:
        if key not in self._files:
            digest = hashlib.sha256("\0".join(key).encode()).hexdigest()[:16]
            path = self.folder / f"{key[0]}-{digest}.pem"
            path.write_bytes(make())
            self._files[key] = path
        return self._files[key]

    def _site(self, names: tuple[str, ...], kind: str) -> bytes:
        start, end = self.now - 30 * _DAY, self.now + 60 * _DAY
        signer: Signer | None = self._issuer
        if kind == "expired":
            start, end = self.now - 120 * _DAY, self.now - 30 * _DAY
        elif kind == "wrong":
            names = ("default.web-hosting-panel.net",)
        elif kind == "untrusted":
            signer = self._signer("untrusted")
        elif kind == "self":
            signer = None
        elif kind != "good":
            raise ValueError(f"no such kind of certificate: {kind}")
        leaf = self._leaf(names, self._leaf_key, signer, start, end)
        return _pem(self._leaf_key, leaf, *(signer.sent if signer else ()))

    def _forged(self, style: str, names: tuple[str, ...]) -> bytes:
        if style == "stranger":
            return self._site((_GATE_HOST,), "good")
        if style == "lone":
            return self._site(names, "self")
        signer = self._signer(style)
        start, end = self.now - 30 * _DAY, self.now + 60 * _DAY
        key: Key = self._leaf_key
        bare = False
        if style == "qaznet":  # the true leaf's names and dates, moved by six hours; nothing else kept
            key = self._exponent_three()
            start, end = start - dt.timedelta(hours=6), end - dt.timedelta(hours=6)
            bare = True
        leaf = self._leaf(names, key, signer, start, end, bare=bare)
        return _pem(key, leaf, *signer.sent)

    def _exponent_three(self) -> rsa.RSAPrivateKey:
        if self._rsa is None:
            self._rsa = rsa.generate_private_key(public_exponent=3, key_size=2048)  # as seen in 2019
        return self._rsa

    def _signer(self, style: str) -> Signer:
        if style not in self._signers:
            self._signers[style] = self._make_signer(style)
        return self._signers[style]

    def _make_signer(self, style: str) -> Signer:
        if style == "untrusted":
            return self._beneath(self._root(_name(O="Intranet", CN="Office CA")), _name(CN="Office CA 2"))
        if style == "isca":  # the intermediates live 75 days and were used while expired
            subject = {"C": "KZ", "O": "ISCA", "CN": "Information Security Certification Authority"}
            root = self._root(_name(**{**subject, "CN": subject["CN"] + " CA"}))
            return self._beneath(root, _name(**subject), start=self.now - 90 * _DAY, end=self.now - 15 * _DAY)
        if style == "qaznet":
            root = self._root(_name(C="KZ", CN="Qaznet Trust Network"))
            return self._beneath(root, _name(C="KZ", CN="Security Certificate"))
        if style == "gateway":
            root = self._root(_name(C="TM", O="National Gateway", CN="TM Root Trust"))
            return self._beneath(root, _name(C="TM", O="National Gateway", CN="Trust Gateway 2"))
        if style == "nameless":
            return self._root(_name(CN="ca"))
        if style == "company":
            return self._root(_name(O="Fortinet", CN="FG100FTK19000000"))
        if style == "av":
            name = _name(O="AO Kaspersky Lab", CN="Kaspersky Anti-Virus Personal Root Certificate")
            return self._root(name)
        raise ValueError(f"no such style of interception: {style}")

    def _root(self, name: x509.Name) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        start, end = self.now - 1000 * _DAY, self.now + 4000 * _DAY
        return Signer(key=key, certificate=_authority(name, key, None, start, end))

    def _beneath(
        self,
        root: Signer,
        name: x509.Name,
        *,
        start: dt.datetime | None = None,
        end: dt.datetime | None = None,
        send_root: bool = True,
    ) -> Signer:
        key = ec.generate_private_key(ec.SECP256R1())
        start, end = start or self.now - 500 * _DAY, end or self.now + 2000 * _DAY
        certificate = _authority(name, key, root, start, end)
        return Signer(key=key, certificate=certificate, above=root.sent if send_root else ())

    def _leaf(
        self,
        names: tuple[str, ...],
        key: Key,
        signer: Signer | None,
        start: dt.datetime,
        end: dt.datetime,
        *,
        bare: bool = False,
    ) -> x509.Certificate:
        subject = _name(CN=names[0])
        builder = _builder(subject, signer.certificate.subject if signer else subject, key, start, end)
        builder = builder.add_extension(x509.SubjectAlternativeName([_san(name) for name in names]), False)
        if not bare:
            usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
            builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), True)
            builder = builder.add_extension(usage, False)
            builder = _identify(builder, key, signer)
        return builder.sign(signer.key if signer else key, hashes.SHA256())


def _name(**parts: str) -> x509.Name:
    oids = {"C": NameOID.COUNTRY_NAME, "O": NameOID.ORGANIZATION_NAME, "CN": NameOID.COMMON_NAME}
    # A common name holds at most 64 characters (RFC 5280, ub-common-name).
    return x509.Name([x509.NameAttribute(oids[part], text[:64]) for part, text in parts.items()])


def _san(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name, issuer: x509.Name, key: Key, start: dt.datetime, end: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(start)
        .not_valid_after(end)
    )


def _identify(builder: x509.CertificateBuilder, key: Key, signer: Signer | None) -> x509.CertificateBuilder:
    """Key identifiers, without which strict verifiers refuse a chain (RFC 5280, 4.2.1.1 and 4.2.1.2)."""
    above = (signer.key if signer else key).public_key()
    builder = builder.add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(above), False)
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)


def _authority(
    name: x509.Name, key: Key, signer: Signer | None, start: dt.datetime, end: dt.datetime
) -> x509.Certificate:
    builder = _builder(name, signer.certificate.subject if signer else name, key, start, end)
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
    usage = dict.fromkeys(
        (
            "content_commitment",
            "key_encipherment",
            "data_encipherment",
            "key_agreement",
            "encipher_only",
            "decipher_only",
        ),
        False,
    )
    builder = builder.add_extension(
        x509.KeyUsage(digital_signature=True, key_cert_sign=True, crl_sign=True, **usage), True
    )
    return _identify(builder, key, signer).sign(signer.key if signer else key, hashes.SHA256())


def _pem(key: Key, *certificates: x509.Certificate) -> bytes:
    private = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    return private + b"".join(c.public_bytes(serialization.Encoding.PEM) for c in certificates)

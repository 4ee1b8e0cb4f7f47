"""Certificates of the lab: each kind broken in the one way its name says."""

from __future__ import annotations

import datetime as dt
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from blockwatch.lab.ca import KINDS, STYLES, LabCA

NAMES = ("example-site.kz", "www.example-site.kz", "8.8.8.8")


def handshake(ca: LabCA, pem: Path, name: str) -> int:
    """OpenSSL's verify code of a handshake in memory; 0: the chain is valid for ``name``."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    server.load_cert_chain(pem)
    client = ssl.create_default_context(cafile=str(ca.ca_file))
    client.verify_flags |= ssl.VERIFY_X509_STRICT
    up, down = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = (
        client.wrap_bio(down, up, server_hostname=name),
        server.wrap_bio(up, down, server_side=True),
    )
    for _ in range(3):
        for end in ends:
            try:
                end.do_handshake()
            except ssl.SSLWantReadError:
                continue
            except ssl.SSLCertVerificationError as error:
                return error.verify_code
    return 0


def chain(pem: Path) -> list[x509.Certificate]:
    return x509.load_pem_x509_certificates(pem.read_bytes())


def common_name(name: x509.Name) -> str:
    return str(name.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value)


@pytest.mark.parametrize("name", NAMES)
def test_a_good_certificate_is_valid_for_each_of_its_names(ca: LabCA, name: str) -> None:
    assert handshake(ca, ca.site(NAMES), name) == 0


@pytest.mark.parametrize(
    ("kind", "codes"), [("expired", {10}), ("wrong", {62}), ("untrusted", {19, 20}), ("self", {18})]
)
def test_each_kind_is_broken_in_one_way(ca: LabCA, kind: str, codes: set[int]) -> None:
    assert handshake(ca, ca.site(NAMES, kind), NAMES[0]) in codes


@pytest.mark.parametrize("style", STYLES)
def test_no_forged_chain_is_trusted(ca: LabCA, style: str) -> None:
    codes = {"lone": {18}, "stranger": {62}}.get(style, {10, 19, 20})
    assert handshake(ca, ca.forged(style, NAMES), NAMES[0]) in codes


def test_a_stranger_is_valid_for_its_own_name(ca: LabCA) -> None:
    assert handshake(ca, ca.forged("stranger", NAMES), "warning.telecom-gw.net") == 0


def test_qaznet_copies_the_names_and_moves_the_dates(ca: LabCA) -> None:
    real, forged = chain(ca.site(NAMES))[0], chain(ca.forged("qaznet", NAMES))
    leaf, key = forged[0], forged[0].public_key()
    assert isinstance(key, rsa.RSAPublicKey)
    assert (key.public_numbers().e, key.key_size) == (3, 2048)
    assert leaf.subject == real.subject
    assert leaf.not_valid_before_utc == real.not_valid_before_utc - dt.timedelta(hours=6)
    assert [extension.oid for extension in leaf.extensions] == [x509.SubjectAlternativeName.oid]
    issuers = [common_name(certificate.issuer) for certificate in forged]
    assert issuers == ["Security Certificate", "Qaznet Trust Network", "Qaznet Trust Network"]


def test_isca_signs_under_an_expired_intermediate(ca: LabCA) -> None:
    leaf, intermediate, *_ = chain(ca.forged("isca", NAMES))
    assert leaf.issuer == intermediate.subject
    assert intermediate.not_valid_after_utc < ca.now < leaf.not_valid_after_utc
    assert "O=ISCA" in intermediate.subject.rfc4514_string()
    assert "C=KZ" in intermediate.subject.rfc4514_string()


def test_the_antivirus_signs_itself(ca: LabCA) -> None:
    _, root = chain(ca.forged("av", NAMES))
    assert root.issuer == root.subject
    assert "Kaspersky" in common_name(root.subject)


def test_a_certificate_is_made_once(ca: LabCA) -> None:
    assert ca.site(NAMES) == ca.site(NAMES)
    assert len({ca.site(NAMES, kind) for kind in KINDS}) == len(KINDS)
    with pytest.raises(ValueError, match="no such kind"):
        ca.site(NAMES, "perfect")

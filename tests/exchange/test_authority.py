"""Whose word a stamp is: chains that limit what is below them, held against ``openssl ts -verify``."""

from __future__ import annotations

import subprocess
from hashlib import sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import msgspec
import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from blockwatch.errors import EvidenceError
from blockwatch.evidence.authority import authority_path
from blockwatch.evidence.tsp import read_reply, request_for
from tests.exchange.authority import Authority, make_certificate, name_of

DIGEST = sha256(b"blockwatch/run/0123456789abcdef\n5\n").digest()
ORG, MAIL = NameOID.ORGANIZATION_NAME, NameOID.EMAIL_ADDRESS
ACME = x509.DirectoryName(x509.Name([x509.NameAttribute(ORG, "Acme  Stamps")]))
HOST, BELOW = x509.DNSName("example.org"), x509.DNSName(".example.org")
NUMBER, OTHER = x509.RegisteredID(NameOID.COMMON_NAME), x509.RegisteredID(ORG)
NET = x509.IPAddress(ip_network("192.0.2.0/24"))
INSIDE, OUTSIDE = (x509.IPAddress(ip_address(text)) for text in ("192.0.2.7", "198.51.100.7"))
UNKNOWN = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.2.3.4.5"), b"\x05\x00")
POLICY = x509.PolicyConstraints(require_explicit_policy=0, inhibit_policy_mapping=None)
WEB = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])


def also(extension: x509.ExtensionType, *, critical: bool = True) -> dict[str, Any]:
    return {"extra": ((extension, critical),)}


def limits(*allowed: x509.GeneralName, but: x509.GeneralName | None = None) -> dict[str, Any]:
    return also(x509.NameConstraints(allowed or None, (but,) if but else None))


def named(common: str, *others: tuple[x509.ObjectIdentifier, str]) -> dict[str, Any]:
    return {"subject": name_of(common, *others)}


def called(*names: x509.GeneralName) -> dict[str, Any]:
    return also(x509.SubjectAlternativeName(names), critical=False)


def mail(text: str) -> x509.RFC822Name:
    return x509.RFC822Name(text)


def url(text: str) -> x509.UniformResourceIdentifier:
    return x509.UniformResourceIdentifier(text)


Options = dict[str, Any]
NAMES: dict[str, tuple[Options, Options, bool]] = {  # the intermediate, the signer, whether it counts
    "no limits": ({}, {}, True),
    "a name that it may give": (limits(ACME), named("a", (ORG, "ACME stamps")), True),
    "a name that it may not give": (limits(ACME), named("a", (ORG, "Others")), False),
    "no such name at all": (limits(ACME), named("a"), False),
    "a name that it is denied": (limits(but=ACME), named("a", (ORG, "Acme Stamps")), False),
    "a name beside the denied one": (limits(but=ACME), named("a", (ORG, "Acme Stamps 2")), True),
    "hosts alone are limited": (limits(HOST), named("A Stamp Authority"), True),
    "a host as common name": (limits(HOST), named("tsa.example.org"), True),
    "another host as common name": (limits(HOST), named("tsa.example.com"), False),
    "the domain itself": (limits(HOST), called(HOST), True),
    "not below it": (limits(BELOW), called(HOST), False),
    "a host that ends alike": (limits(HOST), called(x509.DNSName("anexample.org")), False),
    "a host that is denied": (limits(but=HOST), called(x509.DNSName("a.Example.org")), False),
    "mail in the name": (limits(mail("example.org")), named("a", (MAIL, "tsa@example.com")), False),
    "mail of the host": (limits(mail("example.org")), called(mail("a@EXAMPLE.org")), True),
    "mail of another box": (limits(mail("b@example.org")), called(mail("a@example.org")), False),
    "mail of a host below": (limits(mail("example.org")), called(mail("a@b.example.org")), False),
    "mail below the domain": (limits(mail(".example.org")), called(mail("a@b.example.org")), True),
    "a URL of the host": (limits(url("example.org")), called(url("https://example.org/tsa")), True),
    "a URL elsewhere": (limits(url("example.org")), called(url("https://example.com/tsa")), False),
    "an address inside": (limits(NET), called(INSIDE), True),
    "an address outside": (limits(NET), called(OUTSIDE), False),
    "a kind of name that cannot be compared": (limits(but=NUMBER), called(OTHER), False),
}
CHAINS: dict[str, tuple[Options, Options, Options, bool]] = {  # the root, too
    "a limit of the root": (limits(ACME), named("m", (ORG, "Acme Stamps")), named("a"), False),
    "an intermediate outside": (limits(ACME), named("m"), named("a", (ORG, "Acme Stamps")), False),
    "all inside": (limits(ACME), named("m", (ORG, "Acme Stamps")), named("a", (ORG, "Acme Stamps")), True),
    "a path that is too long": ({"path_length": 0}, {}, {}, False),
    "a path that is not": ({"path_length": 1}, {"path_length": 0}, {}, True),
    "a root that issued itself anew": ({"path_length": 0}, named("root one"), {}, True),
    "an essential extension of the signer": ({}, {}, also(UNKNOWN), False),
    "an essential extension of the intermediate": ({}, also(UNKNOWN), {}, False),
    "an essential extension of the root": (also(UNKNOWN), {}, {}, False),
    "an extension that is not": ({}, also(UNKNOWN, critical=False), {}, True),
    "policies": ({}, also(POLICY), {}, True),
    "an intermediate for other things": ({}, also(WEB), {}, True),
}
CASES = {name: ({}, *case) for name, case in NAMES.items()} | CHAINS


@pytest.mark.parametrize("case", CASES)
def test_what_issuers_limit_holds_below_them(tmp_path: Path, case: str) -> None:
    root, middle, signer, good = CASES[case]
    authority = Authority(tmp_path / "tsa", root=root, middle=middle, **signer)
    raw = authority.reply(request_for(DIGEST, 7))
    (tmp_path / "reply").write_bytes(raw)
    words = ["-digest", DIGEST.hex(), "-in", tmp_path / "reply", "-CAfile", authority.roots]
    openssl = subprocess.run(["openssl", "ts", "-verify", *words], capture_output=True, check=False)
    assert (openssl.returncode == 0) is good, openssl.stderr
    if good:
        assert len(authority_path(read_reply(raw), [authority.root])) == 3
        return
    with pytest.raises(EvidenceError, match="no chain leads"):
        authority_path(read_reply(raw), [authority.root])


@pytest.mark.parametrize("wrong", ["key_cert_sign", "key_agreement"])
def test_a_signer_whose_key_is_for_other_things_is_none(tmp_path: Path, wrong: str) -> None:
    """OpenSSL would not sign with one."""
    names = ("digital_signature", "content_commitment", "key_encipherment", "data_encipherment",
             "key_agreement", "key_cert_sign", "crl_sign", "encipher_only", "decipher_only")  # fmt: skip
    authority = Authority(tmp_path / "tsa")
    token = read_reply(authority.reply(request_for(DIGEST, 7)))
    key = ec.generate_private_key(ec.SECP256R1())
    for used, good in (
        ({"digital_signature"}, True),
        ({"digital_signature", wrong}, False),
        ({wrong}, False),
    ):
        usage = x509.KeyUsage(**{name: name in used for name in names})
        signer = make_certificate("wrong", key, extra=((usage, True),), key_usage=False)
        other = msgspec.structs.replace(token, signer=signer)
        if good:
            assert authority_path(other, [signer]) == (signer,)
        else:
            with pytest.raises(EvidenceError, match="time-stamping alone"):
                authority_path(other, [signer])

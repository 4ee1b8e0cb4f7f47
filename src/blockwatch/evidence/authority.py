"""Whose word a time-stamp token is: the chain from its signer to an authority that the reader named.

Rules of this file:

* it says what ``openssl ts -verify`` says (RFC 5280, section 6, as OpenSSL does it), or less; so neither
  policies nor the extended key usage of issuers count;
* certificates are held to the time that the token names: one that has expired since stays good;
* what an issuer limits (path length, names) holds for all below it; a critical extension that nobody here
  understands makes a certificate useless.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from ipaddress import ip_address, ip_network
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID, ExtensionOID, NameOID

from blockwatch.errors import EvidenceError
from blockwatch.evidence.tsp import EPOCH, FAULTS, Token

_MAX_PATH = 8
_UNDERSTOOD = frozenset({  # critical or not: those of OpenSSL that limit nothing here, or are looked at
    ExtensionOID.BASIC_CONSTRAINTS, ExtensionOID.KEY_USAGE, ExtensionOID.EXTENDED_KEY_USAGE,
    ExtensionOID.NAME_CONSTRAINTS, ExtensionOID.SUBJECT_ALTERNATIVE_NAME, ExtensionOID.SUBJECT_KEY_IDENTIFIER,
    ExtensionOID.AUTHORITY_KEY_IDENTIFIER, ExtensionOID.CERTIFICATE_POLICIES, ExtensionOID.POLICY_MAPPINGS,
    ExtensionOID.POLICY_CONSTRAINTS, ExtensionOID.INHIBIT_ANY_POLICY, ExtensionOID.CRL_DISTRIBUTION_POINTS,
    ExtensionOID.OCSP_NO_CHECK,
})  # fmt: skip


def authority_path(token: Token, roots: Sequence[x509.Certificate]) -> tuple[x509.Certificate, ...]:
    """Give the chain from the signer to one of ``roots`` at the token's time; raises ``EvidenceError``."""
    when = EPOCH + timedelta(microseconds=token.time)
    try:
        if not _stamps(token.signer):
            raise EvidenceError("the signer's certificate is not one for time-stamping alone")
        found = _path(token, roots, when)
    except FAULTS as error:
        raise EvidenceError(f"the signer's certificate cannot be used ({type(error).__name__})") from error
    if found is None:
        raise EvidenceError("no chain leads from its signer to an authority that you named")
    return found


def _stamps(signer: x509.Certificate) -> bool:
    """RFC 3161, section 2.3; a key usage, where there is one, is for signatures alone."""
    usage = signer.extensions.get_extension_for_class(x509.ExtendedKeyUsage)
    if not usage.critical or list(usage.value) != [ExtendedKeyUsageOID.TIME_STAMPING]:
        return False
    try:
        key = signer.extensions.get_extension_for_class(x509.KeyUsage).value
    except x509.ExtensionNotFound:
        return True
    others = (key.key_encipherment, key.data_encipherment, key.key_agreement, key.key_cert_sign, key.crl_sign)
    return (key.digital_signature or key.content_commitment) and not any(others)


def _path(
    token: Token, roots: Sequence[x509.Certificate], when: datetime
) -> tuple[x509.Certificate, ...] | None:
    """Search from the signer upwards, shortest chain first; each certificate is looked at once."""
    chains: list[tuple[x509.Certificate, ...]] = [(token.signer,)]
    seen = {token.signer}
    for chain in chains:  # grows
        last = chain[-1]
        if not (last.not_valid_before_utc <= when <= last.not_valid_after_utc and _understood(last)):
            continue
        if last in roots:
            return chain
        for issuer in (*roots, *token.certificates):
            if len(chain) < _MAX_PATH and issuer not in seen and _issued(chain, issuer):
                seen.add(issuer)
                chains.append((*chain, issuer))
    return None


def _understood(certificate: x509.Certificate) -> bool:
    return all(one.oid in _UNDERSTOOD for one in certificate.extensions if one.critical)


def _issued(chain: Sequence[x509.Certificate], issuer: x509.Certificate) -> bool:
    """Whether ``issuer`` did sign the last of a chain, and may have all of it below itself."""
    last = chain[-1]
    if last.issuer != issuer.subject:
        return False
    below = sum(one.issuer != one.subject for one in chain[1:])  # RFC 5280: self-issued ones do not count
    try:
        constraints = issuer.extensions.get_extension_for_class(x509.BasicConstraints).value
        if not constraints.ca or (constraints.path_length is not None and constraints.path_length < below):
            return False
        last.verify_directly_issued_by(issuer)
        return _may_sign(issuer) and _may_name(chain, issuer)
    except FAULTS:
        return False


def _may_sign(issuer: x509.Certificate) -> bool:
    try:
        return issuer.extensions.get_extension_for_class(x509.KeyUsage).value.key_cert_sign
    except x509.ExtensionNotFound:
        return True  # without one every use is allowed


# names: RFC 5280, section 4.2.1.10


def _may_name(chain: Sequence[x509.Certificate], issuer: x509.Certificate) -> bool:
    """Whether all names in a chain are among those that ``issuer`` may give."""
    try:
        limits = issuer.extensions.get_extension_for_class(x509.NameConstraints).value
    except x509.ExtensionNotFound:
        return True
    for number, one in enumerate(chain):
        if number and one.issuer == one.subject:
            continue
        for name in _names(one, signer=number == 0):
            allowed = [base for base in limits.permitted_subtrees or () if type(base) is type(name)]
            denied = [base for base in limits.excluded_subtrees or () if type(base) is type(name)]
            if (allowed and not any(_within(name, base) for base in allowed)) or any(
                _within(name, base) is not False for base in denied
            ):
                return False
    return True


def _names(certificate: x509.Certificate, *, signer: bool) -> Iterator[x509.GeneralName]:
    """Whatever a certificate says whose it is; the common name of a signer may be a host's."""
    subject = certificate.subject
    if subject.rdns:
        yield x509.DirectoryName(subject)
    for one in subject.get_attributes_for_oid(NameOID.EMAIL_ADDRESS):
        yield x509.RFC822Name(str(one.value))
    try:
        others = list(certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value)
    except x509.ExtensionNotFound:
        others = []
    yield from others
    if signer and not any(isinstance(one, x509.DNSName) for one in others):
        for one in subject.get_attributes_for_oid(NameOID.COMMON_NAME):
            text = str(one.value)
            if "." in text and text.isascii() and text.replace(".", "").replace("-", "").isalnum():
                yield x509.DNSName(text)


def _within(name: x509.GeneralName, base: x509.GeneralName) -> bool | None:
    """Whether a name is one of those that ``base`` (of the same kind) stands for; ``None``: not known."""
    if isinstance(name, x509.DirectoryName) and isinstance(base, x509.DirectoryName):
        wanted = _plain(base.value)
        return _plain(name.value)[: len(wanted)] == wanted
    if isinstance(name, x509.DNSName) and isinstance(base, x509.DNSName):
        return _below(name.value.lower(), base.value.lower())
    if isinstance(name, x509.RFC822Name) and isinstance(base, x509.RFC822Name):
        return _mail_within(name.value, base.value)
    if isinstance(name, x509.UniformResourceIdentifier) and isinstance(base, x509.UniformResourceIdentifier):
        host = urlsplit(name.value).hostname or ""
        return _host_within(host, base.value)
    if isinstance(name, x509.IPAddress) and isinstance(base, x509.IPAddress):
        address, network = ip_address(str(name.value)), ip_network(str(base.value))
        return address.version == network.version and address in network
    return None


def _plain(name: x509.Name) -> list[frozenset[tuple[str, bytes]]]:
    """A name in the form in which names are compared: neither case nor white space counts."""
    return [frozenset((one.oid.dotted_string, _folded(one.value)) for one in rdn) for rdn in name.rdns]


def _folded(value: str | bytes) -> bytes:
    raw = value.encode("utf-8", "surrogatepass") if isinstance(value, str) else value
    return b" ".join(raw.lower().split())


def _below(name: str, base: str) -> bool:
    """A host within a domain: ``.example.org`` is what is below it, ``example.org`` itself as well."""
    if not base or name == base:
        return True
    return name.endswith(base if base.startswith(".") else f".{base}")


def _host_within(host: str, base: str) -> bool:
    """Of mail and URLs: a domain is what is below it where it begins with a dot, otherwise itself alone."""
    host, base = host.lower(), base.lower()
    return host.endswith(base) and host != base if base.startswith(".") else host == base


def _mail_within(name: str, base: str) -> bool | None:
    box, at, host = name.rpartition("@")
    if not at:
        return None
    wanted, _, domain = base.rpartition("@")
    return (not wanted or wanted == box) and _host_within(host, domain)

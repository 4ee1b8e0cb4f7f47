"""Replies of authorities, read and held against roots: which of them count, which bits may change."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from cryptography.x509.oid import ExtendedKeyUsageOID

from blockwatch.errors import EvidenceError
from blockwatch.evidence.authority import authority_path
from blockwatch.evidence.timestamps import check_reply
from blockwatch.evidence.tsp import read_reply, request_for
from tests.exchange.authority import Authority

NOTE = b"blockwatch/run/0123456789abcdef\n5\n"  # what a stamp is over; its sense does not matter here
DIGEST = sha256(NOTE).digest()


def test_a_stamp_outlives_its_certificate(tmp_path: Path) -> None:
    old = Authority(tmp_path / "old", "old", days=(-30, 1))
    reply = old.reply(request_for(DIGEST, 7))
    token = read_reply(reply)
    assert len(authority_path(token, [old.root])) == 3  # whatever day it is when this is asked
    ends, begins = old.signer.not_valid_after_utc, old.signer.not_valid_before_utc
    for moment in (ends.timestamp() + 1, begins.timestamp() - 1):
        other = msgspec.structs.replace(token, time=int(moment) * 1_000_000)
        with pytest.raises(EvidenceError, match="no chain"):
            authority_path(other, [old.root])


@pytest.mark.parametrize(
    "leaf",
    [
        {"usage": (ExtendedKeyUsageOID.SERVER_AUTH,)},
        {"usage": (ExtendedKeyUsageOID.TIME_STAMPING, ExtendedKeyUsageOID.SERVER_AUTH)},
        {"critical": False},
    ],
)
def test_a_certificate_for_other_things_stamps_nothing(
    authority: Authority, tmp_path: Path, leaf: dict[str, object]
) -> None:
    """OpenSSL would not sign with one: its signature is put under another certificate of the same key."""
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    from tests.exchange.authority import make_certificate

    key = load_pem_private_key((authority.folder / "signer.key").read_bytes(), None)
    wrong = make_certificate("wrong", key, (authority.root, key), **leaf)  # type: ignore[arg-type]
    token = msgspec.structs.replace(read_reply(authority.reply(request_for(DIGEST, 7))), signer=wrong)
    with pytest.raises(EvidenceError, match="time-stamping alone"):
        authority_path(token, [wrong])


def test_an_authority_under_a_leaf_or_past_its_path_length_is_none(tmp_path: Path) -> None:
    one, two = Authority(tmp_path / "one"), Authority(tmp_path / "two")
    token = read_reply(one.reply(request_for(DIGEST, 7)))
    with pytest.raises(EvidenceError, match="no chain"):
        authority_path(token, [two.root])
    assert authority_path(token, [one.signer]) == (one.signer,)  # named itself
    assert len(authority_path(token, [one.middle])) == 2


def test_no_bit_of_what_is_signed_can_change(authority: Authority) -> None:
    reply = authority.reply(request_for(DIGEST, 7))
    token = read_reply(reply)
    for at in range(len(reply)):
        changed = bytearray(reply)
        changed[at] ^= 1 << at % 8
        try:
            other = read_reply(bytes(changed))
            authority_path(other, [authority.root])
        except EvidenceError:
            continue
        assert (other.imprint, other.time, other.serial) == (token.imprint, token.time, token.serial)


def test_the_certificates_of_a_reply_need_not_be_sorted(authority: Authority) -> None:
    reply = authority.reply(request_for(DIGEST, 7))
    token = read_reply(reply)
    from cryptography.hazmat.primitives.serialization import Encoding

    ders = [one.public_bytes(Encoding.DER) for one in token.certificates]
    joined = b"".join(ders)
    assert joined in reply
    turned = read_reply(reply.replace(joined, b"".join(ders[::-1])))
    assert turned.certificates == token.certificates[::-1]
    assert authority_path(turned, [authority.root])


@pytest.mark.parametrize("digest", ["sha256", "sha384", "sha512"])
@pytest.mark.parametrize("ess", ["sha1", "sha256", "sha512"])
def test_the_hashes_that_authorities_use_are_understood(tmp_path: Path, digest: str, ess: str) -> None:
    tsa = Authority(tmp_path / "tsa", rsa_key=digest == "sha512")
    config = (tsa.folder / "ts.cnf").read_text()
    config = config.replace("signer_digest = sha256", f"signer_digest = {digest}")
    (tsa.folder / "ts.cnf").write_text(config.replace("ess_cert_id_alg = sha256", f"ess_cert_id_alg = {ess}"))
    token = read_reply(tsa.reply(request_for(DIGEST, 7)))
    assert token.imprint == DIGEST.hex()
    assert len(authority_path(token, [tsa.root])) == 3


def test_a_reply_is_held_against_what_was_asked(authority: Authority) -> None:
    assert check_reply(authority.reply(request_for(DIGEST, 7)), DIGEST, 7).nonce == 7
    with pytest.raises(EvidenceError, match="another request"):
        check_reply(authority.reply(request_for(DIGEST, 8)), DIGEST, 7)

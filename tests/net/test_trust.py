"""The replayed handshake says what OpenSSL would have said."""

import datetime
import ssl

import pytest
import trustme

from blockwatch.errors import ConfigError
from blockwatch.net.trust import Trust

YEAR = datetime.timedelta(days=365)


def chain(authority: trustme.CA, *names: str, **issue) -> tuple[bytes, ...]:
    leaf = authority.issue_cert(*names, **issue)
    return tuple(ssl.PEM_cert_to_DER_cert(blob.bytes().decode()) for blob in leaf.cert_chain_pems)


@pytest.fixture(scope="module")
def trust(authority):
    return Trust(authority.ca_file)


@pytest.mark.parametrize("key", [trustme.KeyType.ECDSA, trustme.KeyType.RSA])
def test_good_chains(trust, authority, key):
    sent = chain(authority.ca, "a.example", "1.2.3.4", key_type=key)
    assert trust.check(sent, "a.example") == (None, None)
    assert trust.check(sent, "1.2.3.4") == (None, None)
    assert trust.check(sent, None) == (None, None)


def test_an_intermediate_must_be_sent(trust, authority):
    sent = chain(authority.ca.create_child_ca(), "a.example")
    assert trust.check(sent, "a.example") == (None, None)
    assert trust.check(sent[:1], "a.example")[0] == "ssl_unknown_authority"


@pytest.mark.parametrize(
    ("begin", "end", "code"), [(-3, -1, "X509 10: "), (1, 3, "X509 9: ")], ids=["expired", "not yet valid"]
)
def test_dates(trust, authority, begin, end, code):
    now = datetime.datetime.now(datetime.UTC).replace(tzinfo=None)
    sent = chain(authority.ca, "a.example", not_before=now + begin * YEAR, not_after=now + end * YEAR)
    found, detail = trust.check(sent, "a.example")
    assert found == "ssl_invalid_certificate"
    assert detail.startswith(code)


def test_names_and_authorities(trust, authority):
    sent = chain(authority.ca, "a.example")
    assert trust.check(sent, "b.example")[0] == "ssl_invalid_hostname"
    assert trust.check(sent, "9.9.9.9")[0] == "ssl_invalid_hostname"
    foreign = chain(trustme.CA(), "a.example")
    assert trust.check(foreign, "a.example")[0] == "ssl_unknown_authority"
    assert trust.check(foreign, None)[0] == "ssl_unknown_authority"


def test_a_forged_signature(trust, authority):
    leaf, *rest = chain(authority.ca, "a.example")
    forged = leaf[:-5] + bytes([leaf[-5] ^ 1]) + leaf[-4:]
    assert trust.check((forged, *rest), "a.example")[0] == "ssl_invalid_certificate"


def test_junk_and_nothing(trust):
    assert trust.check((b"junk",), "a.example")[0] == "ssl_invalid_certificate"
    assert trust.check((), "a.example") == ("unchecked", None)


def test_without_the_file_only_the_bundled_roots_count(authority):
    assert Trust().check(chain(authority.ca, "a.example"), "a.example")[0] == "ssl_unknown_authority"


def test_a_ca_file_that_is_none(tmp_path):
    (tmp_path / "ca.pem").write_text("no certificate")
    for file in (tmp_path / "ca.pem", tmp_path / "missing.pem"):
        with pytest.raises(ConfigError, match="cannot read certificates"):
            Trust(file)

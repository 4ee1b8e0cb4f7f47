"""The helper's own certificate: used when good, named when not."""

import ssl

import pytest
import trustme

from blockwatch.errors import ConfigError
from blockwatch.helper.certificate import serving_context


@pytest.fixture
def files(tmp_path):
    cert = trustme.CA().issue_cert("helper.test")
    cert.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    for blob in cert.cert_chain_pems:
        blob.write_to_path(str(tmp_path / "chain.pem"), append=True)
    trustme.CA().issue_cert("other.test").private_key_pem.write_to_path(str(tmp_path / "other.pem"))
    (tmp_path / "junk.pem").write_text("junk")
    (tmp_path / "locked.pem").write_text(
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMAA=\n-----END ENCRYPTED PRIVATE KEY-----\n"
    )
    return tmp_path


def test_a_good_pair(files):
    context = serving_context(files / "chain.pem", str(files / "key.pem"))
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("chain", "key"),
    [
        ("chain.pem", "other.pem"),
        ("junk.pem", "key.pem"),
        ("chain.pem", "junk.pem"),
        ("chain.pem", "locked.pem"),
        ("absent.pem", "key.pem"),
        (".", "key.pem"),
    ],
)
def test_a_bad_pair_is_named(files, chain, key):
    with pytest.raises(ConfigError) as caught:
        serving_context(files / chain, files / key)
    assert str(files / chain) in str(caught.value)
    assert "private key" in str(caught.value)

"""Notes and keys, held against what others published."""

from __future__ import annotations

import shlex
import subprocess
from base64 import b64encode
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.errors import ConfigError, EvidenceError
from blockwatch.evidence.note import (
    MAX_LINES,
    MAX_NOTE,
    SMALL_ORDER,
    Signature,
    VerifierKey,
    as_signed,
    format_note,
    is_signed_by,
    key_of,
    parse_campaign_key,
    parse_key,
    parse_note,
)
from blockwatch.evidence.signing import new_signer, signer_from
from tests.evidence.made import signer
from tests.evidence.published import ENOCH, FOO, FOO_NOTE, GO_NOTE, GO_TEXT, PETER, SUMDB, SUMDB_NOTES

PUBLISHED = [(GO_NOTE, PETER), (GO_NOTE, ENOCH), (FOO_NOTE, FOO), *((note, SUMDB) for note in SUMDB_NOTES)]


@pytest.mark.parametrize(("raw", "key"), PUBLISHED)
def test_published_notes(raw: str, key: str) -> None:
    note = parse_note(raw.encode())
    assert str(parse_key(key)) == key
    assert is_signed_by(note, parse_key(key)) is True
    assert format_note(note.text, note.signatures) == raw.encode()
    assert is_signed_by(parse_note(f"X{raw[1:]}".encode()), parse_key(key)) is False
    assert is_signed_by(note, new_signer().key) is None


def test_signing_gives_the_published_bytes() -> None:
    """Ed25519 is deterministic: the published secret key of the Go example gives its published note."""
    from base64 import b64decode

    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    secret = "PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
    private = Ed25519PrivateKey.from_private_bytes(b64decode(secret.split("+", 4)[4])[1:])
    key = parse_key(PETER)
    signed = format_note(GO_TEXT.encode(), (Signature(key.name, key.id, private.sign(GO_TEXT.encode())),))
    assert GO_NOTE.encode().startswith(signed)


def test_of_the_signatures_of_a_key_one_must_hold() -> None:
    ours = signer()
    note = parse_note(ours.note(b"a\n"))
    false = Signature(ours.key.name, ours.key.id, bytes(64))
    unknown = Signature(ours.key.name, b"1234", bytes(64))
    for more in (false, unknown):
        for both in ((more, *note.signatures), (*note.signatures, more)):
            assert is_signed_by(parse_note(format_note(note.text, both)), ours.key) is True
    assert is_signed_by(parse_note(format_note(note.text, (false, false))), ours.key) is False
    assert is_signed_by(parse_note(format_note(note.text, (unknown,))), ours.key) is None
    stranger = new_signer()
    also = format_note(note.text, (stranger.signature(b"something else\n"), *note.signatures))
    assert is_signed_by(parse_note(also), ours.key) is True


def test_a_signature_by_somebody_with_an_odd_name_is_ignored() -> None:
    ours = signer()
    odd = Signature("o\u00a0d+d", b"1234", bytes(64))
    note = format_note(b"a\n", (odd, ours.signature(b"a\n")))
    assert is_signed_by(parse_note(note), ours.key) is True


ADDED = [b"more\n", b"\n\nmore", b"\xff\0", "— a AAAA\n".encode(), GO_NOTE.encode() * 200, b"a" * MAX_NOTE]


@pytest.mark.parametrize("added", ADDED)
def test_what_others_add_to_a_note_is_left_out(added: bytes) -> None:
    ours = signer()
    good = ours.note(b"a\n")
    text, signature = good.split(b"\n\n")
    note = parse_note(good + added)
    assert (note.text, is_signed_by(note, ours.key), as_signed(note, ours.key)) == (b"a\n", True, good)
    before = added[:60_000] if added.count(b"\n") < MAX_LINES else b"x\n" * (MAX_LINES - 2)
    note = parse_note(text + b"\n\n" + before + b"\n" + signature)  # the signer writes the first line
    assert (note.text, is_signed_by(note, ours.key), as_signed(note, ours.key)) == (b"a\n", True, None)
    assert as_signed(parse_note(GO_NOTE.encode()), ours.key) is None
    with pytest.raises(EvidenceError, match="without a signature"):
        parse_note(text + b"\n\n" + b"x\n" * MAX_LINES + signature)


def test_every_part_and_every_flipped_character_of_a_key_is_refused() -> None:
    for i in range(len(PETER)):
        for j in range(i + 1, len(PETER) + 1):
            if (i, j) != (0, len(PETER)):
                with pytest.raises(EvidenceError):
                    parse_key(PETER[i:j])
    for i, char in enumerate(PETER):
        with pytest.raises(EvidenceError):
            parse_key(PETER[:i] + chr(ord(char) + 1) + PETER[i + 1 :])


def test_a_key_under_another_name_is_refused() -> None:
    ours = signer().key
    renamed = VerifierKey("blockwatch/key/0000000000000000", ours.public)
    assert parse_key(str(renamed)) == renamed
    with pytest.raises(EvidenceError, match="not its own"):
        parse_campaign_key(str(renamed))
    assert parse_campaign_key(str(ours)) == ours == key_of(ours.public)


GOOD = FOO_NOTE.encode()
BROKEN = {
    "empty": b"",
    "no signature": b"text\n\n",
    "no empty line": b"text\n" + GOOD.split(b"\n\n")[1],
    "no text": b"\n\n" + GOOD.split(b"\n\n")[1],
    "torn": GOOD[:-1],
    "torn in the signature": GOOD[:-10],
    "a hyphen for the dash": GOOD.replace("—".encode(), b"-"),
    "a control character": GOOD.replace(b"This", b"Th\x07s"),
    "a carriage return": GOOD.replace(b"\n", b"\r\n"),
    "not UTF-8": GOOD.replace(b"This", b"Th\xffs"),
    "base64 of another form": GOOD.replace(b"aQM=", b"aQN="),
    "no base64": GOOD.replace(b"aQM=", b"aQ!="),
    "a short signature": b"text\n\n" + "— a AAAA\n".encode(),
    "too long": b"a" * MAX_NOTE + GOOD,
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_notes_are_refused(name: str) -> None:
    with pytest.raises(EvidenceError):
        parse_note(BROKEN[name])


@given(st.binary(max_size=400) | st.tuples(st.binary(max_size=30), st.integers(0, 150)).map(
    lambda drawn: GOOD[: drawn[1]] + drawn[0] + GOOD[drawn[1] :]))  # fmt: skip
def test_any_bytes_are_a_note_or_refused(raw: bytes) -> None:
    try:
        note = parse_note(raw)
    except EvidenceError:
        return
    assert parse_note(format_note(note.text, note.signatures)) == note
    assert is_signed_by(note, parse_key(FOO)) in (True, False, None)


@given(st.text(max_size=120))
def test_any_text_is_a_key_or_refused(text: str) -> None:
    try:
        assert str(parse_key(text)) == text
    except EvidenceError:
        return


def test_a_key_that_is_no_point_of_the_curve_signs_nothing() -> None:
    for public in (b"\x02" + bytes(31), b"\x07" + bytes(31)):
        key = key_of(public)
        note = parse_note(format_note(b"a\n", (Signature(key.name, key.id, bytes(64)),)))
        assert is_signed_by(note, key) is False


@pytest.mark.parametrize("sign", [0, 0x80])
@pytest.mark.parametrize("public", sorted(SMALL_ORDER))
def test_a_key_for_which_anybody_can_sign_is_refused(public: bytes, sign: int) -> None:
    """Of order 1, 2, 4 or 8: OpenSSL takes the same signature for one message in eight, or for all."""
    weak = public[:31] + bytes([public[31] | sign])
    with pytest.raises(EvidenceError, match="anybody"):
        parse_campaign_key(str(key_of(weak)))
    with pytest.raises(EvidenceError, match="anybody"):
        parse_key(str(VerifierKey("example.com/foo", weak)))


def test_the_secret_comes_back_and_shows_nowhere() -> None:
    ours = new_signer()
    again = signer_from(ours.secret())
    assert again.key == ours.key
    assert again.note(b"a\n") == ours.note(b"a\n")
    seed = ours._private.private_bytes_raw()
    shown = f"{ours!r} {ours} {vars(ours)}".encode() + ours.note(b"a\n") + ours.ssh(b"a")
    for form in (seed, seed.hex().encode(), b64encode(seed), b64encode(b"\x01" + seed)):
        assert form not in shown
    secret = ours.secret()
    for torn in (b"", secret[:-1], secret[:40], secret.replace(b"1", b"2"), b"\xff\xfe", bytes(100)):
        if torn != secret:
            with pytest.raises(ConfigError) as caught:
                signer_from(torn, "the file")
            assert secret[60:].decode().strip() not in str(caught.value)


def test_openssl_agrees(tmp_path: Path) -> None:
    """The signature of a note is a plain Ed25519 signature over its text."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    ours = new_signer()
    note = parse_note(ours.note(b"blockwatch/run/x\n1\n"))
    public = ours._private.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    for name, content in (("text", note.text), ("sig", note.signatures[0].signature), ("pem", public)):
        (tmp_path / name).write_bytes(content)
    command = "openssl pkeyutl -verify -pubin -inkey pem -rawin -in text -sigfile sig"
    done = subprocess.run(shlex.split(command), cwd=tmp_path, capture_output=True, text=True)
    assert "Verified Successfully" in done.stdout, done.stderr

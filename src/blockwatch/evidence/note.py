"""Signed notes and verifier keys: C2SP signed-note (https://c2sp.org/signed-note), Ed25519 only.

Rules of this file:

* a note is text, the first empty line, signature lines; where there is no such thing, an ``EvidenceError``;
* base64 is read only in its one canonical form, so that no byte of a note can change unseen;
* a campaign's key is named after itself: whoever renames a key makes another one;
* what its signer wrote is the text, the empty line and the first line behind it (:func:`as_signed`); anybody
  can add to a file: what stands behind that line is left out, so that a good note stays one;
* nothing here signs, and nothing here trusts a key: both are for the caller.
"""

from __future__ import annotations

import base64
import binascii
import re
from hashlib import sha256

import msgspec

from blockwatch.errors import EvidenceError

MAX_NOTE = 65_536  # bytes of a file that are looked at
MAX_LINES = 64  # behind the empty line: each may be a signature that has to be tried
KEY_PREFIX = "blockwatch/key/"
# Public keys of order 1, 2, 4 and 8, highest bit cleared (y = 0, 1, -1, the two of order 8, and 0 and 1
# written as p and p + 1): signatures by these can be had for any text without a secret.
SMALL_ORDER = frozenset(
    bytes.fromhex(each)
    for each in (
        "00" * 32,
        "01" + "00" * 31,
        "ec" + "ff" * 30 + "7f",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "ed" + "ff" * 30 + "7f",
        "ee" + "ff" * 30 + "7f",
    )
)
_ED25519 = b"\x01"
_DASH = "\u2014 "


class VerifierKey(msgspec.Struct, frozen=True):
    """A public key under a name. ``str(key)`` is its line: name, id and key, joined by "+"."""

    name: str
    public: bytes  # 32 bytes, RFC 8032

    @property
    def id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.id.hex()}+{to_base64(_ED25519 + self.public)}"


class Signature(msgspec.Struct, frozen=True):
    """One signature line."""

    name: str
    id: bytes  # 4 bytes
    signature: bytes


class Note(msgspec.Struct, frozen=True):
    """A note as read; nothing of it is verified yet."""

    text: bytes  # with its last line feed
    signatures: tuple[Signature, ...]
    first: Signature | None  # in the first line behind the empty one


def to_base64(content: bytes) -> str:
    """Encode as RFC 4648, section 4."""
    return base64.b64encode(content).decode("ascii")


def from_base64(text: str) -> bytes | None:
    """Decode; ``None`` for anything but the one canonical form."""
    try:
        content = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, ValueError):
        return None
    return content if to_base64(content) == text else None


def key_of(public: bytes) -> VerifierKey:
    """The campaign key whose public half this is: its name follows from it."""
    return VerifierKey(KEY_PREFIX + sha256(public).hexdigest()[:16], public)


def parse_key(text: str, where: str = "") -> VerifierKey:
    """Read a verifier key of any name; raises ``EvidenceError``."""
    if re.fullmatch(re.escape(KEY_PREFIX) + "[0-9a-f]{16}", text):
        what = "this is only the name of a key; its owner has the whole line (`blockwatch key show`)"
        raise EvidenceError(what, where=where)
    name, _, rest = text.partition("+")
    number, _, encoded = rest.partition("+")
    content = from_base64(encoded)
    if not _is_name(name) or content is None or len(content) != 33 or content[:1] != _ED25519:
        raise EvidenceError("not an Ed25519 verifier key (name+id+base64)", where=where)
    key = VerifierKey(name, content[1:])
    if key.id.hex() != number:
        raise EvidenceError("a verifier key whose id does not belong to it: mistyped?", where=where)
    if key.public[:31] + bytes([key.public[31] & 0x7F]) in SMALL_ORDER:
        raise EvidenceError("a key in whose name anybody can sign", where=where)
    return key


def parse_campaign_key(text: str, where: str = "") -> VerifierKey:
    """Read a campaign's verifier key, whose name must follow from it; raises ``EvidenceError``."""
    key = parse_key(text, where)
    if key != key_of(key.public):
        raise EvidenceError("a key that bears a name which is not its own", where=where)
    return key


def parse_note(raw: bytes, where: str = "") -> Note:
    """Take a signed note apart, as far as it is one; raises ``EvidenceError`` where it is none."""
    text, blank, tail = raw[:MAX_NOTE].partition(b"\n\n")
    if any(byte < 32 and byte != 10 for byte in text) or not text or not blank:
        raise EvidenceError("not a signed note (text, empty line, signatures)", where=where)
    try:
        text.decode("utf-8")
    except UnicodeDecodeError as error:
        raise EvidenceError("a note that is not UTF-8", where=where) from error
    lines = [_signature(line) for line in tail.split(b"\n")[:-1][:MAX_LINES]]
    found = tuple(filter(None, lines))
    if not found:
        raise EvidenceError("a note without a signature", where=where)
    return Note(text + b"\n", found, lines[0])


def _signature(line: bytes) -> Signature | None:
    start, _, rest = line.decode("utf-8", "replace").partition(_DASH)
    name, _, encoded = rest.partition(" ")
    content = from_base64(encoded)
    if start or not name or content is None or len(content) < 5:
        return None
    return Signature(name, content[:4], content[4:])


def _is_name(name: str) -> bool:
    return bool(name) and "+" not in name and not any(char.isspace() for char in name)


def format_note(text: bytes, signatures: tuple[Signature, ...]) -> bytes:
    """The note as it stands in a file."""
    lines = (f"{_DASH}{each.name} {to_base64(each.id + each.signature)}\n" for each in signatures)
    return text + b"\n" + "".join(lines).encode()


def is_signed_by(note: Note, key: VerifierKey) -> bool | None:
    """Whether any signature in the name of ``key`` holds; ``None``: there is none in its name."""
    ours = [each for each in note.signatures if (each.name, each.id) == (key.name, key.id)]
    return any(_holds(each, note, key) for each in ours) if ours else None


def as_signed(note: Note, key: VerifierKey) -> bytes | None:
    """The note as ``key`` wrote it, without what others added; ``None``: its signature comes not first."""
    first = note.first
    if first is None or (first.name, first.id) != (key.name, key.id) or not _holds(first, note, key):
        return None
    return format_note(note.text, (first,))


def _holds(signature: Signature, note: Note, key: VerifierKey) -> bool:
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature.signature, note.text)
    except (InvalidSignature, ValueError):  # the latter: a public key that is no point of the curve
        return False
    return True

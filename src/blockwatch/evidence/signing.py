"""The private half of a campaign's key.

Rules of this file:

* Ed25519 (RFC 8032), made here for this one purpose; never a key that the volunteer has already;
* the secret leaves as one line, for a file that only its owner reads; no message, record or repr holds it;
* cryptography is loaded when a key is, not at start-up.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from blockwatch.errors import ConfigError
from blockwatch.evidence.note import Signature, VerifierKey, format_note, from_base64, key_of, to_base64
from blockwatch.evidence.sshsig import signed_content, ssh_signature

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_FORM = "PRIVATE+KEY"  # of golang.org/x/mod/sumdb/note: PRIVATE+KEY+name+id+base64(0x01 || seed)


class Signer:
    """Signs notes and files in the name of one key."""

    def __init__(self, private: Ed25519PrivateKey) -> None:
        self._private = private
        self.key: VerifierKey = key_of(private.public_key().public_bytes_raw())

    def __repr__(self) -> str:
        return f"<Signer {self.key.name}>"

    def signature(self, text: bytes) -> Signature:
        """Sign the text of a note."""
        return Signature(self.key.name, self.key.id, self._private.sign(text))

    def note(self, text: bytes) -> bytes:
        """A signed note, as it stands in a file."""
        return format_note(text, (self.signature(text),))

    def ssh(self, content: bytes) -> bytes:
        """An SSH signature over the content of a file."""
        return ssh_signature(self.key.public, self._private.sign(signed_content(content)))

    def derived(self, purpose: bytes) -> bytes:
        """32 bytes for one purpose that only whoever has the secret can make: HKDF with SHA-256, RFC 5869."""
        from cryptography.hazmat.primitives.hashes import SHA256
        from cryptography.hazmat.primitives.kdf.hkdf import HKDF

        return HKDF(SHA256(), 32, salt=None, info=purpose).derive(self._private.private_bytes_raw())

    def secret(self) -> bytes:
        """The line to keep in a file that only its owner reads."""
        seed = to_base64(b"\x01" + self._private.private_bytes_raw())
        return f"{_FORM}+{self.key.name}+{self.key.id.hex()}+{seed}\n".encode()


def new_signer() -> Signer:
    """Make a key."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    return Signer(Ed25519PrivateKey.from_private_bytes(os.urandom(32)))


def signer_from(secret: bytes, where: str = "") -> Signer:
    """Take up the key of a file again; raises ``ConfigError``, which does not quote it."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    parts = secret.decode("ascii", "replace").removesuffix("\n").split("+", 4)
    seed = from_base64(parts[4]) if len(parts) == 5 and "+".join(parts[:2]) == _FORM else None
    if seed is not None and len(seed) == 33 and seed[:1] == b"\x01":
        signer = Signer(Ed25519PrivateKey.from_private_bytes(seed[1:]))
        if signer.secret() == secret:
            return signer
    raise ConfigError(
        "this file of a key is damaged",
        where=where,
        remedy="Put its copy back, or begin anew with: blockwatch key rotate.",
    )

"""SSH signatures over a file, which stock ``ssh-keygen -Y verify`` accepts.

PROTOCOL.sshsig of OpenSSH: what is signed is the SHA-512 of the file with the namespace, so a signature of
ours can be taken neither for a login nor for a signed commit. Pure; signing and trusting are for the caller.
"""

from __future__ import annotations

from base64 import b64encode
from hashlib import sha512

from blockwatch.errors import EvidenceError
from blockwatch.evidence.note import VerifierKey, from_base64

NAMESPACE = "blockwatch"
MAX_SSH_SIGNATURE = 4_096  # bytes of the file
_MAGIC = b"SSHSIG"
_KIND = b"ssh-ed25519"
_HASH = b"sha512"
_BEGIN, _END = "-----BEGIN SSH SIGNATURE-----\n", "\n-----END SSH SIGNATURE-----\n"


def _string(content: bytes) -> bytes:
    return len(content).to_bytes(4, "big") + content


def _public_key(public: bytes) -> bytes:
    return _string(_KIND) + _string(public)


def signed_content(content: bytes) -> bytes:
    """The bytes to be signed for a file with this content."""
    return _MAGIC + b"".join(map(_string, (NAMESPACE.encode(), b"", _HASH, sha512(content).digest())))


def ssh_signature(public: bytes, signature: bytes) -> bytes:
    """The file of a signature: ``public`` is 32 bytes, ``signature`` 64."""
    parts = (_public_key(public), NAMESPACE.encode(), b"", _HASH, _string(_KIND) + _string(signature))
    text = b64encode(_MAGIC + (1).to_bytes(4, "big") + b"".join(map(_string, parts))).decode()
    return (_BEGIN + "\n".join(text[i : i + 70] for i in range(0, len(text), 70)) + _END).encode()


def is_ssh_signed(content: bytes, raw: bytes, key: VerifierKey, where: str = "") -> bool:
    """Whether ``raw`` is a signature by ``key`` over ``content`` that holds.

    Raises ``EvidenceError`` where it is no such signature at all (another form, namespace or kind of key).
    """
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text = raw.decode("ascii", "replace") if len(raw) <= MAX_SSH_SIGNATURE else ""
    blob = from_base64(text.removeprefix(_BEGIN).removesuffix(_END).replace("\n", "")) or b""
    signature = blob[-64:]
    if ssh_signature(blob[33:65], signature) != raw:  # one form only: what we would have written
        raise EvidenceError("not an SSH signature as blockwatch writes it", where=where)
    if blob[33:65] != key.public:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(key.public).verify(signature, signed_content(content))
    except (InvalidSignature, ValueError):
        return False
    return True


def allowed_signer(key: VerifierKey) -> str:
    """The line for an ssh file of allowed signers (ssh-keygen(1), ALLOWED SIGNERS)."""
    return (
        f'{key.name} namespaces="{NAMESPACE}" {_KIND.decode()} {b64encode(_public_key(key.public)).decode()}'
    )

"""Encryption to other people's keys, in the age format (https://age-encryption.org/v1).

Rules of this file:

* only public keys are asked for; the machine that encrypts cannot decrypt again;
* files stream through: neither direction holds more than a few chunks in memory;
* a secret key appears in no message;
* pyrage (an extra) is loaded when it is needed and not before.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Protocol

from blockwatch.errors import EvidenceError, UsageError

_BEGINS = (b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----")
_ARMOR = _BEGINS[1]
_MOST_OF_A_KEY_FILE = 65_536
_MOST_OF_A_HEAD = 65_536  # bytes: some 600 recipients; reading a head takes time that grows as its square


class Sink(Protocol):
    """What encrypted bytes go into."""

    def write(self, content: bytes, /) -> int:
        """Take some bytes."""

    def flush(self) -> None:
        """Nothing is held back."""


class Source(Protocol):
    """What encrypted bytes come from."""

    def read(self, count: int = -1, /) -> bytes:
        """The next bytes."""

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go back."""


def looks_encrypted(begin: bytes) -> bool:
    """Whether a file that begins so is an age file."""
    return begin.startswith(_BEGINS)


def _pyrage() -> Any:
    try:
        import pyrage
    except ImportError as error:
        raise UsageError(
            "encryption needs the package pyrage, which is not installed",
            remedy="Install it: pip install 'blockwatch-toolkit[encryption]'",
        ) from error
    return pyrage


def recipients_of(keys: Iterable[str]) -> list[Any]:
    """Public keys (``age1…``) as pyrage wants them; ``UsageError`` names the one that is none."""
    found = []
    for key in keys:
        if key.strip().upper().startswith("AGE-SECRET-KEY-"):
            raise UsageError(
                "this is a secret key, which nobody but its owner should have",
                remedy="Give the public one, which begins with age1: age-keygen -y prints it.",
            )
        try:
            found.append(_pyrage().x25519.Recipient.from_str(key.strip()))
        except (_pyrage().RecipientError, UnicodeEncodeError) as error:
            raise UsageError(
                f"{key[:80]!a} is no age key",
                remedy="A key looks like age1 and 58 letters and digits; age-keygen makes one.",
            ) from error
    return found


def identities_of(files: Iterable[Path]) -> list[Any]:
    """Secret keys out of files as ``age-keygen`` writes them; ``UsageError`` without quoting them."""
    found = []
    for path in files:
        remedy = "Give a file with a line AGE-SECRET-KEY-1…, as age-keygen writes it."
        try:
            if not path.is_file():
                raise UsageError("there is no such file", where=str(path), remedy=remedy)
            with path.open("rb") as file:
                text = file.read(_MOST_OF_A_KEY_FILE + 1).decode("utf-8", "replace")
        except OSError as error:
            raise UsageError(f"cannot be read ({error.strerror})", where=str(path), remedy=remedy) from error
        lines = [line.strip() for line in text.splitlines()]
        lines = [line for line in lines if line and not line.startswith("#")]
        try:
            found += [_pyrage().x25519.Identity.from_str(line) for line in lines]
        except _pyrage().IdentityError:
            lines = []
        if not lines or len(text) > _MOST_OF_A_KEY_FILE:
            raise UsageError("this is no file of age keys", where=str(path), remedy=remedy)
    return found


class _Pieces:
    """Reads from an iterator of pieces; keeps what it raised, which pyrage would turn into words."""

    def __init__(self, pieces: Iterator[bytes]) -> None:
        self._pieces, self._rest = pieces, memoryview(b"")
        self.raised: BaseException | None = None

    def read(self, count: int) -> bytes:
        try:
            while not self._rest:
                self._rest = memoryview(next(self._pieces))
        except StopIteration:
            return b""
        except BaseException as error:
            self.raised = error
            raise
        piece, self._rest = self._rest[:count], self._rest[count:]
        return bytes(piece)


class _Kept:
    """Writes into a sink, and keeps what it raised."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink
        self.raised: BaseException | None = None

    def write(self, content: bytes) -> int:
        try:
            self._sink.write(content)
        except BaseException as error:
            self.raised = error
            raise
        return len(content)

    def flush(self) -> None:
        self._sink.flush()


def encrypt(pieces: Iterator[bytes], sink: Sink, recipients: list[Any]) -> None:
    """Encrypt as it comes; whatever ``pieces`` or ``sink`` raise comes out as it was."""
    source, kept = _Pieces(pieces), _Kept(sink)
    try:
        _pyrage().encrypt_io(source, kept, recipients)
    except Exception as error:
        raise source.raised or kept.raised or error from None


def sealed(content: bytes, recipients: list[Any]) -> bytes:
    """One age file of these bytes."""
    return bytes(_pyrage().encrypt(content, recipients))


def decrypt(source: Source, sink: Sink, identities: list[Any], where: str) -> None:
    """Decrypt as it comes. What reaches ``sink`` before an error is authentic, but not whole.

    ``UsageError``: no key fits; ``EvidenceError``: not an age file, cut short or changed.
    """
    if not identities:
        raise UsageError(
            "it is encrypted", where=where, remedy="Name the file with your secret key: --identity FILE"
        )
    if not _has_a_head(source):
        raise EvidenceError(
            "it cannot be decrypted: the head of an age file is missing, cut short or too long",
            where=where,
            remedy="Ask for the file again.",
        )
    kept = _Kept(sink)
    try:
        _pyrage().decrypt_io(source, kept, identities)
    except (_pyrage().DecryptError, OSError, ValueError) as error:
        if kept.raised is not None:
            raise kept.raised from None
        if "matching keys" in str(error):
            raise UsageError(
                "none of the keys given opens it",
                where=where,
                remedy="It was encrypted to other keys: ask its sender to which ones.",
            ) from None
        raise EvidenceError(
            f"it cannot be decrypted: it is damaged or cut short ({error})",
            where=where,
            remedy="Ask for the file again.",
        ) from None


def _has_a_head(source: Source) -> bool:
    """Whether the head ends soon; leaves ``source`` where it was."""
    begin = source.read(_MOST_OF_A_HEAD)
    source.seek(-len(begin), io.SEEK_CUR)
    if begin.startswith(_ARMOR):
        lines = begin.split(b"\n")[1:-1]
        try:
            begin = b"".join(
                base64.b64decode(line.strip(), validate=True) for line in lines if b"-" not in line
            )
        except ValueError:
            return False
    return begin.startswith(_BEGINS[0]) and b"\n--- " in begin


def opened(content: bytes, identities: list[Any], where: str) -> bytes:
    """The bytes of one age file; raises as :func:`decrypt`."""
    sink = io.BytesIO()
    decrypt(io.BytesIO(content), sink, identities, where)
    return sink.getvalue()

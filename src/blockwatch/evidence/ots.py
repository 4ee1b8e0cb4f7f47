"""OpenTimestamps proofs: from a file's hash, step by step, to a calendar's promise or a Bitcoin block.

Rules of this file:

* a proof is a tree of operations on a message; a leaf is an attestation of the message it stands at;
* a pending attestation is a calendar's promise and proves nothing; a Bitcoin one proves what the
  reader's own copy of the block header says, nothing less;
* reading is bounded: bytes, depth, length of a message; every fault is an ``EvidenceError``.

Format: the ``Proof`` files of version 1 that OpenTimestamps' own client writes. Written here and not with
its Python library: docs/decisions/0011-outside-time.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator

import msgspec

from blockwatch.errors import EvidenceError

MAGIC = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294")
MAX_PROOF = 65_536  # bytes of a file, or of a calendar's answer
_MAX_DEPTH = 256
_MAX_MESSAGE = 4_096
_ATTESTATION, _FORK = 0x00, 0xFF
_APPEND, _PREPEND, _REVERSE, _HEXLIFY, _SHA256 = 0xF0, 0xF1, 0xF2, 0xF3, 0x08
_HASH_NAMES = {0x02: "sha1", 0x03: "ripemd160", _SHA256: "sha256", 0x67: "keccak256"}
_PENDING, _BITCOIN = bytes.fromhex("83dfe30d2ef90c8e"), bytes.fromhex("0588960d73d71901")
_URI = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._/:")


class Attestation(msgspec.Struct, frozen=True):
    """Who or what vouches for a message."""

    kind: bytes  # eight bytes
    payload: bytes

    @property
    def calendar(self) -> str | None:
        """URI of the calendar that promised to include the message; ``None``: not a promise."""
        if self.kind != _PENDING:
            return None
        uri = _Reader(self.payload).varbytes().decode("ascii", "replace")
        return uri if set(uri) <= _URI and len(uri) <= 1_000 else None

    @property
    def height(self) -> int | None:
        """Number of the Bitcoin block whose Merkle root the message is; ``None``: another kind."""
        return _Reader(self.payload).number() if self.kind == _BITCOIN else None


class Node(msgspec.Struct):
    """A message, who attests it, and what is made of it."""

    message: bytes | None  # null: made by an operation that this machine does not have
    attestations: list[Attestation]
    steps: list[tuple[int, bytes, Node]]  # operation, its argument, what comes out

    def nodes(self) -> Iterator[Node]:
        """Yield this node and all below."""
        yield self
        for _, _, below in self.steps:
            yield from below.nodes()

    def attested(self) -> Iterator[tuple[Node, Attestation]]:
        """Yield every attestation with the node that it stands at."""
        for node in self.nodes():
            for attestation in node.attestations:
                yield node, attestation


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise EvidenceError("a proof that is cut short")
        self.at += count
        return self.data[self.at - count : self.at]

    def number(self) -> int:
        value = 0
        for shift in range(0, 63, 7):
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
        raise EvidenceError("a number of impossible size")

    def varbytes(self) -> bytes:
        count = self.number()
        if count > 8_192:
            raise EvidenceError("a field of impossible size")
        return self.take(count)

    def node(self, message: bytes | None, depth: int = 0) -> Node:
        if depth > _MAX_DEPTH or (message is not None and len(message) > _MAX_MESSAGE):
            raise EvidenceError("a proof that is nested too deep, or a message that is too long")
        node = Node(message, [], [])
        more = True
        while more:
            tag = self.take(1)[0]
            more = tag == _FORK
            self._branch(node, self.take(1)[0] if more else tag, depth)
        return node

    def _branch(self, node: Node, tag: int, depth: int) -> None:
        if tag == _ATTESTATION:
            node.attestations.append(Attestation(self.take(8), self.varbytes()))
            return
        argument = self.varbytes() if tag in (_APPEND, _PREPEND) else b""
        node.steps.append((tag, argument, self.node(_apply(tag, argument, node.message), depth + 1)))


def _apply(tag: int, argument: bytes, message: bytes | None) -> bytes | None:
    if tag not in (_APPEND, _PREPEND, _REVERSE, _HEXLIFY) and tag not in _HASH_NAMES:
        raise EvidenceError(f"an operation that is not known ({tag:#04x})")
    if message is None:
        return None
    if tag in (_APPEND, _PREPEND):
        return message + argument if tag == _APPEND else argument + message
    if tag in (_REVERSE, _HEXLIFY):
        return message[::-1] if tag == _REVERSE else message.hex().encode()
    try:
        return hashlib.new(_HASH_NAMES[tag], message, usedforsecurity=False).digest()
    except ValueError:
        return None


def read_proof(data: bytes) -> Node:
    """Read an ``.ots`` file; the node's message is the SHA-256 of the file it speaks of."""
    reader = _Reader(data)
    if len(data) > MAX_PROOF or reader.take(len(MAGIC)) != MAGIC or reader.number() != 1:
        raise EvidenceError("not an OpenTimestamps proof of version 1")
    if reader.take(1)[0] != _SHA256:
        raise EvidenceError("a proof over something else than a SHA-256")
    node = reader.node(reader.take(32))
    if reader.at != len(data):
        raise EvidenceError("bytes after the end of the proof")
    return node


def read_answer(data: bytes, message: bytes) -> Node:
    """Read what a calendar answers: what becomes of ``message``."""
    reader = _Reader(data)
    if len(data) > MAX_PROOF:
        raise EvidenceError(f"an answer of more than {MAX_PROOF} bytes")
    node = reader.node(message)
    if reader.at != len(data):
        raise EvidenceError("bytes after the end of the answer")
    return node


def write_proof(node: Node) -> bytes:
    """Write an ``.ots`` file; ``node.message`` is the SHA-256 of the file it speaks of."""
    if node.message is None:
        raise ValueError("a proof without a message")
    return MAGIC + b"\x01" + bytes((_SHA256,)) + node.message + _written(node)


def _written(node: Node) -> bytes:
    branches = [bytes((_ATTESTATION,)) + one.kind + _counted(one.payload) for one in node.attestations]
    for tag, argument, below in node.steps:
        written = bytes((tag,)) + (_counted(argument) if tag in (_APPEND, _PREPEND) else b"")
        branches.append(written + _written(below))
    return b"".join(b"\xff" + branch for branch in branches[:-1]) + branches[-1]


def _counted(data: bytes) -> bytes:
    count, out = len(data), bytearray()
    while count > 0x7F:
        out.append(0x80 | count & 0x7F)
        count >>= 7
    return bytes((*out, count)) + data


def veiled(digest: bytes, nonce: bytes) -> tuple[Node, Node]:
    """Begin a proof over ``digest``: its root, and the node whose message a calendar may see.

    A calendar publishes what it is sent; with the random ``nonce`` in between nobody can tell which
    file it was.
    """
    end = Node(hashlib.sha256(digest + nonce).digest(), [], [])
    joined = Node(digest + nonce, [], [(_SHA256, b"", end)])
    return Node(digest, [], [(_APPEND, nonce, joined)]), end


def merge(node: Node, answer: Node) -> bool:
    """Add to ``node`` what an ``answer`` for the same message says; gives whether anything was new."""
    fresh = [one for one in answer.attestations if one not in node.attestations]
    node.attestations.extend(fresh)
    added = bool(fresh)
    for tag, argument, below in answer.steps:
        known = next((mine for *op, mine in node.steps if op == [tag, argument]), None)
        if known is None:
            node.steps.append((tag, argument, below))
            added = True
        else:
            added |= merge(known, below)
    return added


def block_roots(text: str) -> dict[int, tuple[bytes, int]]:
    """Read ``height header`` lines (80 bytes in hex): block → (Merkle root, time in microseconds).

    The headers are the reader's own word, out of a Bitcoin node that the reader trusts; raises
    ``ValueError`` where a line is none.
    """
    found: dict[int, tuple[bytes, int]] = {}
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            height, header = line.split()
            raw = bytes.fromhex(header)
            if len(raw) != 80:
                raise ValueError("a block header has 80 bytes")
            found[int(height)] = raw[36:68], int.from_bytes(raw[68:72], "little") * 1_000_000
    return found

"""The tree over a run's log: RFC 6962, section 2.1, with SHA-256.

Rules of this file:

* pure functions of bytes; a hash is 32 bytes, a proof is a list of hashes, an index counts from 0;
* a leaf is one line of the log without its newline; leaves and nodes are hashed apart (0x00, 0x01),
  so that no line can pass for a node;
* building keeps one hash per level, so the root of a million lines needs no memory;
* consistency proofs are for whoever holds two seals and not the log; who holds the log, as ``verify`` does,
  takes the root at each size on the way and needs none;
* a verifier answers true or false for every input, also a hostile one, and never raises.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from hashlib import sha256

EMPTY_ROOT = sha256(b"").digest()
_HASH_BYTES = 32
_MAX_PROOF = 64  # a tree of 2**64 leaves


def leaf_hash(line: bytes) -> bytes:
    """Hash of one leaf: SHA-256(0x00 || line)."""
    return sha256(b"\x00" + line).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash of an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


class Tree:
    """The right edge of a growing tree: the roots of its perfect subtrees, largest first."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def append(self, leaf: bytes) -> None:
        """Add one leaf hash."""
        size = self.size
        while size & 1:
            leaf = node_hash(self._edge.pop(), leaf)
            size >>= 1
        self._edge.append(leaf)
        self.size += 1

    def root(self) -> bytes:
        """Root hash of what was appended so far."""
        if not self._edge:
            return EMPTY_ROOT
        root = self._edge[-1]
        for left in reversed(self._edge[:-1]):
            root = node_hash(left, root)
        return root


def root_of(leaves: Iterable[bytes]) -> bytes:
    """Root hash over leaf hashes."""
    tree = Tree()
    for leaf in leaves:
        tree.append(leaf)
    return tree.root()


def _split(size: int) -> int:
    """The largest power of two below ``size`` (which is 2 or more)."""
    return 1 << ((size - 1).bit_length() - 1)


def inclusion_proof(leaves: Sequence[bytes], index: int) -> list[bytes]:
    """Audit path of leaf ``index`` (RFC 6962, section 2.1.1), lowest sibling first."""
    if not 0 <= index < len(leaves):
        raise IndexError(f"leaf {index} of a tree of {len(leaves)}")
    path: list[bytes] = []
    low, high = 0, len(leaves)
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low = middle
    return path[::-1]


def consistency_proof(leaves: Sequence[bytes], first: int) -> list[bytes]:
    """Proof that the tree of the ``first`` leaves is a prefix of this one (section 2.1.2)."""
    if not 0 < first <= len(leaves):
        raise IndexError(f"prefix of {first} of a tree of {len(leaves)}")
    path: list[bytes] = []
    low, high = 0, len(leaves)
    whole = True  # the old tree is a subtree of its own: its root is known to the verifier
    while first - low != high - low:
        middle = low + _split(high - low)
        if first <= middle:
            path.append(root_of(leaves[middle:high]))
            high = middle
        else:
            path.append(root_of(leaves[low:middle]))
            low, whole = middle, False
    return ([] if whole else [root_of(leaves[low:high])]) + path[::-1]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Whether ``leaf`` is leaf ``index`` of the tree of ``size`` leaves (RFC 9162, section 2.1.3.2)."""
    if not 0 <= index < size or not _well_formed(proof, root, leaf):
        return False
    node, last = index, size - 1
    for sibling in proof:
        if last == 0:
            return False
        if node & 1 or node == last:
            leaf = node_hash(sibling, leaf)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            leaf = node_hash(leaf, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and leaf == root


def verify_consistency(first: int, size: int, proof: Sequence[bytes], first_root: bytes, root: bytes) -> bool:
    """Whether the tree of ``size`` leaves only added to that of ``first`` (RFC 9162, section 2.1.4.2)."""
    if not 0 < first <= size or not _well_formed(proof, first_root, root):
        return False
    if first == size:
        return not proof and first_root == root
    path = list(proof) if first & (first - 1) else [first_root, *proof]
    if not path:
        return False
    node, last = first - 1, size - 1
    while node & 1:
        node, last = node >> 1, last >> 1
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if node & 1 or node == last:
            old, new = node_hash(sibling, old), node_hash(sibling, new)
            while node and not node & 1:
                node, last = node >> 1, last >> 1
        else:
            new = node_hash(new, sibling)
        node, last = node >> 1, last >> 1
    return last == 0 and old == first_root and new == root


def _well_formed(proof: Sequence[bytes], *hashes: bytes) -> bool:
    return len(proof) <= _MAX_PROOF and all(len(each) == _HASH_BYTES for each in (*proof, *hashes))

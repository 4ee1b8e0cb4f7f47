"""The tree: published vectors, a definition written out anew, and proofs of every size."""

from __future__ import annotations

from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.evidence.merkle import (
    EMPTY_ROOT,
    Tree,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    root_of,
    verify_consistency,
    verify_inclusion,
)

# Reference leaves and roots of the Certificate Transparency project (sizes 1 to 8).
CT_LEAVES = [
    bytes.fromhex(text)
    for text in (
        *("", "00", "10", "2021", "3031", "40414243", "5051525354555657"),
        "606162636465666768696a6b6c6d6e6f",
    )
]
CT_ROOTS = [
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def by_definition(lines: list[bytes]) -> bytes:
    """RFC 6962, section 2.1, word for word."""
    if not lines:
        return sha256(b"").digest()
    if len(lines) == 1:
        return sha256(b"\x00" + lines[0]).digest()
    k = 1
    while k * 2 < len(lines):
        k *= 2
    return sha256(b"\x01" + by_definition(lines[:k]) + by_definition(lines[k:])).digest()


def test_reference_roots() -> None:
    assert EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    tree = Tree()
    assert tree.root() == EMPTY_ROOT
    for line, root in zip(CT_LEAVES, CT_ROOTS, strict=True):
        tree.append(leaf_hash(line))
        assert tree.root().hex() == root


def test_reference_proofs() -> None:
    leaves = [leaf_hash(line) for line in CT_LEAVES]
    assert [each.hex()[:8] for each in inclusion_proof(leaves, 0)] == ["96a296d2", "5f083f0a", "6b47aaf2"]
    assert [each.hex()[:8] for each in inclusion_proof(leaves, 5)] == ["bc1a0643", "ca854ea1", "d37ee418"]
    assert consistency_proof(leaves, 8) == []
    assert [each.hex()[:8] for each in consistency_proof(leaves, 6)] == ["0ebc5d34", "ca854ea1", "d37ee418"]


@given(st.lists(st.binary(max_size=4), max_size=40))
def test_root_is_the_definition(lines: list[bytes]) -> None:
    assert root_of(map(leaf_hash, lines)) == by_definition(lines)


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof(size: int) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(size)]
    root = root_of(leaves)
    for i in range(size):
        assert verify_inclusion(leaves[i], i, size, inclusion_proof(leaves, i), root)
        old = root_of(leaves[: i + 1])
        assert verify_consistency(i + 1, size, consistency_proof(leaves, i + 1), old, root)


@given(st.integers(2, 40), st.data())
def test_no_other_claim_passes(size: int, data: st.DataObject) -> None:
    leaves = [leaf_hash(b"%d" % i) for i in range(size)]
    root = root_of(leaves)
    i = data.draw(st.integers(0, size - 1))
    proof = inclusion_proof(leaves, i)
    other = data.draw(st.integers(0, size - 1).filter(lambda j: j != i))
    assert not verify_inclusion(leaves[other], i, size, proof, root)
    assert not verify_inclusion(leaves[i], other, size, proof, root)
    assert not verify_inclusion(leaves[i], i, size, proof[:-1], root)
    assert not verify_inclusion(leaves[i], i, size, [*proof, root], root)
    spoilt = data.draw(st.integers(0, len(proof) - 1))
    wrong = [bytes(32) if at == spoilt else each for at, each in enumerate(proof)]
    assert not verify_inclusion(leaves[i], i, size, wrong, root)

    first = data.draw(st.integers(1, size - 1))
    proof, old = consistency_proof(leaves, first), root_of(leaves[:first])
    changed = root_of([*leaves[: first - 1], leaf_hash(b"x")])
    assert not verify_consistency(first, size, proof, changed, root)
    assert not verify_consistency(first, size, proof, old, root_of([*leaves[:-1], leaf_hash(b"x")]))
    assert not verify_consistency(first, size, proof[:-1], old, root)
    assert not verify_consistency(size, first, proof, root, old)


@given(st.integers(), st.integers(), st.lists(st.binary(max_size=33), max_size=70), st.binary(max_size=33))
def test_verifiers_answer_anything(a: int, b: int, proof: list[bytes], root: bytes) -> None:
    assert verify_inclusion(root, a, b, proof, EMPTY_ROOT) is False
    assert verify_consistency(a, b, proof, root, EMPTY_ROOT) is False


def test_a_million_leaves_need_no_memory() -> None:
    tree = Tree()
    for _ in range(100_000):
        tree.append(EMPTY_ROOT)
    assert len(tree._edge) == (100_000).bit_count()
    with pytest.raises(IndexError):
        inclusion_proof([EMPTY_ROOT], 1)
    with pytest.raises(IndexError):
        consistency_proof([EMPTY_ROOT], 2)

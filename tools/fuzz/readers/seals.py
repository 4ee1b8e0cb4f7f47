"""Seals and what speaks of them: notes, keys, signatures, tombstones, proofs, time stamps."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from pathlib import Path

from blockwatch.evidence import authority as whose
from blockwatch.evidence import ots, tsp
from blockwatch.evidence.allow import parse_allow_list, parse_rotation, rotation_note
from blockwatch.evidence.checkpoint import checkpoint_text, parse_checkpoint
from blockwatch.evidence.growth import check_growth, make_growth
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.note import parse_campaign_key, parse_note
from blockwatch.evidence.proof import check_proof, make_proof
from blockwatch.evidence.sshsig import is_ssh_signed
from blockwatch.evidence.tombstone import parse_tombstone, tombstone_text
from blockwatch.store import read_run
from tests.evidence.made import RUN
from tools.fuzz.readers.made import OTHER, SIGNER, run_folder
from tools.fuzz.target import Target

_NOTES = ("blockwatch.evidence.note:parse_note _signature _is_name from_base64 is_signed_by",)
_TREE = "blockwatch.evidence.merkle:verify_inclusion _well_formed leaf_hash node_hash"
_WHEN = "2026-11-22T06:40:00Z"
_NOTE = SIGNER.note(checkpoint_text(RUN, 3, bytes(32)))
_ROTATED = rotation_note(SIGNER, OTHER, _WHEN)
_ALLOWED = f"# keys\n{SIGNER.key} from=2026-01-01 to=2026-12-31 Aigul\n{OTHER.key}\n".encode()


def _simple(corpus: list[bytes], read: Callable[[bytes], object], *modules: str) -> Callable[[Path], Target]:
    target = Target(corpus, read, tuple(f"blockwatch.evidence.{module}" for module in modules))
    return lambda work: target


def _as_text(read: Callable[[str, str], object], raw: bytes) -> object:
    return read(raw.decode("utf-8", "replace"), "")


def _tombstone(work: Path) -> Target:
    bare = tombstone_text(read_run(run_folder(work)), _WHEN)
    modules = ("blockwatch.evidence.tombstone:parse_tombstone", *_NOTES)
    return Target([bare, SIGNER.note(bare)], parse_tombstone, modules)


def _ssh(work: Path) -> Target:
    folder = run_folder(work)
    seal, signed = (folder / "checkpoint").read_bytes(), (folder / "checkpoint.sig").read_bytes()
    return Target(
        [signed],
        lambda raw: is_ssh_signed(seal, raw, SIGNER.key),
        ("blockwatch.evidence.sshsig:is_ssh_signed ssh_signature",),
    )


def _proof(work: Path) -> Target:
    corpus = [make_proof(run_folder(work), str(seq)) for seq in (1, 4)]
    modules = ("blockwatch.evidence.proof:check_proof _included _checked _refs", _TREE)
    return Target(corpus, lambda raw: check_proof(raw, "p"), modules, is_json=True)


def _growth(work: Path) -> Target:
    folder, seal = run_folder(work), work / "seal"
    corpus = []
    for size in (1, 4, 7):
        leaves = [
            leaf_hash(line) for line in (folder / "measurements.jsonl").read_bytes().splitlines()[:size]
        ]
        seal.write_bytes(SIGNER.note(checkpoint_text(RUN, size, root_of(leaves))))
        corpus.append(make_growth(folder, seal))
    modules = ("blockwatch.evidence.growth:check_growth", f"{_TREE} verify_consistency")
    return Target(corpus, lambda raw: check_growth(raw, "p"), modules, is_json=True)


def _calendar(work: Path) -> Target:
    proof, end = ots.veiled(sha256(b"seal").digest(), bytes(16))
    end.attestations.append(ots.Attestation(bytes.fromhex("83dfe30d2ef90c8e"), b"\x10https://calendar"))
    end.attestations.append(ots.Attestation(bytes.fromhex("0588960d73d71901"), b"\x90\xf7\x36"))
    return Target(
        [ots.write_proof(proof)],
        ots.read_proof,
        ("blockwatch.evidence.ots:Node Attestation _Reader _apply read_proof",),
    )


def _authority(work: Path) -> Target:
    from tests.exchange.authority import Authority

    authority = Authority(work / "tsa")
    good = authority.reply(tsp.request_for(sha256(b"seal").digest(), 7))
    token = tsp.read_reply(good)

    def read(raw: bytes) -> None:
        """Whatever is damaged, the authority never says another time of another thing."""
        found = tsp.read_reply(raw)
        whose.authority_path(found, [authority.root])
        if (found.imprint, found.time, found.accuracy) != (token.imprint, token.time, token.accuracy):
            raise AssertionError("a forged time stamp")

    return Target(
        [good, b"0\x05\x30\x03\x02\x01\x02"],
        read,
        ("blockwatch.evidence.tsp", "blockwatch.evidence.authority", "blockwatch.evidence.der"),
    )


READERS = {
    "note": _simple([_NOTE, _ROTATED], parse_note, "note:parse_note _signature _is_name from_base64"),
    "checkpoint": _simple(
        [_NOTE],
        lambda raw: parse_checkpoint(raw, Path("c")),
        "checkpoint:parse_checkpoint",
        "note:parse_note _signature _is_name from_base64",
    ),
    "key": _simple(
        [str(SIGNER.key).encode()],
        partial(_as_text, parse_campaign_key),
        "note:parse_key parse_campaign_key from_base64 key_of",
    ),
    "list of keys": _simple(
        [_ALLOWED], partial(_as_text, parse_allow_list), "allow:parse_allow_list _allowed"
    ),
    "rotation": _simple(
        [_ROTATED], parse_rotation, "allow:parse_rotation", "note:parse_note parse_key is_signed_by"
    ),
    "SSH signature": _ssh,
    "tombstone": _tombstone,
    "proof of a record": _proof,
    "proof that a log grew": _growth,
    "OpenTimestamps": _calendar,
    "RFC 3161": _authority,
}

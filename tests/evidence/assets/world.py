"""What assets are made of: small sealed runs under fixed keys, authorities, and ways to reach into them."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch.codec import canonical
from blockwatch.evidence.chain import last_root
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.signing import Signer
from blockwatch.evidence.tsp import request_for
from blockwatch.model import Measured, Measurement
from blockwatch.run import LineCheck, Vantage
from blockwatch.store import RunWriter
from tests.evidence.made import measured, run_close, run_open
from tests.exchange.authority import Authority

STARTED = 1_577_836_800_000_000  # 2020-01-01: stamps made today come later, whatever day it is
HOUR = 3_600_000_000
OURS, THEIRS = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))
FIRST, SECOND = "a" * 16, "b" * 16


def write_run(
    results: Path, run: str = FIRST, *, signer: Signer | None = OURS, count: int = 4, close: bool = True,
    started: int = STARTED, asn: int | None = 9198, offset: int | None = 200_000, invalid: Iterable[int] = (),
    **changes: Any,
) -> Path:  # fmt: skip
    """A run of ``count`` measurements, sealed after line 3 and at its end; gives its folder.

    ``invalid``: numbers of those that a fault of ours kept from being written whole.
    """
    writer = RunWriter(results, label="home", signer=signer)
    opened = run_open(
        run,
        started=started,
        vantage=Vantage(asn=asn, country="KZ", ipv4=True),
        clock_offset_us=offset,
        previous_root=last_root(results, str(signer.key) if signer else None),
    )
    writer.open(msgspec.structs.replace(opened, **changes) if changes else opened)
    for seq in range(1, count + 1):
        one = measured(seq, run=run, started=started + seq)
        if seq in invalid:
            one = Measured(measurement=_not_kept(one.measurement), exchanges={})
        writer.write(one)
    if close:
        checks = (LineCheck(kind="clock", when="after", t=9, ok=True, detail="fine", offset_us=offset),)
        end = run_close(count, ended=started + 9_000_000, checks=checks if offset is not None else ())
        writer.close(end)
        ids = (f"{run}-{seq:06d}" for seq in range(1, count + 1))
        verdicts = b"".join(json.dumps({"id": one, "state": "ok"}).encode() + b"\n" for one in ids)
        (writer.folder / "verdicts.jsonl").write_bytes(verdicts)
    if signer:
        earlier = writer.folder / ("checkpoints/3" if close else "checkpoint")
        earlier.parent.mkdir(exist_ok=True)
        earlier.write_bytes(seal_over(log_of(writer.folder)[:3], signer, run))
    return writer.folder


def _not_kept(measurement: Measurement) -> Measurement:
    return msgspec.structs.replace(measurement, valid=False, fault="not kept: too large", observations=())


def seal_over(lines: Iterable[bytes], signer: Signer, run: str = FIRST) -> bytes:
    """A checkpoint over these lines."""
    tree = Tree()
    for line in lines:
        tree.append(leaf_hash(line))
    return signer.note(checkpoint_text(run, tree.size, tree.root()))


def stamp(folder: Path, authority: Authority, name: str = "tsa.tsr", of: str = "checkpoint") -> Path:
    """Have the seal of a run stamped now."""
    digest = sha256((folder / of).read_bytes()).digest()
    return stamp_of(folder, authority, digest, name)


def stamp_of(folder: Path, authority: Authority, digest: bytes, name: str = "tsa.tsr") -> Path:
    path = folder / "timestamps" / name
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(authority.reply(request_for(digest, 7)))
    return path


# Reaching into a run.


def log_of(folder: Path) -> list[bytes]:
    return (folder / "measurements.jsonl").read_bytes().split(b"\n")[:-1]


def put_log(folder: Path, lines: Iterable[bytes]) -> None:
    (folder / "measurements.jsonl").write_bytes(b"".join(line + b"\n" for line in lines))


def unseal(folder: Path) -> None:
    """Take away what vouches for a run, and its derived files: what is left must show damage by itself."""
    for name in ("checkpoint", "checkpoint.sig", "run.json", "verdicts.jsonl"):
        (folder / name).unlink(missing_ok=True)
    for path in (folder / "checkpoints").glob("*"):
        path.unlink()


def sealed_again(folder: Path, signer: Signer = OURS, *, size: int | None = None, run: str = FIRST) -> None:
    """Seal the log as it is now, as the owner of the key could."""
    unseal(folder)
    note = seal_over(log_of(folder)[:size], signer, run)
    (folder / "checkpoint").write_bytes(note)
    (folder / "checkpoint.sig").write_bytes(signer.ssh(note))


def replace_in(folder: Path, name: str, old: bytes, new: bytes) -> None:
    """Replace the first ``old`` in a file, which must be there."""
    content = (folder / name).read_bytes()
    assert old in content, (name, old)
    (folder / name).write_bytes(content.replace(old, new, 1))


def in_line(number: int, old: bytes, new: bytes) -> Callable[[Path], None]:
    """A change to line ``number`` (from 1)."""

    def change(folder: Path) -> None:
        lines = log_of(folder)
        assert old in lines[number - 1], (number, old)
        lines[number - 1] = lines[number - 1].replace(old, new, 1)
        put_log(folder, lines)

    return change


def in_record(number: int, edit: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """A change to what line ``number`` says, written in canonical form again."""

    def change(folder: Path) -> None:
        lines = log_of(folder)
        said = json.loads(lines[number - 1])
        edit(said)
        lines[number - 1] = canonical(said)
        put_log(folder, lines)

    return change


def bare(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """The same in a run that nothing vouches for: only the log and the bytes can show it."""

    def both(folder: Path) -> None:
        unseal(folder)
        change(folder)

    return both


def member_of(folder: Path, line: int, side: str) -> tuple[int, int]:
    """Place of a member that a line refers to."""
    step = json.loads(log_of(folder)[line - 1])["observations"][11]
    return step[side]["offset"], step[side]["length"]


def with_other_member(head: bytes, new: bytes, line: int = 3) -> Callable[[Path], None]:
    """Change a member's head, and the line so that its hash and length fit again; the rest moves along."""

    def change(folder: Path) -> None:
        path, lines = folder / "bodies.warc.gz", log_of(folder)
        offset, length = member_of(folder, line, "response")
        raw = path.read_bytes()
        record = zlib.decompress(raw[offset : offset + length], 31)
        assert head in record
        member = zlib.compress(record.replace(head, new, 1), 6, wbits=31)
        path.write_bytes(raw[:offset] + member + raw[offset + length :])
        moved = len(member) - length
        for at, one in enumerate(lines):
            said = json.loads(one)
            for side in ("response", "request"):
                for step in said.get("observations", ()):
                    place = step.get(side) if isinstance(step.get(side), dict) else None
                    if place and place["offset"] > offset:
                        place["offset"] += moved
                    elif place and place["offset"] == offset:
                        place |= {"length": len(member), "sha256": sha256(member).hexdigest()}
            lines[at] = canonical(said)
        put_log(folder, lines)

    return change


def swap_members(folder: Path) -> None:
    """Let two measurements refer to each other's answer, with matching places and hashes."""
    lines = [json.loads(line) for line in log_of(folder)]
    raw = (folder / "bodies.warc.gz").read_bytes()
    steps = [lines[at]["observations"][11] for at in (1, 2)]
    (a, b), at = [dict(step["response"]) for step in steps], [step["response"]["offset"] for step in steps]
    parts = [raw[one["offset"] : one["offset"] + one["length"]] for one in (a, b)]
    middle = raw[at[0] + a["length"] : at[1]]
    (folder / "bodies.warc.gz").write_bytes(
        raw[: at[0]] + parts[1] + middle + parts[0] + raw[at[1] + b["length"] :]
    )
    moved = b["length"] - a["length"]
    steps[0]["response"] = {**b, "offset": at[0]}
    steps[0]["request"]["offset"] += moved
    steps[1]["response"] = {**a, "offset": at[1] + moved}
    put_log(folder, [canonical(line) for line in lines])


def edited_note(path: Path, edit: Callable[[list[str]], object], signer: Signer = OURS) -> None:
    """Edit the lines of a note's text and sign it again."""
    lines = path.read_text().split("\n\n")[0].split("\n")
    edit(lines)
    path.write_bytes(signer.note(("\n".join(lines) + "\n").encode()))

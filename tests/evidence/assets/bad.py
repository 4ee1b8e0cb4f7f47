# ruff: noqa: E501
"""Runs, each broken in one way: what was done, where both checkers must see it, and in which record.

A change is made to a good run of four measurements (lines 2 to 5 of 6), which is sealed at lines 3 and 6.
"""

from __future__ import annotations

import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from blockwatch.evidence.signing import Signer
from blockwatch.evidence.sshsig import ssh_signature
from tests.evidence.assets import world
from tests.evidence.assets.world import (
    FIRST,
    OURS,
    SECOND,
    THEIRS,
    bare,
    edited_note,
    in_line,
    in_record,
    log_of,
    put_log,
    seal_over,
    sealed_again,
    swap_members,
    with_other_member,
)  # fmt: skip

LOG, BYTES = "measurements.jsonl", "bodies.warc.gz"
INSIDE = "inside of a member whose hash fits: only who wrote the line could do it"
SECOND_SIGNATURE = "stock ssh-keygen checks it; the seal has a signature of its own"


class Broken(NamedTuple):
    """One way to break a run."""

    change: Callable[[Path], object]
    where: str  # file, or file:line
    record: str | None = None  # id of the measurement, where it is in one
    alone: str = ""  # why ``verify`` alone sees it, and the second checker does not


def record(seq: int) -> str:
    return f"{FIRST}-{seq:06d}"


def set_step(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said["observations"][11].update({name: value})


def set_field(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda said: said.update({name: value})


def order(*numbers: int) -> Callable[[Path], None]:
    """Put lines (from 1) in this order; missing ones are gone."""
    return lambda folder: put_log(folder, [log_of(folder)[number - 1] for number in numbers])


def insert(at: int, line: bytes) -> Callable[[Path], None]:
    return lambda folder: put_log(folder, [*log_of(folder)[: at - 1], line, *log_of(folder)[at - 1 :]])


def cut(name: str, less: int) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[:-less])

    return change


def append(name: str, more: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes((folder / name).read_bytes() + more)


def again(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Change, then seal anew: as somebody could who has the key."""

    def both(folder: Path) -> None:
        change(folder)
        sealed_again(folder)

    return both


def keep_earlier(change: Callable[[Path], object]) -> Callable[[Path], None]:
    """Change and seal anew, but an earlier seal is still about."""

    def both(folder: Path) -> None:
        earlier = (folder / "checkpoints" / "3").read_bytes()
        again(change)(folder)
        (folder / "checkpoints" / "3").write_bytes(earlier)

    return both


def note(edit: Callable[[list[str]], object], name: str = "checkpoint") -> Callable[[Path], None]:
    return lambda folder: edited_note(folder / name, edit)


def ssh(
    namespace: bytes = b"blockwatch", signer: Signer = OURS, of: bytes | None = None
) -> Callable[[Path], None]:
    """Put another ssh signature beside the seal."""

    def change(folder: Path) -> None:
        content = (folder / "checkpoint").read_bytes() if of is None else of
        raw = signer.ssh(content)
        if namespace != b"blockwatch":
            import hashlib

            def string(part: bytes) -> bytes:
                return len(part).to_bytes(4, "big") + part

            about = string(namespace) + string(b"") + string(b"sha512")
            signed = b"SSHSIG" + about + string(hashlib.sha512(content).digest())
            whole = base64.b64decode(b"".join(raw.split(b"\n")[1:-2]))
            signature = signer._private.sign(signed)
            blob = whole[:65] + about + string(string(b"ssh-ed25519") + string(signature))
            text = base64.b64encode(blob).decode()
            lines = "\n".join(text[i : i + 70] for i in range(0, len(text), 70))
            raw = f"-----BEGIN SSH SIGNATURE-----\n{lines}\n-----END SSH SIGNATURE-----\n".encode()
            assert raw != ssh_signature(signer.key.public, signature)
        (folder / "checkpoint.sig").write_bytes(raw)

    return change


def without_key(folder: Path) -> None:
    seal = (folder / "checkpoint").read_bytes()
    bare(in_record(1, lambda said: said.pop("key")))(folder)
    (folder / "checkpoint").write_bytes(seal)


def other_bytes_in_key_id(folder: Path) -> None:
    path = folder / "checkpoint"
    head, _, tail = path.read_bytes().rpartition(b" ")
    raw = bytearray(base64.b64decode(tail))
    raw[0] ^= 1
    path.write_bytes(head + b" " + base64.b64encode(bytes(raw)) + b"\n")


def signature_bit(folder: Path) -> None:
    path = folder / "checkpoint"
    head, _, tail = path.read_bytes().rpartition(b" ")
    raw = bytearray(base64.b64decode(tail))
    raw[20] ^= 1
    path.write_bytes(head + b" " + base64.b64encode(bytes(raw)) + b"\n")


def rolled_back(folder: Path) -> None:
    """The newest seal goes back to an older one, while a later one lies among the earlier."""
    newest = (folder / "checkpoint").read_bytes()
    (folder / "checkpoints" / "6").write_bytes(newest)
    (folder / "checkpoint").write_bytes((folder / "checkpoints" / "3").read_bytes())
    (folder / "checkpoint.sig").write_bytes(OURS.ssh((folder / "checkpoint").read_bytes()))


def loose_base64(folder: Path) -> None:
    path = folder / "checkpoint"
    lines = path.read_text().split("\n")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
    last = alphabet[alphabet.index(lines[2][-2]) + 1]  # unused bits set: it decodes to the same 32 bytes
    assert base64.b64decode(lines[2][:-2] + last + "=") == base64.b64decode(lines[2])
    edited_note(path, lambda text: text.__setitem__(2, lines[2][:-2] + last + "="))


def byte_in_bytes(line: int, side: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        offset, length = world.member_of(folder, line, side)
        raw = bytearray((folder / BYTES).read_bytes())
        raw[offset + length // 2] ^= 0x10
        (folder / BYTES).write_bytes(raw)

    return change


RUNS: dict[str, Broken] = {
    # The log, under its seal.
    "a bit in a line": Broken(in_line(4, b'"title":"', b'"title":"X'), f"{LOG}:4"),
    "a bit in the first line": Broken(in_line(1, b'"asn":9198', b'"asn":9199'), f"{LOG}:1"),
    "a bit that breaks a line": Broken(in_line(3, b'"seq":2', b'"seq":2"'), f"{LOG}:3"),
    "a line removed": Broken(order(1, 2, 4, 5, 6), f"{LOG}:3", record(3)),
    "the first measurement removed": Broken(order(1, 3, 4, 5, 6), f"{LOG}:2", record(2)),
    "lines swapped": Broken(order(1, 3, 2, 4, 5, 6), f"{LOG}:2", record(2)),
    "a line duplicated": Broken(order(1, 2, 3, 3, 4, 5, 6), f"{LOG}:4", record(2)),
    "a line added": Broken(
        lambda run: insert(4, log_of(run)[2].replace(record(2).encode(), record(9).encode()).replace(
            b'"seq":2', b'"seq":9'))(run), f"{LOG}:4", record(9)),
    "the last line removed": Broken(order(1, 2, 3, 4, 5), "checkpoint"),
    "the last two lines removed": Broken(order(1, 2, 3, 4), "checkpoint"),
    "the last line torn": Broken(cut(LOG, 5), "checkpoint"),
    "a number of the last line": Broken(in_record(6, set_field("bytes_sent", 7)), f"{LOG}:4"),
    # The log, by itself.
    "white space": Broken(bare(in_line(2, b'"seq":1', b'"seq": 1')), f"{LOG}:2"),
    "keys in another order": Broken(bare(in_line(6, b'"planned":4,"reason":"done"', b'"reason":"done","planned":4')),
                                    f"{LOG}:6"),
    "a duplicate key": Broken(bare(in_line(2, b'"seq":1', b'"seq":1,"seq":1')), f"{LOG}:2"),
    "a float for an integer": Broken(bare(in_line(2, b'"seq":1', b'"seq":1.0')), f"{LOG}:2"),
    "an exponent": Broken(bare(in_line(2, b'"us":400000', b'"us":4e5')), f"{LOG}:2"),
    "a minus before zero": Broken(bare(in_line(6, b'"planned":4', b'"planned":-0')), f"{LOG}:6"),
    "a number beyond 2^53": Broken(bare(in_record(2, set_field("zz", 2**53 + 1))), f"{LOG}:2"),
    "a needless escape": Broken(bare(in_line(2, b'"probe":"web"', b'"probe":"w\\u0065b"')), f"{LOG}:2"),
    "not a number": Broken(bare(in_line(2, b'"us":400000', b'"us":NaN')), f"{LOG}:2"),
    "bytes that are no UTF-8": Broken(bare(in_line(2, b'"probe":"web"', b'"probe":"\xff"')), f"{LOG}:2"),
    "an empty line": Broken(bare(insert(3, b"")), f"{LOG}:3"),
    "a zero byte in the middle": Broken(bare(in_line(3, b'"probe":"web"', b'"probe":"w\0b"')), f"{LOG}:3"),
    "a line of an unknown type": Broken(bare(in_record(3, set_field("type", "rumour"))), f"{LOG}:3"),
    "a second first line": Broken(bare(lambda run: insert(4, log_of(run)[0])(run)), f"{LOG}:4"),
    "no first line": Broken(bare(order(2, 3, 4, 5, 6)), f"{LOG}:1"),
    "a measurement after the end": Broken(bare(order(1, 2, 3, 4, 6, 5)), f"{LOG}:5"),
    "a measurement of another run": Broken(bare(in_record(3, set_field("id", f"{SECOND}-000002"))), f"{LOG}:3"),
    "a number that is not in the id": Broken(bare(in_record(3, set_field("seq", 7))), f"{LOG}:3"),
    "steps out of order": Broken(
        bare(in_record(3, lambda said: said["observations"][4].update(i=5))), f"{LOG}:3", record(2)),
    "measurements miscounted": Broken(bare(in_record(6, set_field("measured", 3))), f"{LOG}:6"),
    "an id that is none": Broken(bare(in_record(1, set_field("run", "../../etc/passwd"))), f"{LOG}:1"),
    # The captured bytes.
    "a bit in the bytes": Broken(byte_in_bytes(3, "response"), f"{LOG}:3", record(2)),
    "a bit in a request": Broken(byte_in_bytes(5, "request"), f"{LOG}:5", record(4)),
    "the bytes truncated": Broken(cut(BYTES, 40), f"{LOG}:5", record(4)),
    "the bytes missing": Broken(lambda run: (run / BYTES).unlink(), f"{LOG}:2", record(1)),
    "bytes after the last": Broken(append(BYTES, b"\x1f\x8bmore"), BYTES),
    "a head changed, its hash too": Broken(
        bare(with_other_member(b"WARC-IP-Address: 203.0.113.7", b"WARC-IP-Address: 203.0.113.8")), f"{LOG}:3",
        record(2), INSIDE),
    "a page changed, its hash too": Broken(bare(with_other_member(b"nginx", b"NGINX")), f"{LOG}:3", record(2), INSIDE),
    "a length changed, its hash too": Broken(
        bare(with_other_member(b"\r\nContent-Length: ", b"\r\nContent-Length: 1")), f"{LOG}:3", record(2), INSIDE),
    "another WARC version": Broken(bare(with_other_member(b"WARC/1.1", b"WARC/1.0")), f"{LOG}:3", record(2), INSIDE),
    "members swapped": Broken(bare(swap_members), f"{LOG}:2", record(1), INSIDE),
    "the status of a page": Broken(bare(in_record(4, set_step("status", 403))), f"{LOG}:4", record(3), INSIDE),
    "the address of a page": Broken(bare(in_record(4, set_step("url", "https://other.example/"))), f"{LOG}:4", record(3), INSIDE),
    "an offset before the first byte": Broken(
        bare(in_record(2, lambda said: said["observations"][11]["response"].update(offset=-1))), f"{LOG}:2", record(1)),
    "bytes of another run": Broken(bare(in_record(1, set_field("run", SECOND))), BYTES),
    # The seals.
    "a seal of another key": Broken(
        lambda run: (run / "checkpoint").write_bytes(seal_over(log_of(run), THEIRS)), "checkpoint"),
    "all sealed anew by another key": Broken(lambda run: sealed_again(run, THEIRS), "checkpoint"),
    "a signature that does not hold": Broken(signature_bit, "checkpoint"),
    "a wrong hash of the key": Broken(other_bytes_in_key_id, "checkpoint"),
    "a size off by one": Broken(note(lambda text: text.__setitem__(1, "5")), f"{LOG}:4"),
    "a size beyond the log": Broken(note(lambda text: text.__setitem__(1, "7")), "checkpoint"),
    "a size with a zero before": Broken(note(lambda text: text.__setitem__(1, "06")), "checkpoint"),
    "another root": Broken(note(lambda text: text.__setitem__(2, base64.b64encode(bytes(32)).decode())), f"{LOG}:4"),
    "base64 with loose bits": Broken(loose_base64, "checkpoint"),
    "a line more in the seal": Broken(note(lambda text: text.append("extension")), "checkpoint"),
    "the seal of another run": Broken(note(lambda text: text.__setitem__(0, f"blockwatch/run/{SECOND}")), "checkpoint"),
    "a seal cut short": Broken(cut("checkpoint", 9), "checkpoint"),
    "a seal without its signature": Broken(cut("checkpoint", 140), "checkpoint"),
    "an earlier seal of another tree": Broken(keep_earlier(in_record(2, set_field("target", "other"))), f"{LOG}:1"),
    "an earlier seal under a wrong number": Broken(
        lambda run: (run / "checkpoints" / "3").rename(run / "checkpoints" / "4"), "checkpoints/4"),
    "an earlier seal by another key": Broken(
        lambda run: (run / "checkpoints" / "3").write_bytes(seal_over(log_of(run)[:3], THEIRS)), "checkpoints/3"),
    "a rolled-back seal": Broken(rolled_back, "checkpoint"),
    "a seal in an unsigned run": Broken(without_key, "checkpoint"),
    "a key that is none": Broken(again(in_record(1, set_field("key", "blockwatch/key/0+0+AA=="))), f"{LOG}:1"),
    "a key with another's name": Broken(
        again(in_record(1, set_field("key", str(OURS.key).replace("blockwatch/key/", "blockwatch/key/0", 1)))),
        f"{LOG}:1"),
    # The ssh signature.
    "an ssh signature of another name space": Broken(ssh(b"file"), "checkpoint.sig", alone=SECOND_SIGNATURE),
    "an ssh signature by another key": Broken(ssh(signer=THEIRS), "checkpoint.sig", alone=SECOND_SIGNATURE),
    "an ssh signature over something else": Broken(ssh(of=b"something else"), "checkpoint.sig", alone=SECOND_SIGNATURE),
    "an ssh signature cut short": Broken(cut("checkpoint.sig", 60), "checkpoint.sig", alone=SECOND_SIGNATURE),
}  # fmt: skip

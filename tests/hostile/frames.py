"""Files that pretend to be bundles: cut, swollen or something else, bombs, and runs that are none."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from hashlib import sha256

from tests.hostile.archive import BODIES, END, LOG, RUN, Bad, block, body, listed, start, text


def frames(bad: Bad) -> None:
    raw = bad.archive()
    zipped = gzip.compress(raw, 6, mtime=0)
    ends = "it ends before its end"
    for name, cut in (("cut-at-half", len(zipped) // 2), ("cut-near-end", len(zipped) - 40),
                      ("cut-at-the-sum", len(zipped) - 8)):  # fmt: skip
        bad.put(name, zipped[:cut], f"{ends}|holds more", zipped=False)
    bad.put("cut-in-a-head", raw[: raw.index(f"{RUN}/{LOG}".encode()) + 50], ends)
    bad.put("no-end", raw[:-1_024], "holds more than its list says")
    bad.put("bytes-after-the-end", raw + b"x", "something follows its end")
    bad.put("zeros-after-the-end", raw + bytes(8_192), "something follows its end")
    bad.put("after-gzip", zipped + b"x", "something follows its end", zipped=False)
    bad.put("second-member", zipped + zipped, "something follows its end", zipped=False)
    flipped = bytearray(zipped)
    flipped[len(flipped) // 2] ^= 16
    bad.put("a-bit", bytes(flipped), "it is damaged|changed on the way|is not", zipped=False)
    sums = bytearray(zipped)
    sums[-6] ^= 1
    bad.put("sum-of-gzip", bytes(sums), "it is damaged", zipped=False)
    bad.put("not-zipped", raw, "this is a tar that is not compressed", zipped=False)
    bad.put("empty", b"", "this is no bundle", zipped=False)
    bad.put("zipped-nothing", b"", "this is no bundle")
    bad.put("no-list", body(bad.files) + END, "this is no bundle")
    bad.put("text", b"hello " * 1_000, "this is no bundle", zipped=False)
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w:gz") as tar:
        tar.add(bad.folder.parent / "source")
    bad.put("tar-of-a-folder", plain.getvalue(), "this is no bundle", zipped=False)
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("../../escaped", b"x")
    bad.put("zip", archive.getvalue(), "this is no bundle", zipped=False)
    named = b"\x1f\x8b\x08\x08" + bytes(6) + b"../../escaped\0" + zipped[10:]
    bad.put("gzip-with-a-name", named[:-9], f"{ends}|damaged", zipped=False)
    for name, head in _parts(bad):
        bad.put(name, head, "damaged|impossible things", zipped=False)
    age = b"age-encryption.org/v1\n-> X25519 "
    words = "missing, cut short or too long"
    bad.put("age-cut", age, words, zipped=False)
    bad.put("age-giant-head", age + b"A" * 3_000_000 + b"\n", words, zipped=False)
    few = b"age-encryption.org/v1\n" + b"-> X25519 AAAA\nAAAA\n" * 3_000 + b"--- AAAA\n"
    bad.put("age-false-recipients", few, "cannot be decrypted", zipped=False)
    stanzas = b"age-encryption.org/v1\n" + b"-> X25519 AAAA\nAAAA\n" * 300_000 + b"--- AAAA\n"
    bad.put("age-many-recipients", stanzas, words, zipped=False)


def _parts(bad: Bad) -> Iterator[tuple[str, bytes]]:
    content = b"some bytes"
    digest = sha256(content).hexdigest()

    def part(*words: object) -> bytes:
        return ("split/1 " + " ".join(map(str, words)) + " ").ljust(255).encode() + b"\n" + content

    whole = "0" * 64
    yield "part-beyond-count", part(whole, 3, 2, 100, digest)
    yield "part-zero", part(whole, 0, 2, 100, digest)
    yield "part-negative", part(whole, -1, 2, 100, digest)
    yield "part-too-many", part(whole, 1, 99_999, 100, digest)
    yield "part-larger-than-the-whole", part(whole, 1, 2, 3, digest)
    yield "part-wrong-hash", part(whole, 1, 2, 100, "1" * 64)
    yield "part-path-for-hash", part("../../escaped".ljust(64, "a"), 1, 2, 100, digest)
    yield "part-head-cut", part(whole, 1, 2, 100, digest)[:200]


def bombs(bad: Bad) -> None:
    zeros = _zeros(1 << 30)
    bad.put("bomb-of-zeros", zeros, "this is no bundle", zipped=False)
    size = 1 << 30
    listing = listed(bad.files)
    listing["runs"][0]["files"][0]["bytes"] = size
    begin = start(text(listing)) + block(f"{RUN}/{LOG}".encode(), size)
    bad.put("bomb-that-says-so", _zipped_then_zeros(begin, size), "which a file of", zipped=False)
    honest = start(text(listed(bad.files))) + body(bad.files)
    words = "holds more|something follows|more than a"
    bad.put("bomb-after-the-list", _zipped_then_zeros(honest, size), words, zipped=False)
    nested = gzip.compress(gzip.compress(zeros, 9), 9)
    bad.put("bomb-in-bombs", nested, "this is no bundle", zipped=False)


def _zeros(size: int) -> bytes:
    return _zipped_then_zeros(b"", size)


def _zipped_then_zeros(begin: bytes, size: int) -> bytes:
    packer = zlib.compressobj(9, wbits=31)
    out = [packer.compress(begin)]
    piece = bytes(1 << 20)
    out += [packer.compress(piece) for _ in range(size >> 20)]
    return b"".join([*out, packer.flush()])


def runs(bad: Bad) -> None:
    """Archives in good form whose runs are not: they are put aside."""
    log = bad.files[LOG]
    bodies = bytearray(bad.files[BODIES])
    bodies[-200] ^= 1
    first, *rest = log.splitlines(keepends=True)
    one = json.loads(rest[0])
    page = one["observations"][-1]
    start_of = page["response"]["offset"]
    pieces = page | {"i": 0, "progress": [[0, 0]] * 1_300_000, "request": None, "response": None}
    tiny = text(one | {"observations": [pieces]}) + b"\nx\n"
    deep = b'{"x":' + b"[" * 4_000_000 + b"\n"
    bomb = gzip.compress(b"WARC/1.1\r\n" + bytes(200_000_000), 9)
    ref = {"length": len(bomb), "offset": start_of, "sha256": sha256(bomb).hexdigest()}
    warc = one | {"observations": [page | {"i": 0, "request": None, "response": ref}]}
    other = log.replace(f'"run":"{RUN}"'.encode(), b'"run":"%s"' % (b"f" * 16))
    for name, files, words in (
        ("run-of-another-id", {LOG: other, BODIES: bytes(bodies)}, "does not belong to this run"),
        ("run-named-outside", {LOG: other.replace(b"f" * 16, b"../../x")}, "id is none"),
        ("run-damaged-bytes", {LOG: log, BODIES: bytes(bodies)}, "not those that the log names"),
        ("run-without-bytes", {LOG: log}, "and 0 comes next"),
        ("run-empty-log", {LOG: b""}, "no complete line"),
        ("run-no-json", {LOG: b"hello\n"}, "not a record"),
        ("run-nul", {LOG: bytes(100_000)}, "no complete line"),
        ("run-long-line", {LOG: first + b'{"a":"' + b"a" * 9_000_000 + b'"}\n'}, "a line of more than"),
        ("run-deep-line", {LOG: first + deep}, "lists and objects"),
        ("run-tiny-pieces", {LOG: first + tiny, BODIES: bad.files[BODIES]}, "lists and objects"),
        ("run-warc-bomb", {LOG: first + text(warc) + b"\n", BODIES: bad.files[BODIES][:start_of] + bomb},
         "bounded size|not whole"),
    ):  # fmt: skip
        bad.put(name, bad.archive(listed(files), files), words)

"""Files that pretend to be bundles, each bad in one named way.

``make(folder)`` writes them all and gives, by name, what the refusal must say. What is needed to make the
good one they are derived from is written here again, and not taken from the writer that is under test.
"""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any

from tests.evidence.made import make_run

RUN, LOG, BODIES = "0123456789abcdef", "measurements.jsonl", "bodies.warc.gz"
END = bytes(1_024)
TERMINAL = "\x1b[2J"


def block(
    name: bytes, size: int | bytes, *, kind: bytes = b"0", mode: bytes = b"0000600\0", owner: bytes = b"",
    number: bytes = b"0000000\0", time: bytes = b"00000000000\0", link: bytes = b"", prefix: bytes = b"",
    magic: bytes = b"ustar\x0000", total: int | None = None,
) -> bytes:  # fmt: skip
    """One tar head, as right or wrong as asked for."""
    field = size if isinstance(size, bytes) else b"%011o\0" % size
    parts = (
        *(name.ljust(100, b"\0"), mode, number, number, field, time, b" " * 8, kind, link.ljust(100, b"\0")),
        *(magic, owner.ljust(32, b"\0"), owner.ljust(32, b"\0"), b"0000000\x000000000\0"),
        *(prefix.ljust(155, b"\0"), bytes(12)),
    )
    raw = b"".join(parts)
    checksum = sum(raw) if total is None else total
    return raw[:148] + b"%06o\0 " % checksum + raw[156:]


def padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % 512)


def listed(files: dict[str, bytes]) -> dict[str, Any]:
    """The list of a bundle that holds these files of one run."""
    entries = [
        {"bytes": len(raw), "name": name, "sha256": sha256(raw).hexdigest()} for name, raw in files.items()
    ]
    return {"kind": "blockwatch bundle", "runs": [{"files": entries, "run": RUN}]}


def text(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True, ensure_ascii=False).encode()


def start(listing: bytes) -> bytes:
    return block(b"bundle.json", len(listing)) + padded(listing)


def body(files: dict[str, bytes]) -> bytes:
    return b"".join(block(f"{RUN}/{name}".encode(), len(raw)) + padded(raw) for name, raw in files.items())


class Bad:
    """Writes bad files; each method by its name in :data:`WORDS` or :func:`make`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        source = make_run(folder.parent / "source", 2)
        self.files = {name: (source / name).read_bytes() for name in (LOG, BODIES)}
        self.words: dict[str, str] = {}

    def put(self, name: str, raw: bytes, words: str, *, zipped: bool = True) -> None:
        (self.folder / name).write_bytes(gzip.compress(raw, 6, mtime=0) if zipped else raw)
        self.words[name] = words

    def archive(self, listing: dict[str, Any] | None = None, files: dict[str, bytes] | None = None) -> bytes:
        return start(text(listing or listed(self.files))) + body(files or self.files) + END

    def with_head(self, label: str, words: str, *, content: bytes | None = None, **changes: Any) -> None:
        """The head of the log is another one."""
        raw = self.files[LOG] if content is None else content
        given = {"name": f"{RUN}/{LOG}".encode(), "size": len(raw)} | changes
        rest = body({BODIES: self.files[BODIES]})
        self.put(label, start(text(listed(self.files))) + block(**given) + padded(raw) + rest + END, words)

    def with_list(self, name: str, words: str, change: Callable[[dict[str, Any]], object]) -> None:
        """The list says something else."""
        listing = listed(self.files)
        change(listing)
        self.put(name, self.archive(listing), words)


def make(folder: Path) -> dict[str, str]:
    """Write them; by file name a piece of what must be said of each."""
    folder.mkdir(parents=True)
    bad = Bad(folder)
    for write in (_names, _kinds, _sizes, _lists, _orders, _frames, _bombs, _runs):
        write(bad)
    return bad.words


def good(folder: Path) -> Path:
    """The one that all are derived from."""
    folder.mkdir(parents=True)
    bad = Bad(folder)
    bad.put("good", bad.archive(), "")
    return folder / "good"


def _names(bad: Bad) -> None:
    outside = "names a place outside itself"
    own = "names a place of its own on the disk"
    for name, head, words in (
        ("traversal", b"../../escaped", outside),
        ("traversal-inside", f"{RUN}/../../escaped".encode(), outside),
        ("traversal-backslash", b"..\\..\\escaped", outside),
        ("absolute", b"/tmp/escaped", own),
        ("absolute-windows", b"C:\\escaped", own),
        ("other-name", f"{RUN}/evil.sh".encode(), "where 0123456789abcdef/measurements.jsonl is expected"),
        ("hidden-file", b".bashrc", "is expected it holds '.bashrc'"),
        ("case-folded", f"{RUN}/Measurements.jsonl".encode(), "is expected it holds"),
        ("unicode-normalised", f"{RUN}/measurements.jso\u0301nl".encode(), "is expected it holds"),
        ("nul-in-name", f"{RUN}/{LOG}".encode() + b"\0.sh", "a name with a NUL inside"),
        ("terminal-in-name", TERMINAL.encode(), r"it holds '\x1b[2J'"),
        ("empty-name", b"", "is expected it holds ''"),
    ):
        bad.with_head(name, words, name=head)
    bad.with_head("prefix", outside, name=b"escaped", prefix=b"../..")

    def run_named(name: str) -> Callable[[dict[str, Any]], object]:
        return lambda listing: listing["runs"][0].update(run=name)

    def file_named(name: str) -> Callable[[dict[str, Any]], object]:
        return lambda listing: listing["runs"][0]["files"][1].update(name=name)

    for name, run in (
        ("list-run-traversal", "../../escaped"),
        ("list-run-absolute", "/tmp/escaped"),
        ("list-run-upper", RUN.upper()),
        ("list-run-empty", ""),
        ("list-run-newline", RUN + "\n"),
        ("list-run-nul", RUN[:-1] + "\0"),
        ("list-run-long", "a" * 10_000),
    ):
        bad.with_list(name, "is no run id", run_named(run))
    for name, file in (
        ("list-file-traversal", "../escaped"),
        ("list-file-inner-traversal", "checkpoints/../../escaped"),
        ("list-file-absolute", "/etc/passwd"),
        ("list-file-nul", "checkpoint\0"),
        ("list-file-newline", "checkpoint\n"),
        ("list-file-case", "Checkpoint"),
        ("list-file-normalised", "checkpoin\u0301t"),
        ("list-file-digits", "checkpoints/\u0661"),
        ("list-file-unknown", "evil.sh"),
        ("list-file-derived", "run.json"),
        ("list-file-dots", "timestamps/.."),
        ("list-file-terminal", TERMINAL),
    ):
        bad.with_list(name, "is not the name of a file of a run", file_named(file))
    stone = {"bytes": 1, "name": "../escaped", "sha256": "0" * 64}
    bad.with_list(
        "list-tombstone-traversal", "is no run id", lambda listing: listing.update(forgotten=[stone])
    )


def _kinds(bad: Bad) -> None:
    for name, kind, words in (
        ("symbolic-link", b"2", "a symbolic link"),
        ("hard-link", b"1", "a hard link"),
        ("character-device", b"3", "a device"),
        ("block-device", b"4", "a device"),
        ("folder", b"5", "a folder"),
        ("named-pipe", b"6", "a named pipe"),
        ("reserved", b"7", "a reserved kind"),
        ("pax", b"x", "an extended header"),
        ("pax-global", b"g", "an extended header"),
        ("gnu-long-name", b"L", "a long name"),
        ("gnu-long-link", b"K", "a long name"),
        ("sparse", b"S", "a sparse file"),
        ("multi-volume", b"M", "a part of a file"),
        ("volume-label", b"V", "a volume label"),
        ("unknown-kind", b"Z", "a file of an unknown kind"),
    ):
        bad.with_head(name, words, kind=kind, link=b"/etc/passwd")
    long = b"30 path=" + b"../" * 300_000 + b"\n"
    bad.with_head("pax-giant", "an extended header", kind=b"x", size=len(long), content=long)
    bad.with_head("gnu-giant", "a long name", kind=b"L", name=b"././@LongLink", size=len(long), content=long)
    for name, change in (
        ("owner", {"owner": b"aigul"}),
        ("owner-number", {"number": b"0001750\0"}),
        ("time", {"time": b"14723146000\0"}),
        ("setuid", {"mode": b"0004755\0"}),
    ):
        bad.with_head(name, "carries an owner, a time or rights", **change)
    bad.with_head("checksum", "something that is no file head", total=1)
    bad.with_head("gnu-magic", "carries an owner", magic=b"ustar  \0")


def _sizes(bad: Bad) -> None:
    size = len(bad.files[LOG])
    words = f"the size before {RUN}/{LOG} is not the one in the list"
    bad.with_head("size-larger", words, size=size + 512)
    bad.with_head("size-smaller", words, size=size - 512)
    bad.with_head("size-negative", words, size=b"\xff" * 12)
    bad.with_head("size-huge", words, size=b"\x80" + b"\x7f" * 11)
    bad.with_head("size-not-octal", words, size=b"99999999999\0")
    bad.with_head("size-spaces", words, size=b" " * 12)

    def sized(value: Any) -> Callable[[dict[str, Any]], object]:
        return lambda listing: listing["runs"][0]["files"][0].update(bytes=value)

    bad.with_list("list-size-negative", "an impossible size", sized(-1))
    bad.with_list("list-size-beyond-tar", "an impossible size", sized(8**11))
    bad.with_list("list-size-beyond-integers", "an impossible size", sized(2**80))
    bad.with_list("list-size-text", "cannot be read", sized("12"))
    bad.with_list("list-size-terabytes", "which a file of", sized(8**11 - 1))
    bad.with_list("list-size-off-by-one", f"the size before {RUN}/{LOG}", sized(size - 1))
    bad.with_list("list-hash", "damaged or changed on the way",
                  lambda listing: listing["runs"][0]["files"][1].update(sha256="0" * 64))  # fmt: skip
    bad.with_list("list-hash-odd", "an impossible size or hash",
                  lambda listing: listing["runs"][0]["files"][1].update(sha256="0" * 63 + "A"))  # fmt: skip
    large = {LOG: bad.files[LOG], "checkpoint": bytes(65_537)}
    bad.put("seal-too-large", bad.archive(listed(large), large), "'checkpoint' has an impossible size")


def _lists(bad: Bad) -> None:
    bad.with_list("format-unknown", "its format is unknown", lambda listing: listing.update(format=2))
    bad.with_list("kind-unknown", "its format is unknown", lambda listing: listing.update(kind="zip"))
    bad.with_list("list-unknown-field", "not written as we write it", lambda listing: listing.update(x=1))
    bad.with_list("list-without-runs", "cannot be read", lambda listing: listing.pop("runs"))
    bad.with_list("list-without-log", "has no measurements.jsonl",
                  lambda listing: listing["runs"][0]["files"].pop(0))  # fmt: skip
    raw = text(listed(bad.files))
    spaced = raw.replace(b",", b", ")
    bad.put("list-spaced", start(spaced) + body(bad.files) + END, "not written as we write it")
    twice = raw.replace(b'"kind"', b'"kind":"","kind"')
    bad.put("list-key-twice", start(twice) + body(bad.files) + END, "not written as we write it")
    bad.put("list-not-utf8", start(b'{"\xff":1}') + END, "cannot be read")
    bad.put("list-deep", start(b'{"x":' + b"[" * 1_000_000) + END, "cannot be read")
    bad.put("list-empty", start(b"") + END, "does not begin with a list")
    bad.put("list-nothing-else", start(raw), f"{RUN}/{LOG} is missing|it ends before its end")
    many = listed(bad.files)
    many["runs"] = [many["runs"][0] | {"run": f"{number:016x}"} for number in range(20_000)]
    bad.put("list-too-many-runs", start(text(many)) + END, "it lists more than 10000 runs")
    million = b'{"forgotten":[' + b",".join([b'{"bytes":0,"name":"","sha256":""}'] * 1_000_000) + b"]}"
    bad.put("list-a-million", start(million) + END, "a list of at most 8388608 bytes")
    lying = block(b"bundle.json", 8**11 - 1) + padded(raw)
    bad.put("list-size-lies", lying, "a list of at most 8388608 bytes")


def _orders(bad: Bad) -> None:
    def doubled(listing: dict[str, Any]) -> None:
        listing["runs"][0]["files"].append(listing["runs"][0]["files"][1])

    bad.with_list("file-twice", "comes twice or out of order", doubled)
    bad.with_list("files-out-of-order", "comes twice or out of order",
                  lambda listing: listing["runs"][0]["files"].reverse())  # fmt: skip
    bad.with_list("same-run-twice", "comes twice or out of order",
                  lambda listing: listing["runs"].append(listing["runs"][0]))  # fmt: skip
    again = start(text(listed(bad.files))) + body(bad.files) + body(bad.files) + END
    bad.put("files-come-twice", again, "it holds more than its list says")
    one = {LOG: bad.files[LOG]}
    bad.put("file-missing", start(text(listed(bad.files))) + body(one) + END, f"{RUN}/{BODIES} is missing")
    bad.put("file-not-listed", start(text(listed(one))) + body(bad.files) + END, "more than its list says")
    million = b"".join(padded(block(b"%d" % n, 0)) for n in range(1, 1_000)) * 1_001
    bad.put("a-million-files", start(text(listed(bad.files))) + body(bad.files) + million + END,
            "more than its list says|more than a file of")  # fmt: skip
    bad.put("padding", _dirty_padding(bad), "it is not as we write it")


def _dirty_padding(bad: Bad) -> bytes:
    raw = bytearray(bad.archive())
    second = raw.index(f"{RUN}/{BODIES}".encode())
    raw[second - 1] ^= 1
    return bytes(raw)


def _frames(bad: Bad) -> None:
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
    bad.put("not-zipped", raw, "this is no bundle", zipped=False)
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


def _bombs(bad: Bad) -> None:
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


def _runs(bad: Bad) -> None:
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

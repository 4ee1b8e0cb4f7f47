"""Files that pretend to be bundles, each bad in one named way.

``make(folder)`` writes them all and gives, by name, what the refusal must say. What is needed to make the
good one they are derived from is written here again, and not taken from the writer that is under test.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.hostile.archive import BODIES, END, LOG, RUN, Bad, block, body, listed, padded, start, text
from tests.hostile.frames import bombs, frames, runs

TERMINAL = "\x1b[2J"


def make(folder: Path) -> dict[str, str]:
    """Write them; by file name a piece of what must be said of each."""
    folder.mkdir(parents=True)
    bad = Bad(folder)
    for write in (_names, _kinds, _sizes, _lists, _orders, frames, bombs, runs):
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

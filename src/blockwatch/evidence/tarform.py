"""The one form of tar archive that bundles have: plain files, nothing about who made them.

Rules of this file (POSIX.1-1988 "ustar"; every tar program reads it):

* a head is a function of name and size alone: no owner, no time, no rights but "owner may read and
  write"; so whether a head is one of ours is told by making it again and comparing all 512 bytes;
* whatever differs is refused, and :func:`oddity` says in words what it is.
"""

from __future__ import annotations

BLOCK = 512
MAX_SIZE = 8**11 - 1  # bytes of one file: eleven octal digits
MAX_NAME = 100
END = bytes(2 * BLOCK)
_SUM = slice(148, 156)
_KINDS = {
    b"1": "a hard link",
    b"2": "a symbolic link",
    b"3": "a device",
    b"4": "a device",
    b"5": "a folder",
    b"6": "a named pipe",
    b"7": "a file of a reserved kind",
    b"g": "an extended header",
    b"x": "an extended header",
    b"K": "a long name",
    b"L": "a long name",
    b"S": "a sparse file",
    b"M": "a part of a file",
    b"V": "a volume label",
}


def head(name: str, size: int) -> bytes:
    """The 512 bytes before a file; ``ValueError`` where name or size do not fit."""
    raw = name.encode("ascii")
    if not 0 < len(raw) <= MAX_NAME or not 0 <= size <= MAX_SIZE:
        raise ValueError(f"{name!r} of {size} bytes does not fit into a tar head")
    fields = (
        raw.ljust(MAX_NAME, b"\0"),
        b"0000600\0",
        b"0000000\0",  # owner and group: nobody's
        b"0000000\0",
        b"%011o\0" % size,
        b"00000000000\0",  # 1970
        b" " * 8,
        b"0",
        bytes(100),
        b"ustar\x0000",
        bytes(64),
        b"0000000\x000000000\0",
        bytes(167),
    )
    block = b"".join(fields)
    return block[: _SUM.start] + b"%06o\0 " % sum(block) + block[_SUM.stop :]


def padding(size: int) -> bytes:
    """What follows a file of ``size`` bytes up to the next block."""
    return bytes(-size % BLOCK)


def oddity(block: bytes, name: str, size: int) -> str:
    """What is wrong with a head that is not ``head(name, size)``, in words."""
    if len(block) < BLOCK:
        return "it ends before its end"
    if block == bytes(BLOCK):
        return f"{name} is missing"
    total = sum(block) - sum(block[_SUM]) + 8 * ord(" ")
    if block[_SUM] not in (b"%06o\0 " % total, b"%07o\0" % total, b"%06o \0" % total):
        return "it holds something that is no file head"
    if block[156:157] not in (b"0", b"\0"):
        return f"it holds {_KINDS.get(block[156:157], 'a file of an unknown kind')}"
    found, _, rest = block[:MAX_NAME].partition(b"\0")
    if rest.strip(b"\0"):
        return "it holds a name with a NUL inside"
    if found != name.encode("ascii") or block[345:500].strip(b"\0"):
        return _odd_name(found, block[345:500].partition(b"\0")[0], name)
    if block[124:136] != b"%011o\0" % size:
        return f"the size before {name} is not the one in the list"
    return f"{name} carries an owner, a time or rights, which bundles never do"


def _odd_name(found: bytes, prefix: bytes, expected: str) -> str:
    whole = prefix + b"/" + found if prefix else found
    shown = ascii(whole[:120].decode("utf-8", "replace"))
    if whole.startswith((b"/", b"\\")) or whole[1:2] == b":":
        return f"it names a place of its own on the disk: {shown}"
    if b".." in whole.replace(b"\\", b"/").split(b"/"):
        return f"it names a place outside itself: {shown}"
    return f"where {expected} is expected it holds {shown}"

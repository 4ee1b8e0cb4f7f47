"""Lines, trees, keys and signed notes as in docs/evidence.md: part of check_evidence.py."""

import base64
import hashlib
import json
import re
import struct
import zlib
from functools import reduce
from itertools import pairwise

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

MAX = 8_388_608
WRONG = (
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OSError,
    OverflowError,
    RecursionError,
    zlib.error,
)
CLOSE = b'"type":"run_close"'
SMALL = ["00" * 32, "01" + "00" * 31, *(first + "ff" * 30 + "7f" for first in ("ec", "ed", "ee"))]
SMALL += ["c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a"]
SMALL += ["26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"]


def need(condition, words):
    if not condition:
        raise ValueError(words)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def content(path, most=65_536):
    """All of a small file; a link, a pipe or a longer file is refused."""
    need(path.is_file() and not path.is_symlink(), "not a file")
    with path.open("rb") as file:
        raw = file.read(most + 1)
    need(len(raw) <= most, "too long")
    return raw


def unbase64(text):
    raw = base64.b64decode(text)
    need(base64.b64encode(raw).decode() == text, "base64 in another form")
    return raw


def canonical(line):
    """What a line says, which must be in the form of RFC 8785, integers only."""

    def in_order(found):
        keys = [key.encode("utf-16-be", "surrogatepass") for key, _ in found]
        need(all(a < b for a, b in pairwise(keys)), "keys out of order, or one twice")
        return dict(found)

    def integer(text):
        need(abs(int(text)) <= 2**53, "too large a number")
        return int(text)

    need(line.count(b"[") + line.count(b"{") <= 262_144, "too many lists and objects")
    options = {"parse_int": integer, "parse_float": integer, "parse_constant": integer}
    said = json.loads(line.decode(), object_pairs_hook=in_order, **options)
    again = json.dumps(said, separators=(",", ":"), ensure_ascii=False)
    need(again.encode() == line, "not in canonical form")
    return said


def lines_of(path):
    size, offset = path.stat().st_size, 0
    with path.open("rb") as file:
        while line := file.readline(MAX + 1):
            if b"\0" in line and size - offset <= MAX:
                rest = (line + file.read(MAX)).split(b"\n")
                if not any(b"\0" not in part and CLOSE in part for part in rest):
                    return  # never reached the disk
            need(len(line) <= MAX, "a line too long")
            offset += len(line)
            if line[-1:] == b"\n":  # otherwise torn
                yield line[:-1]


def add(tree, leaf):
    """Append to a tree: the number of leaves, then the roots of its perfect subtrees."""
    size = tree[0]
    while size & 1:
        leaf, size = sha(b"\1", tree.pop(), leaf), size >> 1
    tree[0] += 1
    tree.append(leaf)


def root_of(tree):
    return reduce(lambda right, left: sha(b"\1", left, right), tree[-2:0:-1], tree[-1])


def key_of(text):
    name, number, encoded = text.split("+", 2)
    raw = unbase64(encoded)
    need(raw[0] == 1 and len(raw) == 33, "no key")
    need(sha(name.encode(), b"\n", raw)[:4].hex() == number, "key and id differ")
    need((raw[1:32] + bytes([raw[32] & 127])).hex() not in SMALL, "anybody can sign by this key")
    need(name == "blockwatch/key/" + sha(raw[1:]).hex()[:16], "another's name")
    return name, bytes.fromhex(number), raw[1:]


def holds(public, signature, text):
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, text)
    except InvalidSignature:
        return False
    return True


def note_of(raw, key):
    """The lines of a signed note; one signature of the key must hold, others are ignored."""
    text, blank, tail = raw.decode().rpartition("\n\n")
    lines = tail.split("\n")
    need(blank and text and not lines.pop() and 0 < len(lines) < 65, "no note")
    need(len(raw) <= 65_536 and not re.search(rb"[\0-\t\x0b-\x1f]", raw), "no note")
    signed = False
    for line in lines:
        dash, name, encoded = line.split(" ")
        signature = unbase64(encoded)
        need(dash == "\u2014" and name and len(signature) > 4, "not a note")
        if (name, signature[:4]) == key[:2]:
            signed |= holds(key[2], signature[4:], f"{text}\n".encode())
    need(signed, "not signed by the key")
    return text.split("\n")


def checkpoint_of(raw, key, run):
    origin, size, root = note_of(raw, key)
    need(origin == f"blockwatch/run/{run}", "the seal of another run")
    need(re.fullmatch("[1-9][0-9]{0,15}", size) and len(unbase64(root)) == 32, "no seal")
    return int(size), unbase64(root)


def check_ssh(raw, checkpoint, public):
    def string(*parts):
        return b"".join(struct.pack(">I", len(part)) + part for part in parts)

    about, kind = string(b"blockwatch", b"", b"sha512"), string(b"ssh-ed25519")
    signature = base64.b64decode(raw.partition(b"\n")[2].partition(b"-")[0])[-64:]
    blob = b"SSHSIG\0\0\0\1" + string(kind + string(public)) + about + string(kind + string(signature))
    body = base64.b64encode(blob).decode()
    lines = [body[at : at + 70] for at in range(0, len(body), 70)]
    whole = ["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""]
    need(raw.decode().split("\n") == whole, "another form, key or namespace")
    signed = b"SSHSIG" + about + string(hashlib.sha512(checkpoint).digest())
    need(holds(public, signature, signed), "its signature does not hold")


def included(part, size, root):
    """Follow the path of a proof (RFC 9162, section 2.1.3.2)."""
    h, n, m = sha(b"\0", part["line"].encode()), part["index"], size - 1
    need(0 <= n <= m, "no such line")
    for p in map(unbase64, part.get("path", [])):
        need(m > 0, "too long a path")
        right = n & 1 or n == m
        h = sha(b"\1", p, h) if right else sha(b"\1", h, p)
        while right and n and not n & 1:
            n, m = n >> 1, m >> 1
        n, m = n >> 1, m >> 1
    need(m == 0 and h == root, "not in the log that was sealed")

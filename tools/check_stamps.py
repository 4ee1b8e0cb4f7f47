"""What others confirmed of a seal, and when: part of check_evidence.py. Replies are given to `openssl ts`."""

import re
import subprocess
import tempfile
from datetime import datetime
from fractions import Fraction

from check_lines import need

MAGIC = bytes.fromhex("004f70656e54696d657374616d7073000050726f6f6600bf89e2e884e89294") + b"\x01\x08"
UNITS = {"seconds": 1_000_000, "millis": 1_000, "micros": 1}


def openssl(*words, put=b""):
    return subprocess.run(["openssl", *map(str, words)], input=put, capture_output=True).stdout


def stamp_of(path, seals, roots):
    """The lines of the seal that it is over; the moment, in microseconds, if it counts for the reader.

    seals: SHA-256 of each seal -> (its number of lines, its file).
    """
    with path.open("rb") as file:
        raw = file.read(65_537)
    need(len(raw) <= 65_536, "too long")
    if path.suffix == ".ots":
        return calendar(raw, seals), None
    need(raw[:1] == b"\x30" and len(raw) == length_of(raw), "not a reply")
    over = [seal for digest, seal in seals.items() if digest in raw]
    need(over, "over something else")
    text = openssl("ts", "-reply", "-in", path, "-text").decode("utf-8", "replace")
    when, late = moment(text)
    with tempfile.NamedTemporaryFile() as own:  # first under its own certificates, then under the reader's
        token = openssl("ts", "-reply", "-in", path, "-token_out")
        own.write(openssl("pkcs7", "-inform", "DER", "-print_certs", put=token))
        own.flush()
        for lines, seal in over:
            if verified(path, seal, own.name, when):
                return lines, when * 1_000_000 + late if roots and verified(path, seal, roots, when) else None
    raise ValueError("its signature does not hold")


def length_of(raw):
    """Bytes of the DER element that begins here."""
    count = raw[1] & 0x7F if raw[1] & 0x80 else 0
    return 2 + count + (int.from_bytes(raw[2 : 2 + count], "big") if count else raw[1])


def verified(path, seal, roots, when):
    words = ["-data", seal, "-in", path, "-CAfile", roots, "-partial_chain", "-attime", when]
    return b": OK" in openssl("ts", "-verify", *words)


def moment(text):
    """The time in seconds, and what the fraction of it and the accuracy add, in microseconds."""
    found = re.search(r"Time stamp: (\w+ +\d+ [\d:]{8})(\.\d+)? (\d{4}) GMT", text)
    day, fraction, year = found.groups()
    when = datetime.strptime(f"{day} {year} +0000", "%b %d %H:%M:%S %Y %z")
    accuracy = re.search(r"Accuracy: (.*)", text)
    late = int(Fraction(f"0{fraction or '.0'}") * 1_000_000)
    for number, unit in re.findall(r"(0x[0-9A-Fa-f]+) (\w+)", accuracy[1] if accuracy else ""):
        late += int(number, 16) * UNITS[unit]
    return int(when.timestamp()), late


def calendar(raw, seals):
    """A proof of OpenTimestamps: that it is one, and over which seal. Blocks are not looked up."""
    need(raw.startswith(MAGIC), "no proof of OpenTimestamps")
    need(raw[33:65] in seals, "over something else")
    need(node(raw, 65, 32, 0) == len(raw), "bytes after its end")
    return seals[raw[33:65]][0]


def number(raw, at):
    value = 0
    for shift in range(0, 63, 7):
        value |= (raw[at] & 0x7F) << shift
        at += 1
        if raw[at - 1] < 0x80:
            return value, at
    raise ValueError("a number of impossible size")


def counted(raw, at):
    """Where what is counted here begins and ends."""
    count, at = number(raw, at)
    need(count <= 8_192 and at + count <= len(raw), "cut short")
    return at, at + count


def node(raw, at, size, depth):
    """Read a node whose message has so many bytes; gives where it ends."""
    need(depth <= 256 and size <= 4_096, "nested too deep, or too long a message")
    more = True
    while more:
        more = raw[at] == 0xFF
        tag, at = (raw[at + 1], at + 2) if more else (raw[at], at + 1)
        if tag == 0x00:
            kind, (begin, end) = raw[at : at + 8], counted(raw, at + 8)
            if kind.hex() == "0588960d73d71901":
                number(raw[begin:end], 0)
            if kind.hex() == "83dfe30d2ef90c8e":
                counted(raw[begin:end], 0)
            at = end
            continue
        need(tag in (0xF0, 0xF1, 0xF2, 0xF3, 0x02, 0x03, 0x08, 0x67), "an operation that is not known")
        longer = 0
        if tag in (0xF0, 0xF1):
            begin, at = counted(raw, at)
            longer = at - begin
        out = {0xF3: 2 * size, 0x02: 20, 0x03: 20, 0x08: 32, 0x67: 32}.get(tag, size + longer)
        at = node(raw, at, out, depth + 1)
    return at

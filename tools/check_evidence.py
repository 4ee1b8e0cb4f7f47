"""Check evidence of blockwatch without blockwatch: written from docs/evidence.md alone, whose words it uses.

    python check_evidence.py PATH... [--key KEY]... [--tsa-root PEM] [--require sealed|timed|witnessed]

PATH: a run folder, a folder of runs, or the proof of one record (of a bundle: what `tar xzf` makes of it). It
needs Python 3.11, `cryptography` and, for stamps, the `openssl` program. Exit 9: damage, contradiction, a bad
stamp, not sealed to the end by a key that was named, too low a grade. Exit 3: some may not be read.
"""

import argparse
import hashlib
import json
import os
import re
import subprocess
import sys
import uuid
import zlib
from base64 import b64decode, b64encode
from collections import Counter
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import quote

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, BYTES, MAX, ENDLESS = "measurements.jsonl", "bodies.warc.gz", 8_388_608, 2**63
GRADES, MINUTE, HOUR = ["unsigned", "sealed", "timed", "witnessed"], 60_000_000, 3_600_000_000
P, ODD = 2**255 - 19, 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
SMALL = {0, 1, P - 1, P, P + 1, ODD, P - ODD}  # keys by which anybody can sign
SPACE, NOTHING = uuid.UUID("6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52"), Path("/dev/null")
STATUS = rb"(?s)(?:HTTP/1\.[01] 1(?!01)\d\d(?=[ \r\n]).*?\r\n\r\n)*HTTP/1\.[01] (\d{3})(?=[ \r\n])"
TIME, SHA256 = rb"\d{14}(\.\d{1,9})?Z", (6, b"\x60\x86\x48\1\x65\3\4\2\1")
SIZE, UNITS = "[1-9][0-9]{0,15}", {2: 1_000_000, 128: 1_000, 129: 1}  # of lines; of an authority's accuracy
PROOF = b"\0OpenTimestamps\0\0Proof\0\xbf\x89\xe2\xe8\x84\xe8\x92\x94\x01\x08"
STONE = re.compile(
    "blockwatch/(?:forgotten|(encrypted))\nrun ([0-9a-f]{16})\nkey (?:none|(\\S+))\n"
    f"(?(1)|size (?:0|{SIZE})\n)root ([0-9a-f]{{64}})\nprevious (?:none|([0-9a-f]{{64}}))\n"
    "(?(1)sha256 ([0-9a-f]{64})|when [0-9T:Z-]{20})\n"
)


def need(condition, reason):
    if not condition:
        raise ValueError(reason)


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def plain(path, most=65_536):
    need(path.is_file() and not path.is_symlink() and path.stat().st_size <= most, "no file, or too long")
    return path


def beginning(path):  # of a note: as much as is looked at
    with plain(path, ENDLESS).open("rb") as file:
        return file.read(65_536)


def is_folder(path):
    return path.is_dir() and not path.is_symlink()


def listed(folder):
    return sorted(folder.iterdir()) if is_folder(folder) else []


def unbase64(text):
    raw = b64decode(text)
    need(b64encode(raw).decode() == text, "base64 in another form")
    return raw


def when_of(us):  # for reading
    with suppress(ValueError, OverflowError, OSError):
        return f"{datetime.fromtimestamp(us // 1_000_000, UTC):%Y-%m-%d %H:%M:%S} UTC"
    return f"{us} microseconds after 1970"


def integer(text):
    need(abs(int(text)) <= 2**53, "too large a number")
    return int(text)


def canonical(line):  # what a line says, which must be in the form of RFC 8785, integers only
    need(line.count(b"[") + line.count(b"{") <= 262_144, "too many lists and objects")
    numbers = dict.fromkeys(("parse_int", "parse_float", "parse_constant"), integer)
    said = json.loads(line, **numbers)
    again = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    need(again.encode() == line, "not canonical")
    return said


def root_of(leaves):
    if len(leaves) == 1:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root_of(leaves[:half]), root_of(leaves[half:]))


def root_by(path, leaf, index, size):  # the root to which the path of an inclusion proof leads
    if size == 1:
        need(not path and index == 0, "another path")
        return leaf
    half = 1 << (size - 1).bit_length() - 1
    if index < half:
        return sha(b"\1", root_by(path[:-1], leaf, index, half), path[-1])
    return sha(b"\1", path[-1], root_by(path[:-1], leaf, index - half, size - half))


def key_of(text):  # a verifier key: its name, its id in hex, the public key
    name, number, encoded = text.split("+", 2)
    raw = unbase64(encoded)
    need(raw[:1] == b"\1" and sha(name.encode(), b"\n", raw).hex()[:8] == number, "no key")
    need(name == f"blockwatch/key/{sha(raw[1:]).hex()[:16]}", "another's name")
    need(int.from_bytes(raw[1:], "little") % 2**255 not in SMALL, "anybody can sign by this key")
    return name, number, Ed25519PublicKey.from_public_bytes(raw[1:])


def signed_by(key, raw):  # a note as the key wrote it; what others added is left out
    name, number, public = key_of(key)
    text, _, tail = raw[:65_536].partition(b"\n\n")
    for line in tail.split(b"\n")[:-1][:64]:
        with suppress(ValueError, InvalidSignature):
            start, encoded = line.decode().rsplit(" ", 1)
            signature = unbase64(encoded)
            need((start, signature[:4].hex()) == (f"\u2014 {name}", number), "by another")
            public.verify(signature[4:], text + b"\n")
            return text + b"\n\n" + line + b"\n"
    raise ValueError("not signed by the key")


def check_ssh(path, seal, key):  # all but 64 bytes of this signature can be told beforehand
    raw, signed = plain(path).read_bytes(), hashlib.sha512(seal).digest()
    about, kind = b"\0\0\0\nblockwatch\0\0\0\0\0\0\0\6sha512", b"\0\0\0\x0bssh-ed25519\0\0\0"
    signature, public = b64decode(raw.split(b"-----")[2])[-64:], key_of(key)[2]
    whole = b"SSHSIG\0\0\0\1\0\0\0\x33" + kind + b" " + public.public_bytes_raw() + about
    body = re.sub(b"(.{1,70})", rb"\1\n", b64encode(whole + b"\0\0\0\x53" + kind + b"@" + signature))
    told = b"-----BEGIN SSH SIGNATURE-----\n" + body + b"-----END SSH SIGNATURE-----\n"
    need(raw == told, "another form, key or namespace")
    public.verify(signature, b"SSHSIG" + about + b"\0\0\0@" + signed)


def warc_of(raw, name):  # the head and block of a WARC record, and the length of its gzip member
    stream = zlib.decompressobj(31)
    head, _, rest = stream.decompress(raw, MAX + 65_537).partition(b"\r\n\r\n")
    version, *fields = head.decode("ascii").split("\r\n")
    told, block = dict(field.split(": ", 1) for field in fields), rest[:-4]
    need(stream.eof and rest[-4:] == b"\r\n\r\n" and version == "WARC/1.1", "not one whole member")
    need(len(told) == len(fields), "a field twice")
    need(told["Content-Length"] == str(len(block)), "another length")
    need(told["WARC-Block-Digest"] == f"sha256:{sha(block).hex()}", "another block")
    need(told["WARC-Record-ID"] == f"<urn:uuid:{uuid.uuid5(SPACE, name)}>", "another record")
    return told, block, len(raw) - len(stream.unused_data)


def places_of(record):  # what a measurement refers to, in the order of the captured bytes
    steps = [step for step in record.get("observations", []) if step["step"] == "http"]
    return [(step, side, step[side]) for step in steps for side in ("response", "request") if step.get(side)]


def check_member(raw, record, step, side, ref):
    need((len(raw), sha(raw).hex()) == (ref["length"], ref["sha256"]), "not the bytes that the log names")
    told, block, length = warc_of(raw, f"{record['id']}#{step['i']}/{side}")
    need(length == len(raw), "more than one member")
    if "[scrubbed]" not in step["url"] + step["address"]:
        url = quote(step["url"], safe="!#$%&'()*+,/:;=?@[]~", errors="replace")
        address = quote(step["address"], safe=":.")
        need((told["WARC-Target-URI"], told.get("WARC-IP-Address", "")) == (url, address), "another address")
    http = re.match(STATUS, block) if side == "response" and step.get("status") is not None else None
    need(not http or int(http[1]) == step["status"], "another status")


def elements(raw):  # tags and contents of the elements of DER that these bytes are
    while raw:
        tag, size, count, least, raw = raw[0], raw[1], raw[1] - 128, 0, raw[2:]
        if count >= 0:
            size, least, raw = int.from_bytes(raw[:count]), max(128, 1 << 8 * count - 8), raw[count:]
        need(tag & 31 < 31 and least <= size <= len(raw), "not DER")
        yield tag, raw[:size]
        raw = raw[size:]


def openssl(*words, put):
    done = subprocess.run(["openssl", *words], input=put, capture_output=True)
    return done.stdout if done.returncode == 0 else b""


def reply(raw, roots):  # what the reply of an authority is over, and the moment if it counts for the reader
    need(raw[:2] == b"0\x82" and int.from_bytes(raw[2:4]) == len(raw) - 4, "not a reply")
    token = openssl("ts", "-reply", "-in", "/dev/stdin", "-token_out", put=raw)
    content = openssl("cms", "-verify", "-noverify", "-inform", "DER", put=token)  # what is signed
    [(whole, content)] = elements(content)
    tags, (version, _, imprint, _, time, *_) = zip(*(parts := [*elements(content)]), strict=True)
    [(six, algorithm), (seven, digest)] = elements(imprint)
    said = (whole, *tags[:5], six, seven, version, *[*elements(algorithm)][:1])
    need(said == (48, 2, 6, 48, 2, 24, 48, 4, b"\1", SHA256) and re.fullmatch(TIME, time), "another form")
    when = int(datetime.strptime(f"{time[:14].decode()}Z", "%Y%m%d%H%M%S%z").timestamp())
    late = sum(UNITS[tag] * int.from_bytes(each[:8]) for tag, each in elements(dict(parts[5:]).get(48, b"")))
    words = ["-CAfile", roots or NOTHING, "-partial_chain", "-attime", str(when), "-digest", digest.hex()]
    known = openssl("ts", "-verify", "-token_in", "-in", "/dev/stdin", *words, put=token)
    return digest, known and when * 1_000_000 + late


def calendar(raw):  # what a proof of OpenTimestamps is over; no block is looked up, so no moment counts
    need(raw.startswith(PROOF), "no proof of OpenTimestamps")
    at, branches = len(PROOF) + 32, 1
    while branches:
        if raw[at] == 0xFF:
            at, branches = at + 1, branches + 1
        tag, at = raw[at], at + 1
        need(tag in b"\0\2\3\x08\x67\xf0\xf1\xf2\xf3", "an operation that is not known")
        if tag == 0:  # an attestation: eight bytes of kind, and something counted
            at, branches = at + 8, branches - 1
        if tag in b"\0\xf0\xf1":
            size, at = raw[at], at + 1
            if size > 127:
                size, at = size - 128 + 128 * raw[at], at + 1
            at += size
    need(at == len(raw), "cut short, or more after its end")
    return raw[len(PROOF) :][:32], None


class Found:
    """What was found in a run, a proof, or the note of a run that is not here."""

    bad = record = run = key = root = before = asn = grade = None
    sealed, cut, whole, doubt, moment, clock = 0, False, False, "", None, None
    loose, unread, about = False, False, ()

    def __init__(self, path, home, check, *given):  # home: the results folder that it is looked at in
        self.path, self.home, self.place = path, home, str(path.relative_to(home or path.parent))
        self.open, self.close, self.leaves, self.asked, self.stamps, self.notes = {}, {}, [], {}, [], []
        self.times, self.set = [], False  # when each line ended, by its own clock; whether that was set
        try:
            check(self, *given)
        except Exception as error:  # whatever it does to its reader is damage, if it may be read
            self.unread = isinstance(error, PermissionError)
            self.bad = f"{self.place}{f' ({self.record})' if self.record else ''}: {error!r}"[:300]

    def lines(self):  # of the log, without what a killed program or a power cut left
        with plain(self.path / LOG, ENDLESS).open("rb") as file:
            left = (self.path / LOG).stat().st_size
            for number, line in enumerate(iter(lambda: file.readline(MAX + 1), b""), 1):
                self.place, self.record = f"{LOG}:{number}", None
                if b"\0" in line and left <= MAX:
                    rest = (line + file.read(MAX)).split(b"\n")
                    if not any(b'"type":"run_close"' in part for part in rest if b"\0" not in part):
                        return
                need(len(line) <= MAX, "a line too long")
                left -= len(line)
                if line.endswith(b"\n"):
                    yield line[:-1]

    def check_log(self, file):  # and the captured bytes
        numbers, end, gap, self.place = set(), 0, False, LOG
        self.leaves = [sha(b"\0", line) for line in self.lines()]
        need(self.leaves, "no line")
        self.root = root_of(self.leaves).hex()
        for said in map(canonical, self.lines()):
            kind, self.record = said["type"], said.get("id")
            need(not self.close and (kind == "run_open") == (not self.open), "out of place")
            if kind == "run_open":
                need(re.fullmatch("[0-9a-f]{16}", said["run"]), "no run id")
                self.open, self.run, self.key, first = said, said["run"], said.get("key"), file.read(65_536)
                began = until = said["started"]
                if first:
                    self.place = BYTES
                    end = warc_of(first, self.run)[2]
            elif kind == "run_close":
                need(said["reason"] == "disk" or said["measured"] == len(numbers), "another number of them")
                self.close, long = said, said["ended"] - began
                self.set |= long < said["us"] - MINUTE or self.times[-1] > said["ended"] + MINUTE
                until = said["ended"]
            else:
                steps, valid = said.get("observations", []), said.get("valid", True)
                need(kind == "measurement" and said["seq"] > 0 and said["seq"] not in numbers, "no new one")
                need(said["id"] == f"{self.run}-{said['seq']:06d}", "no measurement of this run")
                need([step["i"] for step in steps] == [*range(len(steps))], "steps out of order")
                numbers.add(said["seq"])
                gap |= not valid
                for step, side, ref in places_of(said):
                    need(ref["offset"] == end or (gap and ref["offset"] > end), "bytes missing or swapped")
                    need(0 < ref["length"] <= 2 * MAX and file.seek(ref["offset"]), "an impossible place")
                    check_member(file.read(ref["length"]), said, step, side, ref)
                    end, gap = file.tell(), False
                until, self.set = said["started"] + said["us"], self.set or said["started"] < began - MINUTE
                made = not all(step.get("skipped") for step in steps)
                if valid and made and said.get("role", "target") == "target":
                    self.asked.setdefault(said["url"], []).append(said["started"])
            self.times.append(max([until, *self.times[-1:]]))
        self.place = BYTES
        need(not self.close or self.close["reason"] == "disk" or file.seek(0, 2) == end, "more bytes")
        self.whole = True

    def check_run(self, keys, roots):
        need(not self.home or not self.path.is_symlink(), "a link")
        names, seals, self.place = {path.name for path in self.path.iterdir()}, {}, BYTES
        with (plain(self.path / BYTES, ENDLESS) if BYTES in names else NOTHING).open("rb") as file:
            self.check_log(file)
        self.place, self.record = f"{LOG}:1", None
        self.before, self.asn = self.open.get("previous_root"), self.open.get("vantage", {}).get("asn")
        need(self.key is None or key_of(self.key), "no key")
        for self.place in names & {"timestamps", "checkpoints"}:
            need(is_folder(self.path / self.place), "no folder")
        paths = [path for path in listed(self.path / "checkpoints") if path.suffix != ".part"]
        paths = sorted(paths, key=lambda path: int(path.name))
        for path in paths + [self.path / "checkpoint"] * ("checkpoint" in names):
            self.place = str(path.relative_to(self.path))
            raw = beginning(path)
            seal = signed_by(self.key, raw)
            self.notes += [f"{self.place}: what stands in it beside the seal is left out"] * (seal != raw)
            origin, number, root = seal.decode().split("\n")[:-3]
            need(origin == f"blockwatch/run/{self.run}", "the seal of another run")
            need(number == str(int(number)) and path.name in ("checkpoint", number), "another number")
            size, root = int(number), unbase64(root)
            need(self.sealed <= size <= len(self.leaves), "more lines than there are, or fewer than before")
            self.place = f"{LOG}:{self.sealed + 1}"
            need(root == root_of(self.leaves[:size]), "not the lines that were sealed")
            seals[sha(seal)] = self.sealed = size
        if "checkpoint.sig" in names:
            self.place = "checkpoint.sig"
            try:
                check_ssh(self.path / self.place, "checkpoint" in names and seal, self.key)
            except PermissionError:
                raise
            except Exception as error:
                self.stamps.append(f"bad second signature at {self.place}: {error!r}"[:300])
        if keys:
            self.place = f"{LOG}:{self.sealed + 1 if self.key in keys else 1}"
            need(self.key in keys and self.sealed == len(self.leaves), "not sealed by a key that you named")
        self.cut = not self.close
        ended = when_of(self.close["ended"]) if self.close else "no known end"
        rest = f"{len(self.leaves) - 1 - bool(self.close)} measurements, root {self.root}"
        self.tell(f"run {self.run}", self.open["started"], ended, rest)
        name = re.fullmatch(r"(?s)(\d{8})T(\d{6})Z-(?:.*-)?([0-9a-f]{16})", self.path.name, re.A)
        inside = (re.sub(r"\D", "", when_of(self.open["started"])), self.run)
        if name and (name[1] + name[2], name[3]) != inside:
            self.notes.append("the name of its folder says another run or another time than what is inside")
        stamps = [path for path in listed(self.path / "timestamps") if path.suffix in (".tsr", ".ots")]
        self.check_stamps([(f"timestamps/{path.name}", path.name, path) for path in stamps], seals, roots)

    def check_proof(self, keys, roots):
        said = json.loads(plain(self.path, 67_108_864).read_bytes())
        seal, parts = signed_by(said["key"], said["checkpoint"].encode()), (said["run_open"], said["record"])
        self.open, record = (canonical(part["line"].encode()) for part in parts)
        origin, size, root = seal.decode().split("\n")[:-3]
        need(origin == f"blockwatch/run/{self.open['run']}" and re.fullmatch(SIZE, size), "another seal")
        for part in parts:
            need(type(part["index"]) is int and len(part.get("path", [])[:65]) <= 64, "no place in a log")
            self.leaves, path = [sha(b"\0", part["line"].encode())], [*map(unbase64, part.get("path", []))]
            need(root_by(path, *self.leaves, part["index"], int(size)) == unbase64(root), "not in the log")
        kinds = (said["type"], said.get("format", 1), parts[0]["index"], record["type"])
        need(kinds == ("blockwatch proof", 1, 0, "measurement") and type(kinds[1]) is int, "no proof")
        need(record["id"].startswith(f"{self.open['run']}-") and said["key"] == self.open["key"], "another")
        need(not keys or said["key"] in keys, "not sealed by a key that you named")
        for (step, side, ref), member in zip(places_of(record), said.get("members", []), strict=True):
            need(member["sha256"] == ref["sha256"], "other bytes")
            check_member(unbase64(member["data"]), record, step, side, ref)
        self.times, self.sealed = [record["started"] + record["us"]], 1
        most = {"valid": True, "role": "target", "attempt": "first", "stopped": None}
        odd = [name for name, usual in most.items() if record.get(name, usual) != usual]
        self.notes += [f"{name} is {json.dumps(record[name])}" for name in odd]
        self.notes.append("what else this run measured is not shown: ask for all records of the address")
        ended = when_of(record["started"] + record["us"])
        what = f"record {record['id']} of run {self.open['run']}"
        self.tell(what, record["started"], ended, f"root {unbase64(root).hex()}: {record['url']}")
        stamps = [(self.path.name, stamp["name"], stamp["data"]) for stamp in said.get("stamps", [])]
        self.check_stamps(stamps, {sha(seal): 1}, roots)

    def tell(self, what, started, ended, rest):  # which it is: its path is anybody's word
        network = self.open.get("vantage", {}).get("asn") or " unknown"
        self.about = (f"{what}, {when_of(started)} to {ended} by its own clock, AS{network}, {rest}",)

    def check_stamps(self, stamps, seals, roots):  # place, name, and file or base64 of each; then the grade
        timed, checks = False, self.open.get("checks", []) + self.close.get("checks", [])
        offsets = [self.open.get("clock_offset_us"), *(each.get("offset_us") for each in checks)]
        clock = max((each for each in offsets if each is not None), key=abs, default=None)
        self.clock = None if self.set else clock  # what the times can be corrected by
        off = self.set or abs(clock or 0) > MINUTE
        self.doubt = " (clock off)" if off else " (clock unknown)" * (clock is None)
        self.notes += ["only the first 256 stamps were looked at"] * (len(stamps) > 256)
        for place, name, source in stamps[:256]:
            try:
                raw = plain(source).read_bytes() if isinstance(source, Path) else unbase64(source)
                digest, moment = calendar(raw) if name.endswith(".ots") else reply(raw, roots)
                lines = seals[digest]
            except PermissionError:
                raise
            except Exception as error:
                self.stamps.append(f"bad stamp at {place}: {error!r}"[:300])
                continue
            if moment:
                timed |= lines == len(self.leaves)
                self.moment = min(moment, self.moment or moment)
                self.place = place
                self.no_later(moment, lines, f"{place} is older than what it is over")
        self.grade = GRADES[(self.sealed == len(self.leaves)) * (1 + timed)]

    def no_later(self, moment, lines, reason):  # what so many lines tell of was over by a moment
        late = self.times[lines - 1] - (self.clock or 0) > moment + MINUTE
        need(not late or self.clock is None, reason)
        self.notes += [f"{reason}, by a clock that nobody checked, or that was set"] * late

    def check_shut(self):
        raise PermissionError("it may not be looked into")

    def check_note(self):  # a tombstone, or the note of an encrypted run
        raw, folder = beginning(self.path), self.path.parent
        text, signed, _ = raw.partition(b"\n\n")
        told = STONE.fullmatch(text.decode() + "\n" * len(signed[:1])).groups()
        encrypted, self.run, self.key, root, previous, digest = told
        need(not self.key or key_of(self.key), "no key")
        self.sealed = len(signed and signed_by(self.key, raw))
        name = folder.name if encrypted else self.path.name
        need(name.endswith(self.run), "another's")
        if encrypted:
            self.place = f"{name}/run.age"
            with plain(folder / "run.age", ENDLESS).open("rb") as file:
                need(hashlib.file_digest(file, "sha256").hexdigest() == digest, "another run.age")
        self.root, self.before = root, previous


def look(path, *given):  # all that is to be checked at a path
    there, shut, receipts = [], [], b""
    try:
        kind = Found.check_run if path.is_dir() else Found.check_proof
        if not path.is_dir() or LOG in os.listdir(path):
            return [Found(path, None, kind, *given)]
    except PermissionError:
        return [Found(path, None, Found.check_shut)]
    for each in sorted(path.glob("[!.]*")):
        try:
            there += [(each, name) for name in sorted(os.listdir(each))] if each.is_dir() else []
            for one in sorted(each.glob("*.json")) if each.name == "receipts" else []:
                receipts += one.read_bytes() if one.is_file() else b""
        except PermissionError:
            shut.append(each)
    runs = [each for each, name in there if name == LOG or (name == "run.age" and each.is_symlink())]
    ages = [each for each, name in there if name == "run.age" and each not in runs]
    notes = [each / "root" for each in ages if (each, "root") in there]
    stones = path / "forgotten"
    if os.path.lexists(stones) and stones not in shut:
        notes += sorted(stones.glob("[0-9a-f]" * 16)) if is_folder(stones) else [stones]
    found = [Found(each, path, Found.check_run, *given) for each in dict.fromkeys(runs)]
    found += [Found(each, path, Found.check_note) for each in notes]
    found += [Found(each, path, Found.check_shut) for each in shut]
    killed = [each / "run.age" for each in ages if (each, "root") not in there]  # of which nothing is known
    found += [Found(each, path, lambda one: plain(one.path, ENDLESS)) for each in killed]
    came = re.findall(rb'"outcome": ?"new"[^{}]*"run": ?"([0-9a-f]{16})"', receipts)
    for one in found:
        one.came = (one.run or "").encode() in came
    return found


def check(paths, keys=(), roots=None):
    """Each alone; then the chain in each folder, two histories of one run, runs cut off, witnesses."""

    def lines(one):
        return len(one.leaves)

    def vouched(one):  # lines under a seal that counts
        return one.sealed if one.key in keys or not keys else 0

    found = [one for path in paths for one in look(path, keys, roots)]
    runs = [one for one in found if one.whole]
    for one in runs:
        same = [each for each in runs if each.run == one.run]
        for other in (max(same, key=lambda each: (vouched(each), lines(each))), max(same, key=lines)):
            pairs = enumerate(zip(one.leaves, other.leaves, strict=False), 1)
            parting = next((at for at, (ours, theirs) in pairs if ours != theirs), None)
            for each, rival in [(one, other), (other, one)] if parting else []:
                if vouched(each) < parting or vouched(rival) >= parting:
                    each.bad = f"{LOG}: another history of the run is in {rival.path}"
    blind = {one.home for one in found if one.unread}  # there nobody knows what is missing
    chained = [one for one in found if one.root and not one.open.get("imported")]
    own = [one for one in chained if one.home and not one.came]
    forks = Counter(fork[:3] for fork in {(one.home, one.key, one.before, one.run) for one in own})
    for one in [one for one in own if forks[one.home, one.key, one.before] > 1]:
        one.notes.append("another run here names the same run before, or none")
    for one in [one for one in chained if one.home and one.before]:
        place = f"{LOG}:1" if one.open else one.path.relative_to(one.home)
        link = (one.home, one.key, one.before)
        before = [each for each in chained if (each.home, each.key, each.root) == link]
        if not before and not one.came and one.home in blind:
            one.notes.append("the run before it is not among those that may be read here")
        elif not before and not one.came:
            one.bad = one.bad or f"{place}: the run before this one is missing"
        if before and not any(each.open or each.sealed or not each.key for each in before):
            one.loose = True
            one.notes.append("the run before it is vouched for only by an unsigned note")
    good = [one for one in chained if not one.bad]
    before, moments = {(one.key, one.root): one for one in runs if one.key}, {}
    for one in [one for one in good if one.sealed and one.moment]:  # by when what a run names was over
        moment, named = one.moment, before.get((one.key, one.before))
        while named and moment < moments.get(named, ENDLESS):
            moments[named], moment = moment, min(moment, named.moment or moment)
            named = before.get((named.key, named.before))
    for one, moment in moments.items():
        try:
            one.no_later(moment, len(one.leaves), "a run that names this one is older than it")
        except ValueError as error:
            one.bad = one.bad or f"{LOG}: {error!r}"
    ends = {(one.key, one.before) for one in good if one.sealed and one.key}
    for one in runs:
        one.cut = one.cut and one.grade != "unsigned" and (one.key, one.root) not in ends
    able = [one for one in good if keys and one.asn and one.grade == "timed" and not one.doubt]
    for mine in able:
        them = [one.asked for one in able if one.key != mine.key and one.asn != mine.asn]
        asked = [(url, when) for url, times in mine.asked.items() for when in times]
        near = (any(abs(when - at) <= HOUR for one in them for at in one.get(url, ())) for url, when in asked)
        if asked and all(near):
            mine.grade = "witnessed"
    for one in found:
        one.title = None if one.bad else f"{one.grade}{' up to here' * one.cut}{one.doubt}"
    return [one for one in found if one.bad or one.grade]


def main(arguments=None):
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("paths", nargs="+", type=Path)
    parser.add_argument("--key", action="append", default=[])
    parser.add_argument("--tsa-root")
    parser.add_argument("--require", choices=GRADES, default="unsigned")
    given = parser.parse_args(arguments)
    if given.tsa_root and not Path(given.tsa_root).is_file():
        parser.error("there is no such file of roots")
    found = check(given.paths, given.key, given.tsa_root)
    code = 0 if found else 9
    for one in found:
        wrong = f"{'NOT READ' if one.unread else 'WRONG'} at {one.bad}"
        words = [f"{one.path}: {one.title or wrong}", *one.about, *one.stamps, *one.notes]
        print(*(re.sub("[^ -~]", "?", each) for each in words), sep="\n  ")
        low = one.cut or one.loose or GRADES.index(one.grade or "unsigned") < GRADES.index(given.require)
        if one.unread:
            code = code or 3
        elif one.bad or one.stamps or (low and given.require != "unsigned"):
            code = 9
    return code


if __name__ == "__main__":
    sys.exit(main())

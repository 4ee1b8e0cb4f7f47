"""Check evidence of blockwatch without blockwatch: written from docs/evidence.md alone, "Two checkers" there.

PATH: a run folder, a folder of runs, or a proof (of a bundle: what `tar xzf` makes of it). Exit 9: not good.
"""

import argparse
import json
import os
import re
import subprocess
from base64 import b64decode, b64encode
from hashlib import file_digest, sha256
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

LOG, BYTES, MAX = "measurements.jsonl", "bodies.warc.gz", 8_388_608
PLACE = rb'"re(?:quest|sponse)":{"length":(\d+),"offset":(-?\d+),"sha256":"(\w+)"'  # of captured bytes
CAME = rb'"outcome": ?"new"[^{}]{0,400}"run": ?"(\w+)"'  # by import, as receipts say
NUMBER = {"parse_int": lambda digits: min(int(digits), 2**53), "parse_float": int, "parse_constant": int}


def need(condition, reason):
    if not condition:
        raise ValueError(reason)


def read(path, most=65_536, at=0):
    need(path.is_file() and not path.is_symlink() and not path.parent.is_symlink(), "no file, or a link")
    with path.open("rb") as file:
        file.seek(at)
        return file.read(min(most, 8 * MAX))


def root_of(leaves):
    if len(leaves) < 2:
        return leaves[0]
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\1" + root_of(leaves[:half]) + root_of(leaves[half:])).digest()


def signed_by(key, raw):  # what the key signed of a note, and the hash of all but what others added
    name, number, encoded = key.split("+", 2)
    text, line = re.match(rb"(?s)(.*?)\n\n(.*?)\n", raw).groups()
    signed = b64decode(line.split(b" ")[-1])[4:]
    need(line.decode() == f"\u2014 {name} {b64encode(bytes.fromhex(number) + signed).decode()}", "not signed")
    Ed25519PublicKey.from_public_bytes(b64decode(encoded)[1:]).verify(signed, text + b"\n")
    return text, sha256(text + b"\n\n" + line + b"\n").digest()


class Found:  # what was found of a run, the proof of a record, or the note of a run that is not here
    bad = run = key = root = before = grade = reason = came = sealed = sure = end = signed = 0

    def __init__(self, path, keys, roots):
        self.path, self.at, self.leaves, self.seals, self.stamps, self.odd = path, path.name, [], {}, {}, []
        try:
            names = os.listdir(path) if path.is_dir() else ()
            if LOG in names:
                self.check_run(names)
            elif "run.age" in names or path.parent.name == "forgotten":
                self.check_note(names)
            elif path.name == "receipts":
                self.came = b"".join(read(path / name, MAX) for name in names)
            elif not path.is_dir():
                self.check_proof()
            self.sure = self.sealed if self.key in (keys or [self.key]) else 0
            need(not keys or self.sure == len(self.leaves), "not sealed to its end by a key that was named")
        except Exception as error:  # whatever it does to its reader
            self.bad = f"WRONG at {self.at}: {error!r}"[:300]
        for name, source in sorted(self.stamps.items())[:256]:
            try:
                self.check_stamp(read(source) if isinstance(source, Path) else b64decode(source), roots)
            except (ValueError, TypeError, PermissionError) as error:
                self.odd.append(f"bad stamp {name!a}: {error!a}"[:300])

    def check_line(self, line, number, member):  # member: gives the captured bytes of a place
        said = json.loads(line, **NUMBER)
        again = json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        need(again.encode() == line, "not canonical")
        need(not self.reason and (said["type"] == "run_open") == (number == 0), "out of place")
        if number == 0:
            self.run, self.key, self.before = said["run"], said.get("key"), said.get("previous_root")
        elif said["type"] == "run_close":
            self.reason = said["reason"]
            need(said["measured"] == number - 1 or self.reason == "disk", "measurements are missing")
        else:
            steps = [step["i"] for step in said.get("observations", [])]
            told = (said["type"], said["id"], steps)
            need(told == ("measurement", f"{self.run}-{said['seq']:06d}", [*range(len(steps))]), "another's")
        for length, offset, digest in sorted(re.findall(PLACE, line), key=lambda place: int(place[1])):
            need(int(offset) >= self.end, "bytes in another order")
            need(sha256(member(int(length), int(offset))).hexdigest() == digest.decode(), "other bytes")
            self.end = int(offset) + int(length)

    def check_run(self, names):
        read(self.path / LOG, 0)
        with (self.path / LOG).open("rb") as file:  # up to what a killed program or a power cut left
            while (line := file.readline(MAX)).endswith(b"\n") and b"\0" not in line:
                self.at = f"{LOG}:{len(self.leaves) + 1}"
                self.check_line(line[:-1], len(self.leaves), lambda *at: read(self.path / BYTES, *at))
                self.leaves.append(sha256(b"\0" + line[:-1]).digest())
            need(len(line) < MAX and b'"type":"run_close"' not in file.read(MAX), "a line too long, or more")
        self.root, self.at = root_of(self.leaves).hex(), BYTES
        killed = self.reason in (0, "disk") or not self.end
        need(killed or os.path.getsize(self.path / BYTES) == self.end, "more bytes than the log names")
        there = {kind: os.listdir(self.path / kind) for kind in {"checkpoints", "timestamps"} & {*names}}
        older = sorted((name for name in there.get("checkpoints", []) if name[-5:] != ".part"), key=int)
        for self.at in [f"checkpoints/{one}" for one in older] + ["checkpoint"] * ("checkpoint" in names):
            text, digest = signed_by(self.key, read(self.path / self.at))
            size, number = int(text.split(b"\n")[1]), self.at[12:]
            need(number in ("", str(size)) and self.sealed <= size <= len(self.leaves), "another number")
            root = b64encode(root_of(self.leaves[:size]))
            need(text == f"blockwatch/run/{self.run}\n{size}\n".encode() + root, "over another run or lines")
            self.seals[digest] = self.sealed = size
        self.grade = "sealed" if self.sealed == len(self.leaves) else "unsigned"
        stamps = [name for name in there.get("timestamps", []) if name[-4:] in (".tsr", ".ots")]
        self.stamps = {name: self.path / "timestamps" / name for name in stamps}

    def check_proof(self):
        said = json.loads(read(self.path, 8 * MAX))
        text, digest = signed_by(said["key"], said["checkpoint"].encode())
        size = int(text.split(b"\n")[1])
        for part in (said["run_open"], said["record"]):
            line, index = part["line"].encode(), part["index"]
            self.check_line(line, index, lambda *at: b64decode(said["members"].pop(0)["data"]))
            leaf, inner = sha256(b"\0" + line).digest(), (index ^ size - 1).bit_length()
            for level, each in enumerate(map(b64decode, part.get("path", []))):
                left = level >= inner or index >> level & 1
                leaf = sha256(b"\1" + (each + leaf if left else leaf + each)).digest()
            need(text == f"blockwatch/run/{self.run}\n{size}\n".encode() + b64encode(leaf), "not in the log")
        need(json.dumps([said.get("format", 1), said["run_open"]["index"]]) == "[1, 0]", "another form")
        need(said["key"] == self.key and not self.reason and not said.get("members"), "another key, or more")
        self.leaves, self.seals, self.sealed, self.grade, self.reason = [leaf], {digest: 1}, 1, "sealed", True
        self.stamps = {str(one["name"]): one["data"] for one in said.get("stamps", [])}

    def check_note(self, names):  # a tombstone, or the note of an encrypted run; one that was killed has none
        path, age = (self.path / "root", self.path / "run.age") if names else (self.path, self.path)
        read(age, 0)
        if names and "root" not in names:
            return
        text, signed, _ = read(path).partition(b"\n\n")
        told = dict(line.split(" ") for line in text.decode().splitlines()[1:] if line[-5:] != " none")
        self.run, self.root, self.key, self.before = map(told.get, ("run", "root", "key", "previous"))
        self.signed = len(signed and signed_by(self.key, read(path)))
        need(self.path.name.endswith(self.run) and (signed or text.endswith(b"\n")), "another's, or cut")
        if names:
            with age.open("rb") as file:
                need(file_digest(file, "sha256").hexdigest() == told["sha256"], "another run.age")

    def check_stamp(self, raw, roots):
        digest = next((each for each in self.seals if each in raw), None)
        need(digest, "over no seal of this run")
        if roots and not raw.startswith(b"\0OpenTimestamps"):  # of blocks nothing is known here
            words = f"ts -verify -in /dev/stdin -digest {digest.hex()} -no_check_time -partial_chain -CAfile"
            done = subprocess.run(["openssl", *words.split(), roots], input=raw, capture_output=True)
            need(done.returncode == 0 or b"certificate verify error" in done.stderr, "openssl refuses it")
            if done.returncode == 0 and self.seals[digest] == len(self.leaves):
                self.grade = "timed"


def check(path, keys=(), roots=None):  # each alone; then two histories of one run, the chain, and its ends
    inside = path.is_dir() and os.access(path, os.R_OK | os.X_OK) and LOG not in os.listdir(path)
    each = sorted(path.glob("[!.]*/")) + sorted(path.glob("forgotten/[0-9a-f]*[0-9a-f]"))
    found = [Found(one, keys, roots) for one in (each if inside else [path])]
    runs = [one for one in found if one.leaves and one.root]
    most = {str(one.run): one for one in sorted(runs, key=lambda one: (one.sure, len(one.leaves)))}
    for one, other in [(one, most[str(one.run)]) for one in runs]:
        at = next((n for n, (a, b) in enumerate(zip(one.leaves, other.leaves, strict=False), 1) if a != b), 0)
        if at:
            one.bad = f"WRONG at {LOG}:{at}: another history of the run is in {other.path}"
            other.bad = other.bad if one.sure < at <= other.sure else one.bad
    there = {f"{one.key} {one.root}" for one in found if one.leaves or not one.bad}
    firm = {f"{one.key} {one.root}" for one in found if one.leaves or one.signed or not one.key}
    ends = {f"{one.key} {one.before}" for one in found if (one.sealed or one.signed) and not one.bad}
    came = re.findall(CAME, b"".join(one.came for one in found if one.came))
    for one in found:
        link = f"{one.key} {one.before}"
        if inside and one.before and link not in there and str(one.run).encode() not in came:
            one.bad = one.bad or f"WRONG at {LOG}:1: the run before this one is missing, or damaged"
        if one.grade in ("sealed", "timed") and not one.reason and f"{one.key} {one.root}" not in ends:
            one.grade += " up to here"
        if one.grade and link in there - firm:
            one.grade += ", the run before it only by an unsigned note"
    return [one for one in found if one.bad or one.grade]


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("PATH", nargs="+", type=lambda path: Path(os.path.realpath(path)))
    parser.add_argument("--key", action="append", default=[], type=lambda key: need(key[60:], "part") or key)
    parser.add_argument("--tsa-root", type=lambda path: need(os.path.isfile(path), "no file") or path)
    given = parser.parse_args(arguments)
    found = [one for path in given.PATH for one in check(path, given.key, given.tsa_root)]
    for one in found:
        print(re.sub("[^ -~]", "?", f"{one.path}: {one.bad or one.grade}"), *one.odd, sep="\n  ")
    return 9 if any(one.bad or one.odd for one in found) else 0 if found else "there is no run, and no proof"


if __name__ == "__main__":
    raise SystemExit(main())

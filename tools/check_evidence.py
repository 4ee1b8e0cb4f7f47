"""Check evidence of blockwatch without blockwatch: written from docs/evidence.md; Python 3.11 and `cryptography` only.
    python check_evidence.py PATH... [--key KEY]... [--tsa-root PEM] [--require sealed|timed|witnessed]

PATH: a run folder, a folder of runs, or the proof of one record (a bundle: `tar xzf` it first). Stamps are given to `openssl ts`; of an
`.ots` only the hash is compared; run.json and verdicts.jsonl are no evidence. Exit 9: damage, contradiction, another key, too low a grade."""
# fmt: off
import argparse, base64, functools, hashlib, io, json, re, struct, subprocess, sys, tempfile, uuid, zlib
from datetime import datetime
from pathlib import Path
from urllib.parse import quote
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
MAX, MINUTE, HOUR, GRADES = 8_388_608, 60_000_000, 3_600_000_000, ["unsigned", "sealed", "timed", "witnessed"]
SPACE, RUN, CLOSE = uuid.UUID("6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52"), "[0-9a-f]{16}", b'"type":"run_close"'
WRONG = (ValueError, LookupError, TypeError, AttributeError, OSError, OverflowError, RecursionError, zlib.error, InvalidSignature)
HTTP = {"response": rb"HTTP/1\.[01] [0-9]{3}(?=[ \r\n])", "request": rb"[A-Z]{1,20} [!-~\x80-\xff]{1,65536} HTTP/1\.[01]\r?\n"}
STATUS = rb"(?s)(?:HTTP/1\.[01] 1(?!01)[0-9]{2}(?=[ \r\n]).*?\r\n\r\n)*HTTP/1\.[01] ([0-9]{3})(?=[ \r\n])"
SMALL = ["00" * 32, "01" + "00" * 31, *(n + "ff" * 30 + "7f" for n in ("ec", "ed", "ee")), "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7"
         "fd7792ac037a", "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05"]
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def need(condition, words):
    if not condition: raise ValueError(words)
def unbase64(text): need(base64.b64encode(base64.b64decode(text)).decode() == text, "base64 in another form"); return base64.b64decode(text)
def canonical(line):
    def pairs(found): need(len(dict(found)) == len(found), "a key twice"); return dict(found)
    def integer(text): need(abs(int(text)) <= 2**53, "too large a number"); return int(text)
    said = json.loads(line.decode(), object_pairs_hook=pairs, parse_int=integer, parse_float=integer, parse_constant=integer)
    need(json.dumps(said, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode() == line, "not in canonical form"); return said
def lines_of(path):
    size, offset = path.stat().st_size, 0
    with path.open("rb") as file:
        while line := file.readline(MAX + 1):
            rest = (line + file.read(MAX)).split(b"\n") if b"\0" in line and size - offset <= MAX else [CLOSE]
            if not any(b"\0" not in part and CLOSE in part for part in rest): return  # never reached the disk
            need(line[-1:] == b"\n" or len(line) <= MAX, "a line too long"); offset += len(line)
            if line[-1:] == b"\n": yield line[:-1]  # otherwise torn
def add(tree, leaf):  # tree: number of leaves, then the roots of its perfect subtrees
    size = tree[0]
    while size & 1: leaf, size = sha(b"\1", tree.pop(), leaf), size >> 1
    tree[0] += 1; tree.append(leaf)
def root_of(tree): return functools.reduce(lambda right, left: sha(b"\1", left, right), tree[-2:0:-1], tree[-1])
def key_of(text):
    name, number, encoded = text.split("+", 2); raw = unbase64(encoded)
    need(raw[0] == 1 and len(raw) == 33 and sha(name.encode(), b"\n", raw)[:4].hex() == number, "key and id differ")
    need((raw[1:32] + bytes([raw[32] & 127])).hex() not in SMALL and name == "blockwatch/key/" + sha(raw[1:]).hex()[:16], "no key of a campaign")
    return name, bytes.fromhex(number), raw[1:]
def note_of(raw, key):  # its lines; every signature of the key holds, and there is one
    text, blank, tail = raw.decode().rpartition("\n\n"); lines = tail.split("\n")
    need(blank and text and len(raw) <= 65_536 and not re.search(rb"[\0-\t\x0b-\x1f]", raw) and not lines.pop() and 0 < len(lines) < 65, "no note")
    signatures = [(dash, name, unbase64(encoded)) for dash, name, encoded in (line.split(" ") for line in lines)]
    ours = [raw[4:] for _, name, raw in signatures if (name, raw[:4]) == key[:2]]; need(ours, "signed by another key")
    need(all(dash == "\u2014" and name and "+" not in name and len(raw) > 4 for dash, name, raw in signatures), "not a note")
    for signature in ours: Ed25519PublicKey.from_public_bytes(key[2]).verify(signature, f"{text}\n".encode())
    return text.split("\n")
def checkpoint_of(raw, key, run):
    origin, size, root = note_of(raw, key); root = unbase64(root)
    need(origin == f"blockwatch/run/{run}" and re.fullmatch("[1-9][0-9]{0,15}", size) and len(root) == 32, "the seal of another run")
    return int(size), root
def check_ssh(raw, checkpoint, public):
    def string(*parts): return b"".join(struct.pack(">I", len(part)) + part for part in parts)
    about, kind = string(b"blockwatch", b"", b"sha512"), string(b"ssh-ed25519")
    signature = base64.b64decode(raw.partition(b"\n")[2].partition(b"-")[0])[-64:]
    blob = b"SSHSIG\0\0\0\1" + string(kind + string(public)) + about + string(kind + string(signature))
    body = base64.b64encode(blob).decode(); lines = [body[at:at + 70] for at in range(0, len(body), 70)]
    need(raw.decode().split("\n") == ["-----BEGIN SSH SIGNATURE-----", *lines, "-----END SSH SIGNATURE-----", ""], "another form, key or namespace")
    Ed25519PublicKey.from_public_bytes(public).verify(signature, b"SSHSIG" + about + string(hashlib.sha512(checkpoint).digest()))
def stamp_of(path, seals, roots):  # lines of the seal that it is over, and the moment (to the second) if it counts
    def openssl(*words, put=b""): return subprocess.run(["openssl", *map(str, words)], input=put, capture_output=True).stdout
    raw = path.read_bytes(); need(len(raw) <= 65_536, "too long"); ots = raw[:15] == b"\0OpenTimestamps"
    lines, sealed = next((seal for digest, seal in seals.items() if digest == raw[33:65] or not ots and digest in raw), (0, 0))
    need(lines and ots == (path.suffix == ".ots") and (ots or len(raw) == 4 + int.from_bytes(raw[2:4], "big")), "over something else, or no reply")
    if ots: return lines, None
    text = openssl("ts", "-reply", "-in", path, "-text").decode("utf-8", "replace")
    day, year = re.search(r"Time stamp: (\w+ +\d+ [\d:]{8})\S* (\d{4}) GMT", text).groups()
    when = int(datetime.strptime(f"{day} {year} +0000", "%b %d %H:%M:%S %Y %z").timestamp())
    with tempfile.NamedTemporaryFile() as own:  # first under its own certificates, then under the reader's
        token = openssl("ts", "-reply", "-in", path, "-token_out"); own.write(openssl("pkcs7", "-inform", "DER", "-print_certs", put=token)); own.flush()
        good = [b": OK" in openssl("ts", "-verify", "-data", sealed, "-in", path, "-CAfile", ca, "-partial_chain", "-attime", when)
                for ca in (own.name, roots) if ca]
    need(good[0], "its signature does not hold"); return lines, when * 1_000_000 if good[1:] == [True] else None
def places_of(record):  # what a measurement refers to
    return [(step, side, step[side]) for step in record.get("observations", []) if step["step"] == "http"
            for side in ("response", "request") if step.get(side)]
def check_member(raw, ref, measurement, step, side):
    stream = zlib.decompressobj(31); need((sha(raw).hex(), len(raw)) == (ref["sha256"], ref["length"]), "not the bytes that the log names")
    record = stream.decompress(raw, MAX + 65_537); head, _, block = record.partition(b"\r\n\r\n"); block = block[:-4]
    need(stream.eof and not stream.unused_data and len(record) <= MAX + 65_536 and record[-4:] == b"\r\n\r\n", "not one whole member")
    version, *fields = head.decode().split("\r\n"); told = {name.lower(): value for name, _, value in (x.partition(": ") for x in fields[::-1])}
    http = step and re.match(HTTP[side], block); name = f"{measurement}#{step['i']}/{side}" if step else measurement
    expected = {"warc-type": side if http or not step else "metadata", "warc-record-id": f"<urn:uuid:{uuid.uuid5(SPACE, name)}>",
                "warc-block-digest": f"sha256:{sha(block).hex()}", "content-length": str(len(block))}
    if step: expected["content-type"] = f"application/http;msgtype={side}" if http else "application/octet-stream"
    if step and "[scrubbed]" not in step["url"] + step["address"]:
        expected |= {"warc-target-uri": quote(step["url"], safe="!#$%&'()*+,/:;=?@[]~", errors="replace"), "warc-ip-address": quote(step["address"], safe=":.")}
    need(version == "WARC/1.1" and all(told.get(field, "") == value for field, value in expected.items()), "a record of something else")
    if http and side == "response" and step.get("status") is not None: need(int(re.match(STATUS, block)[1]) == step["status"], "another status")
def check_log(folder, run, where, sizes):  # fills run; gives the roots at these sizes and over all lines
    tree, end, loose, roots, path = [0], 0, False, {}, folder / "bodies.warc.gz"; run.update(lines=0, seqs=set(), close={}, sites={}, last=0)
    with path.open("rb") if path.exists() else io.BytesIO() as file:
        for line in lines_of(folder / "measurements.jsonl"):
            run["lines"] += 1; where[:] = f"measurements.jsonl:{run['lines']}", None; add(tree, sha(b"\0", line)); said = canonical(line)
            kind, where[1] = said["type"], said.get("id"); need(not run["close"] and (kind == "run_open") == (tree[0] == 1), "out of place")
            if tree[0] in sizes: roots[tree[0]] = root_of(tree)
            if kind == "run_open":
                run["open"] = said; need(re.fullmatch(RUN, said["run"]), "no run id"); begin = file.read(65_536)
                stream = zlib.decompressobj(31); stream.decompress(begin); end = len(begin) - len(stream.unused_data); begin = begin[:end]
                if begin: where[0] = "bodies.warc.gz"; check_member(begin, {"length": end, "sha256": sha(begin).hex()}, said["run"], None, "warcinfo")
            elif kind == "run_close": run["close"] = said; need(said["reason"] == "disk" or said["measured"] == len(run["seqs"]), "another number of measurements")
            else:
                need(kind == "measurement" and said["id"] == f"{run['open']['run']}-{said['seq']:06d}" and said["seq"] > 0, "no measurement of the run")
                need(said["seq"] not in run["seqs"], "a number twice"); run["seqs"].add(said["seq"]); loose |= not said.get("valid", True)
                need([step["i"] for step in said.get("observations", [])] == [*range(len(said.get("observations", [])))], "steps out of order")
                for step, side, ref in places_of(said):
                    need(ref["offset"] == end or loose and ref["offset"] > end, "captured bytes missing or out of order")
                    file.seek(ref["offset"]); check_member(file.read(min(ref["length"], 2 * MAX)), ref, said["id"], step, side)
                    end, loose = ref["offset"] + ref["length"], False
                start = said["started"]; run["last"] = max(run["last"], start + said["us"]); low, high = run["sites"].get(said["url"], (start, start))
                if said.get("role", "target") == "target" and said.get("valid", True): run["sites"][said["url"]] = min(low, start), max(high, start)
        need(tree[0], "no line"); where[:] = "bodies.warc.gz", None
        need(not run["close"] or run["close"]["reason"] == "disk" or file.seek(0, 2) == end, "bytes that no line refers to")
    return {**roots, tree[0]: root_of(tree)}
def check_run(folder, keys, roots):
    where, run = ["checkpoints", None], {"path": folder, "grade": None, "bad": None, "open": {}, "run": None, "root": None}
    try:
        files = sorted((path for path in (folder / "checkpoints").glob("*") if path.suffix != ".part"), key=lambda path: int(path.name))
        notes = [(path, path.read_bytes()) for path in (*files, *folder.glob("checkpoint"))]; sealed, seals, timed = 0, {}, False
        found = check_log(folder, run, where, {int(raw.split(b"\n")[1]) for _, raw in notes}); opened, lines = run["open"], run["lines"]
        run |= {"root": found[lines].hex(), "run": opened["run"], "key": opened.get("key"), "asn": opened.get("vantage", {}).get("asn")}
        where[:] = "measurements.jsonl:1", None; key = key_of(run["key"]) if run["key"] else None
        for path, raw in notes:
            where[:] = str(path.relative_to(folder)), None; size, root = checkpoint_of(raw, key, run["run"]); seals[sha(raw)] = size, path
            need(sealed <= size <= lines and path.name in ("checkpoint", str(size)), "it seals more lines than there are, or another number")
            where[0] = where[0] if found[size] == root else f"measurements.jsonl:{sealed + 1}"; need(found[size] == root, "not the lines sealed"); sealed = size
        for path in folder.glob("checkpoint.sig"): where[0] = path.name; check_ssh(path.read_bytes(), (folder / "checkpoint").read_bytes(), key[2])
        where[:] = "measurements.jsonl:1", None; need(not keys or not sealed or key in keys, "sealed by another key than you named")
        offsets = [opened.get("clock_offset_us"), *(check.get("offset_us") for part in (opened, run["close"]) for check in part.get("checks", []))]
        clock = max((one for one in offsets if one is not None), key=abs, default=None)
        for path in sorted(path for path in (folder / "timestamps").glob("*") if path.suffix in (".tsr", ".ots")):
            where[:] = f"timestamps/{path.name}", None; size, moment = stamp_of(path, seals, roots); timed |= bool(moment) and size == lines
            need(not moment or size < lines or clock is None or moment + MINUTE >= max(run["last"], run["close"].get("ended", 0)) - clock, "too old")
        run["grade"] = GRADES[(sealed == lines) * (1 + timed)]; run["able"] = keys and timed and run["asn"] and clock is not None and abs(clock) <= MINUTE
    except WRONG as error: run["bad"] = (*where, str(error) or type(error).__name__)
    return run
def check_folder(results, runs, where):  # the chain of each key is whole
    own = [run for run in runs if not run["open"].get("imported")]; roots = {(run["open"].get("key", "none"), run["root"]) for run in own}; links = []
    for path in (results / "forgotten").glob("[0-9a-f]" * 16):
        where[0] = f"forgotten/{path.name}"; text = path.read_bytes().partition(b"\n\n")[0].decode().rstrip("\n"); said = dict(line.split(" ") for line in text.split("\n")[1:])
        need(text.startswith(f"blockwatch/forgotten\nrun {path.name}\nkey "), "not a tombstone"); roots.add((said["key"], unbase64(said["root"]).hex()))
        if b"\n\n" in path.read_bytes(): note_of(path.read_bytes(), key_of(said["key"]))
        if said["previous"] != "none": links.append(({"path": path}, said["key"], unbase64(said["previous"]).hex()))
    links += [(run, run["open"].get("key", "none"), run["open"]["previous_root"]) for run in own if run["open"].get("previous_root")]
    for run, key, before in links:
        if (key, before) not in roots and not run.get("bad"): run["bad"] = "measurements.jsonl:1", None, "the run before this one is missing"
    return [{"grade": None, **run} for run, _, _ in links if "open" not in run and run.get("bad")]
def check_among(runs):  # two histories of one run; witnesses
    for mine, other in ((mine, other) for mine in runs for other in runs if mine["root"] and other["root"] and mine["run"] == other["run"]):
        tree, log = [0], lines_of(other["path"] / "measurements.jsonl") if mine["lines"] <= other["lines"] else ()
        for line, _ in zip(log, range(mine["lines"])): add(tree, sha(b"\0", line))
        if log and root_of(tree).hex() != mine["root"]: mine["bad"] = mine["bad"] or ("measurements.jsonl", None, "two histories of one run")
    able = [run for run in runs if run["grade"] == "timed" and not run["bad"] and run["able"]]
    for mine in able:
        others = [run["sites"] for run in able if run["key"] != mine["key"] and run["asn"] != mine["asn"]]
        if mine["sites"] and all(any(url in one and one[url][0] <= high + HOUR and low <= one[url][1] + HOUR for one in others)
                                 for url, (low, high) in mine["sites"].items()): mine["grade"] = "witnessed"
def check_proof(path, keys, roots):
    said = json.loads(path.read_bytes()); key = key_of(said["key"]); need((said["type"], said.get("format", 1)) == ("blockwatch proof", 1), "no proof")
    opened, record = (canonical(said[name]["line"].encode()) for name in ("run_open", "record"))
    size, root = checkpoint_of(said["checkpoint"].encode(), key, opened["run"]); need(not keys or key in keys, "not a key that you named")
    for part in (said["run_open"], said["record"]):
        h, n, m = sha(b"\0", part["line"].encode()), part["index"], size - 1; need(0 <= n <= m, "no such line")
        for p in map(unbase64, part.get("path", [])):
            need(m > 0, "too long a path"); right = n & 1 or n == m; h = sha(b"\1", p, h) if right else sha(b"\1", h, p)
            while right and n and not n & 1: n, m = n >> 1, m >> 1
            n, m = n >> 1, m >> 1
        need(m == 0 and h == root, "not in the log that was sealed")
    need(said["run_open"]["index"] == 0 and opened["key"] == said["key"] and record["id"].startswith(f"{opened['run']}-"), "another run")
    members = {member["sha256"]: unbase64(member["data"]) for member in said.get("members", [])}; places = places_of(record)
    need(record["type"] == "measurement" and members.keys() == {ref["sha256"] for *_, ref in places}, "other bytes")
    for step, side, ref in places: check_member(members[ref["sha256"]], ref, record["id"], step, side)
    with tempfile.TemporaryDirectory() as folder:
        note, seal = said["checkpoint"].encode(), Path(folder, "seal"); seal.write_bytes(note)
        timed = [stamp_of(stamp, {sha(note): (size, seal)}, roots)[1] for one in said.get("stamps", [])
                 if (stamp := Path(folder, "stamp" + Path(one["name"]).suffix)).write_bytes(unbase64(one["data"])) >= 0]
    return GRADES[2 if any(timed) else 1]
def check(paths, keys=(), roots=None):
    runs, others = [], []
    for path, where in ((Path(path), [Path(path).name]) for path in paths):
        try:
            if path.is_file(): others.append({"path": path, "grade": check_proof(path, keys, roots), "bad": None}); continue
            folders = sorted(log.parent for log in path.glob("*/measurements.jsonl") if log.parent.name[0] != ".")
            mine = [check_run(folder, keys, roots) for folder in folders or [path]]; runs += mine
            if folders: others += check_folder(path, mine, where)
        except WRONG as error: others.append({"path": path, "grade": None, "bad": (where[0], None, str(error))})
    check_among(runs); return runs + others
if __name__ == "__main__":
    parser = argparse.ArgumentParser(usage=__doc__); parser.add_argument("paths", nargs="+"); parser.add_argument("--tsa-root")
    parser.add_argument("--key", action="append", type=key_of); parser.add_argument("--require", choices=GRADES, default="unsigned")
    given = parser.parse_args(); found = check(given.paths, given.key or [], given.tsa_root)
    for one in found: print(f"{one['path']}: {one['grade'] if not one['bad'] else one['bad']}")
    sys.exit(9 if not found or any(one["bad"] or GRADES.index(one["grade"]) < GRADES.index(given.require) for one in found) else 0)

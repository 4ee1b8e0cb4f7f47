"""One pass over a log and the captured bytes: part of check_evidence.py."""

import io
import json
import re
import uuid
import zlib
from urllib.parse import quote

from check_lines import MAX, WRONG, add, canonical, lines_of, need, root_of, sha

SPACE = uuid.UUID("6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52")
HTTP = {
    "response": rb"HTTP/1\.[01] [0-9]{3}(?=[ \r\n])",
    "request": rb"[A-Z]{1,20} [!-~\x80-\xff]{1,65536} HTTP/1\.[01]\r?\n",
}
STATUS = rb"(?s)(?:HTTP/1\.[01] 1(?!01)[0-9]{2}(?=[ \r\n]).*?\r\n\r\n)*HTTP/1\.[01] ([0-9]{3})(?=[ \r\n])"


def places_of(record):
    """What a measurement refers to, in the order of the captured bytes."""
    for step in record.get("observations", []):
        for side in ("response", "request"):
            if step["step"] == "http" and step.get(side):
                yield step, side, step[side]


def check_member(raw, ref, measurement, step, side):
    need((sha(raw).hex(), len(raw)) == (ref["sha256"], ref["length"]), "not the bytes that the log names")
    stream = zlib.decompressobj(31)
    record = stream.decompress(raw, MAX + 65_537)
    whole = stream.eof and not stream.unused_data and record[-4:] == b"\r\n\r\n"
    need(whole and len(record) <= MAX + 65_536, "not one whole member")
    head, _, block = record.partition(b"\r\n\r\n")
    block = block[:-4]
    version, *fields = head.decode().split("\r\n")
    told = {name.lower(): value for name, _, value in (field.partition(": ") for field in fields[::-1])}
    http = step and re.match(HTTP[side], block)
    name = f"{measurement}#{step['i']}/{side}" if step else measurement
    expected = {
        "warc-type": side if http or not step else "metadata",
        "warc-record-id": f"<urn:uuid:{uuid.uuid5(SPACE, name)}>",
        "warc-block-digest": f"sha256:{sha(block).hex()}",
        "content-length": str(len(block)),
    }
    if step:
        expected["content-type"] = f"application/http;msgtype={side}" if http else "application/octet-stream"
        if "[scrubbed]" not in step["url"] + step["address"]:
            url = quote(step["url"], safe="!#$%&'()*+,/:;=?@[]~", errors="replace")
            expected |= {"warc-target-uri": url, "warc-ip-address": quote(step["address"], safe=":.")}
    fits = all(told.get(field, "") == value for field, value in expected.items())
    need(version == "WARC/1.1" and fits, "a record of something else")
    if http and side == "response" and step.get("status") is not None:
        need(int(re.match(STATUS, block)[1]) == step["status"], "another status")


class Log:
    """One pass over a log and the captured bytes; where: the place that is being looked at."""

    def __init__(self, folder, sizes, where):
        self.lines, self.open, self.close, self.last, self.sites = 0, {}, {}, 0, {}
        self.roots, self._seqs, self._end, self._loose = {}, set(), 0, False
        tree, path = [0], folder / "bodies.warc.gz"
        where[:] = "measurements.jsonl:1", None
        with path.open("rb") if path.exists() else io.BytesIO() as self._file:
            for line in lines_of(folder / "measurements.jsonl"):
                self.lines += 1
                add(tree, sha(b"\0", line))
                self._line(canonical(line), where)
                if self.lines in sizes:
                    self.roots[self.lines] = root_of(tree)
                where[:] = f"measurements.jsonl:{self.lines + 1}", None
            where[:] = "measurements.jsonl", None
            need(self.lines, "no line")
            where[0] = "bodies.warc.gz"
            ended = self.close and self.close["reason"] != "disk"
            need(not ended or self._file.seek(0, 2) == self._end, "bytes that no line refers to")
        self.roots[self.lines] = root_of(tree)
        self.root = self.roots[self.lines].hex()

    def _line(self, said, where):
        kind, where[1] = said["type"], said.get("id")
        need(not self.close and (kind == "run_open") == (self.lines == 1), "out of place")
        if kind == "run_open":
            need(re.fullmatch("[0-9a-f]{16}", said["run"]), "no run id")
            self.open = said
            self._first_member(where)
        elif kind == "run_close":
            counted = said["reason"] == "disk" or said["measured"] == len(self._seqs)
            need(counted, "another number of measurements")
            self.close = said
        else:
            need(kind == "measurement" and said["seq"] > 0, "a line of another type")
            need(said["id"] == f"{self.open['run']}-{said['seq']:06d}", "no measurement of the run")
            need(said["seq"] not in self._seqs, "a number twice")
            self._seqs.add(said["seq"])
            self._measurement(said)

    def _first_member(self, where):
        begin = self._file.read(65_536)
        if begin:
            where[0] = "bodies.warc.gz"
            stream = zlib.decompressobj(31)
            stream.decompress(begin)
            self._end = len(begin) - len(stream.unused_data)
            raw = begin[: self._end]
            ref = {"length": self._end, "sha256": sha(raw).hex()}
            check_member(raw, ref, self.open["run"], None, "warcinfo")

    def _measurement(self, said):
        steps, valid = said.get("observations", []), said.get("valid", True)
        need([step["i"] for step in steps] == [*range(len(steps))], "steps out of order")
        self._loose |= not valid
        for step, side, ref in places_of(said):
            at = ref["offset"]
            need(at == self._end or (self._loose and at > self._end), "bytes missing or out of order")
            self._file.seek(at)
            check_member(self._file.read(min(ref["length"], 2 * MAX)), ref, said["id"], step, side)
            self._end, self._loose = at + ref["length"], False
        self.last = max(self.last, said["started"] + said["us"])
        made = any(not step.get("skipped") for step in steps)
        if made and valid and said.get("role", "target") == "target":
            self.sites.setdefault(said["url"], []).append(said["started"])


def came_to(results):
    """Ids of runs and tombstones that a receipt lists as new: they are not asked for what was before them."""
    for path in (results / "receipts").glob("*.json"):
        try:
            said = json.loads(path.read_bytes())
            came = [*said.get("runs", ()), *said.get("forgotten", ())]
            yield from [one["run"] for one in came if one["outcome"] == "new"]
        except WRONG:
            pass

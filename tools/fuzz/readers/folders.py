"""Folders of runs made from a description: what is damaged is what they say, and the hashes fit again.

Random bytes hardly get past the first hash. So an input is lines of JSON, each a piece of a folder of results
(a record, a captured member, a seal, a stamp, a tombstone, a receipt), changed as trees; a folder is built of
them in which offsets, lengths, hashes, roots and signatures are those of what came out. What our ``verify``
lets pass there, the independent checker must let pass too, with the same grade.
"""

from __future__ import annotations

import base64
import json
import re
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import date
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from blockwatch.codec import canonical
from blockwatch.errors import EvidenceError
from blockwatch.evidence import ots
from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.summary import write_summary
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from blockwatch.run import LineCheck, Vantage
from blockwatch.store import find_runs
from tests.evidence.made import measured, run_close, run_open
from tools.fuzz.readers.agreement import checker
from tools.fuzz.readers.made import OTHER, SIGNER, fresh
from tools.fuzz.target import Target

_LOG, _BYTES = "measurements.jsonl", "bodies.warc.gz"
_RUNS = ("a" * 16, "b" * 16)
_NAMES = tuple(f"2026112{day}T042000Z-{run}" for day, run in enumerate((*_RUNS, _RUNS[0])))  # and a copy
_STARTED = 1_577_836_800_000_000  # 2020-01-01
_ILL = (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError, RecursionError)
_MODULES = (
    *(
        "verify",
        "verify_among",
        "verify_bytes",
        "verify_derived",
        "verify_log",
        "verify_paths",
        "verify_seal",
    ),
    *(
        "checkpoint:parse_checkpoint lines_of",
        "ots:read_proof",
        "timestamps:read_content _of_calendar _lines",
    ),
    *(
        "receipt:imported_runs read_receipt",
        "rootnote:parse_root read_root root_notes",
        "sshsig:is_ssh_signed",
    ),
    "tombstone:parse_tombstone read_tombstones",
)


class _Built:
    """A folder of results that grows piece by piece."""

    def __init__(self, results: Path) -> None:
        self.results = fresh(results)
        self.blocks: dict[int, tuple[bytes, int]] = {}  # of Bitcoin, as its stamps would have them
        self._lines: defaultdict[int, list[bytes]] = defaultdict(list)
        self._places: defaultdict[int, list[dict[str, Any]]] = defaultdict(list)  # of members, not yet named
        self._makers: dict[str, Callable[[dict[str, Any]], object]] = {
            "record": self._record, "member": self._member, "seal": self._seal, "ots": self._ots,
            "file": self._file, "over": self._over, "forgotten": self._forgotten, "receipt": self._receipt,
            "encrypted": self._encrypted,
        }  # fmt: skip

    def add(self, piece: dict[str, Any]) -> None:
        """One line of the description; raises one of ``_ILL`` where it makes no sense."""
        for what in piece.keys() & self._makers.keys():
            self._makers[what](piece)

    def _folder(self, piece: dict[str, Any]) -> Path:
        folder = self.results / _NAMES[piece["run"]]
        folder.mkdir(exist_ok=True)
        return folder

    def root(self, run: int, size: int | None = None) -> bytes:
        """Over the first lines of a run as they are."""
        tree = Tree()
        for line in self._lines[run][:size]:
            tree.append(leaf_hash(line))
        return tree.root()

    def _record(self, piece: dict[str, Any]) -> None:
        record, places = piece["record"], self._places[piece["run"]]
        if isinstance(record.get("previous_root"), int):
            record["previous_root"] = self.root(record["previous_root"]).hex()
        for step in record.get("observations", ()) if "as it is" not in piece else ():
            for side in ("response", "request"):
                if isinstance(step.get(side), dict) and places:
                    step[side] |= places.pop(0)
        line = canonical(record)
        self._lines[piece["run"]].append(line)
        with (self._folder(piece) / _LOG).open("ab") as log:
            log.write(line + b"\n")

    def _member(self, piece: dict[str, Any]) -> None:
        member = zlib.compress(piece["member"].encode("latin-1"), 1, wbits=31)
        path = self._folder(piece) / _BYTES
        at = path.stat().st_size if path.exists() else 0
        with path.open("ab") as file:
            file.write(member)
        if at:
            place = {"offset": at, "length": len(member), "sha256": sha256(member).hexdigest()}
            self._places[piece["run"]].append(place)

    def _seal(self, piece: dict[str, Any]) -> None:
        folder, size, signer = self._folder(piece), piece["seal"], (SIGNER, OTHER)[piece["by"]]
        note = signer.note(checkpoint_text(piece["of"], size, self.root(piece["run"], size)))
        name = piece["name"]
        if "/" in name:
            (folder / "checkpoints").mkdir(exist_ok=True)
        (folder / ("checkpoint" if name == "checkpoint" else f"checkpoints/{int(name[12:])}")).write_bytes(
            note
        )
        if piece.get("ssh"):
            (folder / "checkpoint.sig").write_bytes(signer.ssh(note))

    def _ots(self, piece: dict[str, Any]) -> None:
        folder = self._folder(piece)
        digest = sha256((folder / piece["over"]).read_bytes()).digest()
        (folder / "timestamps").mkdir(exist_ok=True)
        proof = ots.MAGIC + b"\x01\x08" + digest + base64.b64decode(piece["ots"])
        (folder / "timestamps" / f"{int(piece.get('number', 0))}.ots").write_bytes(proof)
        for node, attestation in ots.read_proof(proof).attested() if "when" in piece else ():
            if attestation.height is not None:
                self.blocks[attestation.height] = node.message or b"", int(piece["when"])

    def _file(self, piece: dict[str, Any]) -> None:
        folder, said = self._folder(piece), piece["says"]
        if piece["file"] == "run.json":
            write_summary(folder)
            said = json.loads((folder / "run.json").read_bytes()) | said
        name = {"run.json": "run.json", "verdicts.jsonl": "verdicts.jsonl"}[piece["file"]]
        (folder / name).write_text(json.dumps(said) + "\n", "utf-8", "replace")

    def _over(self, piece: dict[str, Any]) -> None:
        """Bytes written over others, where no hash is made again."""
        if "bytes" in piece:
            path = self._folder(piece) / (_LOG, _BYTES, "checkpoint", "checkpoint.sig")[piece["over"]]
            raw, at, new = bytearray(path.read_bytes()), int(piece["at"]), piece["bytes"].encode("latin-1")
            raw[at : at + len(new)] = new
            path.write_bytes(raw)

    def _note(self, text: bytes, by: int | None) -> bytes:
        return text if by is None else (SIGNER, OTHER)[by].note(text)

    def _forgotten(self, piece: dict[str, Any]) -> None:
        (self.results / "forgotten").mkdir(exist_ok=True)
        text = "".join(f"{line}\n" for line in piece["forgotten"]).replace("$root", self.root(0).hex())
        raw = self._note(text.encode(), piece["by"])
        (self.results / "forgotten" / f"{int(piece['id'], 16):016x}"[:16]).write_bytes(raw)

    def _receipt(self, piece: dict[str, Any]) -> None:
        (self.results / "receipts").mkdir(exist_ok=True)
        (self.results / "receipts" / "0.json").write_text(json.dumps(piece["receipt"]), "utf-8", "replace")

    def _encrypted(self, piece: dict[str, Any]) -> None:
        """What an encrypted run leaves readable, in the place of the first one."""
        folder = self.results / f"20261119T042000Z-{'c' * 16}"
        folder.mkdir(exist_ok=True)
        content = piece["encrypted"].encode("latin-1")
        (folder / "run.age").write_bytes(content)
        text = root_text(
            piece["of"], piece["key"], self.root(0).hex(), piece["before"], sha256(content).digest()
        )
        (folder / "root").write_bytes(self._note(text, piece["by"]))


def _described(by: int = 0) -> Iterator[dict[str, Any]]:
    """Two runs with all that can stand beside them; the second goes on from the first, or is a witness."""
    for run, name in enumerate(_RUNS):
        signer = by if run else 0
        vantage = Vantage(asn=9198 + signer, country="KZ", ipv4=True)
        key, began = str((SIGNER, OTHER)[signer].key), _STARTED + run
        first = run_open(name, key=key, started=began, vantage=vantage, clock_offset_us=200_000)
        said = json.loads(canonical(first))
        yield {"run": run, "record": said | ({"previous_root": 0} if run and not by else {})}
        yield {"run": run, "member": _info(name, first.software, first.started)}
        for seq in (1, 2):
            one = measured(seq, run=name, started=began + seq)
            record, members = _stored(one)
            yield from ({"run": run, "member": member} for member in members)
            yield {"run": run, "record": record}
        check = LineCheck(kind="clock", when="after", t=9, ok=True, detail="fine", offset_us=-300_000)
        end = run_close(2, ended=began + 9_000_000, checks=(check,))
        yield {"run": run, "record": json.loads(canonical(end))}
        for size, place in ((2, "checkpoints/2"), (4, "checkpoint")):
            yield {"run": run, "seal": size, "of": name, "by": signer, "name": place, "ssh": size == 4}
        promise = b"\x00" + bytes.fromhex("83dfe30d2ef90c8e") + b"\x09\x08https://"
        block = b"\x00" + bytes.fromhex("0588960d73d71901") + bytes([1, 5 + run])
        for number, what in enumerate((promise, block, b"\xff" + promise + b"\xf1\x01a\xf2\xf3\x02" + block)):
            proof = {"ots": base64.b64encode(b"\xf0\x02hi\x08" + what).decode(), "over": "checkpoint"}
            yield {"run": run, **proof, "number": number, "when": _STARTED + 40_000_000}
        yield {"run": run, "file": "run.json", "says": {}}
        yield {"run": run, "file": "verdicts.jsonl", "says": {"id": f"{name}-000001", "state": "ok"}}
    runs = [{"run": _RUNS[1], "outcome": "new"}]
    receipt = {"kind": "blockwatch receipt", "received": "2026-11-22T06:40:00Z", "software": "x", "bytes": 1}
    yield {"receipt": {**receipt, "sha256": "0" * 64, "runs": runs}}


def _info(run: str, software: str, started: int) -> str:
    from blockwatch.evidence.warc import warcinfo

    return zlib.decompress(warcinfo(run, software, started), 31).decode("latin-1")


def _stored(one: Any) -> tuple[dict[str, Any], list[str]]:
    """A measurement as JSON with places to be filled in, and its members unzipped."""
    from blockwatch.evidence.warc import exchange_members

    record, members = json.loads(canonical(one.measurement)), []
    for number, exchange in one.exchanges.items():
        step = one.measurement.observations[number]
        for side, member in exchange_members(one.measurement.id, step, exchange):
            record["observations"][number][side] = {"offset": 0, "length": 0, "sha256": ""}
            members.append(zlib.decompress(member, 31).decode("latin-1"))
    return record, members


def _lines(pieces: list[dict[str, Any]]) -> bytes:
    return b"\n".join(msgspec.json.encode(piece, order="sorted") for piece in pieces)


def _results(work: Path) -> Target:
    built = work / "built"

    def read(raw: bytes) -> None:
        results = _Built(built)
        for line in raw.split(b"\n"):
            try:
                results.add(json.loads(line))
            except (*_ILL, OSError, EvidenceError):
                continue  # it is no piece of a folder
        if not find_runs([built]):
            return
        ours = list(verify_paths([built], Reader()))  # never raises where there is a run
        theirs = checker().check(built)
        list(verify_paths([built], Reader(keys=keys, trust=Trust(blocks=results.blocks), now=_STARTED)))
        if any(report.findings for report in ours):
            return
        found = [one.bad or one.odd for one in theirs if one.bad or one.odd]
        if found:
            raise AssertionError(f"we let pass: {found}")
        titles = [re.sub(r" \(clock \w+\)", "", one.title) for one in ours if one.kind == "run"]
        if sorted(titles) != sorted(one.grade.partition(",")[0] for one in theirs):
            raise AssertionError("other grades")

    keys = (Allowed(key=SIGNER.key), Allowed(key=OTHER.key, until=date(2020, 6, 30)))
    whole, witness = list(_described()), list(_described(by=1))
    key, root = f"key {SIGNER.key}", "root $root"
    stone = ["blockwatch/forgotten", f"run {_RUNS[0]}", key, "size 4", root, "previous none"]
    forgotten = {"forgotten": [*stone, "when 2026-11-22T06:40:00Z"], "id": _RUNS[0], "by": 0}
    hidden = {"encrypted": "chunk 1 1\nx", "of": "c" * 16, "key": str(SIGNER.key), "before": None, "by": 0}
    cut = [
        piece
        for piece in whole
        if "close" not in str(piece.get("record", {}).get("type")) and "file" not in piece
    ]
    over = {"run": 1, "over": 0, "at": 900, "bytes": "x"}
    copy = [{**piece, "run": 2} for piece in whole if piece.get("run") == 0]
    killed = [piece for piece in cut if piece.get("seal") != 4 and piece.get("over") != "checkpoint"]
    corpus = [whole, [*whole, forgotten], [*whole, hidden], cut, [*whole, over], whole[:-1], witness, killed]
    corpus += [[*whole, *copy], [*whole, *copy[:4]]]
    return Target(
        [_lines(pieces) for pieces in corpus],
        read,
        tuple(f"blockwatch.evidence.{name}" for name in _MODULES),
        is_json=True,
    )


READERS = {"folder of runs, hashes made anew": _results}

"""A WACZ: the captured pages of runs in one file that web archive programs replay.

Rules of this file (WACZ 1.1.1, https://specs.webrecorder.net/wacz/1.1.1/):

* it is a view for looking at, made from the evidence and not the evidence: the log is not in it;
* the WARC files in it are the runs' own, byte for byte (of a killed run without its torn end);
* the same runs give the same bytes; nothing in it says who made it, when or where;
* a page is an HTML response that a measurement asked for; its title is a stranger's and stays JSON.
"""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import msgspec

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.cdxj import Entry, compressed, index_entry
from blockwatch.evidence.disk import in_words
from blockwatch.evidence.reading import Run, read_run
from blockwatch.evidence.warc import WARC_FILE
from blockwatch.model import HttpStep, Measurement

_VERSION = "1.1.1"
_PIECE = 262_144
_INDEX = "index.cdx.gz"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PAGES = b'{"format":"json-pages-1.0","id":"pages","title":"All Pages"}\n'


class Wacz:
    """What will be in a WACZ."""

    def __init__(self, folders: Iterable[Path]) -> None:
        """Read the runs; raises ``EvidenceError`` for damage, ``UsageError`` where nothing was captured."""
        self._entries: list[Entry] = []
        self._pages: list[bytes] = [_PAGES]
        self._archives: list[tuple[str, Path, int]] = []  # name, file, bytes of it
        self._created = 0
        for run in sorted(map(read_run, folders), key=lambda run: run.open.run):
            self._add(run)
        if not self._archives:
            raise UsageError("these runs hold no captured bytes", remedy="There is nothing to replay.")

    @property
    def name(self) -> str:
        """A name for the file that says nothing but that it is this one."""
        every = "".join(f"{name} {size}\n" for name, _, size in self._archives).encode()
        return sha256(every + b"".join(entry.line() for entry in sorted(self._entries))).hexdigest()[:12]

    def _add(self, run: Run) -> None:
        name, end = f"{run.open.run}.warc.gz", 0
        if any(known == f"archive/{name}" for known, _, _ in self._archives):
            raise UsageError(f"two runs have the id {run.open.run}", remedy="Name one of them.")
        for measurement in run.measurements:
            for step in measurement.observations:
                if isinstance(step, HttpStep):
                    refs = [ref for ref in (step.request, step.response) if ref is not None]
                    end = max([end, *(ref.offset + ref.length for ref in refs)])
                    self._add_response(run, measurement, step, name)
        if end:
            path = run.folder / WARC_FILE
            self._archives.append((f"archive/{name}", path, path.stat().st_size if run.close else end))
            self._created = max(self._created, run.open.started)

    def _add_response(self, run: Run, measurement: Measurement, step: HttpStep, name: str) -> None:
        if step.response is None:
            return
        record = run.record(step.response)
        entry = index_entry(record, step.response, name)
        if entry is None:
            return
        self._entries.append(entry)
        fields = msgspec.json.decode(entry.fields)
        if "html" in fields["mime"] and not fields["status"].startswith("3"):
            page = {
                "id": f"{measurement.id}-{step.i}",
                "url": fields["url"],
                "ts": record.field("WARC-Date"),
                "title": step.title or fields["url"],
            }
            self._pages.append(msgspec.json.encode(page) + b"\n")

    def packed(self) -> Iterator[bytes]:
        """The bytes of the file; raises ``EvidenceError`` or ``DiskError``."""
        with tempfile.TemporaryFile() as file:
            with in_words(Path(tempfile.gettempdir())), zipfile.ZipFile(file, "w") as archive:
                self._fill(archive)
            file.seek(0)
            while piece := file.read(_PIECE):
                yield piece

    def _fill(self, archive: zipfile.ZipFile) -> None:
        index, blocks = compressed(self._entries, _INDEX)
        resources = [
            _put(archive, f"indexes/{_INDEX}", [index], len(index)),
            _put(archive, "indexes/index.idx", [blocks], len(blocks)),
        ]
        for name, path, size in self._archives:
            resources.append(_put(archive, name, _pieces(path, size), size))
        pages = b"".join(self._pages)
        resources.append(_put(archive, "pages/pages.jsonl", [pages], len(pages)))
        package = {
            "profile": "data-package",
            "wacz_version": _VERSION,
            "software": "blockwatch",
            "created": (_EPOCH + timedelta(microseconds=self._created)).strftime("%Y-%m-%dT%H:%M:%SZ"),
            "resources": resources,
        }
        raw = msgspec.json.format(msgspec.json.encode(package), indent=2)
        _put(archive, "datapackage.json", [raw], len(raw))
        digest = {"path": "datapackage.json", "hash": f"sha256:{sha256(raw).hexdigest()}"}
        seal = msgspec.json.encode(digest)
        _put(archive, "datapackage-digest.json", [seal], len(seal))


def _put(archive: zipfile.ZipFile, name: str, pieces: Iterable[bytes], size: int) -> dict[str, object]:
    """Store one file as it is, and describe it as a resource."""
    info = zipfile.ZipInfo(name)  # of 1980, the first day that zip knows
    info.create_system = 3
    info.external_attr = 0o600 << 16
    info.file_size = size
    digest = sha256()
    with archive.open(info, "w") as out:
        for piece in pieces:
            digest.update(piece)
            out.write(piece)
    short = name.rpartition("/")[2]
    return {"name": short, "path": name, "hash": f"sha256:{digest.hexdigest()}", "bytes": size}


def _pieces(path: Path, size: int) -> Iterator[bytes]:
    with in_words(path), path.open("rb") as file:
        yield from _of(file, size, path)


def _of(file: BinaryIO, size: int, path: Path) -> Iterator[bytes]:
    while size:
        piece = file.read(min(size, _PIECE))
        if not piece:
            raise EvidenceError("became shorter while it was read", where=str(path))
        size -= len(piece)
        yield piece

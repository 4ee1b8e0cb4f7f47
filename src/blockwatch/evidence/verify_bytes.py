"""Checking ``bodies.warc.gz`` against the log: every byte that a line refers to, in the order of the lines.

Rules of this file:

* members follow one another without a gap, from the ``warcinfo`` on: so a line that was taken out, put
  in or moved shows, also where no seal covers it;
* a member is read only within bounds (:mod:`blockwatch.evidence.warc`), one at a time;
* what a member says of itself must fit the step that refers to it.
"""

from __future__ import annotations

import os
import re
import zlib
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

from blockwatch.errors import EvidenceError
from blockwatch.evidence.report import Damage
from blockwatch.evidence.warc import (
    MAX_BLOCK,
    WARC_FILE,
    WarcRecord,
    ip_address,
    parse_member,
    record_id,
    target_uri,
)
from blockwatch.model import HttpStep, Measurement, WarcRef

_CUT = "[scrubbed]"  # stands where the volunteer's address stood, in the log and in the file of bytes
_HTTP = {
    "response": re.compile(rb"HTTP/1\.[01] [0-9]{3}(?=[ \r\n])"),
    "request": re.compile(rb"[A-Z]{1,20} [!-~\x80-\xff]{1,65536} HTTP/1\.[01]\r?\n"),
}
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?=[ \r\n])")
_MAX_MEMBER = MAX_BLOCK + 131_072
_FIRST = 65_536  # the warcinfo is far smaller


class Bytes:
    """Follows the references of a run's lines through its file of bytes."""

    def __init__(self, folder: Path, run: str) -> None:
        """Check the first member; raises ``Damage``."""
        self._folder = folder
        self.size = 0
        self.end = 0  # where the next member must begin
        self._loose = False  # a measurement was not kept: its bytes may lie here
        self._file: BinaryIO | None = None
        path = folder / WARC_FILE
        if not path.exists():
            return  # only a run that refers to none can do without
        try:
            if not path.is_file():
                raise Damage(WARC_FILE, "this is no file")
            self._file = path.open("rb")
            self.size = os.fstat(self._file.fileno()).st_size
            self.end = first_member(self._file, run)
        except OSError as error:
            self.close()
            raise Damage(WARC_FILE, f"cannot be read ({error.strerror})") from error
        except Damage:
            self.close()
            raise

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            self._file.close()

    def check(self, measurement: Measurement, where: str) -> None:
        """Check what one line refers to; raises ``Damage``."""
        if not measurement.valid:
            self._loose = True
        for step in measurement.observations:
            if type(step) is HttpStep and (step.request or step.response):
                for side, ref in (("response", step.response), ("request", step.request)):
                    if ref:
                        self._member(measurement, step, side, ref, where)

    def _member(self, measurement: Measurement, step: HttpStep, side: str, ref: WarcRef, where: str) -> None:
        name = f"{side} of step {step.i}"
        if ref.offset != self.end and not (self._loose and ref.offset > self.end):
            what = f"the {name} is said to lie at byte {ref.offset}, and {self.end} comes next"
            raise Damage(where, what, record=measurement.id)
        try:
            record = parse_member(self._stored(ref), where)
        except EvidenceError as error:
            raise Damage(where, f"the {name}: {error.what}", record=measurement.id) from error
        odd = oddity(measurement, step, side, record)
        if odd:
            raise Damage(where, f"the {name}: {odd}", record=measurement.id)
        self.end, self._loose = ref.offset + ref.length, False

    def _stored(self, ref: WarcRef) -> bytes:
        if self._file is None or not 0 < ref.length <= _MAX_MEMBER:
            raise EvidenceError(f"{WARC_FILE} is missing, or it is said to have an impossible size")
        try:
            if ref.offset + ref.length > self.size:
                self.size = os.fstat(self._file.fileno()).st_size  # the run may be going on
            if ref.offset + ref.length > self.size:
                raise EvidenceError(f"{WARC_FILE} ends before")
            self._file.seek(ref.offset)
            member = self._file.read(ref.length)
        except OSError as error:
            raise EvidenceError(f"cannot be read ({error.strerror})") from error
        if sha256(member).hexdigest() != ref.sha256:
            raise EvidenceError("the captured bytes are not those that the log names")
        return member

    @property
    def beyond(self) -> int:
        """Bytes after the last member that a line refers to."""
        return self.size - self.end


def first_member(file: BinaryIO, run: str) -> int:
    """Length of the ``warcinfo``; 0: a file without a byte."""
    begin = file.read(_FIRST)
    if not begin:
        return 0
    stream = zlib.decompressobj(31)
    try:
        stream.decompress(begin, _FIRST)
        length = len(begin) - len(stream.unused_data)
        record = parse_member(begin[:length], WARC_FILE)
    except (zlib.error, EvidenceError) as error:
        raise Damage(WARC_FILE, "its first member is not whole") from error
    digest = f"sha256:{sha256(record.block).hexdigest()}"
    if record.field("WARC-Block-Digest") != digest:
        raise Damage(WARC_FILE, "its first member is not what its hash says")
    if record.type != "warcinfo" or record.field("WARC-Record-ID") != record_id(run):
        raise Damage(WARC_FILE, "its first member does not belong to this run", kind="contradiction")
    return length


def oddity(measurement: Measurement, step: HttpStep, side: str, record: WarcRecord) -> str:
    """Say what in ``record`` does not fit the step, or nothing."""
    is_http = _HTTP[side].match(record.block) is not None
    expected = {
        "WARC-Type": side if is_http else "metadata",
        "WARC-Record-ID": record_id(f"{measurement.id}#{step.i}/{side}"),
        "Content-Type": f"application/http;msgtype={side}" if is_http else "application/octet-stream",
        "WARC-Block-Digest": f"sha256:{sha256(record.block).hexdigest()}",
    }
    if _CUT not in step.url and _CUT not in step.address:
        expected["WARC-Target-URI"] = target_uri(step.url)
        expected["WARC-IP-Address"] = ip_address(step.address)
    told = dict(record.fields)
    for field, value in expected.items():
        if told.get(field, "") != value:
            return f"its {field} is not {value[:100]}"
    if side == "response" and is_http and step.status is not None and status_of(record.block) != step.status:
        return f"it does not answer with status {step.status}"
    return ""


def status_of(block: bytes) -> int | None:
    """Status of the first answer in ``block`` that is not an interim one (1xx but 101)."""
    at = 0
    for _ in range(16):
        found = _STATUS.match(block, at)
        if found is None:
            return None
        status = int(found[1])
        if not 100 <= status < 200 or status == 101:
            return status
        blank = block.find(b"\r\n\r\n", at)
        if blank < 0:
            return None
        at = blank + 4
    return None

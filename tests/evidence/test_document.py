"""docs/evidence.md says, field by field, what the code writes."""

from __future__ import annotations

import re
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin

import msgspec
import pytest

from blockwatch import model, run, target
from blockwatch.codec import canonical
from blockwatch.evidence import bundle, chunks, growth, merge, progress, proof, receipt, summary
from blockwatch.evidence.log import LOG_FILE, MAX_LINE
from blockwatch.evidence.warc import MAX_BLOCK, WARC_FILE, record_id

DOCUMENT = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()
NOUNS: dict[str, type[msgspec.Struct]] = {
    "`run_open`": run.RunOpen,
    "Vantage": run.Vantage,
    "Line check": run.LineCheck,
    "Target": target.Target,
    "Mirror": target.Mirror,
    "Order": target.Order,
    "Search": target.Search,
    "`measurement`": model.Measurement,
    "Every step": model.Step,
    "Step `dns`": model.DnsStep,
    "DNS reply": model.DnsReply,
    "Step `tcp`": model.TcpStep,
    "Step `tls`": model.TlsStep,
    "Step `http`": model.HttpStep,
    "Place of captured bytes": model.WarcRef,
    "Step `control`": model.ControlStep,
    "Endpoint": model.Endpoint,
    "`run_close`": run.RunClose,
    "run.json": summary.RunSummary,
    "File": summary.KeptFile,
    "blockwatch proof": proof.Proof,
    "Proven line": proof.ProofLine,
    "Proven member": proof.ProofMember,
    "Proven stamp": proof.ProofStamp,
    "bundle.json": bundle.BundleList,
    "Bundled run": bundle.BundledRun,
    "Bundled file": bundle.BundledFile,
    "blockwatch growth": growth.Growth,
    "Receipt": receipt.Receipt,
    "Received run": merge.Placed,
    "Received tombstone": receipt.Buried,
    "Line of a chunk": chunks.ChunkHead,
    "Piece": chunks.Piece,
    "progress": progress.Progress,
}


def fields(noun: type[msgspec.Struct]) -> list[msgspec.structs.FieldInfo]:
    """Fields of its own: those of every step are said once."""
    common = set() if noun is model.Step else {field.name for field in msgspec.structs.fields(model.Step)}
    every = msgspec.structs.fields(noun)
    return (
        [field for field in every if field.name not in common]
        if issubclass(noun, model.Step)
        else list(every)
    )


def words(kind: Any) -> str:
    """A Python type in the words of the document."""
    if kind is model.Integer:
        return "integer"
    if isinstance(kind, UnionType) or (get_origin(kind) is Union):
        parts = get_args(kind)
        if NoneType in parts:
            return " or ".join(words(part) for part in parts if part is not NoneType) + ", null"
        return "steps"
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[-1] is Ellipsis:
            return f"list of {words(inner[0])}"
        return "[" + ", ".join(words(part) for part in inner) + "]"
    plain = {int: "integer", str: "text", bool: "boolean", bytes: "base64"}
    if kind in plain:
        return plain[kind]
    if issubclass(kind, Enum):
        return "text"
    return next(name for name, noun in NOUNS.items() if noun is kind).lower()


def default(field: msgspec.structs.FieldInfo) -> str:
    if field.required:
        return "always"
    value = field.default if field.default is not msgspec.NODEFAULT else field.default_factory()
    return f"`{canonical(value).decode()}`"


@pytest.mark.parametrize("name", NOUNS)
def test_every_field_is_described(name: str) -> None:
    heading = re.search(rf"^###+ {re.escape(name)}\n(.*?)(?=^##|\Z)", DOCUMENT, re.M | re.S)
    assert heading, f"docs/evidence.md has no section {name}"
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| (.+) \|$", heading[1], re.M)
    described = {field: (kind.strip(), given.strip()) for field, kind, given, _ in rows}
    written = {field.encode_name: (words(field.type), default(field)) for field in fields(NOUNS[name])}
    assert described == written
    assert all(meaning.strip() for *_, meaning in rows)


def test_numbers_and_names_are_those_of_the_code() -> None:
    for value in (LOG_FILE, WARC_FILE, summary.SUMMARY_FILE, f"{MAX_LINE:,}", f"{MAX_BLOCK:,}"):
        assert value in DOCUMENT
    assert "6e7f2b0a-51c4-5d0c-9d7a-3a4c1f0b9e52" in DOCUMENT
    example = re.search(r"`(0123456789abcdef-000001#11/response)` is `(urn:uuid:[0-9a-f-]+)`", DOCUMENT)
    assert example
    assert record_id(example[1]) == f"<{example[2]}>"
    for purpose in model.Purpose:
        assert f"`{purpose.value}`" in DOCUMENT

"""The proof of one record: what it shows, what it hides, and that no change of it passes."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from blockwatch.errors import EvidenceError, UsageError
from blockwatch.evidence.proof import MAX_PROOF, check_proof, make_proof
from blockwatch.evidence.signing import new_signer
from blockwatch.evidence.warc import parse_member
from blockwatch.store import RunWriter, read_run
from tests.evidence.made import REQUEST, RESPONSE, RUN, measured, run_close, run_open, signer
from tests.evidence.test_seal import sealed_run

URLS = [f"https://site-{number}.example.org/" for number in range(1, 10)]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of nine measurements of different sites."""
    writer = RunWriter(tmp_path_factory.mktemp("results"), signer=signer())
    writer.open(run_open())
    for seq, url in enumerate(URLS, 1):
        writer.write(measured(seq, url=url))
    writer.close(run_close(9))
    return writer.folder


@pytest.mark.parametrize("seq", range(1, 10))
def test_one_record_is_shown_and_no_other(folder: Path, seq: int) -> None:
    raw = make_proof(folder, f"{RUN}-{seq:06d}")
    assert raw == make_proof(folder, str(seq))
    shown = check_proof(raw)
    assert shown.record == list(read_run(folder).measurements)[seq - 1]
    assert shown.run_open == read_run(folder).open
    assert (shown.index, shown.checkpoint.size, shown.key) == (seq, 11, signer().key)
    blocks = {parse_member(member, "").block for member in shown.members.values()}
    assert blocks == {REQUEST, RESPONSE}
    assert [url for url in URLS if url.encode() in raw] == [URLS[seq - 1]]
    told = json.loads(raw)
    assert set(told) == {"type", "key", "checkpoint", "run_open", "record", "members"}


def root_by_hand(line: str, index: int, size: int, path: list[str]) -> bytes:
    """Follow a path in the words of docs/evidence.md."""
    h, n, m = sha256(b"\x00" + line.encode()).digest(), index, size - 1
    for p in (b64decode(each) for each in path):
        assert m != 0
        if n % 2 or n == m:
            odd = n % 2
            h = sha256(b"\x01" + p + h).digest()
            if not odd:
                while n % 2 == 0 and n != 0:
                    n, m = n // 2, m // 2
        else:
            h = sha256(b"\x01" + h + p).digest()
        n, m = n // 2, m // 2
    assert m == 0
    return h


@pytest.mark.parametrize("seq", range(1, 10))
def test_it_can_be_checked_as_the_document_says(folder: Path, seq: int) -> None:
    told = json.loads(make_proof(folder, str(seq)))
    origin, size, root, *_ = told["checkpoint"].split("\n")
    assert origin == f"blockwatch/run/{RUN}"
    for line in (told["run_open"], told["record"]):
        assert root_by_hand(line["line"], line["index"], int(size), line["path"]) == b64decode(root)
    for member in told["members"]:
        assert sha256(b64decode(member["data"])).hexdigest() == member["sha256"]


def changed(told: Any, *path: str | int, to: Callable[[Any], Any]) -> bytes:
    inner = told
    for step in path[:-1]:
        inner = inner[step]
    inner[path[-1]] = to(inner.get(path[-1]) if isinstance(inner, dict) else inner[path[-1]])
    return json.dumps(told).encode()


def flip(text: str) -> str:
    content = bytearray(b64decode(text))
    content[-1] ^= 1
    return b64encode(content).decode()


OTHER = str(new_signer().key)
FALSE: dict[str, tuple[tuple[str | int, ...], Callable[[Any], Any], str]] = {
    "another format": (("format",), lambda _: 2, "format 2"),
    "another type": (("type",), lambda _: "proof", "not the proof"),
    "no type": (("type",), lambda _: None, "not the proof"),
    "another key": (("key",), lambda _: OTHER, "not signed by the key"),
    "a key that is none": (("key",), lambda text: text[:-4], "verifier key"),
    "a letter of the record": (("record", "line"), lambda text: text.replace("e", "f", 1), "the record"),
    "a space in the record": (("record", "line"), lambda text: text + " ", "the record is not"),
    "another place": (("record", "index"), lambda index: index + 1, "the record is not"),
    "a place before the first": (("record", "index"), lambda _: -1, "the record is not"),
    "a place beyond the last": (("record", "index"), lambda _: 11, "the record is not"),
    "a hash of the path": (("record", "path", 0), flip, "the record is not"),
    "a shorter path": (("record", "path"), lambda path: path[1:], "the record is not"),
    "a longer path": (("record", "path"), lambda path: [*path, path[0]], "the record is not"),
    "a path without end": (("record", "path"), lambda path: path * 10_000, "the record is not"),
    "a hash of another length": (("record", "path", 0), lambda _: "AAAA", "the record is not"),
    "the network": (("run_open", "line"), lambda text: text.replace("9198", "9199"), "first line is not"),
    "the place of the first line": (("run_open", "index"), lambda _: 1, "first line is not"),
    "the size": (("checkpoint",), lambda text: text.replace("\n11\n", "\n10\n"), "not signed by the key"),
    "the root": (("checkpoint",), lambda text: text.replace("\n11\n", "\n11\nA", 1), "not the checkpoint"),
    "no signature": (("checkpoint",), lambda text: text.partition("\n\n")[0] + "\n\n", "signature"),
    "a member left out": (("members",), lambda members: members[1:], "not those that the record refers to"),
    "a member too many": (("members",), lambda members: [*members, members[0]], "not those that the record"),
    "members swapped": (("members",), lambda members: members[::-1], "not those that the record refers to"),
    "a byte of a member": (("members", 0, "data"), flip, "captured bytes that were altered"),
    "the hash of a member": (("members", 0, "sha256"), lambda _: "0" * 64, "not those that the record"),
    "no record": (("record",), lambda _: None, "not the proof"),
    "a number for text": (("checkpoint",), lambda _: 5, "not the proof"),
}  # fmt: skip


@pytest.mark.parametrize("name", FALSE)
def test_every_false_proof_is_refused_and_the_reason_said(folder: Path, name: str) -> None:
    path, change, words = FALSE[name]
    told = json.loads(make_proof(folder, "4"))
    with pytest.raises(EvidenceError, match=words):
        check_proof(changed(told, *path, to=change), "proof.json")


def test_a_record_of_another_run_of_the_same_key_is_refused(folder: Path, tmp_path: Path) -> None:
    other = sealed_run(tmp_path, 9, run="f" * 16)
    told, stranger = (json.loads(make_proof(each, "4")) for each in (folder, other))
    for part in ("record", "run_open", "checkpoint"):
        with pytest.raises(EvidenceError):
            check_proof(json.dumps({**told, part: stranger[part]}).encode())


def test_the_first_and_last_lines_are_no_records(folder: Path) -> None:
    told = json.loads(make_proof(folder, "4"))
    with pytest.raises(EvidenceError, match="not a measurement of the run"):
        check_proof(json.dumps({**told, "record": told["run_open"], "members": []}).encode())
    for wanted in (RUN, "0", "10", "99999999999", "-1", "run_close", "\x1b[2J" + "x" * 500, "۴"):
        with pytest.raises(UsageError, match="there is no record"):
            make_proof(folder, wanted)


def test_what_is_not_sealed_cannot_be_proved(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    writer.write(measured(1))
    writer.close(run_close(1))
    with pytest.raises(EvidenceError, match="not sealed"):
        make_proof(writer.folder, "1")
    killed = RunWriter(tmp_path / "killed", signer=signer(), seal_every_s=0)
    killed.open(run_open())
    killed.write(measured(1))
    killed._sealer._every_s = 1e9  # type: ignore[union-attr]  # and then no more, as where it was killed
    killed.write(measured(2))
    killed.write(measured(3))
    sealed = killed.sealed
    assert check_proof(make_proof(killed.folder, "1")).checkpoint.size == sealed < 4
    with pytest.raises(UsageError, match=f"among the {sealed} lines that are sealed"):
        make_proof(killed.folder, "3")
    killed.close(run_close(3))


def test_a_damaged_run_gives_no_proof(tmp_path: Path) -> None:
    folder = sealed_run(tmp_path, 3)
    log, bodies = folder / "measurements.jsonl", folder / "bodies.warc.gz"
    whole = log.read_bytes()
    log.write_bytes(whole.replace(b'"seq":3', b'"seq":4'))
    with pytest.raises(EvidenceError, match="not in the log that was sealed"):
        make_proof(folder, "1")
    log.write_bytes(whole)
    content = bytearray(bodies.read_bytes())
    content[-1] ^= 1
    bodies.write_bytes(content)
    with pytest.raises(EvidenceError, match="not those that the log names"):
        make_proof(folder, "3")
    assert check_proof(make_proof(folder, "2"))


def test_size_is_bounded(folder: Path) -> None:
    with pytest.raises(EvidenceError, match=f"more than {MAX_PROOF}"):
        check_proof(bytes(MAX_PROOF + 1))


NAMES = st.sampled_from(
    ["type", "key", "checkpoint", "record", "run_open", "members", "line", "path", "index"]
)
JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(NAMES, inner, max_size=9),
    max_leaves=20,
)


@given(st.binary(max_size=200) | JSON.map(msgspec.json.encode))
def test_any_bytes_are_refused(raw: bytes) -> None:
    with pytest.raises(EvidenceError):
        check_proof(raw)

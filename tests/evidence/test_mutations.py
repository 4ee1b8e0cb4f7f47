"""Any change at all to a sealed run is found, by both checkers; and no change makes them fail otherwise."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from blockwatch.errors import EvidenceError
from blockwatch.evidence import ots
from blockwatch.evidence.authority import authority_path
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.tsp import read_reply
from blockwatch.evidence.verify import Reader, verify_run
from tests.evidence.assets.asset import calendar_proof
from tests.evidence.assets.world import stamp, unseal, write_run
from tests.evidence.checker import ask
from tests.exchange.authority import Authority

FILES = ["measurements.jsonl", "bodies.warc.gz", "checkpoint", "checkpoints/3", "checkpoint.sig"]
PLAIN = b'0123456789{}[]",:\n\0 -.eE+/=A'
LEFT_OUT = "what stands in it beside the seal"
FEW = settings(
    max_examples=150, deadline=None, derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)  # fmt: skip


class Places:
    """One good run, bare and stamped; a test changes a file and puts it back."""

    def __init__(self, folder: Path) -> None:
        self.authority = Authority(folder / "authority")
        self.sealed = write_run(folder / "sealed")
        (self.sealed / "run.json").unlink()
        (self.sealed / "verdicts.jsonl").unlink()
        self.bare = folder / "bare"
        shutil.copytree(self.sealed, self.bare)
        unseal(self.bare)
        self.stamped = folder / "stamped"
        shutil.copytree(self.sealed, self.stamped)
        self.reply = stamp(self.stamped, self.authority).read_bytes()


@pytest.fixture(scope="module")
def places(tmp_path_factory: pytest.TempPathFactory) -> Places:
    return Places(tmp_path_factory.mktemp("mutations"))


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, float, int, int]:
    """Kind of change, where (as a part of the length), how long, with which byte."""
    kind = draw(st.sampled_from(["flip", "set", "plain", "insert", "delete", "cut", "double"]))
    at = draw(st.floats(0, 1, exclude_max=True))
    return kind, at, draw(st.integers(1, 300)), draw(st.integers(0, 255))


def changed(raw: bytes, change: tuple[str, float, int, int]) -> bytes:
    kind, part, length, byte = change
    at = int(part * len(raw))
    head, one, tail = raw[:at], raw[at : at + 1], raw[at + 1 :]
    return {
        "flip": head + bytes([one[0] ^ 1 << byte % 8]) + tail,
        "set": head + bytes([byte]) + tail,
        "plain": head + PLAIN[byte % len(PLAIN) :][:1] + tail,
        "insert": head + bytes([byte]) + one + tail,
        "delete": head + raw[at + length :],
        "cut": head,
        "double": head + raw[at : at + length] + one + tail,
    }[kind]


@FEW
@given(name=st.sampled_from(FILES), change=changes())
@example(name="measurements.jsonl", change=("delete", 0.999999, 1, 0))
@example(name="checkpoint", change=("cut", 0.0, 1, 0))
def test_every_change_to_a_sealed_run_is_found(
    places: Places, name: str, change: tuple[str, float, int, int]
) -> None:
    path = places.sealed / name
    good = path.read_bytes()
    bad = changed(good, change)
    if bad == good or (name == "bodies.warc.gz" and bad[310:] == good[310:]):
        return  # of the warcinfo only the content is held against the run
    path.write_bytes(bad)
    try:
        ours, other = verify_run(places.sealed, Reader()).report, ask(places.sealed)[1][0]
        left_out = any(LEFT_OUT in note for note in ours.notes)  # behind what the key wrote anybody may write
        assert ours.findings or left_out
        assert bool(other.where) == (bool(ours.findings) and name != "checkpoint.sig")  # OpenSSH checks that
    finally:
        path.write_bytes(good)


@FEW
@given(name=st.sampled_from(FILES[:2]), change=changes())
def test_no_change_to_an_unsealed_run_is_more_than_a_finding(
    places: Places, name: str, change: tuple[str, float, int, int]
) -> None:
    path = places.bare / name
    good = path.read_bytes()
    path.write_bytes(changed(good, change))
    try:
        report = verify_run(places.bare, Reader()).report
        other = ask(places.bare)[1][0]
        assert report.findings or not other.where  # ours also knows the types of fields
        assert not report.findings or report.findings[0].what
    finally:
        path.write_bytes(good)


@FEW
@given(change=changes())
def test_a_changed_reply_says_nothing_else(places: Places, change: tuple[str, float, int, int]) -> None:
    token = read_reply(places.reply)
    try:
        other = read_reply(changed(places.reply, change))
        authority_path(other, [places.authority.root])
    except EvidenceError:
        return
    assert (other.imprint, other.time, other.accuracy) == (token.imprint, token.time, token.accuracy)


@FEW
@given(change=changes())
def test_a_changed_stamp_never_makes_a_run_younger(
    places: Places, change: tuple[str, float, int, int]
) -> None:
    path = places.stamped / "timestamps" / "tsa.tsr"
    reader = Reader(trust=Trust(roots=(places.authority.root,)))
    path.write_bytes(places.reply)
    good = verify_run(places.stamped, reader).report.not_after
    path.write_bytes(changed(places.reply, change))
    assert verify_run(places.stamped, reader).report.not_after in (good, None)


@FEW
@given(
    data=st.binary(max_size=400) | changes().map(lambda change: changed(calendar_proof(bytes(32)), change))
)
def test_any_bytes_are_a_proof_or_refused(data: bytes) -> None:
    for read in (ots.read_proof, read_reply, lambda raw: ots.read_answer(raw, bytes(32))):
        try:
            found = read(data)
        except EvidenceError:
            continue
        if isinstance(found, ots.Node):
            assert all(one.kind for _, one in found.attested())

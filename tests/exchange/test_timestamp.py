"""``blockwatch timestamp`` against real authorities and calendars on loopback, good ones and bad ones."""

from __future__ import annotations

import hashlib
import subprocess
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.errors import EvidenceError
from blockwatch.evidence import ots
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.timestamps import Trust, read_stamp, stamp_name
from blockwatch.evidence.tsp import MAX_REPLY, request_for
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.collector import SIGNER, sealed
from tests.evidence.made import RUN
from tests.exchange import published
from tests.exchange.authority import Authority, served

NOTE = SIGNER.note(checkpoint_text(RUN, 5, bytes(32)))  # what a stamp is over; its root does not matter here
DIGEST = sha256(NOTE).digest()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    folder = sealed(tmp_path / "results", 3)
    (folder / "checkpoint").write_bytes(NOTE)
    return folder


def stamps(run: Path) -> list[Path]:
    return sorted((run / "timestamps").iterdir()) if (run / "timestamps").exists() else []


def test_several_authorities_and_one_that_fails(run: Path, authority: Authority, tmp_path: Path) -> None:
    other = Authority(tmp_path / "other", "other", rsa_key=True)
    asked: list[bytes] = []
    given: list[bytes] = []

    def first(path: str, body: bytes) -> tuple[int, bytes]:
        asked.append(body)
        given.append(authority.reply(body))
        return 200, given[-1]

    with (
        served(first) as one,
        served(lambda path, body: (200, other.reply(body))) as two,
        served(lambda path, body: (503, b"out of order")) as three,
    ):
        urls = [word for url in (one, two, three) for word in ("--tsa", url)]
        done = blockwatch("timestamp", run.parent, *urls, cwd=tmp_path)
        assert done.returncode == 3, done.stderr
        assert done.stdout.count("existed no later than") == 2
        assert "status 503" in done.stdout
        assert "nothing of what was measured" in done.stderr
        kept = {path.read_bytes() for path in stamps(run)}
        assert len(kept) == 2
        assert given[0] in kept  # byte for byte
        assert DIGEST in asked[0]
        assert len(asked[0]) < 80
        again = blockwatch("timestamp", run, "--tsa", one, "--tsa", two, cwd=tmp_path)
        assert (again.returncode, again.stdout.count("stamped already")) == (0, 2)
        assert len(asked) == 1
    trust = Trust(roots=(authority.root,))
    found = [read_stamp(path, {DIGEST.hex(): 5}, trust)[0] for path in stamps(run)]
    assert [(one.lines, one.not_after is None) for one in found] == [(5, "other" in one.by) for one in found]


def test_what_others_added_to_the_seal_is_not_stamped(
    run: Path, authority: Authority, tmp_path: Path
) -> None:
    (run / "checkpoint").write_bytes(NOTE + b"more")
    with served(lambda path, body: (200, authority.reply(body))) as url:
        assert blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path).returncode == 0
    (stamp,) = stamps(run)
    assert read_stamp(stamp, {DIGEST.hex(): 5}, Trust(roots=(authority.root,)))[0].not_after


def test_a_seal_that_does_not_hold_is_not_stamped(run: Path, tmp_path: Path) -> None:
    (run / "checkpoint").write_bytes(NOTE.replace(b"\n5\n", b"\n6\n"))
    asked: list[bytes] = []
    with served(lambda path, body: (200, asked.append(body) or b"")) as url:
        done = blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path)
    assert (done.returncode, "not sealed by the key that the run names" in done.stdout) == (3, True)
    assert asked == []


def test_openssl_agrees(run: Path, authority: Authority, tmp_path: Path) -> None:
    with served(lambda path, body: (200, authority.reply(body))) as url:
        assert blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path).returncode == 0
    (stamp,) = stamps(run)
    verify = ["openssl", "ts", "-verify", "-data", run / "checkpoint", "-in", stamp, "-CAfile"]
    assert b"Verification: OK" in subprocess.run([*verify, authority.roots], capture_output=True).stdout
    assert read_stamp(stamp, {DIGEST.hex(): 5}, Trust(roots=(authority.root,)))[0].not_after
    stranger = Authority(tmp_path / "stranger", "stranger")
    assert subprocess.run([*verify, stranger.roots], capture_output=True).returncode != 0
    assert read_stamp(stamp, {DIGEST.hex(): 5}, Trust(roots=(stranger.root,)))[0].not_after is None
    (run / "checkpoint").write_bytes(NOTE + b"x")
    assert subprocess.run([*verify, authority.roots], capture_output=True).returncode != 0
    with pytest.raises(EvidenceError, match="something else"):
        read_stamp(stamp, {sha256(NOTE + b"x").hexdigest(): 5}, Trust(roots=(authority.root,)))


BAD = {
    "nothing": (lambda tsa, body: b"", "not a time-stamp reply"),
    "a page": (lambda tsa, body: b"<html>blocked</html>", "not a time-stamp reply"),
    "another hash": (lambda tsa, body: tsa.reply(request_for(bytes(32), 7)), "something else"),
    "another request": (lambda tsa, body: tsa.reply(request_for(DIGEST, 7)), "another request"),
    "one byte less": (lambda tsa, body: tsa.reply(body)[:-1], "not a time-stamp reply"),
    "too much": (lambda tsa, body: bytes(MAX_REPLY + 1), "more than 65536 bytes"),
}


@pytest.mark.parametrize("what", list(BAD))
def test_what_is_no_answer_is_not_kept(run: Path, authority: Authority, tmp_path: Path, what: str) -> None:
    answer, words = BAD[what]
    with served(lambda path, body: (200, answer(authority, body))) as url:
        done = blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path)
    assert (done.returncode, stamps(run)) == (3, [])
    assert words in done.stdout
    assert no_traceback(done)


def test_two_authorities_whose_addresses_begin_alike(run: Path, authority: Authority, tmp_path: Path) -> None:
    long = "x" * 60
    with served(lambda path, body: (200, authority.reply(body))) as url:
        for end in "ab":
            assert blockwatch("timestamp", run, "--tsa", f"{url}{long}/{end}", cwd=tmp_path).returncode == 0
    assert len(stamps(run)) == 2


def test_what_has_a_stamp_s_name_and_is_none_keeps_no_stamp_out(
    run: Path, authority: Authority, tmp_path: Path
) -> None:
    """Whoever hands a folder over can put anything there."""
    with served(lambda path, body: (200, authority.reply(body))) as url:
        junk = run / "timestamps" / stamp_name(url, DIGEST, ".tsr")
        junk.parent.mkdir()
        for content in (b"junk", authority.reply(request_for(bytes(32), 7))):
            junk.write_bytes(content)
            done = blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path)
            assert (done.returncode, "existed no later than" in done.stdout) == (0, True), done.stdout
            again = blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path)
            assert (again.returncode, "stamped already, by CN=authority" in again.stdout) == (0, True)
            assert (junk.read_bytes(), len(stamps(run))) == (content, 2)
            (good,) = (path for path in stamps(run) if path != junk)
            assert read_stamp(good, {DIGEST.hex(): 5}, Trust(roots=(authority.root,)))[0].not_after
            good.unlink()


def test_a_refusal_is_told_in_the_authority_s_words(run: Path, authority: Authority, tmp_path: Path) -> None:
    def refuse(path: str, body: bytes) -> tuple[int, bytes]:
        return 200, authority.reply(body.replace(b"\x04\x20", b"\x04\x21", 1))  # OpenSSL: bad data format

    with served(refuse) as url:
        done = blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path)
    assert (done.returncode, stamps(run)) == (3, [])
    assert "the authority refused" in done.stdout


def test_silence_and_a_closed_door_do_not_hold_up_the_others(
    run: Path, authority: Authority, tmp_path: Path
) -> None:
    over = threading.Event()

    def silent(path: str, body: bytes) -> None:
        over.wait(30)

    with served(lambda path, body: (200, authority.reply(body))) as good, served(silent) as slow:
        urls = ["--tsa", slow, "--tsa", "http://127.0.0.1:9/", "--tsa", good]
        done = blockwatch("timestamp", run, *urls, "--wait", "3", cwd=tmp_path)
        over.set()
    assert (done.returncode, len(stamps(run))) == (3, 1)
    assert "no answer within 3 s" in done.stdout
    assert "could not be asked" in done.stdout


def test_only_a_sealed_run_and_a_plain_address(run: Path, tmp_path: Path) -> None:
    assert blockwatch("timestamp", run, cwd=tmp_path).returncode == 2
    for url in ("ftp://a.example/", "https://me:secret@a.example/", "https://", "https://a.example/?q=1"):
        assert blockwatch("timestamp", run, "--tsa", url, cwd=tmp_path).returncode == 2
    (run / "checkpoint").unlink()
    done = blockwatch("timestamp", run, "--tsa", "http://127.0.0.1:9/", cwd=tmp_path)
    assert (done.returncode, "no run here is sealed" in done.stderr) == (2, True)


# OpenTimestamps: a calendar on loopback that promises, and later knows the block.

_BLOCK = 358_391


class Calendar:
    """Promises at ``/digest``; once :attr:`mined` answers ``/timestamp/…`` with the way into a block."""

    def __init__(self) -> None:
        self.mined = False
        self.seen: list[bytes] = []

    def answer(self, path: str, body: bytes) -> tuple[int, bytes]:
        if path == "/digest":
            self.seen.append(body)
            uri = b"https://calendar.example.org"
            pending = ots._counted(ots._counted(uri))
            return 200, b"\xf0\x04\x00\x01\x02\x03\x08\x00" + ots._PENDING + pending
        if not self.mined:
            return 404, b"Pending confirmation in Bitcoin blockchain"
        block = ots._BITCOIN + b"\x03\xf7\xef\x15"
        return 200, b"\xf1\x02\xaa\xbb\x08\x08\x00" + block

    def root(self) -> bytes:
        message = sha256(self.seen[0] + b"\x00\x01\x02\x03").digest()
        return sha256(sha256(b"\xaa\xbb" + message).digest()).digest()

    def header(self, root: bytes) -> str:
        return (bytes(36) + root + (1_432_827_678).to_bytes(4, "little") + bytes(8)).hex()


def test_a_calendar_promises_and_later_shows_the_block(run: Path, tmp_path: Path) -> None:
    calendar = Calendar()
    with served(calendar.answer) as url:
        ask = ("timestamp", run, "--ots", url)
        done = blockwatch(*ask, cwd=tmp_path)
        assert (done.returncode, "promised" in done.stdout) == (0, True), done.stdout + done.stderr
        assert calendar.seen[0] != DIGEST  # veiled: the calendar cannot tell which file it was
        (stamp,) = stamps(run)
        (pending,) = read_stamp(stamp, {DIGEST.hex(): 5}, Trust())
        assert (pending.not_after, pending.by) == (None, "https://calendar.example.org")
        assert blockwatch(*ask, cwd=tmp_path).returncode == 3
        calendar.mined = True
        assert f"in Bitcoin block {_BLOCK}" in blockwatch(*ask, cwd=tmp_path).stdout
    kinds = read_stamp(stamp, {DIGEST.hex(): 5}, Trust())
    assert {one.by for one in kinds} == {"https://calendar.example.org", f"Bitcoin block {_BLOCK}"}
    assert all(one.not_after is None for one in kinds)
    blocks = ots.block_roots(f"# mine\n{_BLOCK} {calendar.header(calendar.root())}\n")
    proven = [one for one in read_stamp(stamp, {DIGEST.hex(): 5}, Trust(blocks=blocks)) if one.not_after]
    assert [one.not_after for one in proven] == [(1_432_827_678 + 7_200) * 1_000_000]
    wrong = ots.block_roots(f"{_BLOCK} {calendar.header(bytes(32))}")
    with pytest.raises(EvidenceError, match="does not lead to the header"):
        read_stamp(stamp, {DIGEST.hex(): 5}, Trust(blocks=wrong))
    with pytest.raises(EvidenceError, match="something else"):
        read_stamp(stamp, {}, Trust())


def test_a_published_proof_leads_to_its_block() -> None:
    proof = ots.read_proof(published.PROOF)
    assert proof.message == sha256(published.FILE).digest()
    assert ots.write_proof(proof) == published.PROOF
    ((node, attestation),) = proof.attested()
    assert attestation.height == published.BLOCK
    if "ripemd160" in hashlib.algorithms_available:  # some builds of OpenSSL leave it out
        assert node.message == bytes.fromhex(published.MERKLE_ROOT)
    else:
        assert node.message is None


def test_hostile_proofs_are_refused_in_words() -> None:
    proof, end = ots.veiled(DIGEST, bytes(16))
    end.attestations.append(ots.Attestation(bytes(8), b""))
    good = ots.write_proof(proof)
    assert ots.write_proof(ots.read_proof(good)) == good
    start = good[: len(ots.MAGIC) + 34]
    hostile = (
        *(good[:at] for at in range(len(good))),
        good + b"\x00",
        start + b"\x08" * 400,
        start + b"\xf3" * 9 + b"\x00" * 20,
        start + b"\xf0\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01",
        start + b"\x99",
        bytes(ots.MAX_PROOF + 1),
    )
    for data in hostile:
        with pytest.raises(EvidenceError):
            ots.read_proof(data)


def test_a_name_is_safe_and_always_the_same() -> None:
    name = stamp_name("https://A.example.org:8080/../../tsr?x", DIGEST, ".tsr")
    assert name == f"a.example.org_8080_.._.._tsr_x-a7bbe53e-{DIGEST.hex()[:16]}.tsr"
    assert len(stamp_name("http://" + "a" * 500, DIGEST, ".ots")) <= 80

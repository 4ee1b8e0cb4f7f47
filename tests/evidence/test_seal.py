"""Runs that are sealed as they are written: checkpoints, ssh signatures, the clock, the chain."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import (
    CHECKPOINT_FILE,
    EARLIER_FOLDER,
    SSH_FILE,
    checkpoint_files,
    parse_checkpoint,
    read_checkpoint,
)
from blockwatch.evidence.log import read_lines
from blockwatch.evidence.merkle import leaf_hash, root_of
from blockwatch.evidence.note import key_of, parse_campaign_key
from blockwatch.evidence.signing import Signer, new_signer
from blockwatch.evidence.sshsig import allowed_signer, is_ssh_signed
from blockwatch.store import RunWriter, last_root, read_run
from tests.evidence.made import RUN, STARTED, measured, run_close, run_open, signer

DOCUMENT = (Path(__file__).parents[2] / "docs" / "evidence.md").read_text()


class Clock:
    """Seconds that pass when told."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def sealed_run(results: Path, count: int = 3, *, by: Signer | None = None, **changes: object) -> Path:
    """A run of ``count`` measurements with a checkpoint after each."""
    writer = RunWriter(results, signer=by or signer(), seal_every_s=0, clock=Clock())
    writer.open(run_open(**changes))  # type: ignore[arg-type]
    for seq in range(1, count + 1):
        writer.write(measured(seq, run=str(changes.get("run", RUN))))
    writer.close(run_close(count))
    return writer.folder


def leaves_of(folder: Path) -> list[bytes]:
    return [leaf_hash(line) for line in read_lines(folder / "measurements.jsonl", [])]


def check_seal(folder: Path) -> int:
    """Every checkpoint is of one growing tree and signed by the run's key; the lines that are sealed."""
    key = parse_campaign_key(read_run(folder).open.key or "")
    leaves = leaves_of(folder)
    sealed = 0
    for path in checkpoint_files(folder):
        found = read_checkpoint(path)
        assert found.signed_by(key) is True
        assert found.run == read_run(folder).open.run
        assert sealed <= found.size <= len(leaves)
        assert found.root == root_of(leaves[: found.size])
        assert path.name in (CHECKPOINT_FILE, str(found.size))
        sealed = found.size
    return sealed


def test_the_example_in_the_document_is_what_we_write() -> None:
    key, raw = re.findall(r"^```\n(blockwatch/(?:key|run)/.*?)^```", DOCUMENT, re.MULTILINE | re.DOTALL)[:2]
    assert str(signer().key) == key.strip()
    found = parse_checkpoint(raw.encode(), Path("example"))
    assert found.signed_by(signer().key) is True
    assert (found.run, found.size) == (RUN, 3)
    assert found.root == root_of(leaf_hash(b'{"line":%d}' % line) for line in (1, 2, 3))
    assert signer().note(found.note.text) == raw.encode()


def test_a_run_is_sealed_to_its_last_line(tmp_path: Path) -> None:
    folder = sealed_run(tmp_path, 3)
    assert [path.name for path in checkpoint_files(folder)] == ["2", "3", "4", CHECKPOINT_FILE]
    assert check_seal(folder) == len(leaves_of(folder)) == 5
    assert read_run(folder).open.key == str(signer().key)
    key = signer().key
    assert is_ssh_signed((folder / CHECKPOINT_FILE).read_bytes(), (folder / SSH_FILE).read_bytes(), key)
    assert not list(folder.rglob("*.part"))


def test_checkpoints_come_with_time_and_only_with_new_lines(tmp_path: Path) -> None:
    clock = Clock()
    writer = RunWriter(tmp_path, signer=signer(), clock=clock)
    writer.open(run_open())
    for seq in range(1, 21):
        clock.now += 31
        writer.write(measured(seq))
    writer.close(run_close(20))
    earlier, last = [path.name for path in checkpoint_files(writer.folder)]
    assert earlier in ("20", "21")  # 620 s: one after ten minutes, while the last measurement came
    assert last == CHECKPOINT_FILE
    assert check_seal(writer.folder) == 22


def test_a_seal_falls_due_while_nothing_is_written(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path, signer=signer(), seal_every_s=0.01)
    writer.open(run_open())
    writer.write(measured(1))
    while writer.sealed != 2:  # nobody hands anything over
        time.sleep(0.002)
    writer.close(run_close(1))
    assert check_seal(writer.folder) == 3


def test_without_a_key_there_is_no_seal(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open())
    writer.close(run_close())
    assert read_run(writer.folder).open.key is None
    assert checkpoint_files(writer.folder) == []
    assert (writer.sealed, writer.unsealed) == (0, None)


def test_a_seal_that_cannot_be_written_fails_nothing(tmp_path: Path) -> None:
    """A folder in the way of the checkpoint: the run is whole, and the reason is said."""
    writer = RunWriter(tmp_path, signer=signer())
    writer.open(run_open())
    (writer.folder / CHECKPOINT_FILE).mkdir()
    writer.write(measured(1))
    writer.close(run_close(1))
    assert writer.unsealed is not None
    assert "the disk does not work as it should (is a directory)" in writer.unsealed
    assert len(list(read_run(writer.folder).measurements)) == 1
    assert (writer.folder / "run.json").is_file()
    assert not list(writer.folder.rglob("*.part"))


def test_nothing_of_the_machine_is_in_a_seal(tmp_path: Path) -> None:
    """The same run by the same key gives the same bytes wherever it is made: what is documented."""
    folders = [sealed_run(tmp_path / name, 2) for name in ("one", "two")]
    for name in (CHECKPOINT_FILE, SSH_FILE):
        assert (folders[0] / name).read_bytes() == (folders[1] / name).read_bytes()
    text = (folders[0] / CHECKPOINT_FILE).read_text()
    assert re.fullmatch(
        rf"blockwatch/run/{RUN}\n4\n[A-Za-z0-9+/]{{43}}=\n\n— blockwatch/key/[0-9a-f]{{16}} \S{{92}}\n", text
    )
    ssh = (folders[0] / SSH_FILE).read_text()
    assert len(ssh.split("\n")) == 7
    assert os.uname().nodename not in text + ssh


BROKEN = {
    "another origin": (b"blockwatch/run/", b"blockwatch/rub/"),
    "a leading zero": (b"\n5\n", b"\n05\n"),
    "a negative size": (b"\n5\n", b"\n-5\n"),
    "an Arabic digit": (b"\n5\n", "\n٥\n".encode()),
    "a short root": (b"=\n\n", b"\n\n"),
    "an extension line": (b"=\n\n", b"=\nmore\n\n"),
    "no root": (b"\n5\n", b"\n"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_checkpoint_is_refused(tmp_path: Path, name: str) -> None:
    raw = (sealed_run(tmp_path, 3) / CHECKPOINT_FILE).read_bytes()
    old, new = BROKEN[name]
    assert old in raw
    with pytest.raises(EvidenceError):
        parse_checkpoint(raw.replace(old, new), tmp_path)


def test_strange_things_among_the_checkpoints(tmp_path: Path) -> None:
    folder = sealed_run(tmp_path, 2)
    (folder / EARLIER_FOLDER / "3.part").write_bytes(b"torn")
    (folder / "checkpoint.part").write_bytes(b"torn")
    assert check_seal(folder) == 4
    os.mkfifo(folder / EARLIER_FOLDER / "1")
    with pytest.raises(EvidenceError, match="no such file"):
        read_checkpoint(folder / EARLIER_FOLDER / "1")
    (folder / EARLIER_FOLDER / "notes.txt").write_bytes(b"")
    with pytest.raises(EvidenceError, match="no earlier checkpoint"):
        checkpoint_files(folder)


def need_ssh_keygen() -> None:
    if shutil.which("ssh-keygen") is None:
        if os.environ.get("CI") == "true":
            pytest.fail("ssh-keygen is missing: install openssh-client")
        pytest.skip("ssh-keygen (openssh-client) is not installed")


def test_ssh_keygen_accepts_it_and_only_it(tmp_path: Path) -> None:
    need_ssh_keygen()
    folder = sealed_run(tmp_path / "results", 2, by=new_signer())
    key = parse_campaign_key(read_run(folder).open.key or "")
    allowed = tmp_path / "allowed_signers"
    allowed.write_text(allowed_signer(key) + "\n")

    def verify(content: bytes, *, name: str = key.name, namespace: str = "blockwatch") -> str:
        command = ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", name, "-n", namespace]
        done = subprocess.run([*command, "-s", folder / SSH_FILE], input=content, capture_output=True)
        return f"{done.returncode} {(done.stdout + done.stderr).decode()}"

    checkpoint = (folder / CHECKPOINT_FILE).read_bytes()
    assert verify(checkpoint).startswith(f'0 Good "blockwatch" signature for {key.name} with ED25519 key')
    assert not verify(checkpoint.replace(b"\n4\n", b"\n3\n")).startswith("0 ")
    assert not verify(checkpoint, namespace="git").startswith("0 ")
    assert not verify(checkpoint, name=new_signer().key.name).startswith("0 ")
    allowed.write_text(allowed_signer(new_signer().key) + "\n")
    assert not verify(checkpoint).startswith("0 ")


def test_ssh_keygen_signs_what_we_accept(tmp_path: Path) -> None:
    """The other way round: a signature made by ssh-keygen is one of ours, byte for byte."""
    need_ssh_keygen()
    from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

    private = signer()._private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    (tmp_path / "id").write_bytes(private)
    (tmp_path / "id").chmod(0o600)
    (tmp_path / "file").write_bytes(b"content")
    subprocess.run(
        ["ssh-keygen", "-Y", "sign", "-f", "id", "-n", "blockwatch", "file"], cwd=tmp_path, check=True,
        capture_output=True,
    )  # fmt: skip
    assert (tmp_path / "file.sig").read_bytes() == signer().ssh(b"content")


def test_ssh_signatures_are_refused_for_any_change() -> None:
    ours, content = signer(), b"content"
    raw = ours.ssh(content)
    assert is_ssh_signed(content, raw, ours.key)
    assert not is_ssh_signed(b"other", raw, ours.key)
    assert not is_ssh_signed(content, raw, new_signer().key)
    assert not is_ssh_signed(content, new_signer().ssh(content), ours.key)
    accepted = 0
    for i in range(len(raw)):
        changed = raw[:i] + bytes([raw[i] ^ 1]) + raw[i + 1 :]
        try:
            accepted += is_ssh_signed(content, changed, ours.key)
        except EvidenceError:
            continue
    assert accepted == 0
    for junk in (b"", raw[:-1], raw + b"\n", raw * 40, b"\xff" * 100, raw.replace(b"\n", b"\r\n")):
        with pytest.raises(EvidenceError):
            is_ssh_signed(content, junk, ours.key)


# the chain


def test_a_chain_is_of_one_key(tmp_path: Path) -> None:
    one, two = new_signer(), new_signer()
    names = {"one": str(one.key), "two": str(two.key), "none": None}

    def add(number: int, by: Signer | None, previous: str | None) -> Path:
        writer = RunWriter(tmp_path, signer=by)
        run = f"{number:016x}"
        writer.open(run_open(run, started=STARTED + number * 1_000_000, previous_root=previous))
        writer.close(run_close())
        return writer.folder

    assert {last_root(tmp_path, key) for key in names.values()} == {None}
    first = add(1, one, None)
    assert last_root(tmp_path, names["one"]) == read_run(first).root()
    assert last_root(tmp_path, names["two"]) is None is last_root(tmp_path)
    bare = add(2, None, last_root(tmp_path))
    second = add(3, one, last_root(tmp_path, names["one"]))
    other = add(4, two, last_root(tmp_path, names["two"]))
    assert read_run(second).open.previous_root == read_run(first).root()
    assert read_run(other).open.previous_root is None
    assert last_root(tmp_path) == read_run(bare).root()
    assert last_root(tmp_path, names["one"]) == read_run(second).root()


def test_imported_runs_are_in_no_chain(tmp_path: Path) -> None:
    writer = RunWriter(tmp_path)
    writer.open(run_open(imported="ooni 20261122_abc"))
    writer.close(run_close())
    assert last_root(tmp_path) is None


def test_the_name_of_a_key_follows_from_it() -> None:
    assert re.fullmatch(r"blockwatch/key/[0-9a-f]{16}", key_of(bytes(range(32))).name)
    assert key_of(bytes(range(32))) != key_of(bytes(32))

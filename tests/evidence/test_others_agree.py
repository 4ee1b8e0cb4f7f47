"""Tools that others trust say of our files what we say: OpenSSH, OpenSSL, warcio."""

from __future__ import annotations

import subprocess
import sys
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence.report import Level
from blockwatch.evidence.sshsig import allowed_signer
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader, verify_run
from tests.evidence.assets.bad import RUNS
from tests.evidence.assets.world import OURS, THEIRS, stamp
from tests.exchange.authority import Authority


def ssh_keygen(run: Path) -> bool:
    """Whether ``ssh-keygen -Y verify`` accepts the seal as that of our key."""
    allowed = run.parent / "allowed_signers"
    allowed.write_text(allowed_signer(OURS.key) + "\n" + allowed_signer(THEIRS.key) + "\n")
    done = subprocess.run(
        ["ssh-keygen", "-Y", "verify", "-f", allowed, "-I", OURS.key.name, "-n", "blockwatch",
         "-s", run / "checkpoint.sig"],
        input=(run / "checkpoint").read_bytes(), capture_output=True, check=False,
    )  # fmt: skip
    return done.returncode == 0


@pytest.mark.parametrize("name", [None, *(name for name in RUNS if "ssh" in name)])
def test_ssh_keygen_agrees(run: Path, name: str | None) -> None:
    if name:
        RUNS[name].change(run)
    assert ssh_keygen(run) == (name is None) == (not verify_run(run, Reader()).report.findings)


@pytest.mark.parametrize("rsa_key", [False, True])
def test_openssl_ts_agrees(run: Path, tmp_path: Path, rsa_key: bool) -> None:
    known, unknown = Authority(tmp_path / "known", rsa_key=rsa_key), Authority(tmp_path / "unknown")
    path = stamp(run, known)

    def openssl(authority: Authority) -> bool:
        argv = [
            "openssl",
            "ts",
            "-verify",
            "-data",
            run / "checkpoint",
            "-in",
            path,
            "-CAfile",
            authority.roots,
        ]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    def ours(authority: Authority) -> bool:
        report = verify_run(run, Reader(trust=Trust(roots=(authority.root,)))).report
        return not report.findings and report.level is Level.TIMED

    assert (openssl(known), openssl(unknown)) == (ours(known), ours(unknown)) == (True, False)
    seal = (run / "checkpoint").read_bytes()
    (run / "checkpoint").write_bytes(seal.replace(b"blockwatch/run", b"blockwatch/ruN"))
    assert (openssl(known), ours(known)) == (False, False)
    (run / "checkpoint").write_bytes(seal)
    raw = path.read_bytes()
    path.write_bytes(raw.replace(sha256(seal).digest(), sha256(b"other").digest()))
    assert (openssl(known), ours(known)) == (False, False)


def test_openssl_reads_what_we_ask(tmp_path: Path) -> None:
    from blockwatch.evidence.tsp import request_for

    digest = sha256(b"seal").digest()
    (tmp_path / "request").write_bytes(request_for(digest, 2**63 - 1))
    argv = ["openssl", "ts", "-query", "-in", tmp_path / "request", "-text"]
    text = subprocess.run(argv, capture_output=True, check=True).stdout.decode()
    assert "Hash Algorithm: sha256" in text
    assert "Nonce: 0x7FFFFFFFFFFFFFFF" in text
    assert "Certificate required: yes" in text


def test_warcio_agrees(run: Path) -> None:
    def warcio() -> bool:
        argv = [sys.executable, "-m", "warcio.cli", "check", str(run / "bodies.warc.gz")]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0

    assert warcio()
    assert not verify_run(run, Reader()).report.findings
    RUNS["a bit in the bytes"].change(run)
    assert verify_run(run, Reader()).report.findings
    RUNS["the bytes truncated"].change(run)
    assert not warcio()

"""Runs the real command as a shell would, and makes small kept runs for it to read."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from blockwatch.evidence.signing import Signer
from blockwatch.model import (
    DnsReply,
    DnsStep,
    Exchange,
    HttpStep,
    Measured,
    Measurement,
    Observation,
    TcpStep,
)
from blockwatch.run import RunClose, RunOpen, Vantage
from blockwatch.store import RunWriter
from blockwatch.target import Target

ROOT = Path(__file__).parents[2]
BLOCKWATCH = [sys.executable, "-m", "blockwatch"]
RUN_ID = "0123456789abcdef"
STARTED = 1_795_316_700_000_000  # 2026-11-22 03:05:00 UTC
_SITE = "95.56.9.9"
HOSTILE = "\x1b[2J\x1b]0;owned\x07 [bold]stop[/bold]"

NO_NETWORK = """\
import sys
def heed(event, arguments):
    if event in ('socket.connect', 'socket.sendto', 'socket.sendmsg', 'socket.getaddrinfo'):
        raise SystemExit(f'touched: {event}')
sys.addaudithook(heed)
"""
"""Begins a program that ends when it touches the network."""


def blockwatch(
    *arguments: str | Path, cwd: Path, env: dict[str, str] | None = None, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run it with an environment that holds nothing but ``env``, as cron and ``env -i`` do."""
    return subprocess.run(
        [*BLOCKWATCH, *map(str, arguments)],
        cwd=cwd,
        env={"BLOCKWATCH_STATE": str(cwd / "state"), **(env or {})},
        input=text,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def no_traceback(done: subprocess.CompletedProcess[str]) -> bool:
    """Fail unless only words came; true, so that it can stand in an assertion."""
    assert "Traceback" not in done.stderr + done.stdout
    return True


def kept_run(
    results: Path, *, run: str = RUN_ID, close: bool = True, signer: Signer | None = None, **more: Any
) -> Path:
    """Write a run of two measurements of a cleartext site; its folder."""
    writer = RunWriter(results, label="test", signer=signer)
    url = "http://example.org/"
    more.setdefault("targets", (Target(id="site", url=url),))
    writer.open(
        RunOpen(
            run=run,
            started=STARTED,
            software="blockwatch 0.1.0",
            vantage=Vantage(asn=9198, country="KZ", network="JSC Kazakhtelecom", ipv4=True),
            probes=("web 1",),
            resolvers=("system", "udp://9.9.9.9:53"),
            helpers=("https://helper.example.net/",),
            **more,
        )
    )
    for seq in (1, 2):
        writer.write(_measured(run, seq, url))
    if close:
        writer.close(RunClose(ended=STARTED + 5_000_000, us=5_000_000, reason="done", planned=2, measured=2))
    return writer.folder


def _measured(run: str, seq: int, url: str) -> Measured:
    measurement = Measurement(
        id=f"{run}-{seq:06}",
        seq=seq,
        target="site",
        url=url,
        probe="web",
        probe_version="1",
        attempt="first" if seq == 1 else "retest",
        started=STARTED + seq,
        us=150_000,
        observations=_steps(url),
    )
    exchange = Exchange(
        url=url,
        address=_SITE,
        started=STARTED,
        request=b"GET / HTTP/1.1\r\nHost: example.org\r\n\r\n",
        response=b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello",
    )
    return Measured(measurement=measurement, exchanges={2: exchange})


def _steps(url: str) -> tuple[Observation, ...]:
    looked = DnsStep(
        i=0,
        t=1_000,
        us=20_000,
        failure=None,
        resolver="system",
        name="example.org",
        qtype="ANY",
        addresses=(_SITE,),
        replies=(DnsReply(us=20_000, rcode=0, addresses=(_SITE,)),),
    )
    connected = TcpStep(i=1, t=30_000, us=40_000, failure=None, flow=1, address=_SITE, port=80)
    asked = HttpStep(
        i=2,
        t=80_000,
        us=50_000,
        failure=None,
        flow=1,
        address=_SITE,
        port=80,
        method="GET",
        url=url,
        host="example.org",
        status=200,
        body_length=5,
        title=HOSTILE,
    )
    return looked, connected, asked


def lab_environment(tmp_path: Path) -> dict[str, str]:
    """Return an environment for a run in the lab that leaves the developer's own state alone."""
    return {"BLOCKWATCH_STATE": str(tmp_path / "state"), "PATH": os.environ.get("PATH", "")}

"""What sealing costs: CPU time of a run of 1,000 sites as the store writes it, with a key and without.

Rules: the same 1,000 measurements, each with a certificate chain and a page, are written by the real store:
without a key, with a checkpoint every N measurements (more often than the ten minutes of real runs), and
with one after each, which tells what one costs. CPU time (user and system, all threads) is of the process;
the kinds take turns, and the medians are compared. What measuring costs beside writing is not counted.

    python bench/seal.py
    python bench/seal.py --sites 1000 --every 50 --rounds 9
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
import time
from pathlib import Path

from blockwatch.evidence.signing import Signer, new_signer
from blockwatch.model import Exchange, HttpStep, Measured, Measurement, TcpStep, TlsStep
from blockwatch.run import RunClose, RunOpen
from blockwatch.store import RunWriter

STARTED = 1_795_321_200_000_000
PAGE = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n" + b"<p>words of a page, as pages are</p>\n" * 400


def measured(run: str, seq: int) -> Measured:
    """One site: a connection, a handshake with its chain, a page of 15 kB."""
    at = {"address": "203.0.113.7", "port": 443, "flow": 1, "us": 20_000, "failure": None}
    url = f"https://site-{seq}.example.org/"
    steps = (
        TcpStep(i=0, t=1_000, **at),
        TlsStep(i=1, t=2_000, server_name=f"site-{seq}.example.org", chain=(bytes(1_400),) * 3, **at),
        HttpStep(i=2, t=3_000, method="GET", url=url, host=f"site-{seq}.example.org", status=200, **at),
    )
    measurement = Measurement(
        id=f"{run}-{seq:06d}",
        seq=seq,
        target=f"site-{seq}",
        url=url,
        probe="web",
        probe_version="1",
        started=STARTED,
        us=60_000,
        observations=steps,
    )
    exchange = Exchange(
        url=url, address="203.0.113.7", started=STARTED, request=b"GET / HTTP/1.1\r\n\r\n", response=PAGE
    )
    return Measured(measurement=measurement, exchanges={2: exchange})


def write(folder: Path, sites: int, signer: Signer | None, every: int) -> float:
    """Write one run; its CPU time in seconds."""
    run = f"{time.monotonic_ns() & 0xFFFFFFFFFFFFFFFF:016x}"
    now = 0.0
    writer = RunWriter(folder, signer=signer, seal_every_s=every, clock=lambda: now)
    begun = time.process_time()
    writer.open(RunOpen(run=run, started=STARTED, software="bench"))
    for seq in range(1, sites + 1):
        now += 1.0
        writer.write(measured(run, seq))
    writer.close(RunClose(ended=STARTED, us=1, reason="done", planned=sites, measured=sites))
    used = time.process_time() - begun
    seals = list((writer.folder / "checkpoints").iterdir()) if signer and sites > every else []
    if signer and not (writer.folder / "checkpoint").is_file():
        raise SystemExit("the run was not sealed")
    if len(seals) < (sites // every - 2 if signer else 0):
        raise SystemExit(f"only {len(seals)} checkpoints")
    return used


def main() -> None:
    """Print the medians and what a checkpoint costs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, default=1_000)
    parser.add_argument("--every", type=int, default=100, help="measurements between checkpoints")
    parser.add_argument("--rounds", type=int, default=7)
    asked = parser.parse_args()
    signer = new_signer()
    signer.note(b"warm\n")
    kinds = {"unsigned": None, "sealed": asked.every, "sealed after each": 1}
    used: dict[str, list[float]] = {kind: [] for kind in kinds}
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(asked.rounds):
            for kind, every in kinds.items():
                used[kind].append(write(Path(folder), asked.sites, signer if every else None, every or 1))
    plain, sealed, each = (statistics.median(times) for times in used.values())
    print(f"writing {asked.sites} sites, median CPU seconds of {asked.rounds} runs:")
    print(f"unsigned {plain:.3f}   a checkpoint every {asked.every}: {sealed:.3f}   after each: {each:.3f}")
    one = (each - plain) / asked.sites
    count = asked.sites // asked.every + 1
    print(f"one checkpoint {1000 * one:.2f} ms; {count} are {100 * count * one / plain:.2f} % of the writing")


if __name__ == "__main__":
    main()

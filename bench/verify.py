"""How fast ``blockwatch verify`` checks, in records a second of CPU, and in how much memory.

Rules: runs of the size given are made as the program makes them (canonical lines, a tree, a seal), then
checked by the real command in a process of its own; CPU time and peak memory are what the operating system
accounts for it (``wait4``). Making is not timed.

    python bench/verify.py                   # a million short records, and 20,000 whole ones with bytes
    python bench/verify.py --records 100000
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from blockwatch.codec import canonical
from blockwatch.evidence.checkpoint import checkpoint_text
from blockwatch.evidence.merkle import Tree, leaf_hash
from blockwatch.evidence.signing import Signer, new_signer
from blockwatch.model import DnsStep, Exchange, HttpStep, Measured, Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.store import RunWriter

RUN = "0123456789abcdef"
STARTED = 1_795_321_200_000_000


def opened(signer: Signer) -> RunOpen:
    """First line of a run."""
    return RunOpen(run=RUN, started=STARTED, software="bench", key=str(signer.key))


def short(seq: int) -> Measurement:
    """A lookup that found one address: some 300 bytes."""
    step = DnsStep(
        i=0, t=seq, us=20_000, failure=None, resolver="udp://9.9.9.9:53", name="site.example.org", qtype="A",
        addresses=("203.0.113.7",), rcode=0,
    )  # fmt: skip
    return Measurement(
        id=f"{RUN}-{seq:06d}", seq=seq, target="site", url="https://site.example.org/", probe="dns",
        probe_version="1", started=STARTED + seq, us=20_000, observations=(step,),
    )  # fmt: skip


def make_short(folder: Path, count: int) -> None:
    """Write a sealed run of ``count`` short records."""
    signer, tree = new_signer(), Tree()
    folder.mkdir(parents=True)
    with (folder / "measurements.jsonl").open("wb") as log:
        for seq in range(count + 2):
            record: RunOpen | Measurement | RunClose = short(seq)
            if seq == 0:
                record = opened(signer)
            elif seq > count:
                record = RunClose(
                    ended=STARTED + count, us=count, reason="done", planned=count, measured=count
                )
            line = canonical(record)
            log.write(line + b"\n")
            tree.append(leaf_hash(line))
    (folder / "checkpoint").write_bytes(signer.note(checkpoint_text(RUN, tree.size, tree.root())))


def make_whole(results: Path, count: int) -> None:
    """Write a sealed run of records with a page each, as a run does."""
    body = b"".join(b"<p>%d</p>" % (n * n) for n in range(600))
    response = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    request = b"GET / HTTP/1.1\r\nHost: site.example.org\r\n\r\n"
    writer = RunWriter(results, signer=new_signer())
    writer.open(RunOpen(run=RUN, started=STARTED, software="bench"))
    url = "http://site.example.org/"
    for seq in range(1, count + 1):
        page = HttpStep(i=1, t=seq, us=9_000, failure=None, address="203.0.113.7", port=80, method="GET",
                        url=url, host="site.example.org", status=200, body_length=len(body))  # fmt: skip
        record = msgspec.structs.replace(short(seq), observations=(*short(seq).observations, page))
        exchange = Exchange(
            url=url, address="203.0.113.7", started=STARTED, request=request, response=response
        )
        last = writer.submit(Measured(measurement=record, exchanges={1: exchange}))
        if seq % 500 == 0:
            last.result()
    writer.close(RunClose(ended=STARTED + 9, us=9, reason="done", planned=count, measured=count))


def checked(path: Path, records: int) -> dict[str, Any]:
    """Run ``blockwatch verify`` once: records a second of CPU, seconds, megabytes."""
    argv = [sys.executable, "-m", "blockwatch", "verify", str(path), "--require", "sealed"]
    process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    cpu = usage.ru_utime + usage.ru_stime
    size = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    return {
        "exit": process.returncode,
        "records": records,
        "megabytes": round(size / 1e6),
        "cpu_s": round(cpu, 2),
        "user_s": round(usage.ru_utime, 2),
        "records_per_cpu_s": round(records / cpu),
        "peak_mb": round(usage.ru_maxrss / 1024),
    }


def main() -> None:
    """Measure both kinds and print them as JSON, a line each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--records", type=int, default=1_000_000, help="short records")
    parser.add_argument("--pages", type=int, default=20_000, help="records with captured bytes")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="blockwatch-bench-") as folder:
        for count in sorted({options.records // 10, options.records}):
            make_short(Path(folder) / f"short-{count}", count)
            print(
                json.dumps({"kind": "short", **checked(Path(folder) / f"short-{count}", count)}), flush=True
            )
        make_whole(Path(folder) / "whole", options.pages)
        print(json.dumps({"kind": "page", **checked(Path(folder) / "whole", options.pages)}))


if __name__ == "__main__":
    main()

"""The test helper under load: one core, a constant rate of requests, every answer checked.

Rules: the helper has one core to itself; the lab's wire and servers and the load have the other ones;
its figures are the operating system's (`/proc`); the load is open (bench/load.py); which of the two, helper
or lab, is the limit is told by their CPU time. A limit is the rate at which the core would be full.

    python bench/helper.py                          # what `make bench-helper` prints: 200/s for 60 s
    python bench/helper.py --rate 300 --seconds 20  # another rate
    python bench/helper.py --fresh --tls            # a new TLS connection to the helper for each request
    python bench/helper.py --dead 0.05              # every twentieth site answers nothing
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from blockwatch import content
from blockwatch.lab.build import many_clean_sites
from blockwatch.lab.ca import LabCA
from blockwatch.lab.running import RunningLab, start
from blockwatch.lab.servers.kinds import ordinary_page
from blockwatch.lab.world import PUBLIC_RESOLVERS, World

HERE = Path(__file__).parent
SITES, CLIENTS = 200, 200
TICK = os.sysconf("SC_CLK_TCK")


class Process:
    """CPU seconds and resident megabytes of a process tree, by `/proc`."""

    def __init__(self, *pids: int) -> None:
        self.pids = pids

    def cpu_s(self) -> float:
        """User and system time so far."""
        stats = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in self.pids]
        return sum(int(stat[11]) + int(stat[12]) for stat in stats) / TICK

    def rss_mb(self) -> float:
        """Resident memory now."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self.pids)
        return sum(pages) * os.sysconf("SC_PAGE_SIZE") / 2**20


def busy_s(core: int) -> float:
    """Seconds that a core has worked so far, for whomever (proc(5): all but idle and iowait)."""
    line = next(one for one in Path("/proc/stat").read_text().splitlines() if one.startswith(f"cpu{core} "))
    spent = [int(word) for word in line.split()[1:9]]
    return (sum(spent) - spent[3] - spent[4]) / TICK


def children(pid: int) -> list[int]:
    """All descendants of a process."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [found for child in map(int, listed) for found in (child, *children(child))]


def sites(world: World) -> list[dict[str, Any]]:
    """What is true of each site."""
    import hashlib

    known = []
    for site in world.sites:
        body = ordinary_page(str(site.host), site.https.args if site.https else {})
        known.append(
            {
                "host": str(site.host),
                "address": site.addresses[0],
                "dead": site.addresses[0] in world.dead,
                "title": content.title_of(body.decode()) or "",
                "sha256": hashlib.sha256(body).hexdigest(),
            }
        )
    return known


def start_helper(lab: RunningLab, own: LabCA | None, core: int) -> tuple[subprocess.Popen[bytes], int]:
    """The real command, pinned to one core; its process and port. ``own``: who signs its certificate."""
    argv = [sys.executable, "-m", "blockwatch", "helper", "--listen", "127.0.0.1:0"]
    argv += ["--resolver", f"udp://{PUBLIC_RESOLVERS[0]}", "--ca-file", str(lab.ca_file)]
    if own is not None:
        pem = str(own.site(("helper.example", "127.0.0.1")))
        argv += ["--tls-cert", pem, "--tls-key", pem]
    process = lab.popen(argv, stderr=subprocess.PIPE)
    os.sched_setaffinity(process.pid, {core})
    said = process.stderr.readline().decode() if process.stderr else ""
    if "listening on" not in said:
        sys.exit(f"the helper did not start: {said}")
    return process, int(said.rstrip().rstrip("/").rpartition(":")[2])


def under_load(lab: RunningLab, args: argparse.Namespace, cores: list[int]) -> dict[str, Any]:
    """Run helper and load; the figures."""
    own = LabCA(Path(tempfile.mkdtemp(dir=lab.folder))) if args.tls else None
    helper, port = start_helper(lab, own, cores[0])
    plan = {
        "rate": args.rate,
        "seconds": args.seconds,
        "port": port,
        "fresh": args.fresh,
        "tls": str(own.ca_file) if own else None,
        "sites": sites(lab.world),
        "clients": [f"127.1.{n // 200}.{n % 200 + 1}" for n in range(CLIENTS)],
    }
    plan_file, result_file = lab.folder / "plan.json", lab.folder / "result.json"
    plan_file.write_text(json.dumps(plan), encoding="utf-8")
    try:
        load = lab.popen([sys.executable, str(HERE / "load.py"), str(plan_file), str(result_file)])
        watched = {
            "helper": Process(helper.pid),
            "lab": Process(*children(lab.handle.pid)),
            "load": Process(load.pid),
        }
        before, idle = {name: one.cpu_s() for name, one in watched.items()}, busy_s(cores[0])
        began, memory, spent = time.perf_counter(), [], dict(before)
        while load.poll() is None:
            memory.append(watched["helper"].rss_mb())
            spent = {name: one.cpu_s() for name, one in watched.items()}
            time.sleep(0.5)
        wall, busy = time.perf_counter() - began, busy_s(cores[0]) - idle
        result = json.loads(result_file.read_text(encoding="utf-8"))
    finally:
        helper.terminate()
        helper.wait()
    cpu = {name: (spent[name] - before[name]) / wall for name in spent}
    cpu["others on the helper's core"] = max(0.0, busy / wall - cpu["helper"])
    return figures(args, result, memory, cpu, wall)


def figures(
    args: argparse.Namespace, result: dict[str, Any], memory: list[float], cpu: dict[str, float], wall: float
) -> dict[str, Any]:
    """The row of one load; ``cpu`` in cores, over ``wall`` seconds."""
    latencies, lags = sorted(result["latencies"]), sorted(result["lags"])
    count = len(latencies) + len(result["dead"])
    good = count - sum(result["errors"].values())
    # After the first fifth: byte code, certificates and the allocator are warm by then.
    settled = memory[len(memory) // 5 :]
    return {
        "rate": args.rate,
        "seconds": args.seconds,
        "sent": count,
        "good": good,
        "errors": result["errors"],
        "good_per_s": good / args.seconds,
        "p50_s": latencies[len(latencies) // 2],
        "p90_s": latencies[len(latencies) * 9 // 10],
        "p99_s": latencies[len(latencies) * 99 // 100],
        "max_s": latencies[-1],
        "dead_max_s": max(result["dead"], default=None),
        "load_late_p99_s": lags[count * 99 // 100],
        "most_at_a_time": result["most"],
        "rss_mb_begin_middle_end": [settled[0], settled[len(settled) // 2], settled[-1]],
        "cores_used": cpu,
        "helper_cpu_ms": 1000 * cpu["helper"] * wall / count,
        "helper_limit_per_s": count / (cpu["helper"] * wall),
        "lab_and_load_limit_per_s": count / ((cpu["lab"] + cpu["load"]) * wall),
    }


def main() -> None:
    """Print the figures as a few lines (standard error) and as JSON (standard output)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rate", type=int, default=200, help="requests a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument(
        "--rtt", type=float, default=20.0, help="round trip from the helper to any server, ms"
    )
    parser.add_argument("--dead", type=float, default=0.0, help="share of sites that swallow packets")
    parser.add_argument("--fresh", action="store_true", help="a connection to the helper for each request")
    parser.add_argument("--tls", action="store_true", help="over https to the helper")
    args = parser.parse_args()
    cores = sorted(os.sched_getaffinity(0))
    if len(cores) < 2:
        print("only one core: helper, lab and load share it", file=sys.stderr)
    os.sched_setaffinity(0, cores[1:] or cores)  # inherited by the lab and the load
    with start(many_clean_sites(SITES, delay_ms=args.rtt / 2, blackholed=args.dead)) as lab:
        row = under_load(lab, args, cores)
        faults = lab.faults()
    for name, value in row.items():
        print(f"{name:26} {value}", file=sys.stderr)
    print(json.dumps(row, indent=2))
    if row["errors"] or row["p99_s"] > 1.0 or faults:
        sys.exit("wrong or missing answers, p99 above 1 s, or a fault of the lab: see above " + faults)


if __name__ == "__main__":
    main()

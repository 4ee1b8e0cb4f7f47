"""How fast, how cheap: whole runs of the real program in the lab, as a table and as JSON.

Rules: every figure is of the finished ``blockwatch run`` process, as the operating system accounts
for it (``wait4``); nothing inside the program is timed, but for the seal's share, which is measured in a run
of its own (bench/sealing.py); the lab's own ceiling is printed beside it, so that one knows which of the two
is the limit.

    python bench/bench.py                       # everything that `make bench` prints
    python bench/bench.py --sites 100 --rtt 100 # one run
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from blockwatch.lab.build import many_clean_sites
from blockwatch.lab.running import RunningLab, start
from blockwatch.model import DnsStep, Measurement, TcpStep
from blockwatch.store import find_runs, read_run

# DNS, TCP, TLS 1.3 and HTTP: what a clean https site cannot do without.
FLOOR_ROUND_TRIPS = 4
CEILING = Path(__file__).with_name("ceiling.py")
SEALING = Path(__file__).with_name("sealing.py")


def finished(process: subprocess.Popen[bytes]) -> tuple[int, Any]:
    """Wait for ``process``; its exit code and resource usage."""
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    return process.returncode, usage


def timed_run(lab: RunningLab, results: Path, extra: list[str]) -> dict[str, Any]:
    """One ``blockwatch run`` in the lab: exit code, wall and CPU seconds, peak memory in MB."""
    argv = [sys.executable, "-m", "blockwatch", "run", *lab.run_options()]
    argv += ["--results", str(results), "--yes", "--quiet", *extra]
    began_at, began = time.time(), time.perf_counter()
    code, usage = finished(lab.popen(argv, stdout=subprocess.DEVNULL))
    return {
        "exit": code,
        "began_at": began_at,
        "wall_s": time.perf_counter() - began,
        "cpu_s": usage.ru_utime + usage.ru_stime,
        "peak_mb": usage.ru_maxrss / 1024,
    }


def of_the_log(results: Path, began_at: float) -> dict[str, Any]:
    """What the run's own log says: sites, states of the line, bytes, time per site, first packet."""
    (folder,) = find_runs([results])
    run = read_run(folder)
    measurements: list[Measurement] = list(run.measurements)
    firsts = [m for m in measurements if m.attempt == "first"]
    # The first packet is the first lookup's (or connect's), on the clock that began with the process.
    starts = [s.t for m in measurements for s in m.observations if isinstance(s, DnsStep | TcpStep)]
    close = run.close
    return {
        "measured": len(firsts),
        "retests": len(measurements) - len(firsts),
        "invalid": sum(not m.valid for m in measurements),
        "site_median_s": statistics.median(m.us for m in firsts) / 1e6,
        "bytes_per_site": (close.bytes_sent + close.bytes_received) / len(firsts) if close else None,
        "first_packet_s": run.open.started / 1e6 + min(starts) / 1e6 - began_at,
        "concurrency": run.open.concurrency,
        "disk_bytes_per_site": sum(f.stat().st_size for f in folder.iterdir()) / len(firsts),
    }


def measure(sites: int, rtt_ms: float, blackholed: float, extra: list[str]) -> dict[str, Any]:
    """Run ``sites`` clean sites (a share of them black-holed) at ``rtt_ms`` and account for it."""
    world = many_clean_sites(sites, delay_ms=rtt_ms / 2, blackholed=blackholed)
    with start(world) as lab, tempfile.TemporaryDirectory() as where:
        row = timed_run(lab, Path(where), extra)
        row |= of_the_log(Path(where), row.pop("began_at"))
        floor = FLOOR_ROUND_TRIPS * rtt_ms / 1000
        row |= {
            "sites": sites,
            "rtt_ms": rtt_ms,
            "blackholed": blackholed,
            "sites_per_s": sites / row["wall_s"],
            "cpu_ms_per_site": 1000 * row["cpu_s"] / sites,
            "floor_s_per_site": floor,
            "site_to_floor": row["site_median_s"] / floor,
            "run_to_floor": row["wall_s"] / max(floor, floor * sites / row["concurrency"]),
        }
        if not blackholed:
            row["lab_ceiling_sites_per_s"] = ceiling(lab, min(sites, 500))
    return row


def ceiling(lab: RunningLab, sites: int) -> float:
    """Sites per second that the lab serves to a client that does nothing but the same exchanges."""
    done = lab.run([sys.executable, str(CEILING), str(lab.targets_file), str(lab.ca_file), str(sites)])
    return float(done.stdout)


def start_up(repeats: int = 10) -> dict[str, float]:
    """Median wall seconds of ``blockwatch --help`` with warm byte code."""
    argv = [sys.executable, "-m", "blockwatch", "--help"]
    walls = []
    for _ in range(repeats + 1):
        began = time.perf_counter()
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        walls.append(time.perf_counter() - began)
    return {"help_median_s": statistics.median(walls[1:])}


def first_packet(repeats: int = 10) -> dict[str, float]:
    """Median seconds from the start of ``blockwatch run`` to its first packet."""
    world = many_clean_sites(1, delay_ms=10)
    seconds = []
    with start(world) as lab:
        for _ in range(repeats + 1):
            with tempfile.TemporaryDirectory() as where:
                row = timed_run(lab, Path(where), [])
                seconds.append(of_the_log(Path(where), row["began_at"])["first_packet_s"])
    return {"first_packet_median_s": statistics.median(seconds[1:])}


def sealing(sites: int, rtt_ms: float) -> dict[str, float]:
    """CPU milliseconds of a run of ``sites`` clean sites, and of what makes its seal (:data:`SEALING`)."""
    world = many_clean_sites(sites, delay_ms=rtt_ms / 2)
    with start(world) as lab, tempfile.TemporaryDirectory() as where:
        report = Path(where, "sealing.json")
        argv = [sys.executable, str(SEALING), "run", *lab.run_options()]
        argv += ["--results", str(Path(where, "results")), "--yes", "--quiet"]
        environment = {**os.environ, "SEALING_REPORT": str(report), "BLOCKWATCH_STATE": where}
        code, usage = finished(lab.popen(argv, env=environment, stdout=subprocess.DEVNULL))
        if code:
            sys.exit(f"the run that was to show the cost of sealing ended with exit code {code}")
        spent = json.loads(report.read_text(encoding="utf-8"))
        return {
            "sealing_sites": sites,
            **{f"sealing_{what}_ms": ns / 1e6 for what, ns in sorted(spent.items())},
            "sealing_ms": sum(spent.values()) / 1e6,
            "sealed_run_ms": 1000 * (usage.ru_utime + usage.ru_stime),
        }


def sealing_words(report: dict[str, Any]) -> str:
    """The seal's share in one line."""
    seal, run = report["sealing_ms"], report["sealed_run_ms"]
    return f"sealing: {seal:.0f} ms CPU of {run:.0f} ({100 * seal / run:.1f} %)"


COLUMNS = (
    ("sites", "sites", "{:.0f}"),
    ("black-holed", "blackholed", "{:.0%}"),
    ("wall s", "wall_s", "{:.1f}"),
    ("sites/s", "sites_per_s", "{:.1f}"),
    ("CPU ms/site", "cpu_ms_per_site", "{:.1f}"),
    ("peak MB", "peak_mb", "{:.0f}"),
    ("net kB/site", "bytes_per_site", "{:.0f}"),
    ("site/floor", "site_to_floor", "{:.1f}"),
    ("run/floor", "run_to_floor", "{:.1f}"),
    ("lab ceiling sites/s", "lab_ceiling_sites_per_s", "{:.0f}"),
)


def cell(row: dict[str, Any], key: str, form: str) -> str:
    """One figure as text; bytes are shown in kB, what was not measured as a dash."""
    value = row.get(key)
    if value is None:
        return "-"
    return form.format(value / 1000 if key == "bytes_per_site" else value)


def table(rows: list[dict[str, Any]]) -> str:
    """The rows for people."""
    lines = [[title for title, _, _ in COLUMNS]]
    lines += [[cell(row, key, form) for _, key, form in COLUMNS] for row in rows]
    widths = [max(len(line[i]) for line in lines) for i in range(len(COLUMNS))]
    return "\n".join("  ".join(text.rjust(w) for text, w in zip(line, widths, strict=True)) for line in lines)


def main() -> None:
    """Run what was asked for and print it as a table (standard error) and JSON (standard output)."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--sites", type=int, action="append", help="default: 100, 1000, 2000")
    parser.add_argument("--rtt", type=float, default=100.0, help="round trip, ms")
    parser.add_argument("--blackholed", type=float, default=None, help="share of sites that swallow packets")
    parser.add_argument("--no-start-up", action="store_true", help="leave the start-up times out")
    parser.add_argument("--no-sealing", action="store_true", help="leave the cost of the seal out")
    parser.add_argument("extra", nargs="*", help="more options for `blockwatch run`, after --")
    args = parser.parse_args()
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # start-up times are those with byte code at hand
    jobs = [(n, args.blackholed or 0.0) for n in args.sites or (100, 1000, 2000)]
    if args.sites is None and args.blackholed is None:
        jobs.append((1000, 0.1))
    rows = [measure(n, args.rtt, share, args.extra) for n, share in jobs]
    report: dict[str, Any] = {"cores": os.cpu_count(), "rows": rows}
    if not args.no_start_up:
        report |= start_up() | first_packet()
    if not args.no_sealing:
        report |= sealing(1000 if args.sites is None else args.sites[-1], args.rtt)
    print(table(rows), file=sys.stderr)
    for key in ("help_median_s", "first_packet_median_s"):
        if key in report:
            print(f"{key.replace('_', ' ')}: {report[key]:.3f}", file=sys.stderr)
    if "sealing_ms" in report:
        print(sealing_words(report), file=sys.stderr)
    print(json.dumps(report, indent=2))
    if any(row["exit"] or row["invalid"] for row in rows):
        sys.exit("a run failed: its exit code or an invalid measurement is in the figures above")


if __name__ == "__main__":
    main()

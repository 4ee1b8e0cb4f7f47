"""How fast the judge is: from the JSON text of OONI's measurements to verdicts, on one core.

Rules: processor time is counted, not the clock on the wall, so that other programs matter less; peak memory
is the operating system's figure for a process that does nothing else; "distinct" copies have names and
addresses of their own, so that what is remembered from one measurement does not help with the next. What the
search for fingerprints costs: ``pages``.

    python bench/judge.py                        # OONI's data beside the repository, else the sample run
    python bench/judge.py FILE.jsonl.gz FOLDER   # these measurements
    python bench/judge.py --fingerprints fingerprints_http.csv
"""

from __future__ import annotations

import argparse
import json
import re
import resource
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import msgspec
from pages import TABLE, search, table

from blockwatch.judge.recorded import few_collections, judge_records
from blockwatch.ooni import Record, Unreadable, head_of, records, to_ooni
from blockwatch.ooni.lines import decode
from blockwatch.store import find_runs, read_run

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
PIPELINE = (
    249 * 126_000
)  # bytes a second: OONI's pipeline v5 on measurements of 126 KB, without its HTTP layer
BATCH = 500  # measurements made, then judged
LEAST_S = 2.0  # processor time of one figure
MEMORY = (1_000, 10_000, 100_000)
ADDRESS = re.compile(rb"(?<![0-9.])(\d{1,3}\.\d{1,3})\.(\d{1,3})\.(\d{1,3})(?![0-9.])")


def used() -> float:
    """Processor seconds of this process so far."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def texts_of(path: Path) -> list[bytes]:
    """The JSON of every web_connectivity measurement in a file or folder."""
    files = sorted(path.iterdir()) if path.is_dir() else [path]
    found = []
    for file in files:
        for record in records(file) if ".json" in file.name else ():
            if isinstance(record, Record):
                try:
                    head_of(record.object)
                except Unreadable:
                    continue
                found.append(record.raw)
    return found


def sample() -> list[bytes]:
    """The sample run written as OONI's measurements."""
    found = []
    for folder in find_runs([ROOT / "results" / "sample"]):
        run = read_run(folder)
        for one in run.measurements:
            if one.valid and one.url.startswith("http"):
                found.append(msgspec.json.encode(to_ooni(run.open, one, partial(run.body, one))))
    return found


def copies(texts: list[bytes], *, distinct: bool) -> Iterator[bytes]:
    """The measurements over and over; distinct ones have another name and other addresses each time."""
    names = [_host(text) for text in texts]
    turn = 0
    while True:
        for text, name in zip(texts, names, strict=True):
            if not distinct:
                yield text
                continue
            new = b"n%d.%s" % (turn, name) if name else name
            moved = ADDRESS.sub(partial(_moved, turn), text)
            yield moved.replace(name, new) if name else moved
        turn += 1


def _host(text: bytes) -> bytes:
    url = json.loads(text).get("input") or ""
    host = url.partition("://")[2].partition("/")[0].encode()
    return host if re.fullmatch(rb"[a-z.-]{4,}", host) else b""


def _moved(turn: int, match: re.Match[bytes]) -> bytes:
    third, fourth = int(match[2]), int(match[3])
    if third > 255 or fourth > 255 or match[1].startswith((b"127.", b"10.", b"192.", b"0.")):
        return match[0]
    return b"%s.%d.%d" % (match[1], third ^ (turn >> 8 & 0xFF), fourth ^ (turn & 0xFF))


def judged(texts: list[bytes]) -> int:
    """Judge JSON texts; how many verdicts came."""
    found = (decode("", text) for text in texts)
    return sum(1 for _ in judge_records(found))


def rate(texts: list[bytes], work: Callable[[list[bytes]], object], *, distinct: bool) -> float:
    """Measurements a second of processor time."""
    source = copies(texts, distinct=distinct)
    work(texts)
    spent, done = 0.0, 0
    while spent < LEAST_S:
        batch = [next(source) for _ in range(BATCH)]
        began = used()
        work(batch)
        spent += used() - began
        done += len(batch)
    return done / spent


def speed(name: str, texts: list[bytes]) -> None:
    """Print the figures of one set."""
    size = sum(map(len, texts)) / len(texts)
    print(f"{name}: {len(texts)} measurements of {size / 1_000:.1f} KB on average")
    decoder = msgspec.json.Decoder()
    only = rate(texts, lambda batch: [decoder.decode(text) for text in batch], distinct=False)
    for words, distinct in (("the same again", False), ("distinct copies", True)):
        per_s = rate(texts, judged, distinct=distinct)
        print(
            f"  JSON to verdict, {words}: {per_s:,.0f} a second a core, {per_s * size / 1e6:.0f} MB/s, "
            f"{per_s * size / PIPELINE:.1f} times OONI's pipeline by bytes"
        )
    print(f"  of it, only to decode the JSON: {100 * per_s / only:.0f} % of the time")


def memory(which: str, count: int) -> None:
    """Judge ``count`` distinct measurements as one stream; print the peak."""
    source = copies(chosen([which])[0][1], distinct=True)
    stream = (decode("", next(source)) for _ in range(count))
    with few_collections():
        done = sum(1 for _ in judge_records(stream))
    print(f"  {done:,} measurements judged: peak memory {peak_mb():.0f} MB")


def peak_mb() -> float:
    """Peak memory of this program alone: ``ru_maxrss`` also knows that of the process it was forked from."""
    told = re.search(r"VmHWM:\s+(\d+) kB", Path("/proc/self/status").read_text(encoding="ascii"))
    return int(told[1]) / 1024 if told else float("nan")


def bodies_of(texts: list[bytes]) -> list[str]:
    """Different bodies of 3 KB and more."""
    found = set()
    for text in texts:
        for row in (json.loads(text).get("test_keys") or {}).get("requests") or []:
            body = (row.get("response") or {}).get("body")
            if isinstance(body, str) and len(body) >= 3_000:
                found.add(body)
    return sorted(found)


def chosen(paths: list[str]) -> list[tuple[str, list[bytes]]]:
    """The sets to be judged, by name."""
    given = [Path(path) for path in paths] or [DATA / "ooni-qa", DATA / "ooni-real" / "measurements.jsonl.gz"]
    sets = [(str(path), texts_of(path)) for path in given if path.exists()]
    real = [
        text for name, texts in sets for text in texts if b'"test_version":"0.5.' in text and "real" in name
    ]
    if real and not paths:
        sets.append((f"{sets[-1][0]}, version 0.5 alone", real))
    sets = [(name, texts) for name, texts in sets if texts]
    return sets or [("the sample run, written as OONI's measurements", sample())]


def main() -> None:
    """Print every figure."""
    parser = argparse.ArgumentParser(description="How fast the judge is.")
    parser.add_argument("paths", nargs="*", help="files or folders of OONI's measurements")
    parser.add_argument("--fingerprints", type=Path, help="a pack to look for (OONI's CSV)")
    parser.add_argument("--memory", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.memory:
        memory(options.paths[0] if options.paths else "", options.memory)
        return
    sets = chosen(options.paths)
    with few_collections():
        for name, texts in sets:
            speed(name, texts)
    print(f"as one stream, distinct copies of {sets[0][0]}:", flush=True)
    for count in MEMORY:
        subprocess.run(
            [
                sys.executable,
                __file__,
                *([sets[0][0]] if Path(sets[0][0]).exists() else []),
                "--memory",
                str(count),
            ],
            check=True,
        )
    search(table(options.fingerprints or TABLE), bodies_of([text for _, texts in sets for text in texts]))


if __name__ == "__main__":
    main()

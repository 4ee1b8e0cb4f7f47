"""``python -m tools.fuzz.table FOLDER``: what was done so far, as the table of docs/fuzzing.md.

Runs and seconds are summed up over all times that a reader was fuzzed with FOLDER; lines are those that the
kept inputs reach at last.
"""

from __future__ import annotations

import json
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

_HEAD = "| reader | good | kept | inputs run | s | a second | lines | slowest ms | peak MB | crashes |"


def main(folder: Path) -> None:
    """Print it."""
    by_reader: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for line in (folder / "figures.jsonl").read_text().splitlines():
        found = json.loads(line)
        by_reader[found["reader"]].append(found)
    print(_HEAD, "|---|" + "---:|" * 9, sep="\n")
    for reader, times in by_reader.items():
        last, runs = times[-1], sum(one["runs"] for one in times)
        seconds = sum(one["seconds"] for one in times)
        slowest, peak = (max(one[what] for one in times) for what in ("slowest", "peak"))
        crashes = {crash for one in times for crash in one["crashes"]}
        row = [
            reader, last["began"], last["kept"], f"{runs:,}", f"{seconds:.0f}", f"{runs / seconds:,.0f}",
            f"{last['reached']} of {last['lines']}", f"{1_000 * slowest:.0f}", peak >> 20, len(crashes),
        ]  # fmt: skip
        print(f"| {' | '.join(map(str, row))} |")
    every = [one for times in by_reader.values() for one in times]
    runs, seconds = sum(one["runs"] for one in every), sum(one["seconds"] for one in every)
    print(f"| all | | | {runs:,} | {seconds:.0f} | | | | | |")


if __name__ == "__main__":
    main(Path(sys.argv[1]))

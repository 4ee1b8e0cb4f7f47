"""``python -m tools.accuracy``: measure whatever is not measured yet, count, write ``docs/accuracy.md``."""

from __future__ import annotations

import argparse
import signal
import sys
from pathlib import Path

from blockwatch.lab.trial import Row
from tools.accuracy import recorded
from tools.accuracy.counts import count
from tools.accuracy.page import page
from tools.accuracy.trials import ROOT, Trial, all_trials, program_state, run_all


def main() -> None:
    """Read the command line and do it."""
    parser = argparse.ArgumentParser(prog="python -m tools.accuracy", description=__doc__)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "accuracy.md")
    parser.add_argument(
        "--side-by-side", type=int, default=6, metavar="N", help="trials at a time (default 6)"
    )
    parser.add_argument("--only", metavar="TEXT", help="trials with TEXT in their name; writes no page")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that running trials are ended
    state = program_state()
    trials = [trial for trial in all_trials() if not options.only or options.only in trial.name]
    found = []
    for trial, rows in run_all(
        trials, ROOT / "build" / "accuracy" / state, side_by_side=options.side_by_side
    ):
        found.append((trial, rows))
        _tell(trial, rows)
    print(f"all {len(found)} trials: {count(row for _, rows in found for row in rows)}", file=sys.stderr)
    if not options.only:
        options.output.write_text(
            page(state, found, recorded.known(), list(recorded.real())), encoding="utf-8"
        )
        print(options.output)


def _tell(trial: Trial, rows: list[Row]) -> None:
    wrong = [row for row in rows if not row.right]
    print(f"{trial.name}: {len(rows) - len(wrong)}/{len(rows)} right", file=sys.stderr)
    for row in wrong:
        print(f"    {row.scenario}: {row.words}", file=sys.stderr)


if __name__ == "__main__":
    main()

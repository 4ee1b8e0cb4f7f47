"""The sample run in results/: still read, still whole, still judged as when it was made."""

from __future__ import annotations

import json
from pathlib import Path

from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, SSH_FILE, read_checkpoint
from blockwatch.evidence.log import log_root
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.judge import judge_run
from blockwatch.store import find_runs, read_run

SAMPLE = Path(__file__).parents[1] / "results" / "sample"


def test_the_log_is_what_the_summary_says() -> None:
    (folder,) = find_runs([SAMPLE])
    run = read_run(folder)
    summary = json.loads((folder / "run.json").read_text(encoding="utf-8"))
    assert run.root() == summary["root"]
    assert run.close is not None
    assert run.close.measured == len(list(run.measurements))
    assert not run.notes


def test_it_is_sealed_to_its_last_line() -> None:
    (folder,) = find_runs([SAMPLE])
    run = read_run(folder)
    found = read_checkpoint(folder / CHECKPOINT_FILE)
    assert found.signed_by(parse_campaign_key(run.open.key or "")) is True
    assert (found.size, found.root.hex()) == log_root(run.log)
    assert (folder / SSH_FILE).is_file()


def test_it_is_judged_as_before() -> None:
    (folder,) = find_runs([SAMPLE])
    run = read_run(folder)
    verdicts = judge_run(run.open, tuple(run.measurements), run.close, run.body)
    kept = [json.loads(line) for line in (folder / "verdicts.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [(v.id, str(v.state), v.mechanism, v.final) for v in verdicts] == [
        (line["id"], line["state"], line["mechanism"], line["final"]) for line in kept
    ]
    assert {str(v.state) for v in verdicts} == {"ok", "blocked", "down", "refused"}

"""Third-party measurements beside the repository, which are never copied into it."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.judge import judge_run
from blockwatch.model import Measured
from blockwatch.ooni import Bodies, Record, head_of, read_measurement, run_open_of
from blockwatch.verdict import Verdict

DATA = Path(__file__).parents[3] / "shared" / "data"
QA, REAL = DATA / "ooni-qa", DATA / "ooni-real"
RUN = "0123456789abcdef"

needs_qa = pytest.mark.skipif(not QA.is_dir(), reason="../shared/data/ooni-qa is not there")
needs_real = pytest.mark.skipif(not REAL.is_dir(), reason="../shared/data/ooni-real is not there")


def judged(record: Record) -> tuple[Verdict, Measured]:
    """One record judged by itself, as one of a run of its own."""
    head = head_of(record.object)
    open_ = run_open_of(RUN, [head])
    measured = read_measurement(record.object, head, run=RUN, seq=1, run_started=open_.started).measured
    return judge_run(open_, (measured.measurement,), None, Bodies(measured))[0], measured

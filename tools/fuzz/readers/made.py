"""Good input: runs and measurements like real ones, made up by the tests' own makers, and the sample run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from blockwatch import judge
from blockwatch.evidence.signing import Signer
from blockwatch.model import Measurement
from blockwatch.run import RunClose, RunOpen
from blockwatch.store import RunWriter, read_run
from blockwatch.verdict import Verdict
from tests.evidence.made import measured, run_close, run_open
from tests.evidence.test_warc import EXCHANGES

_SAMPLE = Path(__file__).parents[3] / "results" / "sample"
SIGNER, OTHER = (Signer(Ed25519PrivateKey.from_private_bytes(bytes([n]) * 32)) for n in (1, 2))


@lru_cache(maxsize=1)
def run_folder(work: Path) -> Path:
    """A sealed run whose exchanges broke in many ways."""
    writer = RunWriter(work / "results", signer=SIGNER)
    writer.open(run_open(key=str(SIGNER.key)))
    for seq, (request, response, _) in enumerate(EXCHANGES.values(), 1):
        writer.write(measured(seq, request=request, response=response))
    writer.close(run_close(len(EXCHANGES)))
    return writer.folder


def fresh(folder: Path) -> Path:
    """The folder, empty."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


class Played(NamedTuple):
    """One run with what the judge said of it."""

    open: RunOpen
    measurements: list[Measurement]
    close: RunClose | None
    verdicts: list[Verdict]


def worlds() -> Iterator[Played]:
    """A run in each of the worlds that the judge is tested in, and the sample run, site by site."""
    from tests.judge.stage import frame, play
    from tests.judge.worlds import WORLDS

    for row in WORLDS.values():
        verdicts, measurements = play(row.world)
        opened, closed = frame(row.world, len(measurements))
        yield Played(opened, measurements, closed, verdicts)
    for folder in sorted(_SAMPLE.glob("*-*")):
        run = read_run(folder)
        measurements = list(run.measurements)
        for verdict, measurement in zip(
            judge.judge_run(run.open, measurements, run.close), measurements, strict=True
        ):
            yield Played(run.open, [measurement], run.close, [verdict])


JUDGE = tuple(
    f"blockwatch.judge.{path.stem}"
    for path in sorted(Path(judge.__file__).parent.glob("*.py"))
    if path.stem
    not in ("__init__", "packs", "fingerprints", "gaps", "matcher", "matrix", "control_runs", "beside")
)
"""Modules of the judge that one run can reach."""

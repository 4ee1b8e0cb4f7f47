"""Two checkers that share no code, over the same damage: what ours lets pass, the other one lets pass too.

Ours may find more: it knows the types of all fields.
"""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from pathlib import Path
from types import ModuleType

from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.verify import Reader, verify_run
from blockwatch.evidence.verify_proof import verify_proof
from blockwatch.store import RunWriter
from tests.evidence.made import measured, run_close, run_open
from tools.fuzz.readers.made import fresh, run_folder
from tools.fuzz.target import Target

_CHECKER = Path(__file__).parents[2] / "check_evidence.py"


@lru_cache(maxsize=1)
def checker() -> ModuleType:
    """The second checker, loaded once."""
    spec = importlib.util.spec_from_file_location("check_evidence", _CHECKER)
    if spec is None or spec.loader is None:
        raise FileNotFoundError(_CHECKER)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _unsealed(work: Path) -> Target:
    """The log of a run without a seal, beside bytes that are whole: all of it may be changed."""
    writer = RunWriter(work / "plain")
    writer.open(run_open(previous_root="00" * 32))
    for seq in (1, 2):
        writer.write(measured(seq))
    writer.close(run_close(2))
    copy, log = fresh(work / "copy"), (writer.folder / "measurements.jsonl").read_bytes()
    (copy / "bodies.warc.gz").write_bytes((writer.folder / "bodies.warc.gz").read_bytes())

    def read(raw: bytes) -> None:
        (copy / "measurements.jsonl").write_bytes(raw)
        ours = verify_run(copy, Reader()).report
        (theirs,) = checker().check(copy)
        if theirs.bad and not ours.findings:
            raise AssertionError(f"we let pass: {theirs.bad}")
        if not ours.findings and (ours.lines, ours.root) != (len(theirs.leaves), theirs.root):
            raise AssertionError("another root")

    modules = ("blockwatch.evidence.verify_log", "blockwatch.evidence.log")
    return Target([log, log[: log.rindex(b"\n", 0, -1) + 1]], read, modules, is_json=True)


def _proof(work: Path) -> Target:
    path = work / "proof"

    def read(raw: bytes) -> None:
        path.write_bytes(raw)
        if verify_proof(path, Reader()).findings:
            return
        (theirs,) = checker().check(path)
        if theirs.bad:
            raise AssertionError(f"we let pass: {theirs.bad}")

    modules = ("blockwatch.evidence.verify_proof", "blockwatch.evidence.proof:check_proof _included _checked")
    return Target([make_proof(run_folder(work), "1")], read, modules, is_json=True)


READERS = {"unsealed run, two checkers": _unsealed, "proof, two checkers": _proof}

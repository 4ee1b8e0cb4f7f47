"""What a proof of one record leaves open, and which seal it brings."""

from __future__ import annotations

import re
import subprocess
import sys
from hashlib import sha256
from pathlib import Path

from blockwatch.evidence.proof import check_proof, make_proof
from blockwatch.evidence.report import Level
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from tests.evidence.assets.asset import calendar_proof
from tests.evidence.assets.world import in_record, sealed_again, stamp, write_run
from tests.evidence.assets.write import authorities_in
from tests.evidence.checker import ask
from tests.evidence.verified import verified


def test_what_a_record_is_that_is_not_as_most_is_said(tmp_path: Path) -> None:
    """A reader who is shown one record of several must not take it for all that was found."""
    run = write_run(tmp_path)
    edit = {"valid": False, "fault": "x", "role": "control", "attempt": "retest", "stopped": "budget"}
    in_record(3, lambda said: said.update(edit))(run)
    sealed_again(run)
    for number, odd in (
        (1, []),
        (2, ["valid is false", 'role is "control"', 'attempt is "retest"', 'stopped is "budget"']),
    ):
        path = tmp_path / f"{number}.json"
        path.write_bytes(make_proof(run, str(number)))
        (ours,) = verified(path)
        assert (ours.sound, ask(path)[0]) == (True, 0)
        assert any(note.startswith("what else this run measured is not shown") for note in ours.notes)
        told = [note for note in ours.notes if re.match("(valid|role|attempt|stopped) is ", note)]
        assert [note.partition(":")[0] for note in told] == odd


def test_the_newest_seal_that_somebody_saw_is_taken(tmp_path: Path) -> None:
    """Of a run that was stamped on its way, and whose last seal nobody stamped."""
    run, authority = write_run(tmp_path / "run"), authorities_in(tmp_path / "authorities").known
    stamp(run, authority, of="checkpoints/3")
    sizes = {number: check_proof(make_proof(run, number)).checkpoint.size for number in ("1", "2", "3", "4")}
    assert sizes == {"1": 3, "2": 3, "3": 6, "4": 6}  # lines: the first line of the run is none of these
    path = tmp_path / "proof.json"
    path.write_bytes(make_proof(run, "2"))
    (told,) = verified(path, reader=Reader(trust=Trust(roots=(authority.root,))))
    assert told.level is Level.TIMED
    stamp(run, authority, "newest.tsr")
    assert check_proof(make_proof(run, "2")).checkpoint.size == 6


def test_an_authority_counts_for_more_than_a_promise(tmp_path: Path) -> None:
    run, authority = write_run(tmp_path / "run"), authorities_in(tmp_path / "authorities").known
    (run / "timestamps").mkdir()
    seal = sha256((run / "checkpoint").read_bytes()).digest()
    (run / "timestamps" / "a.ots").write_bytes(calendar_proof(seal))
    assert check_proof(make_proof(run, "2")).checkpoint.size == 6
    stamp(run, authority, of="checkpoints/3")
    assert check_proof(make_proof(run, "2")).checkpoint.size == 3
    assert check_proof(make_proof(run, "4")).checkpoint.size == 6


def test_of_a_clock_that_the_first_line_does_not_tell_of_no_more_is_said(tmp_path: Path) -> None:
    """It may have been checked later in the run, which the proof does not show."""
    run = write_run(tmp_path / "run", offset=None)
    path = tmp_path / "proof.json"
    path.write_bytes(make_proof(run, "1"))
    said = " ".join(verified(path)[0].notes)
    assert "tells of no check of its clock, and a later one is not shown" in said
    assert "nobody told the time" not in said


def test_a_long_seal_in_a_proof_takes_no_memory(tmp_path: Path) -> None:
    """Also where it would take four bytes a character."""
    run = write_run(tmp_path / "run")
    told = make_proof(run, "1")
    path = tmp_path / "proof.json"
    head, seal, rest = told.partition(b'"checkpoint":"')
    path.write_bytes(head + seal + "𐀀".encode() + b"x" * 50_000_000 + rest)
    script = (
        "import re, sys\n"
        "from pathlib import Path\n"
        "from blockwatch.evidence.verify import Reader\n"
        "from blockwatch.evidence.verify_proof import verify_proof\n"
        "(found,) = verify_proof(Path(sys.argv[1]), Reader()).findings\n"
        "print(found.what)\n"
        "print(re.search(r'VmHWM:\\s+(\\d+)', Path('/proc/self/status').read_text())[1])\n"
    )
    done = subprocess.run([sys.executable, "-c", script, path], capture_output=True, text=True, check=True)
    what, peak = done.stdout.splitlines()
    assert what == "a proof whose seal has more than 65536 bytes"
    assert int(peak) < 200_000  # kB; the file is 50 MB

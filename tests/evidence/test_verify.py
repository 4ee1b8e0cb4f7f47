"""``blockwatch verify``: its words, its exit codes, what it takes for a path, and what it bears."""

from __future__ import annotations

import json
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence import ots
from blockwatch.evidence.allow import Allowed
from blockwatch.evidence.report import Level
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Reader
from tests.cli.command import blockwatch, no_traceback
from tests.evidence.assets.world import (
    FIRST,
    HOUR,
    OURS,
    SECOND,
    STARTED,
    THEIRS,
    in_record,
    log_of,
    put_log,
    stamp,
    unseal,
    write_run,
)
from tests.evidence.verified import verified
from tests.exchange.authority import Authority

# Words and exit codes.


def test_without_a_key_the_signer_is_unknown(run: Path, tmp_path: Path) -> None:
    done = blockwatch("verify", run.parent, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert "sealed: nobody without the key has altered it" in done.stdout
    assert f"internally consistent, signer unknown: {OURS.key.name}" in done.stdout


def test_with_a_key_or_a_list_the_signer_is_named(run: Path, tmp_path: Path) -> None:
    done = blockwatch("verify", run, "--key", str(OURS.key), cwd=tmp_path)
    assert (done.returncode, f"signed by the key you named: {OURS.key.name}" in done.stdout) == (0, True)
    allow = tmp_path / "keys"
    allow.write_text(f"# spring\n{THEIRS.key} Bakyt\n{OURS.key} from=2019-12-31 to=2020-01-02 Aigerim\n")
    for option in ("--allow", "--key"):
        done = blockwatch("verify", run, option, allow, cwd=tmp_path)
        assert (done.returncode, "signed by Aigerim" in done.stdout) == (0, True)
    allow.write_text(f"{OURS.key} from=2020-01-02 Aigerim\n")
    done = blockwatch("verify", run, "--allow", allow, cwd=tmp_path)
    assert (done.returncode, "NOT FROM A KEY YOU NAMED" in done.stdout) == (9, True)


def test_an_unsigned_and_a_killed_run_are_whole(tmp_path: Path) -> None:
    write_run(tmp_path / "results", signer=None)
    write_run(tmp_path / "results", SECOND, close=False)
    done = blockwatch("verify", "results", cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert done.stdout.count("unsigned: whole, but anybody could have altered it") == 2
    assert "internally consistent, unsigned" in done.stdout
    assert "the run was killed" in done.stdout
    assert "sealed are lines 1 to 3 of 5; nothing vouches for the others" in done.stdout
    assert blockwatch("verify", "results", "--require", "sealed", cwd=tmp_path).returncode == 9


def test_a_run_that_may_have_been_cut_off_is_said_to_be_one(tmp_path: Path) -> None:
    write_run(tmp_path / "results", count=2, close=False)  # sealed to the last line that is there
    done = blockwatch("verify", "results", "--require", "sealed", cwd=tmp_path)
    assert done.returncode == 9
    assert "sealed up to here: nobody without the key has altered these lines" in done.stdout
    assert "whoever handed it over may have cut it off at a seal" in done.stdout
    told = json.loads(blockwatch("verify", "results", "--json", cwd=tmp_path).stdout)
    assert (told["ok"], told["grade"], told["open_ended"]) == (True, "sealed", True)
    write_run(tmp_path / "results", SECOND, started=STARTED + HOUR)
    done = blockwatch("verify", "results", "--require", "sealed", cwd=tmp_path)
    assert (done.returncode, "a later run of the same key says that this one ended here" in done.stdout) == (
        0,
        True,
    )


def test_unsigned_and_partly_sealed_runs_are_not_from_a_key_that_was_named(tmp_path: Path) -> None:
    bare = write_run(tmp_path / "bare", signer=None)
    part = write_run(tmp_path / "part", close=False)
    for folder, words in ((bare, "it is not sealed at all"), (part, "lines 1 to 3 of 5 are signed by")):
        done = blockwatch("verify", folder, "--key", str(OURS.key), cwd=tmp_path)
        assert (done.returncode, words in done.stdout) == (9, True), done.stdout
    assert "lines 1 to 3 signer unknown" in blockwatch("verify", part, cwd=tmp_path).stdout


def test_a_file_that_is_neither_is_said_so(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("x")
    done = blockwatch("verify", "notes.txt", cwd=tmp_path)
    assert (done.returncode, "neither a bundle nor a proof" in done.stderr) == (2, True)


def test_the_first_damaged_record_is_named(run: Path, tmp_path: Path) -> None:
    in_record(4, lambda said: said["observations"][11].update(status=403))(run)
    done = blockwatch("verify", run, cwd=tmp_path)
    assert done.returncode == 9
    assert f"DAMAGED: measurements.jsonl:4 (record {FIRST}-000003): the response of step 11" in done.stdout
    assert "1 of 1 not as it should be" in done.stderr
    assert no_traceback(done)


def test_json_says_all_of_it(run: Path, tmp_path: Path) -> None:
    other = write_run(tmp_path / "results", SECOND, started=STARTED + HOUR, signer=THEIRS)
    in_record(2, lambda said: said.update(seq=9))(other)
    done = blockwatch("verify", "results", "--json", cwd=tmp_path)
    assert done.returncode == 9
    assert "2 checked: 1 sealed, 1 not as it should be" in done.stderr
    good, bad = map(json.loads, done.stdout.splitlines())
    assert (good["ok"], good["grade"], good["run"], good["sealed"], good["lines"]) == (
        True,
        "sealed",
        FIRST,
        6,
        6,
    )
    assert (bad["ok"], bad["grade"], bad["findings"][0]["where"]) == (False, None, "measurements.jsonl:2")
    assert bad["findings"][0]["record"] == f"{SECOND}-000001"
    assert set(good) == set(bad)


def test_time_is_said_with_what_the_clock_was_worth(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tsa")
    cases = {
        FIRST: (200_000, "", "", "checked"),
        SECOND: (90_000_000, "90 s off", " (clock off)", "off"),
        "c" * 16: (None, "nobody told the time", " (clock unknown)", "unknown"),
    }
    for run, (offset, words, mark, clock) in cases.items():
        folder = write_run(tmp_path / run, run, offset=offset)
        stamp(folder, authority)
        done = blockwatch("verify", folder, "--tsa-root", authority.roots, "--require", "timed", cwd=tmp_path)
        assert done.returncode == 0, done.stdout
        assert f"sealed and timed{mark}: existed as it is no later than 20" in done.stdout
        told = json.loads(blockwatch("verify", folder, "--json", cwd=tmp_path).stdout)
        assert (told["grade"], told["clock"], told["clock_offset_us"]) == ("sealed", clock, offset)
        assert words in done.stdout
        assert ("off" in done.stdout or "nobody told" in done.stdout) == bool(words)


def test_without_an_authority_named_a_stamp_is_a_claim(tmp_path: Path) -> None:
    authority = Authority(tmp_path / "tsa")
    folder = write_run(tmp_path / "results")
    stamp(folder, authority)
    done = blockwatch("verify", folder, cwd=tmp_path)
    assert done.returncode == 0
    assert "but you named no authority that you trust" in done.stdout
    assert blockwatch("verify", folder, "--require", "timed", cwd=tmp_path).returncode == 9
    done = blockwatch("verify", folder, "--tsa-root", "mozilla", "--require", "timed", cwd=tmp_path)
    assert (done.returncode, "no chain leads from its signer" in done.stdout) == (9, True)
    assert "Warning" not in done.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--key", "nonsense"),
        ("--key", "blockwatch/key/0+0+AA=="),
        ("--allow", "nowhere"),
        ("--tsa-root", "nowhere.pem"),
        ("--tsa-root", "keys"),
        ("--bitcoin-headers", "keys"),
        ("--require", "perfect"),
        ("--key", "x", "--allow", "y"),
    ],
)
def test_wrong_options_are_said(run: Path, tmp_path: Path, options: tuple[str, ...]) -> None:
    (tmp_path / "keys").write_text("not one\n")
    done = blockwatch("verify", run, *options, cwd=tmp_path)
    assert done.returncode in (2, 6), done.stderr
    assert no_traceback(done)


def test_nothing_to_check_is_wrong_usage(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert blockwatch("verify", "empty", cwd=tmp_path).returncode == 2
    assert blockwatch("verify", "nowhere", cwd=tmp_path).returncode == 2
    assert blockwatch("verify", cwd=tmp_path).returncode == 2


# Paths.


def test_a_bundle_is_checked_like_its_runs(run: Path, tmp_path: Path) -> None:
    write_run(tmp_path / "results", SECOND, started=STARTED + HOUR)
    assert blockwatch("bundle", "results", "-o", "b.bwb", cwd=tmp_path).returncode == 0
    done = blockwatch("verify", "b.bwb", "--key", str(OURS.key), "--require", "sealed", cwd=tmp_path)
    assert done.returncode == 0, done.stderr + done.stdout
    assert done.stdout.count("sealed: nobody") == 2
    raw = bytearray((tmp_path / "b.bwb").read_bytes())
    raw[len(raw) // 2] ^= 1
    (tmp_path / "b.bwb").write_bytes(raw)
    done = blockwatch("verify", "b.bwb", cwd=tmp_path)
    assert (done.returncode, "DAMAGED: b.bwb" in done.stdout) == (9, True)
    assert no_traceback(done)


def test_what_an_import_put_aside_is_told(run: Path, tmp_path: Path) -> None:
    shutil.copytree(run, run.parent / "aside" / f"{FIRST}-0123456789ab")
    done = blockwatch("verify", "results", cwd=tmp_path)
    assert (done.returncode, "aside/: 1 put aside when imported" in done.stdout) == (0, True)
    assert blockwatch("verify", "results/aside", cwd=tmp_path).returncode == 0
    folder = json.loads(blockwatch("verify", "results", "--json", cwd=tmp_path).stdout.splitlines()[-1])
    assert (folder["kind"], folder["ok"], folder["grade"]) == ("folder", True, None)


def test_a_run_that_was_only_handed_on_misses_no_other(run: Path, tmp_path: Path) -> None:
    second = write_run(tmp_path / "results", SECOND, started=STARTED + HOUR)
    shutil.rmtree(run)
    assert blockwatch("verify", second, cwd=tmp_path).returncode == 0
    done = blockwatch("verify", second.parent, cwd=tmp_path)
    assert (done.returncode, "CONTRADICTION: measurements.jsonl:1" in done.stdout) == (9, True)


def test_two_copies_of_a_run(run: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run, copy)
    assert [report.findings for report in verified(run, copy)] == [(), ()]
    unseal(copy)
    put_log(copy, log_of(copy)[:4])
    longer, shorter = verified(run, copy)
    assert (longer.findings, shorter.findings) == ((), ())
    assert any("longer copy" in note for note in shorter.notes)
    in_record(3, lambda said: said.update(target="other"))(copy)
    both = [report.findings for report in verified(run, copy)]
    assert any(finding and finding[0].kind == "contradiction" for finding in both)


def test_a_block_of_bitcoin_gives_the_time(run: Path) -> None:
    digest = sha256((run / "checkpoint").read_bytes()).digest()
    proof, end = ots.veiled(digest, bytes(16))
    end.attestations.append(ots.Attestation(bytes.fromhex("0588960d73d71901"), b"\xf7\xef\x15"))
    (run / "timestamps").mkdir()
    (run / "timestamps" / "calendar.ots").write_bytes(ots.write_proof(proof))
    header = bytes(36) + (end.message or b"") + (1_600_000_000).to_bytes(4, "little") + bytes(8)
    blocks = ots.block_roots(f"358391 {header.hex()}")
    (report,) = verified(run, reader=Reader(trust=Trust(blocks=blocks)))
    assert (report.level, report.not_after) == (Level.TIMED, 1_600_007_200_000_000)
    (report,) = verified(run)
    assert report.level is Level.SEALED
    assert any("no header of that block" in note for note in report.notes)
    other = {358_391: (bytes(32), 0)}
    (report,) = verified(run, reader=Reader(trust=Trust(blocks=other)))
    assert report.findings[0].where == "timestamps/calendar.ots"


def test_a_reader_with_a_list_of_nobody_finds_nobody(run: Path) -> None:
    (report,) = verified(run, reader=Reader(keys=(Allowed(key=THEIRS.key),)))
    assert [finding.kind for finding in report.findings] == ["signer"]

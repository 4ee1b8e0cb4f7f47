"""Random damage to good evidence, before both checkers: what one finds wrong, the other one finds wrong, too.

Each run of the tests takes another seed; a failure names it, and ``BLOCKWATCH_SEED`` brings it back.
"""

from __future__ import annotations

import json
import os
import random
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.rootnote import root_text
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.tombstone import forget_run
from blockwatch.evidence.verify import Reader
from blockwatch.evidence.verify_paths import verify_paths
from tests.evidence.assets.asset import calendar_proof
from tests.evidence.assets.world import FIRST, HOUR, OURS, SECOND, STARTED, log_of, stamp, unseal, write_run
from tests.evidence.checker import ask
from tests.evidence.test_mutations import changed
from tests.exchange.authority import Authority

ROUNDS = 60  # a kind of evidence
KINDS = ("flip", "set", "plain", "insert", "delete", "cut", "double")


def sealed(folder: Path, authority: Authority) -> Path:
    return write_run(folder)


def stamped(folder: Path, authority: Authority) -> Path:
    run = write_run(folder)
    stamp(run, authority)
    seal = sha256((run / "checkpoint").read_bytes()).digest()
    (run / "timestamps" / "calendar.ots").write_bytes(calendar_proof(seal))
    return run


def unsealed(folder: Path, authority: Authority) -> Path:
    run = write_run(folder)
    unseal(run)
    return run


def killed(folder: Path, authority: Authority) -> Path:
    run = write_run(folder, close=False)
    with (run / "measurements.jsonl").open("ab") as file:
        file.write(b'{"id":"aaaaaaaaaaaaaaaa-000005","obs' + bytes(600))
    return run


def chained(folder: Path, authority: Authority) -> Path:
    """A forgotten run, an encrypted one, and two that can be read."""
    third, fourth = "c" * 16, "d" * 16
    runs = [
        write_run(folder, run, started=STARTED + n * HOUR)
        for n, run in enumerate((FIRST, SECOND, third, fourth))
    ]
    forget_run(runs[0], OURS, "2026-11-22T06:40:00Z")
    roots = [json.loads(log_of(run)[0])["previous_root"] for run in runs[1:]]
    shutil.rmtree(runs[1])
    hidden = folder / f"20200101T010000Z-{SECOND}"
    hidden.mkdir()
    (hidden / "run.age").write_bytes(b"chunk 1 5\nhello")
    text = root_text(SECOND, str(OURS.key), roots[1], roots[0], sha256(b"chunk 1 5\nhello").digest())
    (hidden / "root").write_bytes(OURS.note(text))
    return folder


def proof(folder: Path, authority: Authority) -> Path:
    run = stamped(folder / "run", authority)
    (folder / "proof.json").write_bytes(make_proof(run, "2"))
    shutil.rmtree(folder / "run")
    return folder / "proof.json"


MAKERS = {make.__name__: make for make in (sealed, stamped, unsealed, killed, chained, proof)}


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("authority") / "one")


@pytest.mark.parametrize("name", list(MAKERS))
def test_both_checkers_agree_on_random_damage(name: str, tmp_path: Path, authority: Authority) -> None:
    seed = int(os.environ.get("BLOCKWATCH_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
    print(f"BLOCKWATCH_SEED={seed}")
    chance = random.Random(f"{seed} {name}")
    (tmp_path / "made").mkdir()
    path = MAKERS[name](tmp_path / "made", authority)
    for derived in ("run.json", "verdicts.jsonl"):  # no evidence, and read by ours alone
        for each in (tmp_path / "made").rglob(derived):
            each.unlink()
    files = sorted(each for each in (tmp_path / "made").rglob("*") if each.is_file())
    assert compared(path, authority) == ((), (), ())
    found = 0
    for number in range(ROUNDS):
        file = chance.choice(files)
        good = file.read_bytes()
        change = (chance.choice(KINDS), chance.random(), chance.randint(1, 300), chance.randrange(256))
        file.write_bytes(changed(good, change))
        ours, wrong, stamps = compared(path, authority)
        said = f"seed {seed}, round {number}: {change} in {file.name}: {ours}, {wrong}, {stamps}"
        # Ours knows types of fields, all of a stamp and the second signature, and the warcinfo, which no line
        # names; OpenSSL minds bytes on which nothing rests.
        if file.suffix in (".tsr", ".json") or name in ("unsealed", "killed"):
            assert ours or not wrong, said
        elif file.suffix in (".ots", ".sig") or file.name == "bodies.warc.gz":
            assert ours or not (wrong or stamps), said
        else:
            assert bool(ours) == bool(wrong or stamps), said
        found += bool(wrong or stamps)
        file.write_bytes(good)
    assert found >= ROUNDS // 4


Places = tuple[str, ...]


def compared(path: Path, authority: Authority) -> tuple[Places, Places, Places]:
    """Places of what ours finds, of what the other one finds wrong, and of stamps that it calls bad."""
    reports = list(verify_paths([path], Reader(trust=Trust(roots=(authority.root,)))))
    code, told = ask(path, roots=authority.roots)
    ours = tuple(finding.where for report in reports for finding in report.findings)
    wrong = tuple(one.where for one in told if one.where)
    stamps = tuple(place for one in told for place in one.stamps)
    assert code == (9 if wrong or stamps else 0)
    if not wrong and all(report.sound for report in reports):
        words = [re.sub(r" \(clock \w+\)", "", report.title) for report in reports]
        titles = (sorted(words), sorted(one.title or "" for one in told))
        stricter = ours or stamps  # about a stamp: ours reads all of it, OpenSSL minds other bytes
        assert titles[0] == titles[1] or (stricter and set(map(tuple, titles)) == {("timed",), ("sealed",)})
    return ours, wrong, stamps

"""What ``--resume`` goes on with and what it refuses: by ``plan``, which looks alike and sends nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pyrage
import pytest

from blockwatch.cli.options import Options, probes_of, settings_of, targets_of
from blockwatch.cli.resume import noting, resumed
from blockwatch.cli.sealing import signer_for
from blockwatch.errors import BlockwatchError, Exit, UsageError
from blockwatch.evidence.log import LOG_FILE
from blockwatch.evidence.naming import PROGRESS_FILE
from blockwatch.evidence.progress import Noting
from blockwatch.evidence.shelf import EncryptedShelf, Memory
from blockwatch.evidence.signing import Signer, new_signer
from blockwatch.run import LineCheck, RunOpen, Vantage
from blockwatch.runner.plan import Plan, make_plan
from blockwatch.store import ResultsLock, RunWriter, find_runs
from tests.cli.command import blockwatch
from tests.evidence.collector import bundled, take
from tests.evidence.made import measured, run_close, run_open

LIST = "https://a.example/\nhttps://b.example/\nhttps://c.example/\n"
KEY = pyrage.x25519.Identity.generate().to_public()
HOME = Vantage(asn=9198, country="KZ", network="Kazakhtelecom")


class Machine:
    """A volunteer's folder with a list, a key and results."""

    def __init__(self, at: Path) -> None:
        self.at, self.results, self.list = at, at / "results", at / "list.txt"
        self.list.write_text(LIST)
        self.signer: Signer | None = signer_for()
        self.count = 0

    def plan(self, **options: Any) -> Plan:
        given = Options(targets=(str(self.list),), **options)
        return make_plan(targets_of(given), probes_of(given), settings_of(given))

    def begun(self, *done: int, close: str | None = None, encrypted: bool = False, **changes: Any) -> Path:
        """A run of the list that measured these addresses without trouble."""
        plan, number = self.plan(), f"{self.count + 1:016x}"
        self.count += 1
        shelf = EncryptedShelf([KEY], Memory(), self.noting(plan)) if encrypted else None
        writer = RunWriter(self.results, signer=self.signer, shelf=shelf)
        writer.open(first_line(plan, number, self.count, **changes))
        for seq, at in enumerate(done, 1):
            task = plan.tasks[at]
            made = measured(seq, run=number, target=task.target, url=task.url, observations=())
            writer.write(msgspec.structs.replace(made, exchanges={}))
        if close is not None:
            writer.close(run_close(len(done), reason=close))
        return writer.folder

    def noting(self, plan: Plan) -> Noting | None:
        return noting(plan, plan, self.signer) if self.signer else None

    def left(self, *, encrypted: bool = False, **options: Any) -> tuple[int, str]:
        """The exit code, and what would be said against it."""
        try:
            resumed(self.plan(**options), self.results, encrypted=encrypted)
        except BlockwatchError as error:
            return error.exit_code, str(error)
        return Exit.OK, ""

    def planned(self, *words: str) -> subprocess.CompletedProcess[str]:
        return blockwatch("plan", "--resume", "--targets", self.list, *words, cwd=self.at)


def first_line(plan: Plan, run: str, number: int, **changes: Any) -> RunOpen:
    said: dict[str, Any] = {
        "started": run_open().started + number * 3_600_000_000,
        "targets": plan.targets.targets,
        "probes": tuple(probe.label for probe in plan.probes.values()),
        "resolvers": ("system", *plan.settings.resolvers),
        "vantage": HOME,
    }
    return run_open(run, **(said | changes))


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    monkeypatch.setenv("BLOCKWATCH_STATE", str(tmp_path / "state"))
    return Machine(tmp_path)


def test_what_is_left_is_planned(machine: Machine) -> None:
    machine.begun(0)
    done = machine.planned()
    assert done.stdout.startswith("3 targets, 3 measurements\n")  # two, and one once more to compare with
    part = resumed(machine.plan(), machine.results, encrypted=False)
    assert (part.plan.resumes, part.plan.rest, part.plan.beside) == (f"{1:016x}", (1, 2), (0,))


def test_where_there_is_nothing_to_go_on_with(machine: Machine) -> None:
    done = machine.planned()
    assert (done.returncode, "no run of yours" in done.stderr) == (Exit.USAGE, True)
    assert "Leave out --resume" in done.stderr
    assert not machine.results.exists()
    machine.begun(0, 1, 2)
    assert "this run is complete" in machine.left()[1]
    machine.begun(0, close="done")
    code, words = machine.left()
    assert (code, "this run is complete" in words) == (Exit.USAGE, True)
    machine.begun(0, close="interrupted")
    assert machine.left()[0] == Exit.OK
    bad = (LineCheck(kind="connectivity", when="before", t=0, ok=False, detail="nothing answered"),)
    machine.begun(0, close="done", checks=bad)
    assert resumed(machine.plan(), machine.results, encrypted=False).plan.rest == (0, 1, 2)


def test_runs_of_other_keys_imported_runs_and_re_tests_are_passed_over(machine: Machine) -> None:
    wanted = machine.begun(1, close="budget")
    machine.begun(0, retest_of="f" * 16)
    machine.begun(0, imported="ooni x")
    mine, machine.signer = machine.signer, new_signer()
    machine.begun(0)
    machine.begun(0, encrypted=True)
    machine.signer = None
    machine.begun(0)
    machine.signer = mine
    assert resumed(machine.plan(), machine.results, encrypted=False).stopped == wanted


def test_a_run_that_came_and_names_my_key_is_passed_over(machine: Machine) -> None:
    """In it all but one address is done, and it says that it is the newest and goes on from mine."""
    mine = machine.begun(1, close="budget")
    made, machine.results = machine.results, machine.at / "made"
    whose, machine.signer = machine.signer, None
    machine.begun(0, 1, key=str(whose.key) if whose else None, resumes=f"{1:016x}")
    machine.signer, machine.results = whose, made
    take(bundled(find_runs([machine.at / "made"]), machine.at / "x")[0], machine.results)
    part = resumed(machine.plan(), machine.results, encrypted=False)
    assert (part.stopped, part.plan.rest) == (mine, (2, 0))


def test_of_a_re_test_only_one_of_the_same_run(machine: Machine) -> None:
    of, other = "f" * 16, "e" * 16
    machine.begun(0)
    with pytest.raises(UsageError, match=f"no re-test of yours of run {of}"):
        resumed(machine.plan(), machine.results, encrypted=False, retest_of=of)
    wanted = machine.begun(1, retest_of=of, close="budget")
    machine.begun(0, retest_of=other)
    latest = machine.begun(0)
    part = resumed(machine.plan(), machine.results, encrypted=False, retest_of=of)
    assert (part.stopped, part.plan.rest, part.plan.beside) == (wanted, (2, 0), (1,))
    assert resumed(machine.plan(), machine.results, encrypted=False).stopped == latest
    with pytest.raises(UsageError, match="encrypted as it is written") as caught:
        resumed(machine.plan(), machine.results, encrypted=True, retest_of=of)
    assert "Leave out --resume" in caught.value.remedy
    machine.begun(0, 1, 2, retest_of=of, close="done")
    with pytest.raises(UsageError, match="complete"):
        resumed(machine.plan(), machine.results, encrypted=False, retest_of=of)


def test_the_last_of_several_that_went_on_with_each_other(machine: Machine) -> None:
    """Also where the first was made while the clock was ahead, and where it was forgotten since."""
    first = machine.begun(0, started=run_open().started + 10**12)
    second = machine.begun(1, resumes=f"{1:016x}", rest=(1, 2), beside=(0,))
    for _ in range(2):
        part = resumed(machine.plan(), machine.results, encrypted=False)
        assert (part.stopped, part.plan.rest) == (second, (2,))
        if first.exists():
            assert blockwatch("forget", "--yes", first, cwd=machine.at).returncode == 0


@pytest.mark.parametrize("encrypted", [False, True])
def test_another_list_or_other_options(machine: Machine, encrypted: bool) -> None:
    machine.begun(0, encrypted=encrypted)
    others: list[tuple[dict[str, Any], str]] = [
        ({"resolver": ("udp://1.1.1.1",)}, "--resolver"),
        ({"probe": ("dns",)}, "--probe"),
        ({"helper": ("https://th.example/",)}, "--helper"),
        ({"control": "socks5://127.0.0.1:1080"}, "--control"),
        ({"tier": 2}, "--tier"),
        ({"isp": "Beeline"}, "--isp"),
    ]
    for options, told in others:
        code, said = machine.left(encrypted=encrypted, **options)
        assert (code, "the same list and options" in said) == (Exit.USAGE, True)
        assert (told in said) is not encrypted
    harmless: list[dict[str, Any]] = [{"label": "x"}, {"max_mb": 1}, {"max_minutes": 1}, {"concurrency": 3}]
    for options in harmless:
        assert machine.left(encrypted=encrypted, **options)[0] == Exit.OK
    machine.list.write_text(LIST + "https://d.example/\n")
    code, said = machine.left(encrypted=encrypted)
    assert (code, ("--targets" in said) is not encrypted) == (Exit.USAGE, True)


@pytest.mark.parametrize("encrypted", [False, True])
def test_another_network(machine: Machine, encrypted: bool) -> None:
    machine.begun(0, encrypted=encrypted)
    refuse = resumed(machine.plan(), machine.results, encrypted=encrypted).refuse
    for asn in (9198, None):
        refuse(run_open(vantage=Vantage(asn=asn)))
    with pytest.raises(UsageError, match="now AS21299 Kar-Tel") as caught:
        refuse(run_open(vantage=Vantage(asn=21299, network="Kar-Tel")))
    assert "new run here" in caught.value.remedy
    machine.begun(0, encrypted=encrypted, vantage=Vantage())
    resumed(machine.plan(), machine.results, encrypted=encrypted).refuse(run_open(vantage=Vantage(asn=21299)))


def test_an_encrypted_run_is_gone_on_with_encrypted(machine: Machine) -> None:
    machine.begun(0)
    code, said = machine.left(encrypted=True)
    assert (code, "leave out --encrypt-to" in said) == (Exit.USAGE, True)
    folder = machine.begun(0, encrypted=True, close="interrupted")
    code, said = machine.left()
    assert (code, "name a key with --encrypt-to" in said) == (Exit.USAGE, True)
    assert machine.left(encrypted=True)[0] == Exit.OK
    (folder / PROGRESS_FILE).unlink()
    code, said = machine.left(encrypted=True)
    assert (code, "left no word of how far it came" in said) == (Exit.USAGE, True)


def test_a_damaged_run_is_exit_9(machine: Machine) -> None:
    folder = machine.begun(0, 1, close="interrupted")
    log = folder / LOG_FILE
    whole = log.read_bytes()
    for old, new in ((b'"us":400000', b'"us":400001'), (b'"run_open"', b'"run_opem"')):
        log.write_bytes(whole.replace(old, new, 1))
        code, said = machine.left()
        assert (code, "not resumed: " in said) == (Exit.UNVERIFIED, True)
        assert "Leave out --resume" in said
    log.write_bytes(whole)
    assert machine.left()[0] == Exit.OK
    folder = machine.begun(0, encrypted=True)
    (folder / PROGRESS_FILE).rename(folder / "elsewhere")
    (folder / PROGRESS_FILE).symlink_to("elsewhere")
    code, said = machine.left(encrypted=True)
    assert (code, "Leave out --resume" in said) == (Exit.UNVERIFIED, True)


def test_a_run_that_goes_on_is_left_alone(machine: Machine) -> None:
    machine.begun(0)
    with ResultsLock(machine.results):
        done = machine.planned()
    assert (done.returncode, "another run is going on" in done.stderr) == (Exit.LOCKED, True)


def test_a_plan_in_json_is_of_the_rest(machine: Machine) -> None:
    machine.begun(1)
    told = msgspec.json.decode(machine.planned("--json").stdout)
    assert (told["targets"], told["measurements"]) == (3, 3)
    assert told["hosts"][0] == "b.example"

"""Power cuts, simulated: what a run's calls to the disk leave behind, at every point and in the worst orders.

One sealed run is made with every call that changes the disk recorded. Then, after each of them, the disk is
put together as a power cut could leave it, and read:

* ``arrived``: everything issued is there;
* ``synced``: only what was synced is there, and only names whose folder was synced;
* ``zeros``: names and sizes are there, contents that were not synced are zeros (delayed allocation);
* ``torn``: as the last, with the first half of the contents.

Each time everything that the writer was told is kept must be there and whole, every checkpoint must hold,
nothing must be unreadable, and the next run must start where the chain ends.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from blockwatch.evidence import disk
from blockwatch.evidence.log import log_root
from blockwatch.model import HttpStep
from blockwatch.store import RunWriter, find_runs, last_root, read_run
from tests.evidence.made import PAGE, STARTED, measured, run_close, run_open, signer
from tests.evidence.survived import check_seal

COUNT = 26  # measurements, each synced and sealed alone
ORDERS = ("arrived", "synced", "zeros", "torn")
Event = tuple[Any, ...]


class Recorder:
    """Notes every call that changes the disk, with the content of the file after it."""

    def __init__(self, root: Path, patch: pytest.MonkeyPatch) -> None:
        self.events: list[Event] = []
        self._root = root
        for name in ("write", "fsync", "ftruncate"):
            patch.setattr(os, name, self._on_descriptor(name, getattr(os, name)))
        patch.setattr(disk, "_sync", self._on_descriptor("fsync", disk._sync))
        for name in ("rename", "replace", "mkdir"):
            patch.setattr(os, name, self._on_path(name, getattr(os, name)))

    def _on_descriptor(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(descriptor: int, *arguments: Any) -> Any:
            said = real(descriptor, *arguments)
            path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
            if path.is_relative_to(self._root):
                content = None if path.is_dir() else path.read_bytes()
                self.events.append((name, str(path.relative_to(self._root)), content))
            return said

        return call

    def _on_path(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            said = real(*arguments, **named)
            paths = [Path(each) for each in arguments if isinstance(each, str | Path)]
            self.events.append((name, *(str(path.relative_to(self._root)) for path in paths)))
            return said

        return call

    def told(self, seq: int) -> None:
        """The writer was told that a measurement is kept."""
        self.events.append(("told", seq))


class Disk:
    """Contents and names, each as issued and as synced."""

    def __init__(self) -> None:
        self.issued: dict[str, int] = {}  # path → file
        self.lasting: dict[str, int] = {}
        self.content: list[tuple[bytes, bytes]] = []  # file → (issued, synced)
        self.folders: set[str] = set()
        self.lasting_folders: set[str] = set()
        self.told: set[int] = set()

    def apply(self, event: Event) -> None:
        kind, *rest = event
        if kind == "told":
            self.told.add(rest[0])
        elif kind == "mkdir":
            self.folders.add(rest[0])
        elif kind in ("rename", "replace"):
            self._rename(*rest)
        elif rest[1] is None:
            self._sync_folder(rest[0])
        else:
            self._change(kind, *rest)

    def _change(self, kind: str, path: str, content: bytes) -> None:
        if path not in self.issued:
            self.issued[path] = len(self.content)
            self.content.append((b"", b""))
        number = self.issued[path]
        self.content[number] = (content, content if kind == "fsync" else self.content[number][1])

    def _rename(self, old: str, new: str) -> None:
        for path in [path for path in self.issued if path == old or path.startswith(old + "/")]:
            self.issued[new + path[len(old) :]] = self.issued.pop(path)
        for folder in [folder for folder in self.folders if folder == old or folder.startswith(old + "/")]:
            self.folders.discard(folder)
            self.folders.add(new + folder[len(old) :])

    def _sync_folder(self, folder: str) -> None:
        """The names directly in a folder last; a renamed folder takes along what lasted in it."""

        def inside(path: str) -> bool:
            return str(Path(path).parent) == folder

        before = {number: path for path, number in self.lasting.items()}
        self.lasting_folders = {f for f in self.lasting_folders if not inside(f)} | {
            f for f in self.folders if inside(f)
        }
        kept = {path: number for path, number in self.lasting.items() if not inside(path)}
        self.lasting = {}
        for path, number in kept.items():
            now = next((each for each, other in self.issued.items() if other == number), path)
            moved = Path(now).parent != Path(path).parent and str(Path(now).parent) in self.lasting_folders
            self.lasting[now if moved else path] = number
        self.lasting |= {path: number for path, number in self.issued.items() if inside(path)}
        assert all(number in self.lasting.values() for number in before if number in self.issued.values())

    def build(self, root: Path, order: str) -> None:
        """Put the disk together as a power cut leaves it."""
        names = self.lasting if order == "synced" else self.issued
        for folder in sorted(self.lasting_folders if order == "synced" else self.folders):
            (root / folder).mkdir(parents=True, exist_ok=True)
        for path, number in names.items():
            issued, synced = self.content[number]
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(_after_cut(order, issued, synced))


def _after_cut(order: str, issued: bytes, synced: bytes) -> bytes:
    if order == "arrived":
        return issued
    if order == "synced":
        return synced
    if not issued.startswith(synced):  # taken back after an error; what was synced lasts
        return synced
    new = len(issued) - len(synced)
    half = new // 2 if order == "torn" else 0
    return issued[: len(synced) + half] + bytes(new - half)


@pytest.fixture(scope="module")
def events(tmp_path_factory: pytest.TempPathFactory) -> list[Event]:
    """Every call of a run that is sealed after each measurement."""
    root = tmp_path_factory.mktemp("traced")
    with pytest.MonkeyPatch.context() as patch:
        recorder = Recorder(root, patch)
        writer = RunWriter(root / "results", signer=signer(), seal_every_s=0)
        writer.open(run_open())
        for seq in range(1, COUNT + 1):
            writer.write(measured(seq))
            recorder.told(seq)
        writer.close(run_close(COUNT))
        recorder.told(0)
    return recorder.events


def states(events: list[Event]) -> Iterator[tuple[int, Disk]]:
    """The disk after each call, from before the first."""
    cut = Disk()
    for point, event in enumerate(events):
        yield point, cut
        cut.apply(event)
    yield len(events), cut


def test_there_are_points_enough(events: list[Event]) -> None:
    calls = [event for event in events if event[0] != "told"]
    assert len(calls) >= 300
    document = Path(__file__).parents[2] / "docs" / "evidence.md"
    assert f"in each of {len(ORDERS)} orders | {len(events)} |" in document.read_text("utf-8")
    assert {event[0] for event in calls} == {"write", "fsync", "rename", "replace", "mkdir"}


@pytest.mark.parametrize("order", ORDERS)
def test_no_power_cut_loses_what_was_kept(tmp_path: Path, events: list[Event], order: str) -> None:
    read = 0
    for point, cut in states(events):
        root = tmp_path / f"{point}"
        cut.build(root, order)
        results = root / "results"
        runs = find_runs([results]) if results.is_dir() else []
        assert len(runs) == 1 or not cut.told
        for run in map(read_run, runs):
            kept = {}
            for each in run.measurements:
                step = each.observations[11]
                assert isinstance(step, HttpStep)
                kept[each.seq] = step
            assert cut.told - {0} <= kept.keys()
            for seq in [*kept][-2:]:  # earlier ones were read at earlier points
                assert run.body(each, kept[seq]) == PAGE
            assert run.close is not None or 0 not in cut.told
            sealed = check_seal(run)
            assert sealed >= len(cut.told) - 1  # the last group's may not be written yet
            read += 1
        key = str(signer().key)
        assert last_root(results, key) == (log_root(runs[0] / "measurements.jsonl")[1] if runs else None)
    assert read >= 300


@pytest.mark.parametrize("order", ORDERS)
def test_the_next_run_starts(tmp_path: Path, events: list[Event], order: str) -> None:
    """At every seventh point, as each costs a run of its own."""
    for point, cut in states(events):
        if point % 7:
            continue
        results = tmp_path / f"{point}" / "results"
        cut.build(results.parent, order)
        writer = RunWriter(results, signer=signer())
        before = last_root(results, str(signer().key))
        writer.open(run_open("f" * 16, started=STARTED + 60_000_000, previous_root=before))
        writer.write(measured(1, run="f" * 16))
        writer.close(run_close(1))
        assert check_seal(read_run(writer.folder)) == 3
        assert last_root(results, str(signer().key)) == read_run(writer.folder).root()

"""Programs that mostly wait are begun when the session begins, and run beside the other tests.

A test that wants one is marked with it, and asks for what it printed::

    @pytest.mark.begun("blockwatch.lab.trial", "main")  # python -m blockwatch.lab.trial main FOLDER
    def test_main(said: str) -> None:
        assert json.loads(said)

Rules of this file:

* only what a selected test is marked with is begun, once for all its tests, and these tests come last;
* :data:`AT_ONCE` at a time, those of the most tests first: what is measured must not starve of CPU;
* each has a FOLDER of its own, which stays as long as the session, and keys and notes of its own;
* one that fails fails its own tests, with its last words;
* none outlives the session, however that ends: it is asked to end (:mod:`tests.begin`), and its lab with it.

No threads: tests fork, and so does what is begun.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

AT_ONCE = 8
MOST_SECONDS = 660  # more than any of them gives itself
END_SECONDS = 30
ROOT = Path(__file__).parents[1]

Words = tuple[str, ...]


class Running(NamedTuple):
    """A program that was begun; it writes to ``place`` with the endings ``out`` and ``err``."""

    process: subprocess.Popen[bytes]
    place: Path
    since: float


class Begun:
    """The programs of one session; a plugin of pytest, which begins further ones between any two tests."""

    def __init__(self, programs: Iterable[Words], folder: Path) -> None:
        self._folder = folder
        self._waiting = list(programs)
        self._running: dict[Words, Running] = {}
        self._ended: dict[Words, Running] = {}
        self.pytest_runtest_setup()

    def pytest_runtest_setup(self) -> None:
        """See which have ended, and begin the next ones."""
        for words, running in tuple(self._running.items()):
            if time.monotonic() - running.since > MOST_SECONDS:
                _end(running.process)
            if running.process.poll() is not None:
                self._ended[words] = self._running.pop(words)
        while self._waiting and len(self._running) < AT_ONCE:
            words = self._waiting.pop(0)
            number = len(self._running) + len(self._ended)
            self._running[words] = _begin(words, self._folder / str(number))

    def said(self, words: Words) -> str:
        """What one of them printed, once it has ended."""
        while words not in self._ended:
            time.sleep(0.02)
            self.pytest_runtest_setup()
        process, place, _ = self._ended[words]
        if process.returncode != 0:
            last = place.with_suffix(".err").read_text(errors="replace")[-4_000:]
            pytest.fail(f"{' '.join(words)} ended with {process.returncode}: {last}", pytrace=False)
        return place.with_suffix(".out").read_text()

    def close(self) -> None:
        """End what still runs."""
        for running in self._running.values():
            running.process.terminate()
        for running in self._running.values():
            _end(running.process)


def pytest_configure(config: pytest.Config) -> None:
    """Make the mark known."""
    config.addinivalue_line("markers", "begun(module, *words): wants what python -m MODULE WORDS FOLDER says")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put last what has to wait for a program."""
    items.sort(key=lambda item: item.get_closest_marker("begun") is not None)


@pytest.fixture(scope="session", autouse=True)
def begun(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Begun]:
    """What is begun for the tests that were selected."""
    tests = Counter(words for item in request.session.items for words in _wanted(item))
    programs = Begun([words for words, _ in tests.most_common()], tmp_path_factory.mktemp("begun"))
    request.config.pluginmanager.register(programs)
    yield programs
    request.config.pluginmanager.unregister(programs)
    programs.close()


@pytest.fixture
def said(request: pytest.FixtureRequest, begun: Begun) -> str:
    """What the program printed that the test is marked with."""
    (words,) = _wanted(request.node)
    return begun.said(words)


def _wanted(item: pytest.Item) -> list[Words]:
    """The program that a test is marked with, if the test will be run."""
    if any(mark.args[0] for mark in item.iter_markers("skipif")):
        return []
    return [mark.args for mark in item.iter_markers("begun")]


def _begin(words: Words, place: Path) -> Running:
    with place.with_suffix(".out").open("wb") as out, place.with_suffix(".err").open("wb") as err:
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.begin", str(os.getpid()), *words, str(place)],
            cwd=ROOT,
            env={**os.environ, "BLOCKWATCH_STATE": str(place.with_suffix(".state"))},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            process_group=0,  # Ctrl-C is for us: we ask it to end
        )
    return Running(process, place, time.monotonic())


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask it to end, and see that it does."""
    process.terminate()
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()

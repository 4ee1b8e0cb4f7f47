"""How far a run is, while it goes on: a bar on a terminal, a plain line every ten seconds elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Protocol

from blockwatch.cli.words import duration, size

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from blockwatch.runner.parts import Progress

_LINE_EVERY_S = 10.0
_BAR_EVERY_S = 0.2


class Display(Protocol):
    """Takes the measurer's progress; a context manager for as long as the run goes on."""

    def __call__(self, progress: Progress) -> None:
        """Take note that one more measurement is done."""

    def __enter__(self) -> Display:
        """Begin."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End, and leave the terminal as it was."""


def display(*, quiet: bool) -> Display:
    """Return what fits standard error."""
    if quiet:
        return _Silent()
    return _OnTerminal() if sys.stderr.isatty() else _Lines()


class _Silent:
    """Shows nothing."""

    def __call__(self, progress: Progress) -> None:
        return

    def __enter__(self) -> Display:
        return self

    def __exit__(self, *error: object) -> None:
        return


class _Lines(_Silent):
    """A line of words every ten seconds, for logs."""

    def __init__(self) -> None:
        self._began = self._shown = time.monotonic()

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if now - self._shown >= _LINE_EVERY_S or (
            progress.done == progress.planned and self._shown > self._began
        ):
            self._shown = now
            print(words(progress, now - self._began), file=sys.stderr, flush=True)


class _OnTerminal(_Silent):
    """A bar with counts, rate and time left; drawn in our own thread of control, never by another."""

    def __init__(self) -> None:
        self._began = time.monotonic()
        self._shown = 0.0
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def __enter__(self) -> Display:
        from rich.progress import BarColumn, Progress, TextColumn

        from blockwatch.cli.table import console

        columns = (BarColumn(), TextColumn("{task.description}", markup=False))
        self._bar = Progress(*columns, console=console(sys.stderr), auto_refresh=False, transient=True)
        self._task = self._bar.add_task("beginning: checks of your own line", total=None)
        self._bar.start()
        return self

    def __call__(self, progress: Progress) -> None:
        now = time.monotonic()
        if self._bar is None or self._task is None or now - self._shown < _BAR_EVERY_S:
            return
        self._shown = now
        self._bar.update(
            self._task,
            total=progress.planned,
            completed=progress.done,
            description=words(progress, now - self._began),
        )
        self._bar.refresh()

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def words(progress: Progress, seconds: float) -> str:
    """Return counts, rate, bytes and time left in one line; ``seconds`` since the run began."""
    rate = progress.done / seconds if seconds > 0 else 0.0
    left = (progress.planned - progress.done) / rate if rate > 0 else 0.0
    ends = f", about {duration(int(left * 1e6))} left" if progress.done < progress.planned else ""
    return (
        f"{progress.done} of {progress.planned} measured, {rate:.1f} a second, {size(progress.bytes)}{ends}"
    )

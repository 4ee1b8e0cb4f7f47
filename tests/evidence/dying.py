"""A process that dies at a call of the test's choice, in the middle of changing the disk."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable

from blockwatch.evidence import disk

_CHANGE = ("write", "fsync", "mkdir", "rename", "replace", "unlink", "rmdir")


def stop_at(point: int) -> None:
    """Count the calls that change the disk; at number ``point`` die. A write is then half done."""
    calls = 0

    def counted(real: Callable[..., object]) -> Callable[..., object]:
        def call(*arguments: object, **options: object) -> object:
            nonlocal calls
            if arguments[0] == 1:  # standard output
                return real(*arguments, **options)
            calls += 1
            if calls == point:
                if real is write:
                    content = arguments[1]
                    real(arguments[0], content[: len(content) // 2])  # type: ignore[index, arg-type]
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **options)

        return call

    write = os.write
    for name in _CHANGE:
        setattr(os, name, counted(getattr(os, name)))
    disk._sync = counted(disk._sync)  # type: ignore[assignment]

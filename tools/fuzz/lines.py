"""Which lines of a reader were reached, by ``sys.settrace``: slow, and needs nothing but Python."""

from __future__ import annotations

import sys
import types
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path


class Lines:
    """Lines inside functions of some modules: what a module does when it is imported is no part of reading.

    ``module`` is all of its functions, ``module:name name`` those functions and classes alone.
    """

    def __init__(self, modules: tuple[str, ...]) -> None:
        wanted = [
            (import_module(name), only.split()) for name, _, only in (m.partition(":") for m in modules)
        ]
        self._files = {module.__file__ for module, _ in wanted if module.__file__}
        self.reached: set[tuple[str, int]] = set()
        self.every = {place for module, only in wanted for place in _places(module, only)}

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Note what is reached meanwhile."""
        sys.settrace(self._trace)
        try:
            yield
        finally:
            sys.settrace(None)

    def _trace(self, frame: types.FrameType, event: str, _: object) -> Callable[..., object] | None:
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: types.FrameType, event: str, _: object) -> Callable[..., object]:
        self.reached.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def _places(module: types.ModuleType, only: Sequence[str]) -> Iterator[tuple[str, int]]:
    file = module.__file__ or ""
    todo = [compile(Path(file).read_text(encoding="utf-8"), file, "exec")]
    while todo:
        code = todo.pop()
        todo += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        chosen = not only or any(f"{code.co_qualname}.".startswith(f"{name}.") for name in only)
        if chosen and code.co_flags & 0x02:  # a function: has locals of its own
            yield from (
                (file, line) for _, _, line in code.co_lines() if line and line != code.co_firstlineno
            )

"""What the fuzzer knows of one reader."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from blockwatch.errors import BlockwatchError


class Target(NamedTuple):
    """One reader. It may return, or raise one of ``permitted``; anything else is a crash."""

    corpus: Sequence[bytes]
    read: Callable[[bytes], object]
    modules: tuple[str, ...]  # whose lines count as covered
    open_up: Callable[[bytes], bytes] = bytes  # to the bytes that are worth damaging …
    close_up: Callable[[bytes], bytes] = bytes  # … and back
    permitted: tuple[type[Exception], ...] = (BlockwatchError,)
    most_bytes: int = 1 << 20  # of one input
    is_json: bool = False  # also changed as a tree, so that it stays JSON

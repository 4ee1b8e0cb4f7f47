"""``python -m tools.fuzz [--seconds N | --executions N] [--seed N] [READER...]``

Changes good input at random, keeps what reaches new lines of the reader, and goes on from there. Says for
each reader how many inputs it began with and kept, how often it was run, which part of its lines were
reached, and the slowest run. An error that is not one for people, a run of more than 20 seconds or more
than 1 GB of memory is a crash: the input is written to ``crash-<reader>-<hash>``, the exit code is 1.
"""

from __future__ import annotations

import argparse
import random
import resource
import signal
import sys
import tempfile
import time
import types
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from tools.fuzz.readers import PERMITTED, Target, targets

MOST_SECONDS = 20
MOST_MEMORY = 1 << 30
MOST_BYTES = 1 << 20  # of one input
WORDS = (
    *(b"", b"\0", b"\xff", b"\n", b"\r\n\r\n", b"{", b"}", b"[", b"]", b'"', b",", b":", b"/", b"=", b"+"),
    *(b"null", b"true", b"-1", b"0", b"1e999", b"9007199254740993", b"18446744073709551616", b"../"),
    *(
        b"-9223372036854775809",
        b"\\u0000",
        b"\\ud800",
        b"\xed\xa0\x80",
        b"\xe2\x80\xae",
        b"A" * 64,
        b"0" * 64,
    ),
    *(b"\x80\0\0\0\0\0\0\0", b"\x1f\x8b", b"HTTP/1.1 200 OK\r\n", b"Content-Length: 99999999999\r\n"),
    *(b"Transfer-Encoding: chunked\r\n", b"WARC/1.1\r\n"),
)


def damaged(chance: random.Random, corpus: list[bytes]) -> bytes:
    """One of the corpus with one to eight changes."""
    raw = bytearray(chance.choice(corpus))
    for _ in range(1 << chance.randrange(4)):
        at = chance.randrange(len(raw) + 1)
        size = min(len(raw) - at, 1 << chance.randrange(10))
        what = chance.randrange(8)
        if what == 0 and at < len(raw):
            raw[at] ^= 1 << chance.randrange(8)
        elif what == 1 and at < len(raw):
            raw[at] = chance.randrange(256)
        elif what == 2:
            del raw[at : at + size]
        elif what == 3:
            raw[at:at] = raw[at : at + size] * chance.choice((1, 2, 40))
        elif what == 4:
            raw[at:at] = chance.choice(WORDS)
        elif what == 5:
            word = chance.choice(WORDS)
            raw[at : at + len(word)] = word
        elif what == 6:
            other = chance.choice(corpus)
            begin = chance.randrange(len(other) + 1)
            raw[at : at + size] = other[begin : begin + size]
        else:
            del raw[len(raw) - chance.randrange(min(len(raw), 64) + 1) :]
    return bytes(raw[:MOST_BYTES])


class Lines:
    """Which lines of some modules were reached."""

    def __init__(self, modules: tuple[str, ...]) -> None:
        loaded = [import_module(name) for name in modules]
        self._files = {module.__file__ for module in loaded if module.__file__}
        self.reached: set[tuple[str, int]] = set()
        self.every = {place for module in loaded for place in _places(module)}

    def trace(self, frame: types.FrameType, event: str, _: object) -> Callable[..., object] | None:
        """For ``sys.settrace``."""
        return self._line if frame.f_code.co_filename in self._files else None

    def _line(self, frame: types.FrameType, event: str, _: object) -> Callable[..., object]:
        self.reached.add((frame.f_code.co_filename, frame.f_lineno))
        return self._line


def _places(module: types.ModuleType) -> Iterator[tuple[str, int]]:
    """Lines inside functions: what a module does when it is imported is no part of reading."""
    file = module.__file__ or ""
    todo = [compile(Path(file).read_text(encoding="utf-8"), file, "exec")]
    while todo:
        code = todo.pop()
        todo += [const for const in code.co_consts if isinstance(const, types.CodeType)]
        if code.co_flags & 0x02:  # a function: has locals of its own
            yield from (
                (file, line) for _, _, line in code.co_lines() if line and line != code.co_firstlineno
            )


class Slow(BaseException):
    """A run took too long."""


@contextmanager
def in_bounds() -> Iterator[None]:
    """End a run that takes too long."""

    def stop(*_: object) -> None:
        raise Slow

    signal.signal(signal.SIGALRM, stop)
    signal.alarm(MOST_SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def fuzz(name: str, target: Target, *, seconds: float, executions: int, seed: int) -> bool:
    """Fuzz one reader and say what came of it; whether nothing crashed."""
    chance = random.Random(f"{seed} {name}")  # noqa: S311, to be had again is what it is for
    lines = Lines(target.modules)
    corpus = [target.open_up(raw) for raw in target.corpus]
    done, crashes, slowest, began = 0, set(), 0.0, time.monotonic()
    while done < executions and time.monotonic() - began < seconds and len(crashes) < 5:
        inner = corpus[done] if done < len(target.corpus) else damaged(chance, corpus)
        before, start = len(lines.reached), time.monotonic()
        raw = target.close_up(inner)
        crash = _crash(target, lines, raw)
        slowest = max(slowest, time.monotonic() - start)
        done += 1
        if crash and crash not in crashes:
            crashes.add(crash)
            path = Path(f"crash-{name.replace(' ', '-')}-{sha256(raw).hexdigest()[:12]}")
            path.write_bytes(raw)
            print(f"{name}: {crash}: {path}")
        elif len(lines.reached) > before and done > len(target.corpus):
            corpus.append(inner)
    rate, peak = done / (time.monotonic() - began), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
    reached = len(lines.reached & lines.every)
    print(
        f"{name}: {len(target.corpus)} inputs, {len(corpus) - len(target.corpus)} kept; "
        f"{done} runs ({rate:.0f}/s), slowest {slowest * 1_000:.0f} ms; "
        f"{reached} of {len(lines.every)} lines ({100 * reached / len(lines.every):.0f} %); "
        f"peak {peak} MB; {len(crashes)} crashes",
        flush=True,
    )
    return not crashes


def _crash(target: Target, lines: Lines, raw: bytes) -> str:
    """Where and how the reader crashed; empty if it did not."""
    sys.settrace(lines.trace)
    try:
        with in_bounds():
            target.read(raw)
    except PERMITTED:
        return ""
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt):
            raise
        trace = error.__traceback__
        while trace is not None and trace.tb_next is not None:
            trace = trace.tb_next
        place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else ""
        return f"{type(error).__name__} at {place}"
    finally:
        sys.settrace(None)
    return ""


def main() -> int:
    """Parse the arguments and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("readers", nargs="*")
    parser.add_argument("--seconds", type=float, default=60.0, help="for each reader")
    parser.add_argument("--executions", type=int, default=1 << 60, help="of each reader")
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="fuzz-") as work:
        known = targets(Path(work))
        if unknown := set(asked.readers) - set(known):
            parser.error(f"no reader {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        resource.setrlimit(resource.RLIMIT_AS, (MOST_MEMORY, MOST_MEMORY))
        good = [
            fuzz(name, known[name], seconds=asked.seconds, executions=asked.executions, seed=asked.seed)
            for name in asked.readers or known
        ]
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main())

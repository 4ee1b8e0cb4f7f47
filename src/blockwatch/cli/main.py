"""The entry point: runs the command and turns whatever it raises into words and an exit code."""

from __future__ import annotations

import errno
import gc
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress

import click

from blockwatch.cli.commands import blockwatch
from blockwatch.cli.streams import mend_streams
from blockwatch.errors import BlockwatchError, EvidenceError, Exit, is_forbidden

_YOUNG = 10_000  # objects between looks for cycles; with Python's 700 a run spends a twentieth of its time so
_UNWRITTEN = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run ``blockwatch`` with these arguments (default: the process's own) and exit."""
    gc.set_threshold(_YOUNG, 10, 10)
    mend_streams()
    os.umask(0o077)  # whatever it writes, wherever, is for its owner alone
    _leave_no_core()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # an old terminal's charset must not stop a run
            stream.reconfigure(errors="backslashreplace")
    code = _run(arguments)
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        _silence_output()
    except OSError as error:
        code = _unwritten(error)
    sys.exit(int(code))


def _leave_no_core() -> None:
    """Have no crash leave the memory on a disk: the own address, keys, what was measured.

    To Linux a limit of 1 means "nor to a program that collects cores", which 0 does not (fs/coredump.c).
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        least = 0 if most == 0 else 1
        resource.setrlimit(resource.RLIMIT_CORE, (least, least))


def _run(arguments: Sequence[str] | None) -> int:
    try:
        words = list(sys.argv[1:] if arguments is None else arguments)
        with blockwatch.make_context("blockwatch", words) as context:
            blockwatch.invoke(context)
        return Exit.OK
    except click.exceptions.Exit as exit_:
        return exit_.exit_code
    except click.ClickException as error:
        error.show(sys.stderr)
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        print("blockwatch: stopped", file=sys.stderr)
        return Exit.PARTIAL
    except BrokenPipeError:
        _silence_output()
        return Exit.OK  # the reader had enough
    except BaseException as error:
        return _explained(error)


def _explained(error: BaseException) -> int:
    """Print an error in words and return its exit code; what is neither ours nor known is raised on."""
    leaves = list(_leaves(error))
    if isinstance(error, OSError) and error.errno in _UNWRITTEN and error.filename is None:
        return _unwritten(error)  # the store says DiskError; this was standard output
    if os.environ.get("BLOCKWATCH_DEBUG"):
        import traceback

        traceback.print_exception(error)
    for leaf in leaves:  # of several errors at once a fault of ours weighs most
        if isinstance(leaf, Exception) and not isinstance(leaf, BlockwatchError):
            return _fault(leaf)
    for leaf in leaves:
        if isinstance(leaf, BlockwatchError):
            from blockwatch.cli.words import harmless_lines  # an error may quote what a stranger wrote

            print(f"blockwatch: {harmless_lines(leaf)}", file=sys.stderr)
            return Exit.PARTIAL if isinstance(leaf, EvidenceError) and is_forbidden(leaf) else leaf.exit_code
    if any(isinstance(leaf, KeyboardInterrupt) for leaf in leaves):
        print("blockwatch: stopped", file=sys.stderr)
        return Exit.PARTIAL
    raise error


def _unwritten(error: OSError) -> int:
    _silence_output()
    print(
        f"blockwatch: the answer cannot be written: {error.strerror}\n"
        "  Free some space, or send standard output elsewhere; what was measured is kept.",
        file=sys.stderr,
    )
    return Exit.DISK


def _leaves(error: BaseException) -> Iterator[BaseException]:
    """Yield what a (nested) exception group of trio's is made of."""
    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield error


def _fault(error: Exception) -> int:
    from blockwatch.cli.words import harmless

    words = harmless(" ".join(str(error).split()), 300)
    print(
        f"blockwatch: a fault of ours: {type(error).__name__}: {words}\n"
        "  Please report it with the command you gave and the output of the same command with\n"
        "  BLOCKWATCH_DEBUG=1 before it. What was measured until then is kept.",
        file=sys.stderr,
    )
    return Exit.FAULT


def _silence_output() -> None:
    """Nobody reads any more: let the interpreter's own last flush go nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)

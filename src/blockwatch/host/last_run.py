"""How the last run went: ``last_run.json``, for scripts that watch over unattended probes.

Times, counts and exit code, and nothing that says which run it was or where it lies.
"""

from __future__ import annotations

import msgspec

from blockwatch.host.keys import overwritten
from blockwatch.host.place import read_state, remove_state, state_folder, write_state
from blockwatch.model import Noun

_FILE = "last_run.json"
_SAME_RUN_US = 120_000_000  # a clock may have been set while it ran


class LastRun(Noun, frozen=True, kw_only=True):
    """The end of one run."""

    started: int  # microseconds since the epoch, UTC
    ended: int
    reason: str  # as in RunClose
    exit_code: int
    planned: int
    measured: int


def remember(last: LastRun) -> None:
    """Write the record; raises :class:`~blockwatch.errors.ConfigError` where it cannot be kept."""
    write_state(_FILE, msgspec.json.format(msgspec.json.encode(last)) + b"\n")


def drop(started: int) -> None:
    """Delete the record where it is of the run that began at ``started`` (microseconds since the epoch)."""
    last = recall()
    if last is None or abs(last.started - started) < _SAME_RUN_US:  # what cannot be read goes too
        with overwritten(state_folder() / _FILE):
            remove_state(_FILE)


def recall() -> LastRun | None:
    """Return the record of the run before, if there is a readable one."""
    raw = read_state(_FILE)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=LastRun)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

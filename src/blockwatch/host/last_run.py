"""How the last run went: ``last_run.json``, for scripts that watch over unattended probes."""

from __future__ import annotations

import msgspec

from blockwatch.host.place import read_state, write_state
from blockwatch.model import Noun

_FILE = "last_run.json"


class LastRun(Noun, frozen=True, kw_only=True):
    """The end of one run."""

    run: str  # run id
    folder: str  # absolute path
    started: int  # microseconds since the epoch, UTC
    ended: int
    reason: str  # as in RunClose
    exit_code: int
    planned: int
    measured: int


def remember(last: LastRun) -> None:
    """Write the record; raises :class:`~blockwatch.errors.ConfigError` where it cannot be kept."""
    write_state(_FILE, msgspec.json.format(msgspec.json.encode(last)) + b"\n")


def recall() -> LastRun | None:
    """Return the record of the run before, if there is a readable one."""
    raw = read_state(_FILE)
    if raw is None:
        return None
    try:
        return msgspec.json.decode(raw, type=LastRun)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None

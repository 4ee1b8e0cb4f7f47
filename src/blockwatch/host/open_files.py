"""How many files and sockets this machine lets one program have open.

A system that allows few (256 on macOS, 1,024 on most others) would make sockets fail in the middle of a run:
a fault of ours, which voids the measurement. So the limit is raised as far as it goes without rights, and
fewer targets are measured at a time where that is not enough.
"""

from __future__ import annotations

_PER_TARGET = 20  # sockets: lookups that still listen, one flow an address, the control
_OWN = 96  # the log, the helper's and resolvers' kept connections, the interpreter
_ENOUGH = 16_384


def targets_at_a_time(wanted: int) -> int:
    """``wanted``, or as many targets as can be measured at a time here, at least 1."""
    try:
        import resource
    except ImportError:  # Windows: no such limit
        return wanted
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    aim = _ENOUGH if hard == resource.RLIM_INFINITY else min(_ENOUGH, hard)
    if soft != resource.RLIM_INFINITY and soft < aim:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (aim, hard))
            soft = aim
        except (OSError, ValueError):  # macOS refuses more than it really has
            pass
    room = _ENOUGH if soft == resource.RLIM_INFINITY else soft
    return max(1, min(wanted, (room - _OWN) // _PER_TARGET))

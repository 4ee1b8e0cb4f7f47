"""Conducting a run: the plan, the targets in parallel, the line, the end.

``run`` lives in :mod:`blockwatch.runner.conduct` and is loaded when called, so that a plan can be
made without touching anything that can open a connection.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    from blockwatch.net.seam import Network
    from blockwatch.run import RunClose
    from blockwatch.runner.parts import Curiosity, Progress, Sink
    from blockwatch.runner.plan import Plan


async def run(
    plan: Plan,
    sink: Sink,
    curiosity: Curiosity,
    *,
    progress: Callable[[Progress], None] | None = None,
    previous_root: str | None = None,
    retest_of: str | None = None,
    network: Network | None = None,
) -> RunClose:
    """Carry out ``plan``; see :class:`blockwatch.runner.conduct.Conductor`."""
    from blockwatch.runner.conduct import Conductor

    conductor = Conductor(plan, sink, curiosity, progress=progress, network=network)
    return await conductor.run(previous_root=previous_root, retest_of=retest_of)

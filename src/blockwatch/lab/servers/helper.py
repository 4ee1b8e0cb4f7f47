"""The lab's test helper: the real one, in a process of its own.

It measures from its own address, so that servers know it from the probe, trusts the lab's authority
besides the usual ones, and asks a resolver that does not lie.
"""

from __future__ import annotations

import os
import sys
import traceback
from functools import partial

import trio

from blockwatch.lab.ca import LabCA
from blockwatch.lab.kernel import die_with_parent
from blockwatch.lab.servers.secure import server_context
from blockwatch.lab.world import HELPER, HELPER_HOST, PUBLIC_RESOLVERS

_PARALLEL = 200  # requests at a time: the lab's helper must not be what a benchmark measures


def start(ca: LabCA) -> int:
    """Start it; the file descriptor given back becomes readable once it listens, or has died."""
    reading, writing = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        code = 1
        try:
            die_with_parent(parent)
            os.close(reading)
            trio.run(_serve, ca, writing)
        except BaseException:
            traceback.print_exc(file=sys.stderr)
        finally:
            os._exit(code)
    os.close(writing)
    return reading


async def _serve(ca: LabCA, listens: int) -> None:
    from blockwatch.helper.server import serve

    context = server_context(str(ca.site((HELPER_HOST, HELPER))), h2=False)
    waiting = {80, 443}

    def bound(where: list[tuple[str, int]]) -> None:
        waiting.difference_update(port for _, port in where)
        if not waiting:
            os.write(listens, b"r")

    async with trio.open_nursery() as nursery:
        for port, tls in ((80, None), (443, context)):
            measure = partial(
                serve,
                listen=[(HELPER, port)],
                tls=tls,
                resolver=PUBLIC_RESOLVERS[0],
                ca_file=ca.ca_file,
                source_address=HELPER,
                rate=0.0,
                parallel=_PARALLEL,
                ready=bound,
            )
            nursery.start_soon(measure)

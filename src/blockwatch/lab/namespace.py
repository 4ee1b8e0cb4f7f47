"""Two network namespaces with a wire between them, in a third one: where the lab lives.

Rules:

- Nothing leaves the machine: each side has loopback and one device that ends at the wire, and no route
  over anything else; anything else is a refusal to start. The wire's own namespace has those two ends.
- Three processes: the keeper (sits in the probe's namespaces and watches), the far side (runs
  ``serve``), the wire. The keeper ends when its caller ends or asks, the others end with the keeper,
  and the keeper ends when one of them does.
- No privileges: an unprivileged user namespace (user_namespaces(7)) holds it all. Several labs can
  run side by side.

On the far side every address is local (AnyIP): servers bind 0.0.0.0 or ``::`` and answer as whom they
were asked. A UDP server must bind the very address it answers from, or use IP_PKTINFO.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress

from blockwatch.errors import LabError
from blockwatch.lab import enter, wire
from blockwatch.lab.kernel import (
    NEW_MOUNTS,
    NEW_NET,
    NEW_USER,
    PRIVATE,
    RECURSIVE,
    die_with_parent,
    map_ids,
    mount,
    unshare,
)
from blockwatch.lab.link import Link
from blockwatch.lab.sides import build_far, build_probe, refuse_ways_out_of, resolve_with
from blockwatch.lab.world import PUBLIC_RESOLVERS, World

Serve = Callable[[World, Callable[[], None]], None]

_READY_SECONDS = 60.0
_CLOSE_SECONDS = 3.0


class Handle:
    """A running lab; a context manager. ``pid`` is the keeper's."""

    def __init__(self, pid: int, line: socket.socket) -> None:
        self.pid = pid
        self._line: socket.socket | None = line

    def enter_prefix(self) -> list[str]:
        """Return the words to put before a program's argv to run it where the probe is."""
        # -I -S: as fast as Python starts, and no package or current folder can get in between.
        return [sys.executable, "-I", "-S", str(enter.__file__), str(self.pid), "--"]

    def enter(self, argv: Sequence[str]) -> list[str]:
        """Return ``argv`` as to be run where the probe is."""
        return [*self.enter_prefix(), *argv]

    def fileno(self) -> int:
        """Return a file that is readable once the lab has died; -1 after :meth:`close`."""
        return -1 if self._line is None else self._line.fileno()

    def check(self) -> None:
        """Raise LabError, with what the dying process said, when the lab no longer runs."""
        if self._line is None or select.select([self._line], [], [], 0)[0]:
            said = self.last_words()[1:].replace("\x1f", " ").strip()  # without the letter of its kind
            self.close()
            raise LabError(f"the lab has died: {said}")

    def close(self) -> None:
        """End the lab and wait until its processes are gone; again is harmless."""
        line, self._line = self._line, None
        if line is None:
            return
        with line:
            line.setblocking(False)
            with suppress(OSError):  # it may be gone already
                line.send(b"q")
            deadline = time.monotonic() + _CLOSE_SECONDS
            while os.waitpid(self.pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(self.pid, signal.SIGKILL)
                    os.waitpid(self.pid, 0)
                    return
                select.select([line], [], [], 0.02)
                time.sleep(0.001)

    def last_words(self) -> str:
        """Wait for the end of a dying lab; returns what it said of the reason."""
        heard = b""
        while self._line is not None and (more := self._line.recv(65536)):
            heard += more
        return heard.decode(errors="replace") or " no last words"

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def start(world: World, serve: Serve) -> Handle:
    """Build both sides, run ``serve(world, ready)`` on the far one and return when it called ``ready()``.

    ``serve`` runs in a process of its own and should not return. Raises LabError when this machine
    cannot run a lab or the far side fails before it is ready.
    """
    ours, theirs = socket.socketpair()
    sys.stdout.flush()
    sys.stderr.flush()
    caller = os.getpid()
    pid = os.fork()
    if pid == 0:
        ours.close()
        _run(theirs, lambda: _keep(world, serve, theirs, caller))
    theirs.close()
    handle = Handle(pid, ours)
    try:
        _greet(handle, ours, pid)
    except BaseException:
        handle.close()
        raise
    return handle


def _greet(handle: Handle, line: socket.socket, pid: int) -> None:
    """Map the keeper's users when it asks (u), then wait until probe's side (p) and servers (r) are ready."""
    awaited = {b"u", b"p", b"r"}
    deadline = time.monotonic() + _READY_SECONDS
    while awaited:
        if not select.select([line], [], [], max(0.0, deadline - time.monotonic()))[0]:
            raise LabError(f"the lab is not ready after {_READY_SECONDS:.0f} s")
        word = line.recv(1)
        if word == b"E":  # a LabError inside: what, where, remedy
            what, where, remedy = handle.last_words().split("\x1f")
            raise LabError(what, where=where, remedy=remedy)
        if word not in awaited:
            raise LabError(f"the lab did not start: {handle.last_words()}")
        if word == b"u":
            map_ids(pid)
            line.send(b"m")
        awaited.remove(word)


def _run(line: socket.socket, work: Callable[[], None]) -> None:
    """Do ``work`` as the whole life of a forked process; its fault goes into ``line``."""
    code = 1
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the caller's to handle
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        work()
        code = 0
    except LabError as error:
        line.sendall(b"E" + "\x1f".join((error.what, error.where, error.remedy)).encode())
    except BaseException:
        line.sendall(b"X" + traceback.format_exc().encode())
    finally:
        os._exit(code)  # never back into the caller's stack


def _keep(world: World, serve: Serve, line: socket.socket, caller: int) -> None:
    """Build the world in fresh namespaces, then watch over it from the probe's side."""
    unshare(NEW_USER)
    line.send(b"u")
    if line.recv(1) != b"m":
        return
    unshare(NEW_NET | NEW_MOUNTS)
    mount("none", "/", "none", RECURSIVE | PRIVATE)
    middle = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    unshare(NEW_NET)
    far_link = build_far(world, middle)
    far = _fork(line, lambda: _serve_far(world, serve, line, (far_link, middle)))
    unshare(NEW_NET | NEW_MOUNTS)  # mounts again: the far side copies the old ones, in its own time
    probe_link = build_probe(world, middle)
    resolve_with(world.resolver)
    refuse_ways_out_of(middle)
    carrier = _fork(line, lambda: _carry(world, line, probe_link, far_link))
    _close_all_but(line.fileno())
    line.send(b"p")
    _watch(line, (far, carrier), caller)


def _fork(line: socket.socket, work: Callable[[], None]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        die_with_parent(parent)
        _run(line, work)
    return pid


def _serve_far(world: World, serve: Serve, line: socket.socket, not_ours: tuple[int, ...]) -> None:
    for fd in not_ours:
        os.close(fd)
    unshare(NEW_MOUNTS)
    resolve_with(PUBLIC_RESOLVERS[0])

    def ready() -> None:
        line.send(b"r")

    serve(world, ready)
    raise LabError("the far side's servers ended")


def _carry(world: World, line: socket.socket, *links: int) -> None:
    _close_all_but(line.fileno(), *links)
    gc.freeze()  # what the caller had loaded is not ours to go through again and again
    probe, far = (Link(os.dup(link)) for link in links)  # dup: low numbers, as select() needs them
    wire.main(world, probe, far)


def _close_all_but(*keep: int) -> None:
    """Close what a fork got from the caller, standard streams excepted."""
    for fd in map(int, os.listdir("/proc/self/fd")):
        if fd > 2 and fd not in keep:
            with suppress(OSError):  # the list's own is closed already
                os.close(fd)


def _watch(line: socket.socket, children: tuple[int, ...], caller: int) -> None:
    """Wait for the caller's word or end, or a child's end; then end them all."""
    poll = select.poll()
    poll.register(line, select.POLLIN | select.POLLHUP)
    for child in children:
        poll.register(os.pidfd_open(child), select.POLLIN)
    while not poll.poll(1000) and os.getppid() == caller:
        pass  # other labs forked since may hold the caller's end of the line: so look for it, too
    for child in children:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)

"""The few Linux calls the lab needs that Python 3.11 has no name for, and why the kernel refused them.

Rules: a refusal to give namespaces is a :class:`LabError` that names the switch to turn; every other
refusal is an ``OSError``.
"""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL

from blockwatch.errors import LabError

NEW_USER, NEW_NET, NEW_MOUNTS = 0x10000000, 0x40000000, 0x00020000  # linux/sched.h
BIND, RECURSIVE, PRIVATE = 0x1000, 0x4000, 0x40000  # sys/mount.h
_PR_SET_PDEATHSIG = 1
_SWITCHES = (  # below /proc/sys: the value that forbids, one that allows
    ("kernel/unprivileged_userns_clone", "0", "1"),
    ("kernel/apparmor_restrict_unprivileged_userns", "1", "0"),
    ("user/max_user_namespaces", "0", "15000"),
    ("user/max_net_namespaces", "0", "15000"),
)
_CONTAINER = (
    "the kernel allows it, so a sandbox around this process forbids it: in Docker, start the container with "
    "--security-opt seccomp=unconfined --security-opt apparmor=unconfined"
)


def unshare(flags: int) -> None:
    """Move the calling process into fresh namespaces."""
    try:
        _call("unshare", flags)
    except OSError as error:
        if error.errno not in (errno.EPERM, errno.EACCES, errno.ENOSPC, errno.EINVAL):
            raise
        what = f"the kernel gives no user and network namespaces ({error.strerror})"
        raise LabError(what, remedy=remedy()) from error


@contextmanager
def inside_network(namespace: int) -> Iterator[None]:
    """Be in the network namespace of that file descriptor for a while."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _call("setns", namespace, NEW_NET)
        try:
            yield
        finally:
            _call("setns", home, NEW_NET)
    finally:
        os.close(home)


def remedy() -> str:
    """Return what an administrator has to do so that namespaces can be made."""
    orders = []
    for name, bad, good in _SWITCHES:
        try:
            if Path("/proc/sys", name).read_text().strip() == bad:
                orders.append(f"sysctl -w {name.replace('/', '.')}={good}")
        except OSError:
            continue  # this kernel has no such switch
    return f"as root: {'; '.join(orders)}" if orders else _CONTAINER


def mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    """mount(2)."""
    _call("mount", source.encode(), target.encode(), kind.encode(), flags, options.encode() or None)


def die_with_parent(parent: int, by: int = SIGKILL) -> None:
    """Have the kernel send this process ``by`` when its parent ``parent`` ends; if that is gone, end."""
    _call("prctl", _PR_SET_PDEATHSIG, by, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)


def map_ids(pid: int) -> None:
    """Give every user and group its own number inside the user namespace of process ``pid``.

    Not to 0: a program in the lab then is whom it is outside (files, home, what is refused to an
    ordinary user), and after exec it has no more rights than a volunteer's. An ordinary user may map
    only himself; root, all it sees itself, so that a tree of somebody else's stays writable to it.
    """
    root = Path(f"/proc/{pid}")
    if os.geteuid() == 0:
        try:
            for name in ("uid_map", "gid_map"):
                ranges = [line.split() for line in Path(f"/proc/self/{name}").read_text().splitlines()]
                (root / name).write_text("".join(f"{first} {first} {count}\n" for first, _, count in ranges))
        except PermissionError:
            pass  # a root without CAP_SETUID maps as an ordinary user does
        else:
            return
    uid, gid = os.geteuid(), os.getegid()
    try:
        if not (root / "uid_map").read_text().strip():
            (root / "uid_map").write_text(f"{uid} {uid} 1\n")
        (root / "setgroups").write_text("deny")
        (root / "gid_map").write_text(f"{gid} {gid} 1\n")
    except PermissionError as error:
        raise LabError("the kernel maps no users into a namespace", remedy=remedy()) from error


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)

"""Run a program where it can reach nothing: ``python cell.py IN OUT -- PROGRAM ARGUMENTS…``.

Rules of this file:

* fresh user, network, mount, IPC and UTS namespaces (namespaces(7)): no interface but a loopback that is
  down; no name of the machine; of the file system the programs, their fonts and libraries, read-only, and
  nothing else (no home, no runs, no ``/run`` with its sockets), and a small place in memory to write to, gone
  with the last process;
* root becomes nobody first; nobody gains anything by running a setuid program; sizes are bounded;
* it ends with whoever started it, and becomes the program only if every step succeeded: a step that
  fails is said on standard error, exit code :data:`REFUSED`;
* it runs as a bare file (no package, no site folder), so it imports the standard library alone.

IN and OUT are the numbers of files that the program gets as its files 3 and 4.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import resource
import sys
from pathlib import Path

REFUSED = 125
_NEW_USER, _NEW_NET, _NEW_MOUNTS, _NEW_IPC, _NEW_UTS = 1 << 28, 1 << 30, 1 << 17, 1 << 27, 1 << 26
_BIND, _RECURSIVE, _PRIVATE, _NO_SETUID, _NO_DEVICES = 0x1000, 0x4000, 0x40000, 2, 4  # sys/mount.h
_READ_ONLY, _REMOUNT = 1, 0x20
_KEPT = {os.ST_NOSUID: 2, os.ST_NODEV: 4, os.ST_NOEXEC: 8, os.ST_NOATIME: 1024, os.ST_NODIRATIME: 2048}
_KEPT[os.ST_RELATIME] = 1 << 21  # statvfs(3) and mount(2) number this one differently
_DETACH = 2
_DIE_WITH_PARENT, _DUMPABLE, _NO_NEW_PRIVILEGES = 1, 4, 38  # linux/prctl.h
_NOBODY = 65_534
_SEEN = (
    *("usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32", "opt", "nix", "proc"),
    *("etc/alternatives", "etc/fonts", "etc/ld.so.cache", "etc/chromium.d", "var/cache/fontconfig"),
)
_DEVICES = ("null", "zero", "full", "random", "urandom")
_WRITABLE = ("tmp", "dev/shm")
_ROOM = 512 << 20  # bytes of all that the program writes
_LIMITS = (
    (resource.RLIMIT_DATA, 2 << 30),  # bytes of memory, each process
    (resource.RLIMIT_CPU, 60),  # seconds, each process
    (resource.RLIMIT_FSIZE, _ROOM),
    (resource.RLIMIT_CORE, 0),
)


def main() -> None:
    """Make the cell, then become the program."""
    if len(sys.argv) < 5 or sys.argv[3] != "--":
        sys.exit("usage: cell.py IN OUT -- PROGRAM ARGUMENTS…")
    ours, program = [int(number) for number in sys.argv[1:3]], sys.argv[4:]
    try:
        _become_nobody()
        _enter_namespaces()
        _refuse_ways_out()
        _leave_the_file_system()
        _call("prctl", _NO_NEW_PRIVILEGES, 1, 0, 0, 0)
        _call("prctl", _DIE_WITH_PARENT, 9, 0, 0, 0)  # a change of rights would have undone it
        for limit, most in _LIMITS:
            hard = resource.getrlimit(limit)[1]
            most = most if hard == resource.RLIM_INFINITY else min(most, hard)
            resource.setrlimit(limit, (most, most))
    except OSError as error:
        print(f"{error.strerror or error} ({error.filename or 'cell'})", file=sys.stderr)
        sys.exit(REFUSED)
    aside = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 10) for fd in ours]  # they may be 3 and 4, or 4 and 3
    for source, number in zip(aside, (3, 4), strict=True):
        os.dup2(source, number)
    try:
        os.execv(program[0], program)  # noqa: S606 - to become the program is what this file is for
    except OSError as error:
        sys.exit(f"{program[0]} cannot be run in the cell: {error.strerror}")


def _become_nobody() -> None:
    if os.geteuid() == 0:
        os.setgroups([])
        os.setresgid(_NOBODY, _NOBODY, _NOBODY)
        os.setresuid(_NOBODY, _NOBODY, _NOBODY)


def _enter_namespaces() -> None:
    uid, gid = os.geteuid(), os.getegid()
    _call("unshare", _NEW_USER | _NEW_NET | _NEW_MOUNTS | _NEW_IPC | _NEW_UTS)
    _call("prctl", _DUMPABLE, 1, 0, 0, 0)  # who was root does not own its own /proc/self otherwise
    for name, line in (("setgroups", "deny"), ("uid_map", f"{uid} {uid} 1"), ("gid_map", f"{gid} {gid} 1")):
        Path("/proc/self", name).write_text(line)
    _call("sethostname", b"cell", 4)  # the machine's own may be a person's name
    _call("setdomainname", b"", 0)


def _refuse_ways_out() -> None:
    """Believe nothing: what the kernel lists must be the loopback alone, and no address on it."""
    lines = Path("/proc/self/net/dev").read_text().splitlines()[2:]
    addresses = Path("/proc/self/net/fib_trie").read_text().strip()
    if [line.partition(":")[0].strip() for line in lines] != ["lo"] or addresses:
        raise OSError(0, "there is a network in what should have none", "unshare")


def _leave_the_file_system() -> None:
    """Exchange the root for an empty one that shows only what programs need."""
    root = Path("/tmp")  # noqa: S108 - only a place to mount on, and seen by nobody else
    _mount("none", "/", "", _RECURSIVE | _PRIVATE)
    devices = {name: os.open(f"/dev/{name}", os.O_PATH) for name in _DEVICES}
    seen = {name: os.open(f"/{name}", os.O_PATH) for name in _SEEN if Path("/", name).exists()}
    links = {name: os.readlink(f"/{name}") for name in seen if Path("/", name).is_symlink()}
    _mount("cell", str(root), "tmpfs", _NO_SETUID | _NO_DEVICES, f"size={_ROOM},mode=0755")
    for name, fd in seen.items():
        if name in links:
            (root / name).symlink_to(links[name])
            os.close(fd)
        else:
            _show(fd, root / name, folder=Path("/", name).is_dir())
    for name in _WRITABLE:
        (root / name).mkdir(parents=True)
    for name, fd in devices.items():
        _show(fd, root / "dev" / name, folder=False)
    os.chdir(root)
    _call("pivot_root", b".", b".")
    _call("umount2", b".", _DETACH)
    os.chdir("/tmp")  # noqa: S108 - the cell's own


def _show(fd: int, place: Path, *, folder: bool) -> None:
    """Have what ``fd`` holds at ``place``, too."""
    place.parent.mkdir(parents=True, exist_ok=True)
    if folder:
        place.mkdir()
    else:
        place.touch()
    _mount(f"/proc/self/fd/{fd}", str(place), "", _BIND | _RECURSIVE)
    os.close(fd)
    if folder and place.name != "proc":
        has = os.statvfs(place).f_flag  # what the owner of the mount has forbidden must stay so
        kept = sum(flag for seen, flag in _KEPT.items() if has & seen)
        _mount("none", str(place), "", _REMOUNT | _BIND | _READ_ONLY | kept)


def _mount(source: str, target: str, kind: str, flags: int, options: str = "") -> None:
    _call("mount", source.encode(), target.encode(), kind.encode() or None, flags, options.encode() or None)


def _call(name: str, *arguments: object) -> None:
    libc = ctypes.CDLL(None, use_errno=True)
    if getattr(libc, name)(*arguments) == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code), name)


if __name__ == "__main__":
    main()

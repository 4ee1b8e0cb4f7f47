"""Run a program inside the lab: ``python enter.py PID -- PROGRAM ARGUMENTS…``.

Rules: joins the user, network and mount namespaces of process PID, keeps the working folder and
the environment, and becomes the program. It is started once per program, so it imports next to
nothing and runs as a bare file (no package, no site folder).
"""

import ctypes
import os
import sys

KINDS = (("user", 0x10000000), ("net", 0x40000000), ("mnt", 0x00020000))  # CLONE_NEWUSER, NET, NS


def main() -> None:
    """Join, then exec; says what went wrong and leaves with 1 when it cannot."""
    if len(sys.argv) < 4 or sys.argv[2] != "--" or not sys.argv[1].isdigit():
        sys.exit("usage: enter.py PID -- PROGRAM ARGUMENTS…")
    pid, program = sys.argv[1], sys.argv[3:]
    libc = ctypes.CDLL(None, use_errno=True)
    folder = os.getcwd()
    try:
        # All three are opened first: once inside, the process would be looked up in another /proc.
        doors = [(os.open(f"/proc/{pid}/ns/{kind}", os.O_RDONLY), flag) for kind, flag in KINDS]
        for fd, flag in doors:
            if libc.setns(fd, flag):
                error = ctypes.get_errno()
                raise OSError(error, os.strerror(error))
            os.close(fd)
        os.chdir(folder)  # joining a mount namespace goes to its root
        os.execvp(program[0], program)  # noqa: S606 - to become the program is what this file is for
    except OSError as error:
        sys.exit(f"cannot run {program[0]} in the lab (process {pid}): {error}")


if __name__ == "__main__":
    main()

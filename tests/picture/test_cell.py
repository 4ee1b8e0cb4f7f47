"""The cell: what a program in it cannot reach, and that nothing is left of it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.picture import cell
from tests.picture.ready import in_cell, needs_cell

pytestmark = needs_cell


@pytest.mark.parametrize("family", [socket.AF_INET, socket.AF_INET6])
def test_there_is_no_network(family: socket.AddressFamily) -> None:
    with socket.create_server(
        ("127.0.0.1" if family == socket.AF_INET else "::1", 0), family=family
    ) as server:
        server.settimeout(10)
        host, port = server.getsockname()[:2]
        words = ["/bin/bash", "-c", f"exec 5<>/dev/tcp/{host}/{port}"]
        assert subprocess.run(words, check=False).returncode == 0
        server.accept()[0].close()  # without the cell it is reached
        done = in_cell(*words)
        assert done.returncode != 0
        assert "unreachable" in done.stderr or "Cannot assign requested address" in done.stderr
        server.settimeout(0)
        with pytest.raises(BlockingIOError):
            server.accept()


def test_sockets_without_an_address_are_out_of_reach() -> None:
    name = f"blockwatch-{os.getpid()}"
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("\0" + name)
        words = ["/bin/sh", "-c", "cat /proc/self/net/unix"]
        assert name in subprocess.run(words, capture_output=True, text=True, check=True).stdout
        assert name not in in_cell(*words).stdout


def test_no_file_of_ours_is_seen_and_none_written(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret")
    tmp_path.chmod(0o777)
    secret.chmod(0o666)
    assert "No such file" in in_cell("/bin/cat", secret).stderr
    for path in (
        "/etc/passwd",
        "/etc/hostname",
        "/etc/resolv.conf",
        "/run",
        "/home",
        "/root",
        "/var/lib",
        "/sys",
    ):
        assert in_cell("/bin/sh", "-c", f"test -e {path}").returncode == 1, path
    place = f"/tmp/blockwatch-{os.getpid()}"
    done = in_cell(
        "/bin/sh", "-c", f"echo x > {place} && cat {place}; touch /usr/x /opt/x /proc/self/root/x2"
    )
    assert done.stdout == "x\n"
    assert not any(Path(path).exists() for path in (place, "/usr/x", "/opt/x", "/x2"))


def test_the_machine_has_no_name() -> None:
    done = in_cell("/bin/cat", "/proc/sys/kernel/hostname", "/proc/sys/kernel/domainname")
    assert done.stdout == "cell\n\n"
    assert socket.gethostname() != "cell"


def test_no_rights() -> None:
    status = in_cell("/bin/cat", "/proc/self/status").stdout
    fields = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    assert {int(fields[name], 16) for name in ("CapPrm", "CapEff", "CapInh", "CapAmb")} == {0}
    assert fields["NoNewPrivs"] == "1"
    assert "0" not in fields["Uid"].split()


def test_sizes_are_bounded() -> None:
    done = in_cell("/bin/sh", "-c", "ulimit -d; ulimit -t; ulimit -f; ulimit -c; df -k --output=size /tmp")
    data, seconds, blocks, core, _, room = done.stdout.split()
    assert int(data) <= 2 << 20
    assert int(seconds) <= 60
    assert int(blocks) * 512 <= 512 << 20
    assert core == "0"
    assert int(room) <= 512 << 10


def test_a_program_that_is_not_there() -> None:
    done = in_cell("/home/nobody/browser")
    assert done.returncode == 1
    assert done.stderr == "/home/nobody/browser cannot be run in the cell: No such file or directory\n"


def test_without_namespaces_the_program_does_not_run() -> None:
    """In a user namespace that may have no others below it, as root of which nobody can become nobody."""
    script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"'
    argv = ["unshare", "--user", "--map-root-user", "sh", "-c", script]
    done = subprocess.run(
        [*argv, sys.executable, "-I", "-S", cell.__file__, "1", "1", "--", "/bin/echo", "drawn"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (cell.REFUSED, "")

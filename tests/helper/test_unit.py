"""The systemd unit: it starts the command that there is, and is shut in as it says."""

from __future__ import annotations

import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from blockwatch.cli.helper import command
from blockwatch.helper.certificate import serving_context
from tests.helper.world import Certificates

UNIT = Path(__file__).parents[2] / "units" / "blockwatch-helper.service"
CREDENTIALS = ("chain.pem", "key.pem")


def settings() -> list[tuple[str, str]]:
    lines = UNIT.read_text(encoding="utf-8").splitlines()
    return [tuple(line.split("=", 1)) for line in lines if "=" in line and not line.startswith("#")]


def values(name: str) -> list[str]:
    return [value for key, value in settings() if key == name]


def test_what_it_starts_is_a_command_that_works(tmp_path):
    (start,) = values("ExecStart")
    program, name, *arguments = shlex.split(start)
    assert Path(program).name == "blockwatch"
    assert name == command.name
    authority = Certificates(tmp_path).authority
    issued = authority.issue_cert("helper.example")
    issued.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    issued.cert_chain_pems[0].write_to_path(str(tmp_path / "chain.pem"))
    filled = [argument.replace("%d", str(tmp_path)) for argument in arguments]
    assert not any("%" in argument for argument in filled)
    given = command.make_context(name, filled).params
    assert given["listen"] == [("0.0.0.0", 443)]
    assert serving_context(given["tls_cert"], given["tls_key"])


def test_its_credentials_are_those_it_loads():
    (start,) = values("ExecStart")
    loaded = [value.partition(":")[0] for value in values("LoadCredential")]
    assert loaded == list(CREDENTIALS)
    assert all(f"%d/{name}" in start for name in CREDENTIALS)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DynamicUser", "yes"),
        ("ProtectSystem", "strict"),
        ("ProtectHome", "yes"),
        ("PrivateDevices", "yes"),
        ("NoNewPrivileges", "yes"),
        ("CapabilityBoundingSet", "CAP_NET_BIND_SERVICE"),
        ("AmbientCapabilities", "CAP_NET_BIND_SERVICE"),
        ("MemoryMax", "512M"),
        ("LimitCORE", "0"),  # a core would hold what was asked
        ("StandardOutput", "null"),
        ("RestrictAddressFamilies", "AF_INET AF_INET6 AF_UNIX AF_NETLINK"),
    ],
)
def test_it_is_shut_in(name, value):
    assert values(name) == [value]


def test_it_keeps_nothing():
    kept = {"StateDirectory", "CacheDirectory", "LogsDirectory", "ReadWritePaths", "User", "BindPaths"}
    assert not kept & {name for name, _ in settings()}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here")
def test_systemd_finds_nothing_to_say(tmp_path):
    (start,) = values("ExecStart")
    copy = tmp_path / UNIT.name
    here = str(Path(sys.executable).with_name("blockwatch"))
    copy.write_text(UNIT.read_text(encoding="utf-8").replace(shlex.split(start)[0], here), encoding="utf-8")
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")

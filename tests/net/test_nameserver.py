"""Which resolver is the line's: the first of resolv.conf, or what the machine's own stub asks."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.net.seam import RealNetwork


@pytest.mark.parametrize(
    ("named", "behind", "line"),
    [
        ("nameserver 212.19.149.53\nnameserver 1.1.1.1\n", "nameserver 9.9.9.9\n", "212.19.149.53"),
        ("nameserver 127.0.0.53\noptions edns0\n", "# x\nnameserver 212.19.149.53\n", "212.19.149.53"),
        ("nameserver 127.0.0.53\n", "nameserver fe80::1%eth0\nnameserver 10.0.0.1\n", "10.0.0.1"),
        ("nameserver 127.0.0.53\n", None, "127.0.0.53"),
        ("nameserver 127.0.0.1\n", "nameserver 212.19.149.53\n", "127.0.0.1"),
        ("search lan\n", "nameserver 212.19.149.53\n", None),
        (None, "nameserver 212.19.149.53\n", None),
    ],
    ids=["plain", "stub", "link-local is passed over", "nothing behind it", "another one", "none", "no file"],
)
def test_the_line_s_resolver(tmp_path: Path, named: str | None, behind: str | None, line: str | None) -> None:
    files = {"resolv.conf": named, "behind": behind}
    for name, text in files.items():
        if text is not None:
            (tmp_path / name).write_text(text)
    network = RealNetwork(resolv_conf=tmp_path / "resolv.conf", behind_stub=tmp_path / "behind")
    assert network.nameserver() == line

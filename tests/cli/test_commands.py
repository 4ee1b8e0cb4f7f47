"""Each command as a shell sees it: exit code, standard output, standard error. No packet is sent."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.command import BLOCKWATCH, NO_NETWORK, ROOT, RUN_ID, blockwatch, no_traceback

GOOD = "targets:\n  - {id: site, url: 'https://example.org/'}\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with a good targets.yaml."""
    (tmp_path / "targets.yaml").write_text(GOOD)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--help"], 0, "Exit codes"),
        (["--version"], 0, "blockwatch 0."),
        (["run", "--help"], 0, "--max-minutes"),
        (["jugde"], 2, 'Did you mean "judge"?'),
        (["report"], 2, "there is no command"),
        (["run", "--frobnicate"], 2, "--frobnicate"),
        (["run", "--max-mb", "0"], 2, "--max-mb"),
        (["run", "--max-minutes", "soon"], 2, "--max-minutes"),
        (["run", "--concurrency", "0"], 2, "--concurrency"),
        (["run", "--targets", "nowhere.yaml"], 6, "there is no such file"),
        (["run", "--targets", "pack:nonsense"], 6, "pack"),
        (["run", "--probe", "nonsense"], 2, "nonsense"),
        (["run", "--resolver", "nonsense"], 2, "nonsense"),
        (["run", "--helper", "nonsense"], 2, "nonsense"),
        (["run", "--helper", "https://th.example:0/"], 2, "port 0"),
        (["run", "--resolver", "udp://1.1.1.1:0"], 2, "port 0"),
        (["run", "--resolver", "https://dns.example:0/"], 2, "port 0"),
        (["run", "--control", "http://proxy.example.net:1"], 2, "socks5://HOST:PORT"),
        (["run", "--interface", "nonsense0"], 6, "there is no network interface"),
        (["run"], 8, "nobody has agreed yet"),
        (["run", "--tier", "2", "--yes"], 8, "blockwatch consent --tier 2"),
        (["run", "--tier", "3"], 2, "--tier"),
        (["plan", "--tier", "2"], 0, "TIER 2: where a name looks falsified"),
        (["plan", "--tier", "2"], 0, "k.root-servers.net"),
        (["consent", "--tier", "2"], 8, "Nobody has agreed yet"),
        (["consent", "--tier", "2", "--yes"], 2, "only a person can"),
        (["consent", "--tier", "3"], 2, "--tier"),
        (["retest"], 2, "--from"),
        (["retest", "--from", "nowhere"], 2, "no such run folder"),
        (["judge"], 2, "PATH"),
        (["judge", "nowhere"], 2, "no such folder"),
        (["judge", "."], 2, "there is no run here"),
        (["show", "nonsense"], 2, "no measurement id"),
        (["show", f"{RUN_ID}-000001", "--results", "."], 2, "no measurement"),
        (["targets", "check", "targets.yaml"], 0, "fine; 1 target with 1 address, 0 orders, 0 searches"),
        (["targets", "check", "nowhere.yaml"], 6, "there is no such file"),
        (["targets", "import", "citizenlab", "nowhere.csv"], 6, "there is no such file"),
        (["targets", "import", "citizenlab", "targets.yaml"], 6, "no column url"),
        (["targets", "import", "citizenlab", "targets.yaml", "--category", "NEWZ"], 2, "NEWS"),
        (["lab", "run", "nonsense", "--", "true"], 2, "there is no scenario"),
        (["helper", "--listen", "nonsense"], 2, "ADDR:PORT"),
        (["helper", "--listen", "localhost:80"], 2, "ADDR:PORT"),
        (["helper", "--listen", "::1:80"], 2, "ADDR:PORT"),
        (["helper", "--listen", "127.0.0.1:65536"], 2, "ADDR:PORT"),
        (["helper", "--source", "eth0"], 2, "IP address"),
        (["helper", "--source", "127.1"], 2, "IP address"),
        (["helper", "--rate", "-1"], 2, "--rate"),
        (["helper", "--rate", "nan"], 2, "--rate"),
        (["helper", "--parallel", "0"], 2, "--parallel"),
        (["plan", "--helper", "http://helper.example/"], 6, "over https only"),
        (["helper", "--ca-file", "absent.pem"], 2, "absent.pem"),
        (["helper", "--resolver", "udp://1.1.1.1:0"], 6, "udp://1.1.1.1:0"),
        (["helper", "--resolver", "dns.example"], 6, "dns.example"),
        (["helper", "--tls-cert", "targets.yaml"], 2, "belong together"),
        (["helper", "--tls-cert", "targets.yaml", "--tls-key", "targets.yaml"], 6, "targets.yaml"),
        (["consent", "--yes", "--withdraw"], 2, "exclude"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_exit_codes_and_words(arguments: list[str], code: int, words: str, here: Path) -> None:
    done = blockwatch(*arguments, cwd=here)
    assert done.returncode == code, done.stderr
    assert words in done.stdout + done.stderr
    assert no_traceback(done)


def test_a_broken_list_is_refused_with_all_its_problems(tmp_path: Path) -> None:
    (tmp_path / "targets.yaml").write_text(
        "targets:\n  - {id: a, url: guljan.org}\n  - {id: a, url: 'http://x y/'}\n"
    )
    for arguments in (["run", "--yes"], ["plan"], ["targets", "check", "targets.yaml"]):
        done = blockwatch(*arguments, cwd=tmp_path)
        assert done.returncode == 6
        for place in ("targets.yaml:2:18: ", "targets.yaml:3:10: ", "targets.yaml:3:18: "):
            assert place in done.stdout + done.stderr


def test_no_list_in_this_folder(tmp_path: Path) -> None:
    done = blockwatch("run", "--yes", cwd=tmp_path)
    assert done.returncode == 6
    assert "--targets" in done.stderr


def test_a_plan_says_what_would_be_contacted(here: Path) -> None:
    done = blockwatch("plan", "--targets", "targets.yaml", "--targets", "pack:circumvention", cwd=here)
    assert done.returncode == 0
    assert "example.org" in done.stdout
    assert "RISKY, think twice: ANON" in done.stdout
    answer = json.loads(blockwatch("plan", "--json", "--helper", "https://th.example.net/", cwd=here).stdout)
    assert answer["measurements"] == 1
    assert {"example.org", "th.example.net"} <= set(answer["hosts"])
    assert answer["risky"] == []
    assert answer["bytes"] > 0


def test_a_plan_says_that_servers_are_named_in_the_run(here: Path) -> None:
    assert "NAMES IN THE RUN" not in blockwatch("plan", cwd=here).stdout
    for option in (["--helper", "https://th.example.net/"], ["--control", "socks5://proxy.example.net:1080"]):
        assert "a server of your own is your name" in blockwatch("plan", *option, cwd=here).stdout


def test_a_plan_opens_no_connection(here: Path) -> None:
    script = f"{NO_NETWORK}from blockwatch.cli import main\nmain(['plan'])\n"
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=here, capture_output=True, text=True, check=False
    )
    assert (done.returncode, "touched" in done.stderr) == (0, False), done.stderr


def test_an_import_is_a_list_that_can_be_checked(tmp_path: Path) -> None:
    (tmp_path / "kz.csv").write_text(
        "url,category_code,category_description,date_added,source,notes\n"
        "https://a.example.org/,NEWS,News Media,2020-01-01,x,\n"
        "https://b.example.org/,PORN,Pornography,2020-01-01,x,\n"
    )
    done = blockwatch("targets", "import", "citizenlab", "kz.csv", "--country", "KZ", cwd=tmp_path)
    assert done.returncode == 0
    assert "PORN 1" in done.stderr
    (tmp_path / "made.yaml").write_text(done.stdout)
    assert blockwatch("targets", "check", "made.yaml", cwd=tmp_path).returncode == 0
    again = blockwatch("targets", "import", "citizenlab", "kz.csv", "-o", "nowhere/made.yaml", cwd=tmp_path)
    assert again.returncode == 5


def test_scenarios_are_listed(tmp_path: Path) -> None:
    done = blockwatch("lab", "list", cwd=tmp_path)
    assert "kz-sni-drop" in done.stdout
    rows = [
        json.loads(line) for line in blockwatch("lab", "list", "--json", cwd=tmp_path).stdout.splitlines()
    ]
    assert len(rows) == len(done.stdout.splitlines())
    assert all(row["desc"] and row["family"] for row in rows)


def test_agreement_is_asked_once_on_a_terminal(tmp_path: Path) -> None:
    def ask(answer: bytes) -> tuple[int, bytes]:
        master, slave = pty.openpty()
        process = subprocess.Popen(
            [*BLOCKWATCH, "consent"], stdin=slave, stdout=slave, stderr=slave,
            env={"BLOCKWATCH_STATE": str(tmp_path / "state")}, start_new_session=True,
        )  # fmt: skip
        os.close(slave)
        os.write(master, answer)
        shown = b""
        while True:
            try:
                chunk = os.read(master, 4_096)
            except OSError:  # the terminal is gone with the process
                break
            if not chunk:
                break
            shown += chunk
        os.close(master)
        return process.wait(timeout=30), shown

    code, shown = ask(b"n\n")
    assert (code, b"Do you agree?" in shown) == (8, True)
    code, shown = ask(b"y\n")
    assert code == 0
    code, shown = ask(b"")
    assert (code, b"Do you agree?" in shown, b"Agreed on" in shown) == (0, False, True)


def test_the_readme_and_the_program_share_one_default_list() -> None:
    done = blockwatch("plan", "--json", cwd=ROOT, env={"BLOCKWATCH_STATE": os.devnull})
    assert json.loads(done.stdout)["targets"] >= 10

"""``blockwatch show --screenshot``: a picture that says what it was drawn from, and a run left as it was."""

from __future__ import annotations

import os
import shutil
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.model import DnsStep, Exchange, HttpStep, Measured, Measurement, Purpose, Step, TcpStep
from blockwatch.picture.png import words_in
from blockwatch.run import RunOpen, Vantage
from blockwatch.store import RunWriter
from blockwatch.target import Target
from tests.cli.command import BLOCKWATCH, RUN_ID, STARTED, blockwatch, kept_run, no_traceback
from tests.picture.pixels import BLUE, RED, WHITE, colours
from tests.picture.ready import needs_browser

ID = f"{RUN_ID}-000001"
URL = "http://example.org/страница?a=1"
PATHS = {"PATH": os.environ.get("PATH", "")}


def page(colour: str, status: str = "200 OK") -> bytes:
    body = f'<!doctype html><body style="background:{colour}">'.encode()
    return b"HTTP/1.1 %s\r\nContent-Type: text/html\r\n\r\n%s" % (status.encode(), body)


def run_of(results: Path, answers: dict[int, tuple[bytes, Purpose]]) -> Path:
    """A run of one measurement with a lookup, a connection and these answers; it was killed then."""
    at = {"address": "95.56.9.9", "port": 80, "flow": 1}
    steps: list[Step] = [
        DnsStep(i=0, t=1, us=2, failure=None, resolver="system", name="example.org", qtype="ANY"),
        TcpStep(i=1, t=3, us=4, failure=None, **at),  # type: ignore[arg-type]
    ]
    for i, (raw, purpose) in answers.items():
        status = int(raw[9:12]) if raw.startswith(b"HTTP/1.1 ") else None
        steps.append(HttpStep(i=i, t=5, us=6, failure=None, method="GET", url=URL, host="example.org",
                              status=status, purpose=purpose, **at))  # type: ignore[arg-type] # fmt: skip
    exchanges = {
        i: Exchange(
            url=URL, address="95.56.9.9", started=STARTED + i, request=b"GET / HTTP/1.1\r\n\r\n", response=raw
        )
        for i, (raw, _) in answers.items()
    }
    writer = RunWriter(results)
    target = Target(id="site", url="http://example.org/")
    writer.open(RunOpen(run=RUN_ID, started=STARTED, software="x", vantage=Vantage(), targets=(target,)))
    measurement = Measurement(
        id=ID, seq=1, target="site", url=URL, probe="web", probe_version="1", started=STARTED, us=9,
        observations=tuple(steps),  # type: ignore[arg-type]
    )  # fmt: skip
    writer.write(Measured(measurement=measurement, exchanges=exchanges))
    return writer.folder


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@needs_browser
def test_a_picture_says_what_it_was_drawn_from_and_nothing_else(tmp_path: Path) -> None:
    folder = run_of(tmp_path / "results", {2: (page("#f00"), Purpose.FIRST)})
    before = files(folder)
    done = blockwatch(
        "show", ID, "--screenshot", "page.png", cwd=tmp_path, env={**PATHS, "TZ": "Asia/Almaty"}
    )
    assert done.returncode == 0, done.stderr
    png = (tmp_path / "page.png").read_bytes()
    assert colours(png) == {RED}
    assert (tmp_path / "page.png").stat().st_mode & 0o777 == 0o600
    words = dict(words_in(png))
    for keyword, text in words.items():
        assert f"{keyword}: {text}\n" in done.stdout
    assert words["Record"] == f"{ID} step 2"
    assert words["Seal"] == "NO SEAL covers line 2: nothing shows that nobody altered it or made it up"
    assert words["URL"] == "http://example.org/%D1%81%D1%82%D1%80%D0%B0%D0%BD%D0%B8%D1%86%D0%B0?a=1"
    assert words["Captured"] == "2026-11-22T03:05:00.000002Z"
    assert words["Drawn"] == "from captured bytes, without network, scripts off, nothing loaded"
    assert words["Shows"] == "all of the page as captured"
    assert words["Software"].startswith("blockwatch ")
    assert words["Browser"].startswith("Chrome/")
    digest, length, offset = (words["Stored bytes"].split()[place].rstrip(",") for place in (1, 2, 6))
    member = before["bodies.warc.gz"][int(offset) :][: int(length)]
    assert sha256(member).hexdigest() == digest
    assert f"response: bodies.warc.gz from byte {offset}, {length} bytes, SHA-256 {digest}" in done.stdout
    for private in (str(tmp_path), tmp_path.name, "Almaty", "+05", "page.png", "results"):
        assert private not in " ".join(words.values())
    assert files(folder) == before
    assert {path.name for path in tmp_path.iterdir()} <= {"results", "page.png", "state"}


@needs_browser
def test_the_page_that_the_line_got_first_unless_a_step_is_named(tmp_path: Path) -> None:
    answers = {
        2: (page("#fff", "302 Found"), Purpose.FIRST),
        3: (b"", Purpose.FIRST),
        4: (page("#f00"), Purpose.FIRST),
        5: (page("#00f"), Purpose.FIRST),
        6: (page("#0f0"), Purpose.HOST_CONTROL_ON_TARGET),
    }
    run_of(tmp_path / "results", answers)
    done = blockwatch("show", ID, "--screenshot", "a.png", cwd=tmp_path, env=PATHS)
    assert "to be drawn with --step: 5, 6, 2\n" in done.stderr
    assert colours((tmp_path / "a.png").read_bytes()) == {RED}
    for step, colour in (("2", WHITE), ("5", BLUE)):
        done = blockwatch("show", ID, "--screenshot", f"{step}.png", "--step", step, cwd=tmp_path, env=PATHS)
        assert colours((tmp_path / f"{step}.png").read_bytes()) == {colour}
    done = blockwatch("show", ID, "--screenshot", "b.png", "--step", "3", cwd=tmp_path, env=PATHS)
    assert done.returncode == 2
    assert "Steps that have one: 2, 4, 5, 6" in done.stderr
    done = blockwatch("show", ID, "--screenshot", "a.png", cwd=tmp_path, env=PATHS)
    assert done.returncode == 2
    assert "there already" in done.stderr
    assert not (tmp_path / "b.png").exists()


@needs_browser
def test_what_cannot_be_drawn_is_said(tmp_path: Path) -> None:
    run_of(tmp_path / "none", {2: (b"", Purpose.FIRST)})
    tls, image = b"\x15\x03\x01\x00\x02\x02\x28", b"HTTP/1.1 200 OK\r\nContent-Type: image/gif\r\n\r\nGIF89a"
    run_of(tmp_path / "odd", {2: (tls, Purpose.FIRST), 3: (image, Purpose.FIRST)})
    said = {
        "none": ["it has no HTTP answer with captured bytes"],
        "odd": [
            "step 2: what came back is not HTTP, and no page",
            "step 3: the body is no page: its type is image/gif",
        ],
    }
    for results, lines in said.items():
        done = blockwatch("show", ID, "--results", results, "--screenshot", "x.png", cwd=tmp_path, env=PATHS)
        assert done.returncode == 2
        first, *others = done.stderr.splitlines()
        assert first == "blockwatch: nothing of this measurement can be drawn:"
        assert sorted(line.strip() for line in others) == lines
        assert ID in done.stdout  # the card is shown all the same
        assert not (tmp_path / "x.png").exists()


@needs_browser
def test_a_torn_page_says_so(tmp_path: Path) -> None:
    torn = page("#f00").replace(b"\r\n\r\n", b"\r\nContent-Length: 900\r\n\r\n")
    run_of(tmp_path / "results", {2: (torn, Purpose.FIRST)})
    done = blockwatch("show", ID, "--screenshot", "x.png", cwd=tmp_path, env=PATHS)
    assert done.returncode == 0, done.stderr
    assert dict(words_in((tmp_path / "x.png").read_bytes()))["Shows"] == "not all of the page was captured"


@needs_browser
@pytest.mark.skipif(shutil.which("unshare") is None, reason="not installed: unshare")
def test_without_namespaces_nothing_is_drawn(tmp_path: Path) -> None:
    run_of(tmp_path / "results", {2: (page("#f00"), Purpose.FIRST)})
    script = 'echo 0 > /proc/sys/user/max_user_namespaces; exec "$0" "$@"'
    argv = ["unshare", "--user", "--map-root-user", "sh", "-c", script, *BLOCKWATCH, "show", ID]
    environment = {**PATHS, "BLOCKWATCH_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [*argv, "--screenshot", "x.png"],
        cwd=tmp_path,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "this machine gives no place without a network to draw in" in done.stderr
    assert "sysctl -w user.max_user_namespaces=15000" in done.stderr
    assert no_traceback(done)
    assert not (tmp_path / "x.png").exists()


def test_without_a_browser_it_is_said_what_to_install(tmp_path: Path) -> None:
    kept_run(tmp_path / "results")
    done = blockwatch("show", ID, "--screenshot", "x.png", cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert (done.returncode, done.stdout) == (2, "")
    assert "none of chromium, chromium-browser, google-chrome is installed" in done.stderr
    assert "apt install chromium" in done.stderr
    done = blockwatch("show", ID, "--step", "2", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--screenshot" in done.stderr

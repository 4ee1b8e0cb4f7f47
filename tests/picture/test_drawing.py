"""Pages drawn by a real browser: what is painted, what a hostile page does not get, what is left behind."""

from __future__ import annotations

import base64
import os
import signal
import socket
import struct
import subprocess
import sys
import time
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from blockwatch.errors import PictureError
from blockwatch.picture.browser import Browser, find_browser
from blockwatch.picture.drawing import LEAST_HEIGHT, MOST_HEIGHT, WIDTH, Drawing, Page, draw
from tests.picture.pixels import BLUE, RED, WHITE, colours
from tests.picture.ready import needs_browser

pytestmark = needs_browser
RED_PAGE = '<!doctype html><body style="background:#f00">'


def drawn(body: str | bytes, kind: str = "text/html; charset=utf-8") -> Drawing:
    body = body.encode() if isinstance(body, str) else body
    return draw(Page(body=body, type=kind, complete=True), find_browser())


def chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def image(width: int, height: int) -> str:
    """A blue image of that size as a data URL."""
    rows = zlib.compress((b"\0" + b"\0\0\xff" * width) * height, 9)
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """On loopback; whoever connects waits in its queue."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        listening.setblocking(False)
        yield listening


def nobody_came(server: socket.socket) -> bool:
    with suppress(BlockingIOError):
        server.accept()[0].close()
        return False
    return True


def test_what_a_page_paints_is_seen() -> None:
    one = drawn(RED_PAGE)
    assert colours(one.png) == {RED}
    assert (one.width, one.height, one.cut) == (WIDTH, LEAST_HEIGHT, False)
    assert one.browser.startswith("Chrome/")
    inside = drawn(f'{RED_PAGE}<img style="position:absolute;top:0;left:0" src="{image(2_000, 20)}">')
    assert colours(inside.png) == {BLUE}  # what the captured bytes themselves hold


def test_the_same_bytes_give_the_same_picture() -> None:
    page = "<!doctype html><h1>Доступ ограничен</h1><p>қазақ тілі, кыргызча, тоҷикӣ, oʻzbekcha, türkmençe"
    first = drawn(page)
    assert first.png == drawn(page).png
    assert len(colours(first.png, 60)) > 2  # letters


def test_scripts_do_not_run() -> None:
    paint = "document.documentElement.style.background='#00f';document.body.style.background='#00f'"
    page = f"""{RED_PAGE}<script>{paint}</script><svg onload="{paint}"></svg><img src=x onerror="{paint}">
        <iframe srcdoc="<script>parent.{paint}</script>"></iframe><a href="javascript:{paint}" autofocus>x</a>
        <video onerror="{paint}"><source></video><iframe src="javascript:{paint}"></iframe>
        <noscript><style>body{{background:#fff!important}}</style></noscript>"""
    assert colours(drawn(page).png) == {WHITE}


def test_a_page_loads_nothing_and_stays_where_it_is(server: socket.socket) -> None:
    there = f"http://127.0.0.1:{server.getsockname()[1]}"
    blue = f'<style>@import "{there}/a.css"; body {{ background-image: url({there}/b.png) }}</style>'
    page = f"""<!doctype html><meta http-equiv="refresh" content="0;url={there}/refresh">
        <meta http-equiv="Content-Security-Policy" content="default-src * 'unsafe-inline'">
        <base href="{there}/"><link rel="dns-prefetch" href="{there}"><link rel="preconnect" href="{there}">
        <link rel="preload" as="image" href="{there}/p.png"><link rel="prefetch" href="{there}/f">
        <link rel="stylesheet" href="/s.css"><link rel="icon" href="/i.ico">{blue}
        <style>@font-face {{ font-family: f; src: url({there}/f.woff) }}</style>
        <body style="background-color:#f00;font-family:f" background="{there}/g.png">
        <div style="position:absolute;top:0;left:0;opacity:0"><img src="{there}/h.png" srcset="/2.png 2x">
        <script src="{there}/j.js"></script><iframe src="{there}/k"></iframe><object data="{there}/l">
        </object><embed src="{there}/m"><video src="{there}/n" autoplay poster="/o.png"></video>
        <audio src="/p" autoplay></audio>
        <svg><image href="{there}/q.svg"/><use href="{there}/r.svg#x"/></svg>
        <iframe srcdoc="<img src={there}/s><meta http-equiv=refresh content='0;url={there}/t'>"></iframe>"""
    assert colours(drawn(page).png) == {RED}
    assert nobody_came(server)


def asked(browser: Browser, url: str) -> dict[str, Any]:
    """Where the browser goes without any of our rules for pages: the cell alone is between."""

    def ask(method: str, session: str | None = None, **fields: str | bool) -> dict[str, Any]:
        return browser.ask(method, session, listen=lambda _: None, **fields)

    target = ask("Target.createTarget", url="about:blank")["targetId"]
    session = ask("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    return ask("Page.navigate", session, url=url)


def test_the_browser_itself_reaches_neither_network_nor_our_files(
    server: socket.socket, tmp_path: Path
) -> None:
    (tmp_path / "secret.html").write_text(RED_PAGE)
    with Browser(find_browser(), seconds=30) as browser:
        for url in (f"http://127.0.0.1:{server.getsockname()[1]}/", f"file://{tmp_path}/secret.html",
                    "file:///etc/passwd"):  # fmt: skip
            assert "net::ERR_" in asked(browser, url)["errorText"], url
        assert "errorText" not in asked(
            browser, "file:///etc/fonts/fonts.conf"
        )  # so the question is a real one
    assert nobody_came(server)


def test_a_page_shows_no_file_not_even_one_that_the_browser_reads() -> None:
    def page(name: str) -> str:
        tags = '<iframe src="{0}"></iframe><img src="{0}"><object data="{0}"></object><embed src="{0}">'
        return RED_PAGE + tags.format(f"file:///etc/fonts/{name}")

    assert drawn(page("fonts.conf")).png == drawn(page("absent.cnf")).png


def test_charset_and_type_are_those_captured() -> None:
    words = "<!doctype html><h1>Доступ ограничен"
    cyrillic = drawn(words.encode("cp1251"), "text/html; charset=windows-1251").png
    assert cyrillic == drawn(words).png
    assert colours(drawn(RED_PAGE, "text/plain").png) == {WHITE}


@pytest.mark.parametrize(
    "body",
    [
        b"<!doctype html><p>torn in the middle of a ta<im",
        b"<div>" * 20_000,
        b"<table>" + b"<tr><td colspan=1000 rowspan=60000>" * 500,
    ],
    ids=["torn", "nested", "spans"],
)
def test_broken_and_hostile_pages_are_drawn_within_bounds(body: bytes) -> None:
    one = drawn(body, "text/html")
    assert one.width == WIDTH
    assert LEAST_HEIGHT <= one.height <= MOST_HEIGHT


def test_a_long_page_is_cut_and_says_so() -> None:
    long, longest = (drawn(f'{RED_PAGE}<div style="height:{height}px">') for height in (3_000, 1_000_000))
    assert 3_000 <= long.height < 3_100
    assert not long.cut
    assert (longest.height, longest.cut) == (MOST_HEIGHT, True)


def test_a_crash_and_a_time_out_are_said_and_leave_nothing() -> None:
    with pytest.raises(PictureError, match=r"did not draw it within 0\.05 seconds"):
        draw(Page(body=b"<p>x", type="text/html", complete=True), find_browser(), seconds=0.05)
    with Browser(find_browser(), seconds=30) as browser:
        browser.ask("Browser.getVersion", listen=lambda _: None)
        with pytest.raises(PictureError, match="crash"):
            browser.ask("Browser.crash", listen=lambda _: None)
    assert not alive_in(browser.pid)
    with pytest.raises(PictureError, match="does not start"):
        draw(Page(body=b"<p>x", type="text/html", complete=True), "/bin/false")
    with pytest.raises(PictureError, match=r"no-such-browser cannot be run in the cell"):
        draw(Page(body=b"<p>x", type="text/html", complete=True), "/usr/bin/no-such-browser")


def test_no_process_outlives_the_drawing_or_whoever_wanted_it() -> None:
    with Browser(find_browser(), seconds=30) as browser:
        browser.ask("Browser.getVersion", listen=lambda _: None)
        assert len(alive_in(browser.pid)) > 2
    assert not alive_in(browser.pid)
    script = (
        "from blockwatch.picture.browser import *; browser = Browser(find_browser(), seconds=60);"
        "browser.ask('Browser.getVersion', listen=print); print('PID', browser.pid, flush=True);"
        "[browser.next_message() for _ in iter(int, 1)]"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as asking:
        assert asking.stdout
        session = int(next(line for line in asking.stdout if line.startswith("PID ")).split()[1])
        os.kill(asking.pid, signal.SIGKILL)
    until = time.monotonic() + 20
    while alive_in(session):
        assert time.monotonic() < until
        time.sleep(0.02)


def alive_in(session: int) -> list[str]:
    """Processes of the session that run (and do not only wait for their parent to look after them)."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, its_session = path.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                found.append(path.parent.name)
    return found

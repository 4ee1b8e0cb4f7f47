"""A headless Chromium in a cell, spoken to over two pipes (Chrome DevTools Protocol).

Rules of this file:

* the browser is started by :mod:`blockwatch.picture.cell` or not at all, with an environment that says
  nothing of this machine; its own sandbox stays on, and without one it does not start;
* one clock for everything: after ``seconds`` all its processes are killed, whatever they do;
* what it says is hostile: messages are bounded, and none is believed to be of the expected shape.

Protocol: https://chromedevtools.github.io/devtools-protocol/; each message is JSON and a zero byte.
"""

from __future__ import annotations

import os
import re
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from blockwatch.errors import PictureError, UsageError
from blockwatch.picture import cell

PROGRAMS = ("chromium", "chromium-browser", "google-chrome")
_MOST_OF_A_MESSAGE = 64 << 20  # bytes; a picture of 41 MB in base64
_MOST_OF_COMPLAINTS = 4_096  # bytes of standard error that are kept
_SECONDS_TO_DIE = 5.0  # of killed processes
_NOISE = re.compile("dbus|crashpad|unexpected operator")
_SWITCHES = (
    "--headless",
    "--remote-debugging-pipe",
    "--user-data-dir=/tmp/profile",  # the cell's own /tmp
    "--no-first-run",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-breakpad",
    "--host-resolver-rules=MAP * ~NOTFOUND",  # there is no network; this saves the tries
    "--js-flags=--jitless",
    "--hide-scrollbars",
    "--mute-audio",
    "--force-device-scale-factor=1",
    "--force-color-profile=srgb",
    "--font-render-hinting=none",
)
_ENVIRONMENT = {"PATH": "/usr/bin:/bin", "HOME": "/tmp", "TZ": "UTC", "LANG": "C.UTF-8"}  # noqa: S108

Listener = Callable[[dict[str, Any]], None]


def find_browser() -> str:
    """Return the path of a Chromium; raises ``UsageError`` where there is none."""
    found = next((path for name in PROGRAMS if (path := shutil.which(name))), None)
    if found is None:
        raise UsageError(
            "there is no browser to draw with: none of " + ", ".join(PROGRAMS) + " is installed",
            remedy="Install it (Debian: apt install chromium); it is used without a network.",
        )
    return found


class Browser:
    """One browser; a context manager that leaves no process behind."""

    def __init__(self, program: str, *, seconds: float) -> None:
        """Start ``program``; ``seconds`` (monotonic) is the time for all that is asked of it."""
        self._seconds, self._until = seconds, time.monotonic() + seconds
        self._number = 0
        self._heard, self._complaints, self._greeted = bytearray(), b"", False
        if sys.platform != "linux":
            raise PictureError("pages are drawn on Linux alone: elsewhere a browser cannot be kept in")
        theirs_in, self._to = os.pipe()
        self._from, theirs_out = os.pipe()
        try:
            self._process = subprocess.Popen(  # noqa: S603  (our own cell)
                [sys.executable, "-I", "-S", cell.__file__, str(theirs_in), str(theirs_out), "--",
                 program, *_SWITCHES],
                env=_ENVIRONMENT, pass_fds=(theirs_in, theirs_out), stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, start_new_session=True,
            )  # fmt: skip
        except BaseException:
            self._close_pipes()
            raise
        finally:
            os.close(theirs_in)
            os.close(theirs_out)
        os.set_blocking(self._to, False)
        os.set_blocking(self._from, False)

    @property
    def pid(self) -> int:
        """The first of its processes, and number of the session that they all are in."""
        return self._process.pid

    def ask(
        self, method: str, session: str | None = None, /, *, listen: Listener, **fields: Any
    ) -> dict[str, Any]:
        """Send one command and wait for its result; events meanwhile go to ``listen``."""
        number = self.tell(method, session, **fields)
        while True:
            message = self.next_message()
            if message.get("id") != number:
                listen(message)
            elif isinstance(result := message.get("result"), dict):
                return result
            else:
                raise PictureError(f"the browser refuses {method}: {str(message.get('error'))[:300]}")

    def tell(self, method: str, session: str | None = None, /, **fields: Any) -> int:
        """Send one command and do not wait for its result; its number."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": fields}
        if session:
            message["sessionId"] = session
        rest = memoryview(msgspec.json.encode(message) + b"\0")
        while rest:
            self._wait([self._to])
            with suppress(BlockingIOError):
                try:
                    rest = rest[os.write(self._to, rest) :]
                except BrokenPipeError:
                    raise self._gone() from None
        return self._number

    def next_message(self) -> dict[str, Any]:
        """Wait for the next message, whatever it is."""
        seen = 0
        while (end := self._heard.find(b"\0", seen)) < 0:
            seen = len(self._heard)
            self._wait([])
        raw = bytes(self._heard[:end])
        del self._heard[: end + 1]
        try:
            message = msgspec.json.decode(raw)
        except (msgspec.DecodeError, RecursionError) as error:
            raise PictureError("the browser says what is no message") from error
        self._greeted = True
        return message if isinstance(message, dict) else {}

    def _wait(self, writers: list[int]) -> None:
        """Take in what it says until it may be written to (``writers``) or has said something."""
        left = self._until - time.monotonic()
        complaints = self._process.stderr
        assert complaints is not None  # noqa: S101  (asked for above)
        readers = [self._from, complaints.fileno()]
        ready = select.select(readers, writers, [], max(0.0, left)) if left > 0 else ([], [], [])
        if not ready[0] and not ready[1]:
            raise PictureError(f"the browser did not draw it within {self._seconds:g} seconds")
        if readers[1] in ready[0]:
            self._complaints = (self._complaints + os.read(readers[1], 65_536))[-_MOST_OF_COMPLAINTS:]
        if self._from in ready[0]:
            with suppress(BlockingIOError):
                more = os.read(self._from, 1 << 20)
                if not more:
                    raise self._gone()
                self._heard += more
        if len(self._heard) > _MOST_OF_A_MESSAGE:
            raise PictureError("the browser says too much")

    def _gone(self) -> PictureError:
        """Say why it ended."""
        with suppress(subprocess.TimeoutExpired):
            more = self._process.communicate(timeout=2)[1]
            self._complaints = (self._complaints + more)[-_MOST_OF_COMPLAINTS:]
        lines = self._complaints.decode("utf-8", "replace").splitlines()
        said = next(
            (line.strip() for line in reversed(lines) if not _NOISE.search(line)), "it does not say why"
        )
        if self._process.returncode == cell.REFUSED:
            return NoCellError(f"this machine gives no place without a network to draw in: {said}")
        if self._greeted:
            return crashed()
        remedy = "It has to be one below /usr or /opt; those of snap and flatpak cannot be used."
        return PictureError(f"the browser does not start: {said[:300]}", remedy=remedy)

    def _close_pipes(self) -> None:
        for fd in (self._to, self._from):
            os.close(fd)

    def __enter__(self) -> Browser:
        return self

    def __exit__(self, *error: object) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        if self._process.stderr:
            self._process.stderr.close()
        self._close_pipes()
        until = time.monotonic() + _SECONDS_TO_DIE
        while _running(self._process.pid) and time.monotonic() < until:
            time.sleep(0.01)


def crashed() -> PictureError:
    """Return the error for a page that the browser did not survive."""
    return PictureError("the page made the browser crash, or needs too much memory")


class NoCellError(PictureError):
    """The kernel gives no namespaces, so nothing is drawn."""


def _running(session: int) -> bool:
    """Whether a process of the session still runs (not: waits to be looked after by its parent)."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, _, _, its_session = path.read_text().rpartition(")")[2].split()[:4]
            if int(its_session) == session and state != "Z":
                return True
    return False

"""A second look at the head of a response that a strict parser refuses.

Rules of this file:

* what has a status line is HTTP, as it is for browsers: a careless server is no interference;
* the head is read by :func:`blockwatch.content.parse_response`, as the judge will read it from the
  stored bytes, and each one is read once;
* of the framing only what that reading heeds is handed on, in a form that no parser refuses.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from blockwatch import content

_BLANK = re.compile(rb"\n\r?\n")
_BODILESS = (101, 204, 304)


@dataclass(frozen=True)
class SecondLook:
    """A head as it was meant."""

    version: str
    status: int
    headers: tuple[tuple[str, str], ...]
    plain: bytes  # a head of the same framing, and what followed the head


def second_look(raw: bytes) -> SecondLook | None:
    """The final response that ``raw`` begins with; None: no status line, or no end of the head."""
    parsed = content.parse_response(raw)
    if parsed.status is None or parsed.version is None:
        return None
    at = body_start(raw)
    if at is None:
        return None
    return SecondLook(parsed.version, parsed.status, parsed.headers, _plain(parsed) + raw[at:])


def body_start(raw: bytes) -> int | None:
    """Where the body of the final response begins; None: there is no whole head of one."""
    at = 0
    while (end := _BLANK.search(raw, at)) is not None:
        if content.parse_response(raw[at : end.end()]).status is not None:
            return end.end()
        at = end.end()  # an interim response
        if not raw.startswith(b"HTTP/", at):
            break
    return None


def _plain(parsed: content.ParsedResponse) -> bytes:
    coding = content.header(parsed.headers, "transfer-encoding") or ""
    length = (content.header(parsed.headers, "content-length") or "").split(",")[0].strip()
    if parsed.status in _BODILESS:
        framing = "Content-Length: 0\r\n"
    elif "chunked" in coding.lower():
        framing = "Transfer-Encoding: chunked\r\n"
    elif length.isascii() and length.isdigit() and len(length) < 16:
        framing = f"Content-Length: {length}\r\n"
    else:
        framing = ""
    return f"HTTP/1.1 200 OK\r\n{framing}Connection: close\r\n\r\n".encode("ascii")

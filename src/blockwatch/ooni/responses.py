"""One of OONI's ``requests`` as a request of ours.

Rules of this file: headers are Latin-1 with us; text stays text until somebody wants its bytes.
"""

from __future__ import annotations

import re
from typing import Any

from blockwatch.charset import declared_charset, utf8_wins
from blockwatch.content import header, text_of, title_of
from blockwatch.model import HttpStep
from blockwatch.ooni import fields
from blockwatch.ooni.draft import Draft, Response
from blockwatch.ooni.fields import Object
from blockwatch.ooni.traffic import Moved

_VERSIONS = {"h2": "HTTP/2", "http/1.1": "HTTP/1.1", "http/1.0": "HTTP/1.0"}
_PROTOCOLS = {"h2": "h2"}
_TITLE = re.compile(r"<title", re.I | re.A)
_MARK = "\ufeff"
_HEAD = 4_096  # characters in which a charset may be declared
_TITLE_BYTES = re.compile(rb"<title", re.I)


def add_http(
    draft: Draft, entry: Object, moved: Moved, *, host: str, url: str, us: int, failure: str | None,
    status: int | None, **told: Any,
) -> None:  # fmt: skip
    """Add the request of ``entry`` with what ``told`` says of its place; ``moved`` are its bytes."""
    asked, answer = fields.mapping(entry.get("request")), fields.mapping(entry.get("response"))
    sent = fields.headers(asked)
    headers = fields.headers(answer) if status is not None else ()
    alpn = entry.get("alpn")
    cut = answer.get("body_is_truncated") is True
    body, length = _body(answer.get("body")) if status is not None else (None, None)
    if not body and status is not None:  # the bytes may have been taken out, their number left
        length = fields.count(entry.get("response_length"), 1) or (None if cut else length)
    step = HttpStep(
        i=len(draft.steps),
        us=us,
        failure=failure,
        method=fields.text(asked.get("method"), 20) or "GET",
        url=url,
        host=next((value for name, value in sent if name.lower() == "host"), host),
        request_headers=sent,
        version=_VERSIONS.get(alpn) if isinstance(alpn, str) else None,
        status=status,
        headers=headers,
        body_length=length,
        truncated=cut,
        title=_title(headers, body) if body else None,
        sent=moved.sent,
        received=moved.received,
        first_byte_us=moved.first_byte_us,
        progress=moved.progress,
        **told,
    )
    i = draft.add(step)
    if i is not None and body is not None and status is not None:
        protocol = _PROTOCOLS.get(alpn, "http/1.1") if isinstance(alpn, str) else "http/1.1"
        draft.responses[i] = Response(url, told["address"], draft.epoch + told["t"], protocol, status,
                                      headers, body)  # fmt: skip


def _body(told: Any) -> tuple[str | bytes | None, int | None]:
    """A body as told, and its bytes' number; text stays text, for most of it is never looked at."""
    if isinstance(told, str):
        try:
            return told, len(told) if told.isascii() else len(told.encode())
        except UnicodeEncodeError:  # half a character
            pass
    body = fields.binary(told)
    return body, len(body) if body is not None else None


def _title(headers: tuple[tuple[str, str], ...], body: str | bytes) -> str | None:
    """The title, as the measurer takes it: of HTML, or of what may be HTML."""
    kind = header(headers, "content-type") or ""
    if kind and "html" not in kind.lower():
        return None
    if isinstance(body, str):
        if not _TITLE.search(body):
            return None
        head = body[:_HEAD].encode("utf-8", "replace")
        if utf8_wins(declared_charset(kind, head)) and not body.startswith(_MARK):
            return title_of(body)
        body = body.encode()
    return title_of(text_of(headers, body)) if _TITLE_BYTES.search(body) else None

"""Captured bytes of requests and responses, without what tells the line.

Rules of this file:

* a cut keeps the length, so that offsets and a body under Content-Length stay;
* what is hidden in a line of a head blanks its value; in a body, wherever in it, all of it; so does what
  cannot be read, since nobody could say what is in it;
* no framing is trusted alone: what follows the body that a head tells of is looked at, too;
* where anything was cut, or something is missing, the server's hashes go (:mod:`blockwatch.runner.hashes`).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from blockwatch import content
from blockwatch.net.secondlook import body_start
from blockwatch.runner.hashes import without_hashes
from blockwatch.runner.marks import same_length
from blockwatch.runner.undone import body_of, further, strays, undone, within

_LINE = re.compile(rb"(HTTP/[0-9.]+ [0-9]{3} |[A-Z]+ |[^:]{1,200}:[ \t]*|)(.*?)((?: HTTP/1\.[01])?\r?)", re.S)


class Captured:
    """``cut`` gives back bytes of the same length without what is found in them as they are."""

    def __init__(self, cut: Callable[[bytes], bytes]) -> None:
        self._cut = cut

    def request(self, raw: bytes) -> bytes:
        """A request that a server's redirect made us send."""
        clean = b"\n".join(self._line(line) for line in self._cut(raw).split(b"\n"))
        return clean if clean == raw else without_hashes(clean, b"", told=True)[0]

    def response(self, raw: bytes, *, whole: bool) -> tuple[bytes, bool]:
        """A response, and whether anything was cut out of it; ``whole``: all of it is there."""
        clean = self._cut(raw)
        parsed = content.parse_response(clean)
        at = body_start(clean)
        if at is None:
            at = 0 if parsed.status is None else len(clean)
        head, body = clean[:at], clean[at:]
        if self.hides(head):
            head = b"\n".join(self._line(line) for line in head.split(b"\n"))
        if body and self._hides_in_body(parsed, body):
            body = same_length(len(body))
        told = head != raw[:at] or body != raw[at:]
        if told or not whole or parsed.complete is False:
            head, body = without_hashes(head, body, told=told)
        return head + body, told

    def hides(self, data: bytes) -> bool:
        """Whether undoing a coding brings forth what was not found without."""
        return any(map(self._tells, undone(data)))

    def _tells(self, plain: bytes | None) -> bool:
        return plain is None or self._cut(plain) != plain

    def _line(self, line: bytes) -> bytes:
        """A line of a head; where something is hidden in it only what it begins and ends with."""
        if not self.hides(line):
            return line
        start, hidden, end = _LINE.fullmatch(line).groups()  # type: ignore[union-attr]  # it always fits
        return bytes(start + same_length(len(hidden)) + end)

    def _hides_in_body(self, parsed: content.ParsedResponse, body: bytes) -> bool:
        framed = parsed.body
        plain, unread = body_of(parsed.headers, framed)
        if unread or (plain != body and self._tells(plain)) or self.hides(plain):
            return True
        odd = [*(within(framed, 1) if plain != framed else ()), *further(body)]
        if None in odd or any(self._tells(one) or self.hides(one or b"") for one in odd):
            return True
        return len(framed) != len(body) and self._hides_behind(parsed, body)

    def _hides_behind(self, parsed: content.ParsedResponse, body: bytes) -> bool:
        """The same of what the framing leaves out: what follows the end, or came before."""
        framed = parsed.body
        rest = body[: -len(framed)] if framed and body.endswith(framed) else body[len(framed) :]
        for coded in (rest, body):  # where there are chunks, the rest is at least what follows the last
            plain, _ = body_of(parsed.headers, coded)
            if plain != coded and (self._tells(plain) or self.hides(plain)):
                return True
        return self.hides(rest) or (strays(framed, body) and self.hides(body))

"""Regular expressions that cannot run away: literals with gaps, found one after another.

Rules of this file:

* allowed are characters, ``.``, classes (``[a-z]``, ``\\d``), escaped punctuation, and the gaps ``.*`` and
  ``.+`` between them (the dot matches a line break too); every part between gaps has one fixed length;
* so the first place of each part after the one before it decides, and the time is linear in the text;
* everything else (groups, alternatives, nested or counted repeats, anchors, back references) is refused:
  a few characters of such a pattern can keep a processor busy for years.
"""

from __future__ import annotations

import re

_MOST_PARTS = 32
_PART = re.compile(
    r"(?P<gap>\.[*+]\??)"
    r"|(?P<one>\\[dDsSwW]|\\[^0-9A-Za-z]|\\[nrt]|\[\^?\]?(?:\\.|[^\]\\])*\]|\.|[^\\\[\].*+?(){}|^$])"
    r"|(?P<brace>[{}])",
    re.S,
)
_ESCAPED = re.compile(r"\\[^0-9A-Za-z]", re.S)
_COUNT = re.compile(r"\{\d*,?\d*\}")


class GapPattern:
    """A regular expression made of parts with gaps; raises ``ValueError`` for any other."""

    def __init__(self, pattern: str) -> None:
        self._parts: list[tuple[int, re.Pattern[str] | str]] = []  # least characters skipped before it, part
        self.literal, run = "", ""  # the longest plain text that every match holds
        least, part, at = 0, "", 0
        text: str | None = ""  # the part, as long as it is plain text
        while at < len(pattern):
            found = _PART.match(pattern, at)
            if found is None or (found["brace"] and _COUNT.match(pattern, at)):
                raise ValueError(f"character {at + 1} ({pattern[at]!r}) is not run safely")
            at = found.end()
            plain = found["brace"] or (found["one"] if len(found[0]) == 1 and found[0] != "." else "")
            plain = plain or (found[0][1] if _ESCAPED.fullmatch(found[0]) else "")
            run = run + plain if plain else ""
            self.literal = max(self.literal, run, key=len)
            if found["gap"]:
                self._add(least, part, text)
                least, part, text = found[0].startswith(".+"), "", ""
            else:
                part += re.escape(found[0]) if found["brace"] else found[0]
                text = text + plain if plain and text is not None else None
        self._add(least, part, text)
        if not self._parts or len(self._parts) > _MOST_PARTS:
            raise ValueError(f"it has {len(self._parts)} parts; 1 to {_MOST_PARTS} are run")

    def _add(self, least: int, part: str, text: str | None) -> None:
        """Keep a part; what is plain ``text`` is searched as such, which is much quicker."""
        if part:
            try:
                compiled = re.compile(part, re.S)
            except re.error as error:
                raise ValueError(str(error)) from None
            self._parts.append((least, compiled if text is None else text))

    def found(self, text: str) -> bool:
        """Whether the text holds all parts in order, each after the one before."""
        at = 0
        for least, part in self._parts:
            if isinstance(part, str):
                start = text.find(part, at + least)
                if start < 0:
                    return False
                at = start + len(part)
            else:
                match = part.search(text, at + least)
                if match is None:
                    return False
                at = match.end()
        return True

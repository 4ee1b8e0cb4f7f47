"""The list of a campaign's keys, as those who collect evidence keep it; and the note that hands a key on.

Rules of this file:

* one verifier key a line, then optionally ``from=YYYY-MM-DD``, ``to=YYYY-MM-DD`` and a name; a line that
  begins with "#" is a comment;
* every problem of a file is said at once, with its line;
* a list that cannot be read whole allows nobody.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date
from pathlib import Path

import msgspec

from blockwatch.errors import ConfigError, EvidenceError
from blockwatch.evidence.note import VerifierKey, format_note, is_signed_by, parse_campaign_key, parse_note
from blockwatch.evidence.signing import Signer

_EPOCH = date(1970, 1, 1).toordinal()
_MAX_LIST = 4_000_000  # bytes: some 20,000 keys
_DAY = re.compile(r"(from|to)=([0-9]{4}-[0-9]{2}-[0-9]{2})")
_ROTATION = re.compile(r"blockwatch/rotation\nfrom (\S+)\nto (\S+)\nwhen (\S+)\n")


class Allowed(msgspec.Struct, frozen=True, kw_only=True):
    """One key of the list."""

    key: VerifierKey
    name: str = ""
    since: date | None = None  # first day, UTC
    until: date | None = None  # last day, UTC

    def at(self, when_us: int) -> bool:
        """Whether it is allowed at a time, microseconds since the epoch."""
        after = self.since is None or self.since.toordinal() <= _day(when_us)
        return after and self.before_its_end(when_us)

    def before_its_end(self, when_us: int) -> bool:
        """Whether a time is on its last day or before."""
        return self.until is None or _day(when_us) <= self.until.toordinal()


def _day(when_us: int) -> int:
    """Days as ``date.toordinal`` counts them; a hostile log may name a year that no calendar has."""
    return when_us // 86_400_000_000 + _EPOCH


def parse_allow_list(text: str, where: str) -> list[Allowed]:
    """Read a list; raises ``ConfigError`` with every problem. A key may have several lines."""
    found: list[Allowed] = []
    problems: list[str] = []
    for number, line in enumerate(text.removeprefix("\ufeff").splitlines(), 1):
        if line.strip() and not line.lstrip().startswith("#"):
            try:
                found.append(_allowed(line.split()))
            except (EvidenceError, ValueError) as error:
                problems.append(f"{where}:{number}: {error}")
    if problems:
        raise ConfigError(
            "\n".join(problems), remedy="A line is what `blockwatch key show` prints, from=, to=, a name."
        )
    return found


def _allowed(words: list[str]) -> Allowed:
    key = parse_campaign_key(words.pop(0))
    days: dict[str, date] = {}
    for which in ("from", "to"):
        match = _DAY.fullmatch(words[0]) if words else None
        if match and match[1] == which:
            days[which] = date.fromisoformat(match[2])
            words.pop(0)
    if words and re.match(r"(from|to)=", words[0]):
        raise ValueError(f"{words[0][:40]!r} is no day in its place: from=YYYY-MM-DD to=YYYY-MM-DD")
    if days and max(days.values()) != days.get("to", max(days.values())):
        raise ValueError("its last day is before its first")
    return Allowed(key=key, name=" ".join(words), since=days.get("from"), until=days.get("to"))


def read_allow_list(path: Path) -> list[Allowed]:
    """Read a list from a file; raises ``ConfigError``."""
    try:
        if not path.is_file() or path.stat().st_size > _MAX_LIST:
            what = "this is no list of keys" if path.exists() else "there is no such file"
            raise ConfigError(what, where=str(path), remedy="Name a file with one key a line.")
        return parse_allow_list(path.read_text("utf-8"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        words = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(
            f"cannot be read ({words})", where=str(path), remedy="Name a file that you may read."
        ) from error


def allowed_by(keys: Iterable[Allowed], key: VerifierKey, when_us: int) -> Allowed | None:
    """The line that allows ``key`` at a time; ``None``: none does."""
    return next((each for each in keys if each.key == key and each.at(when_us)), None)


def unproven_day(
    keys: Iterable[Allowed], key: VerifierKey, started: int, not_after: int | None
) -> date | None:
    """The last day of a retired key, where nothing outside shows that a seal by it is from its days.

    Retired is a key all of whose lines have a last day. ``started`` is the signer's word, ``not_after`` that
    of an outside timestamp or of the reader's own calendar (both microseconds since the epoch; null: there
    is neither). ``None``: it is shown, or no question.
    """
    lines = [each for each in keys if each.key == key]
    if any(each.until is None for each in lines):
        return None
    fitting = [each for each in lines if each.at(started)]
    if not_after is not None and any(each.before_its_end(not_after) for each in fitting):
        return None
    return max((each.until for each in fitting if each.until), default=None)


def may_be_a_thiefs(keys: Iterable[Allowed], key: VerifierKey, now: int | None) -> bool:
    """Whether ``key`` is retired by ``now``, microseconds since the epoch; null: a last day is always over.

    What such a key signed without an outside timestamp, whoever has it may have signed today.
    """
    lines = [each for each in keys if each.key == key]
    good = (each.until is None or (now is not None and each.before_its_end(now)) for each in lines)
    return bool(lines) and not any(good)


class Rotation(msgspec.Struct, frozen=True, kw_only=True):
    """A key handed on, said by both keys."""

    old: VerifierKey
    new: VerifierKey
    when: str  # RFC 3339, UTC, by the clock of the machine


def rotation_note(old: Signer, new: Signer, when: str) -> bytes:
    """The note in which the old key names the new one, signed by both."""
    text = f"blockwatch/rotation\nfrom {old.key}\nto {new.key}\nwhen {when}\n".encode()
    return format_note(text, (old.signature(text), new.signature(text)))


def parse_rotation(raw: bytes, where: str = "") -> Rotation:
    """Read and verify such a note; raises ``EvidenceError``. The old key may be anybody's: ask the list."""
    note = parse_note(raw, where)
    match = _ROTATION.fullmatch(note.text.decode())
    if match is None:
        raise EvidenceError("a note that does not hand a key on", where=where)
    old, new = (parse_campaign_key(text, where) for text in match.group(1, 2))
    if not (is_signed_by(note, old) and is_signed_by(note, new)):
        raise EvidenceError("a key handed on without the signatures of both keys", where=where)
    return Rotation(old=old, new=new, when=match[3])

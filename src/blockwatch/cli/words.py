"""How things are put for people: times, sizes, verdicts, and text that strangers wrote.

Rules of this file:

* whatever came from the network goes through :func:`harmless` before it reaches a terminal;
* times are UTC and say so; where a person dates an event, those of the reader's own zone stand beside them;
* words for verdicts are those of one ladder, used everywhere.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from blockwatch.verdict import Grade, State, Verdict

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LADDER = {
    State.OK: "reachable",
    State.DOWN: "down for everybody",
    State.REFUSED: "the server refuses",
    State.INCONCLUSIVE: "no clear answer",
}
_BLOCKED = {
    Grade.SIGNS: "signs of blocking",
    Grade.STRONG: "strong evidence of blocking",
    Grade.CONFIRMED: "blocking confirmed",
}


def harmless(text: object, most: int = 200) -> str:
    """Return ``text`` on one line, with control and other unprintable characters escaped, cut at ``most``."""
    clean = "".join(
        c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in str(text)[: most + 1]
    )
    return clean if len(clean) <= most else clean[: most - 1] + "…"


def harmless_lines(text: object) -> str:
    """Return ``text`` with its line breaks, and every other unprintable character escaped."""
    return "\n".join(harmless(line, 4_000) for line in str(text).split("\n"))


def counted(number: int, what: str) -> str:
    """Return a number with its noun: ``1 target``, ``2 targets``, ``1 address``, ``2 searches``."""
    plural = what + ("es" if what.endswith(("s", "ch")) else "s")
    return f"{number:,} {what if number == 1 else plural}"


def iso(us: int) -> str:
    """Return microseconds since the epoch as ISO 8601 in UTC: ``2026-11-22T03:31:05.123456Z``."""
    try:
        moment = _EPOCH + timedelta(microseconds=us)
    except OverflowError:
        return "9999-12-31T23:59:59.999999Z"  # no real clock says so; the log keeps the number
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment(us: int) -> str:
    """Return microseconds since the epoch for reading: ``2026-11-22 03:31:05 UTC``."""
    return iso(us)[:19].replace("T", " ") + " UTC"


def moment_here(us: int) -> str:
    """The same, with the reader's time where that is another: ``… UTC (2026-11-22 08:31:05 +0500 here)``."""
    try:
        here = (_EPOCH + timedelta(microseconds=us)).astimezone()
    except (OverflowError, ValueError, OSError):
        return moment(us)
    return f"{moment(us)} ({here:%Y-%m-%d %H:%M:%S %z} here)" if here.utcoffset() else moment(us)


def duration(us: int) -> str:
    """Return a length of time for reading."""
    if us < 1_000_000:
        return f"{us / 1_000:.0f} ms"
    if us < 120_000_000:
        return f"{us / 1_000_000:.1f} s"
    return f"{us // 60_000_000} min"


def size(count: int) -> str:
    """Return a number of bytes for reading."""
    if count < 1_000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1_000:.0f} kB"
    return f"{count / 1_000_000:.1f} MB"


def said(verdict: Verdict) -> str:
    """Return the verdict's rung of the ladder."""
    if verdict.state is State.BLOCKED:
        return _BLOCKED.get(verdict.grade or Grade.SIGNS, "signs of blocking")
    return _LADDER[verdict.state]


def verdict_line(verdict: Verdict) -> dict[str, Any]:
    """Return a verdict in the form of ``blockwatch judge --json`` and ``verdicts.jsonl``."""
    return {
        "id": verdict.id,
        "target": verdict.target,
        "url": verdict.url,
        "probe": verdict.probe,
        "asn": verdict.asn,
        "started": iso(verdict.started),
        "state": verdict.state.value,
        "grade": verdict.grade.value if verdict.grade else None,
        "mechanism": verdict.mechanism,
        "failed_step": verdict.failed_step,
        "why": [f"{reason.rule}: {reason.text}" for reason in verdict.why],
        "ruleset": verdict.ruleset,
        "final": verdict.final,
    }


def verdict_json(verdict: Verdict) -> bytes:
    """Return :func:`verdict_line` as a line of JSON that can be shown on a terminal, too."""
    return shown_json(verdict_line(verdict))


def shown_json(value: Any) -> bytes:
    """Return a line of JSON of which no character acts on a terminal."""
    import msgspec

    text = msgspec.json.encode(value).decode()
    if not text.isprintable():  # JSON itself escapes only U+0000 to U+001F
        text = "".join(c if c.isprintable() else _escaped(c) for c in text)
    return text.encode() + b"\n"


def _escaped(character: str) -> str:
    units = character.encode("utf-16-be").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))

"""Facts on record about block pages, redirects and false addresses, and which of them a response matches.

Rules of this file:

* a fingerprint settles something only if it names who blocks (a country, a provider, a filter product), its
  source is at least half sure of it, and it is too long to stand anywhere by accident; others are signs;
* what is on record as *no* block page is asked first among the matches: such a page matches nothing;
* names and patterns are strangers' text: compared, counted and shown escaped, never interpreted;
* matching comes first; whether the country fits is told beside the match, and never decides it.

Sources: docs/method.md, "Fingerprint packs". Scopes, columns and kinds are those of OONI's
blocking-fingerprints.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

from blockwatch.judge.addresses import bogon
from blockwatch.judge.gaps import GapPattern
from blockwatch.judge.matcher import Matcher

NOT_BLOCKED = "fp"  # scope: the page shows that it is none
VAGUE = "vbw"  # scope: words that block pages use, and other pages too
LONG_ENOUGH = 12  # characters
SURE_ENOUGH = 5  # of 10, by the source's own estimate
MOST_TEXT = 65_536  # characters of a body that are looked at
LONG = 23  # bytes of UTF-8: a fingerprint of fewer is looked for in short bodies only,
SHORT_WITHIN = 20_000  # characters: of no more than this
_MOST_VALUE = 8_192  # characters of a header value, likewise
_NAMING = frozenset({"nat", "isp", "prod"})
_ONLY_TAGS = re.compile(r"(?:\s*</?\w{1,20}\s*/?>\s*)+")


@dataclass(frozen=True)
class Fingerprint:
    """One fact on record."""

    name: str
    scope: str  # nat, isp, prod: who blocks; fp: not a block page; anything else: a sign
    where: str  # "body", "dns", "plain" (what came instead of TLS) or "header.<name in lower case>"
    kind: str  # "full", "prefix", "contains" or "regexp"
    pattern: str
    confidence: int  # 0 to 10: that it is no false alarm
    countries: tuple[str, ...] = ()  # where it is expected; empty: not said
    source: str = ""

    @property
    def settles(self) -> bool:
        """Whether a match may settle anything by itself; a sign otherwise."""
        if self.scope not in _NAMING or self.confidence < SURE_ENOUGH:
            return False
        if self.where == "dns":
            return True
        return len(self.pattern) >= LONG_ENOUGH and _ONLY_TAGS.fullmatch(self.pattern) is None

    @property
    def shown(self) -> str:
        """The name, fit for a terminal: at most 80 characters, unprintable ones escaped."""
        return "".join(
            c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in self.name[:80]
        )

    def elsewhere(self, country: str | None) -> str:
        """What to say if it is not on record for ``country``; empty if it is or nobody knows."""
        if country is None or not self.countries or {country, "ZZ"} & set(self.countries):
            return ""
        return f" (on record for {', '.join(self.countries[:8])}; this line is in {country})"

    def matches(self, value: str) -> bool:
        """Whether ``value`` (a body, a header's value, a text) shows it."""
        if self.kind == "full":
            return value == self.pattern
        if self.kind == "prefix":
            return value.startswith(self.pattern)
        return self.pattern in value if self.kind == "contains" else self._gaps.found(value)

    @property
    def literal(self) -> str:
        """Plain text that everything it matches contains; may be empty."""
        return self._gaps.literal if self.kind == "regexp" else self.pattern

    @cached_property
    def _gaps(self) -> GapPattern:
        return GapPattern(self.pattern)


class Pack:
    """Fingerprints that are asked together; ``label`` tells packs of other content apart (``""``: ours)."""

    def __init__(self, prints: Iterable[Fingerprint], label: str = "") -> None:
        self.prints, self.label = tuple(prints), label
        self._by_place: dict[str, list[Fingerprint]] = defaultdict(list)
        self._addresses: dict[str, Fingerprint] = {}
        for one in self.prints:
            if one.where == "dns":
                self._addresses.setdefault(one.pattern, one)
            else:
                self._by_place[one.where].append(one)

    @cached_property
    def _together(self) -> dict[str, _Together]:
        return {place: _Together(found) for place, found in self._by_place.items()}

    def page(self, headers: Sequence[tuple[str, str]], text: str) -> Fingerprint | None:
        """What a page matches by body or headers (but ``Location``): what settles it, else a sign."""
        found = self._at("body", text[:MOST_TEXT]) + self._in_headers(headers)
        return _best(found)

    def _in_headers(self, headers: Sequence[tuple[str, str]]) -> list[Fingerprint]:
        found: list[Fingerprint] = []
        for name, value in headers:
            if name.lower() != "location":
                found += self._at(f"header.{name.lower()}", value[:_MOST_VALUE])
        return found

    def redirect(self, *values: str) -> Fingerprint | None:
        """What a ``Location`` matches, in any of the forms given (as sent, absolute)."""
        return _best(self._at("header.location", *(value[:_MOST_VALUE] for value in values)))

    def plain(self, data: bytes) -> Fingerprint | None:
        """What text that came instead of a protocol matches; case and surrounding blanks do not count."""
        return _best(self._at("plain", data[:1_024].decode("latin-1").strip().lower()))

    def address(self, text: str) -> Fingerprint | None:
        """What an address in a DNS answer matches; a special-purpose address names nobody."""
        return self._addresses.get(text) if self._addresses and bogon(text) is None else None

    def _at(self, place: str, *values: str) -> list[Fingerprint]:
        """All for this place that match one of the values, in the order of the pack."""
        asked = self._together.get(place)
        if asked is None:
            return []
        if len(values) == 1:
            return asked.found(values[0])
        hits = {one for value in values for one in asked.found(value)}
        return [one for one in self._by_place[place] if one in hits] if hits else []


class _Together:
    """Fingerprints of one place: a matcher finds the few whose literal is there, which are then compared."""

    def __init__(self, prints: Sequence[Fingerprint]) -> None:
        self._prints = prints

    @cached_property
    def _in_short(self) -> tuple[Sequence[Fingerprint], Matcher]:
        return self._prints, Matcher(one.literal for one in self._prints)

    @cached_property
    def _in_long(self) -> tuple[Sequence[Fingerprint], Matcher]:
        if all(map(_in_any, self._prints)):
            return self._in_short
        prints = [one for one in self._prints if _in_any(one)]
        return prints, Matcher(one.literal for one in prints)

    def found(self, text: str) -> list[Fingerprint]:
        """All that match, in the order of the pack."""
        prints, matcher = self._in_short if len(text) <= SHORT_WITHIN else self._in_long
        there = matcher.found(text)
        return [one for one in map(prints.__getitem__, there) if one.kind == "contains" or one.matches(text)]


def _in_any(one: Fingerprint) -> bool:
    """Whether it is looked for in long bodies too, where a short one may stand by accident."""
    if one.where != "body" or one.scope == NOT_BLOCKED or not one.literal:
        return True
    return len(one.literal.encode("utf-8", "replace")) >= LONG


def _best(found: list[Fingerprint]) -> Fingerprint | None:
    if not found or any(one.scope == NOT_BLOCKED for one in found):
        return None
    return max(found, key=lambda one: (one.settles, one.confidence))


OURS = Pack(
    (
        Fingerprint(
            "kg-homeline",
            "isp",
            "header.location",
            "prefix",
            "http://homeline.kg/access/blockpage",
            10,
            ("KG",),
            "OONI blocking-fingerprints, ooni.kg_0",
        ),
        Fingerprint(
            "id-kominfo",
            "nat",
            "header.location",
            "prefix",
            "http://lamanlabuh.aduankonten.id",
            10,
            ("ID",),
            "OONI blocking-fingerprints, ooni.id_lamanlabuh_kominfo",
        ),
        Fingerprint(
            "uz-reestr",
            "nat",
            "header.location",
            "prefix",
            "http://reestr.mitc.uz",
            10,
            ("UZ",),
            "OONI blocking-fingerprints, ooni.uz_0",
        ),
        Fingerprint(
            "kg-elcat",
            "isp",
            "body",
            "contains",
            "Access to the requested website has been blocked by judicial decision!",
            10,
            ("KG",),
            "Censored Planet signature c_isp_kg_elcat",
        ),
        Fingerprint(
            "uz-procera",
            "prod",
            "plain",
            "full",
            "object not found",
            10,
            ("UZ",),
            "Qurium, Uzbekistan: Procera blocks eltuz.com, 2020-02-14",
        ),
    )
)


class OnRecord(NamedTuple):
    """The pack to ask, and where the line is: the second only for what is said beside a match."""

    pack: Pack
    country: str | None = None


OURS_ALONE = OnRecord(OURS)


def together(packs: Sequence[Pack]) -> Pack:
    """Our own fingerprints and those of other packs as one; the label names each pack, sorted."""
    if not packs:
        return OURS
    prints = [one for pack in (OURS, *packs) for one in pack.prints]
    return Pack(prints, "+".join(sorted({pack.label for pack in packs})))

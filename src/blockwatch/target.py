"""The nouns of a targets file: targets, the instruments that order a block, and searches made.

Dates are ISO 8601 days as text (``2012-12-05``; ``2014-…`` style unknown parts are written
``2014`` or ``2014-06``). Reading a file, with place and remedy for every problem, is
:mod:`blockwatch.targets`.
"""

from __future__ import annotations

from blockwatch.model import Noun


class Mirror(Noun, frozen=True, kw_only=True):
    """Another address of the same site, with the days it was (or is) in use."""

    url: str
    from_: str | None = None
    to: str | None = None


class Target(Noun, frozen=True, kw_only=True):
    """One thing to measure. Either ``url`` or ``endpoints`` is given."""

    id: str  # stable name, never an address
    url: str | None = None
    endpoints: tuple[str, ...] = ()  # "tcp://host:port" or "tls://host:port"
    category: str | None = None  # Citizen Lab category code
    country: str | None = None  # ISO 3166-1 alpha-2
    role: str = "target"  # or "control": expected to work everywhere
    mirrors: tuple[Mirror, ...] = ()
    identity_to: str | None = None  # until when the address was this site
    expires: str | None = None  # unchecked after that day: inconclusive
    note: str | None = None

    @property
    def urls(self) -> tuple[str, ...]:
        """Every URL or endpoint to measure, the main one first."""
        main = (self.url,) if self.url else ()
        return main + tuple(mirror.url for mirror in self.mirrors) + self.endpoints


class Order(Noun, frozen=True, kw_only=True):
    """What is known of one instrument (court decision, resolution, letter, …)."""

    id: str
    targets: tuple[str, ...]
    kind: str  # court | prosecutor | regulator | ministry | parliament | oral | registry | unknown
    source: str  # where this is known from
    checked_on: str
    issuer: str | None = None
    number: str | None = None
    issued: str | None = None
    effective_from: str | None = None
    effective_to: str | None = None
    published: str | None = None  # "yes", "no" or null: not known
    names: tuple[str, ...] = ()  # what it names, word for word
    scope: str | None = None  # url | host | domain | ip
    networks: tuple[int, ...] | None = None  # AS numbers; null: all
    note: str | None = None


class Search(Noun, frozen=True, kw_only=True):
    """A search for instruments, so that "none known to us" can be said with its date."""

    targets: tuple[str, ...]
    source: str
    on: str
    found: str  # "none", or what


class TargetsFile(Noun, frozen=True, kw_only=True):
    """Everything a targets file says."""

    targets: tuple[Target, ...] = ()
    orders: tuple[Order, ...] = ()
    searches: tuple[Search, ...] = ()

"""Hosts and URLs: taking them apart, and whether two names belong to one owner.

Rules of this file:

* nothing here raises: evidence is hostile, a broken URL has the parts that could be read;
* "one owner" is told from the names alone (same registrable domain), erring to "not the same" for
  suffixes we do not know: that buys a follow-up, never an accusation.
"""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urljoin, urlsplit

from blockwatch.judge.addresses import is_address

_PORTS = {"http": 80, "https": 443, "tls": 443, "tcp": 443}

# Labels under which registries of two-letter domains sell names ("co.uk", "com.kz"), and suffixes
# of platforms where each name below has another owner. Source: publicsuffix.org, the common ones.
_SECOND = frozenset(
    [
        "ac",
        "co",
        "com",
        "edu",
        "go",
        "gob",
        "gov",
        "govt",
        "gouv",
        "ind",
        "inf",
        "info",
        "int",
        "ltd",
        "me",
        "mil",
        "msk",
        "name",
        "ne",
        "net",
        "nic",
        "nom",
        "or",
        "org",
        "plc",
        "sch",
        "spb",
    ]
)
_PLATFORMS = frozenset(
    [
        "blogspot.com",
        "wordpress.com",
        "livejournal.com",
        "github.io",
        "gitlab.io",
        "herokuapp.com",
        "netlify.app",
        "pages.dev",
        "vercel.app",
        "web.app",
        "firebaseapp.com",
        "appspot.com",
        "cloudfront.net",
        "amazonaws.com",
        "azurewebsites.net",
        "fastly.net",
        "tumblr.com",
        "weebly.com",
        "wixsite.com",
        "ucoz.ru",
        "narod.ru",
    ]
)

EXAMPLES = ("example.com", "example.net", "example.org")  # kept for examples (RFC 2606): nobody's to block


class Parts(NamedTuple):
    """What a URL or endpoint names."""

    scheme: str  # "http", "https", "tcp", "tls"; "" where none could be read
    host: str  # lower case, no trailing dot, IPv6 without brackets
    port: int  # 0 where it could not be read
    path: str


@lru_cache(maxsize=1_024)
def parts(url: str) -> Parts:
    """Take a URL apart; never raises."""
    try:
        split = urlsplit(url)
        host = (split.hostname or "").rstrip(".")
        port = split.port
    except ValueError:
        return Parts("", "", 0, "")
    scheme = split.scheme.lower()
    return Parts(scheme, a_label(host), port or _PORTS.get(scheme, 0), split.path or "/")


def a_label(host: str) -> str:
    """The ASCII form of a host, as it is asked for in the DNS; unchanged where it has none."""
    if host.isascii():
        return host.lower()
    try:
        return host.encode("idna").decode("ascii").lower()
    except UnicodeError:
        return host.lower()


@lru_cache(maxsize=256)
def joined(base: str, location: str) -> str:
    """The absolute form of a ``Location``; empty where there is none."""
    try:
        return urljoin(base, location.strip())
    except ValueError:
        return ""


@lru_cache(maxsize=1_024)
def owner(host: str) -> str:
    """The registrable domain of ``host`` (approximately), or the address itself."""
    if is_address(host):
        return host
    labels = host.split(".")
    if len(labels) <= 2:
        return host
    tail = ".".join(labels[-2:])
    if tail in _PLATFORMS or (len(labels[-1]) == 2 and labels[-2] in _SECOND):
        return ".".join(labels[-3:])
    return tail


def same_owner(one: str, other: str) -> bool:
    """Whether two hosts are names of one owner."""
    return bool(one) and owner(one) == owner(other)


def neutral(*hosts: str) -> str:
    """A name that is kept for examples, of another owner than those hosts (two at most)."""
    return next(name for name in EXAMPLES if not any(same_owner(name, host) for host in hosts))

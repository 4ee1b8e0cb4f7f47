"""URLs as they go on the wire: one normal form, no surprise in a request line.

Rules of this file: host in IDNA A-labels, lower case, without a trailing dot; path and query
percent-encoded ASCII; no fragment, no user information; what cannot be so written is refused
with :class:`BadUrl`.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from urllib.parse import quote, urljoin, urlsplit

PORTS = {"http": 80, "https": 443}
_SAFE = "/%:@!$&'()*+,;=-._~?[]|"
_LABELS = re.compile(r"(?!-)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*\Z")


class BadUrl(ValueError):
    """Not a URL that can be measured."""


@dataclass(frozen=True)
class Url:
    """An http or https URL in its parts."""

    scheme: str
    host: str  # A-labels, or a literal address without brackets
    port: int
    path: str  # with query, starts with "/"

    @property
    def authority(self) -> str:
        """Host and port as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if PORTS[self.scheme] == self.port else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"


def parse_url(text: str) -> Url:
    """Parse an absolute http or https URL."""
    if any(character in text for character in "\r\n\t\0"):
        raise BadUrl("control characters in a URL")
    try:
        parts = urlsplit(text.strip())
        port = parts.port
        host = parts.hostname or ""
    except ValueError as error:
        raise BadUrl(str(error)) from None
    if parts.scheme not in PORTS:
        raise BadUrl(f"scheme {parts.scheme!r}")
    if port == 0:
        raise BadUrl("port 0")
    path = quote(parts.path or "/", safe=_SAFE)
    if not path.startswith("/"):
        path = "/" + path
    if parts.query:
        path += "?" + quote(parts.query, safe=_SAFE)
    return Url(parts.scheme, normal_host(host), PORTS[parts.scheme] if port is None else port, path)


def join(base: Url, location: str) -> Url:
    """The URL a Location header points to (RFC 9110, section 10.2.2), relative ones resolved."""
    location = location.strip()
    try:
        parts = urlsplit(location)
        if parts.scheme and not parts.netloc:
            raise BadUrl("a Location without a host")
        return parse_url(urljoin(str(base), location))
    except BadUrl:
        raise
    except ValueError as error:
        raise BadUrl(str(error)) from None


def normal_host(host: str) -> str:
    """A host name in lower-case A-labels, or a literal address in canonical text."""
    host = host.strip("[]").rstrip(".")
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if not host.isascii():
        host = _to_ascii(host)
    host = host.lower()
    if not host or len(host) > 253 or not _LABELS.match(host):
        raise BadUrl(f"host {host[:80]!r}")
    return host


def is_literal(host: str) -> bool:
    """Whether ``host`` is an address and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def _to_ascii(host: str) -> str:
    import idna

    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        raise BadUrl(str(error)) from None


def parse_endpoint(text: str) -> tuple[str, str, int]:
    """``("tcp" | "tls", host, port)`` of ``tcp://host:port`` or ``tls://host:port``."""
    try:
        parts = urlsplit(text)
        port, host = parts.port, parts.hostname or ""
    except ValueError as error:
        raise BadUrl(str(error)) from None
    if parts.scheme not in ("tcp", "tls") or not port:
        raise BadUrl(f"endpoint {text[:80]!r}")
    return parts.scheme, normal_host(host), port

"""Resolvers by name, as they stand in ``DnsStep.resolver``.

Rules of this file: one spelling per resolver, so that records can be compared: "system", "line",
``udp://1.2.3.4:53``, ``tcp://1.2.3.4:53``, ``tls://host:853``, ``https://host/path``.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from blockwatch.errors import UsageError
from blockwatch.net.url import BadUrl, is_literal, normal_host, parse_url

_PORTS = {"udp": 53, "tcp": 53, "tls": 853}


@dataclass(frozen=True)
class Resolver:
    """One resolver; ``kind`` is system, line, udp, tcp, tls or https."""

    text: str
    kind: str
    host: str = ""
    port: int = 0


def parse_resolver(text: str) -> Resolver:
    """Read a resolver as users write it; ports and the path of https may be left out."""
    if text in ("system", "line"):
        return Resolver(text, text)
    remedy = "write udp://8.8.8.8, tcp://8.8.8.8, tls://dns.example, or https://dns.example/dns-query"
    try:
        parts = urlsplit(text)
        if parts.scheme == "https":
            url = parse_url(text if parts.path not in ("", "/") else text.rstrip("/") + "/dns-query")
            return Resolver(str(url), "https", url.host, url.port)
        if parts.port == 0:
            raise BadUrl("port 0")
        port = parts.port or _PORTS.get(parts.scheme, 0)
        host = normal_host(parts.hostname or "")
    except (BadUrl, ValueError) as error:
        raise UsageError(f"no such resolver: {error}", where=text[:100], remedy=remedy) from None
    if not port:
        raise UsageError("no such kind of resolver", where=text[:100], remedy=remedy)
    if parts.scheme in ("udp", "tcp") and not is_literal(host):
        raise UsageError(
            "a resolver over UDP or TCP is given by its address", where=text[:100], remedy=remedy
        )
    shown = f"[{host}]" if ":" in host else host
    return Resolver(f"{parts.scheme}://{shown}:{port}", parts.scheme, host, port)

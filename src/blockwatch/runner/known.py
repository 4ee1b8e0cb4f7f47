"""Pages whose answer is known beforehand, asked to learn whether the volunteer's own line works.

Rules of this file: every one is listed by a plan, since a run dials it; plain HTTP only.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Known:
    """A page whose answer is known beforehand."""

    url: str
    status: int
    begins: bytes = b""
    leads_to: tuple[str, ...] = ()  # hosts it may redirect to


KNOWN = (
    Known("http://connectivitycheck.gstatic.com/generate_204", 204),
    Known("http://cp.cloudflare.com/generate_204", 204),
    Known("http://detectportal.firefox.com/success.txt", 200, b"success"),
    Known("http://1.1.1.1/", 301, leads_to=("1.1.1.1", "one.one.one.one")),
    Known("http://8.8.8.8/", 302, leads_to=("8.8.8.8", "dns.google")),
)

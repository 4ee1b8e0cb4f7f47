"""What a plain client in the lab is asked to do, and what it saw of it."""

from __future__ import annotations

from blockwatch.lab import namespace
from tests.lab.wire_far import TRUE_ADDRESS, ask


def tls(name: str, address: str = TRUE_ADDRESS, **more: object) -> dict[str, object]:
    """A handshake with ``name``, and a request."""
    return {"do": "tls", "address": address, "port": 443, "name": name} | more


def http(name: str, address: str = TRUE_ADDRESS, port: int = 80, **more: object) -> dict[str, object]:
    """A request in cleartext."""
    return {"do": "http", "address": address, "port": port, "name": name} | more


def lookup(name: str, address: str = "8.8.8.8", **more: object) -> dict[str, object]:
    """A question to a name server."""
    return {"do": "dns", "address": address, "name": name} | more


def saw(lab: namespace.Handle, *calls: dict[str, object]) -> list[object]:
    """What a plain client in the lab saw of each call."""
    return [answer["saw"] for answer in ask(lab, *calls)]

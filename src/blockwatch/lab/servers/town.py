"""Who answers at an address: the sites of a world found by address, name and port."""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from blockwatch.lab.world import HELPER, Serve, Site, World
from blockwatch.lab.world_ports import fixed_sites

_ORDINARY = Serve(kind="page")


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request as a server sees it; ``helper`` says whether the test helper asks."""

    method: str
    target: str  # as sent: path and query
    host: str  # lower case, without port
    headers: dict[str, str]  # names in lower case
    body: bytes
    scheme: str
    site: Site
    helper: bool

    @property
    def path(self) -> str:
        """The target without its query."""
        return self.target.split("?", 1)[0]


@dataclass
class Town:
    """The web of one world."""

    world: World
    chance: random.Random = field(init=False)
    asked: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)  # by address and peer

    def __post_init__(self) -> None:
        self.chance = random.Random(self.world.seed)  # noqa: S311  (not for secrets)
        self._at: dict[str, list[Site]] = {}
        for site in (*fixed_sites(), *self.world.sites):
            for address in site.addresses:
                self._at.setdefault(address, []).append(site)

    def tenants(self, address: str) -> list[Site]:
        """The sites that have ``address``, its owner first; empty where nobody lives."""
        return self._at.get(address, [])

    def site(self, address: str, host: str) -> Site | None:
        """The site called ``host`` at ``address``, or the one that answers for unknown names there."""
        here = self.tenants(address)
        for site in here:
            if host in names(site):
                return site
        return here[0] if here else None

    def serve(self, request: Request, port: int) -> Serve:
        """What the site does with this request."""
        site = request.site
        chosen = site.paths.get(request.path)
        if chosen is None and port in site.ports:
            chosen = site.ports[port][1]
        if chosen is None:
            chosen = site.https if request.scheme == "https" else site.http
        if chosen is None:  # another tenant's port
            chosen = _ORDINARY
        if chosen.audience != "all" and (chosen.audience == "helper") is not request.helper:
            return _ORDINARY
        return chosen


def names(site: Site) -> tuple[str, ...]:
    """Every name of a site, its own first."""
    assert site.host is not None, "a site of a world has a name"  # noqa: S101
    return (site.host, *site.aliases)


def is_helper(peer: str) -> bool:
    """Whether a connection from ``peer`` is the test helper's."""
    return peer == HELPER

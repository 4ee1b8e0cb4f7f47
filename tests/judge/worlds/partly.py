"""Worlds in which some addresses of a site fail, or fail only after we have asked under other names."""

from __future__ import annotations

from blockwatch import failure as f
from blockwatch.model import Endpoint
from blockwatch.run import Vantage
from tests.judge.world import CUT, HOST, SILENCE, SITE, SITE2, Hello, resolves
from tests.judge.worlds.say import HTTP, on_address, row

V6 = "2a02:6b8::1:1"
BOTH = Vantage(asn=9198, ipv4=True, ipv6=True, resolver_asn=9198)


def over_ipv4(address: str, sni: str | None, n: int) -> Hello | None:
    """The censor reads names in IPv4 packets only."""
    return CUT if sni and sni.lower() == HOST and ":" not in address else None


row(
    "resets by SNI in IPv4 alone, on a line with both",
    "blocked",
    "tls.reset.sni",
    "tls.flaky",
    lookup=resolves(SITE, V6),
    site=(SITE, V6),
    vantage=BOTH,
    shake=over_ipv4,
    grades="signs",
)
row(
    "drops by SNI in IPv4 alone, on a line with both, no helper",
    "blocked",
    "tls.timeout.sni",
    "tls.flaky",
    lookup=resolves(SITE, V6),
    site=(SITE, V6),
    vantage=BOTH,
    shake=lambda a, sni, n: SILENCE if over_ipv4(a, sni, n) else None,
    control=None,
    grades="signs",
)
row(
    "resets by Host in IPv4 alone, on a line with both",
    "blocked",
    "http.reset.host",
    "http.flaky",
    url=HTTP,
    lookup=resolves(SITE, V6),
    site=(SITE, V6),
    vantage=BOTH,
    answer=lambda a, host, tls, n: f.RESET if host.lower() == HOST and not tls and ":" not in a else None,
    grades="signs",
)
row(
    "the site's IPv4 address takes no connection of ours, its IPv6 address does",
    "ok",
    rule="site.partial",
    lookup=resolves(SITE, V6),
    site=(SITE, V6),
    vantage=BOTH,
    dial=on_address(f.TIMEOUT, SITE),
)
row(
    "one server of two that resets our every handshake by itself",
    "ok",
    rule="site.partial",
    lookup=resolves(SITE, SITE2),
    shake=lambda a, sni, n: CUT if a == SITE2 else None,
)
row(
    "one server of two that resets everybody's handshakes",
    "ok",
    rule="page.tls",
    lookup=resolves(SITE, SITE2),
    shake=lambda a, sni, n: CUT if a == SITE2 else None,
    control={
        "endpoints": (
            Endpoint(address=SITE, port=443, tls=True),
            Endpoint(address=SITE2, port=443, tls=True, tls_failure=f.RESET),
        )
    },
)


class Bans:
    """A server that takes no more connections of ours once it was sent a name that is not its own, or after
    ``most`` of them; the first ``bad`` tries of the site's own name fail by accident.
    """

    def __init__(self, *, bad: int = 1, most: int | None = None) -> None:
        self._bad, self._most = bad, most
        self.begin()

    def begin(self) -> None:
        """A run begins."""
        self._banned, self._taken, self._tried = False, 0, 0

    def dial(self, address: str, port: int, n: int) -> str | None:
        """A connection, if we may."""
        if address != SITE or (port != 443 and self._most is not None):
            return None
        if self._banned or (self._most is not None and self._taken >= self._most):
            return f.TIMEOUT
        self._taken += 1
        return None

    def _met(self, name: str | None) -> bool:
        self._banned = self._banned or (name != HOST and self._most is None)
        self._tried += name == HOST
        return name == HOST and self._tried <= self._bad

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        return SILENCE if address == SITE and self._met(sni) else None

    def answer(self, address: str, host: str, tls: bool, n: int) -> str | None:
        """A request in cleartext."""
        return f.RESET if address == SITE and not tls and self._met(host) else None


row(
    "a server that shuts us out once it was sent a strange server name",
    "inconclusive",
    dial=(bans := Bans()).dial,
    shake=bans.shake,
    begin=bans.begin,
)
row(
    "a server that shuts us out once it was sent a strange Host",
    "inconclusive",
    url=HTTP,
    dial=(hosts := Bans()).dial,
    answer=hosts.answer,
    begin=hosts.begin,
)
row(
    "a server that takes two connections, and no more",
    "inconclusive",
    dial=(two := Bans(most=2)).dial,
    shake=two.shake,
    begin=two.begin,
)


class Closes:
    """A censor that closes the site's address to us once the site's name was sent there."""

    def __init__(self) -> None:
        self._closed = False

    def begin(self) -> None:
        """A run begins."""
        self._closed = False

    def dial(self, address: str, port: int, n: int) -> str | None:
        """A connection, if the address is open."""
        return f.TIMEOUT if address == SITE and self._closed else None

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        self._closed = self._closed or (address == SITE and sni == HOST)
        return SILENCE if address == SITE and sni == HOST else None


row(
    "an address that is closed to us for good once the site's name was sent there",
    "blocked",
    "t",
    dial=(closes := Closes()).dial,
    shake=closes.shake,
    begin=closes.begin,
    grades="signs",
)


# Found twice by halves is not found surely, where the site's own server may do it.
class Halves:
    """The site's server resets two of three handshakes with its own name, the others get a wrong chain; of
    those with other names, or none, it resets five of six.
    """

    def __init__(self) -> None:
        self._own = self._others = 0

    def begin(self) -> None:
        """A run begins."""
        self._own = self._others = 0

    def shake(self, address: str, sni: str | None, n: int) -> Hello | None:
        """A handshake."""
        if address != SITE:
            return None
        if sni != HOST:
            self._others += 1
            return None if self._others % 6 == 3 else CUT
        self._own += 1
        return Hello(trust=f.INVALID_HOSTNAME) if self._own % 3 == 2 else CUT


row(
    "a server of the site's own that resets some of our handshakes, and shows the others a wrong chain",
    "blocked inconclusive",
    "tls.reset",
    grades="signs",
    shake=(halves := Halves()).shake,
    begin=halves.begin,
)

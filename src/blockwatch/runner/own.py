"""What is known of the own line at this moment, and the scrubbing that follows from it.

Rules of this file:

* in memory alone; nothing is written before :meth:`Own.learned`, so no record was made in ignorance;
* the route is looked at again before each record is written: another address means another network
  (a hotspot, a VPN), whose public address nobody has told: that IP version is unknown from then on;
* addresses once known stay known to the end of the run;
* the name servers of the line are cut like own addresses, but not one that a lookup of this run gave
  or a step went to: some networks serve their block page from there.
"""

from __future__ import annotations

import ipaddress

from blockwatch import asn
from blockwatch.model import Measured
from blockwatch.net.seam import Network
from blockwatch.run import Vantage
from blockwatch.runner.machine import is_line_resolver, look
from blockwatch.runner.scrub import Scrubber
from blockwatch.runner.strangers import addresses_in
from blockwatch.runner.vantage import Whereabouts


class Own:
    """Scrubs every measurement of one run; ``kept``: addresses that the volunteer named."""

    def __init__(self, network: Network, kept: frozenset[str] = frozenset()) -> None:
        self._network, self._machine = network, look()
        self._sources = self._routes()
        self._addresses = set(self._machine.addresses) | set(self._sources.values())
        nameserver = network.nameserver()
        told = {nameserver} if nameserver is not None and is_line_resolver(nameserver) else set()
        self._resolvers = (self._machine.resolvers | told) - kept
        self._blind = frozenset((4, 6))
        self._met: set[str] = set()
        self._scrubber: Scrubber | None = None  # made when first needed: what was learned comes before

    def learned(self, found: Whereabouts) -> Vantage:
        """Take what was found out of the line; what may be written of it."""
        self._addresses |= found.own
        self._blind = found.blind
        self._scrubber = None
        return found.vantage

    def measured(self, measured: Measured) -> Measured:
        """The same measurement without anything that tells the line."""
        met = self._resolvers & addresses_in(measured.measurement.observations)
        if self._moved() or met:
            self._resolvers -= met
            self._scrubber = None
        self._scrubber = self._scrubber or self._made()
        return self._scrubber.measured(measured)

    def _routes(self) -> dict[int, str]:
        found = {version: self._network.source(version) for version in (4, 6)}
        return {version: address for version, address in found.items() if address is not None}

    def _moved(self) -> bool:
        now = self._routes()
        if now == self._sources:
            return False
        self._sources = now
        fresh = {version: address for version, address in now.items() if address not in self._addresses}
        self._addresses |= set(fresh.values())
        self._blind |= {version for version, address in fresh.items() if not _is_public(address)}
        return bool(fresh)

    def _made(self) -> Scrubber:
        facts = (asn.lookup(address) for address in self._addresses if _is_public(address))
        return Scrubber(
            self._addresses,
            resolvers=self._resolvers,
            blind=self._blind,
            networks={found.asn for found in facts if found is not None},
            macs=self._machine.macs,
            words=self._machine.words,
            met=self._met,
        )


def _is_public(address: str) -> bool:
    return ipaddress.ip_address(address).is_global

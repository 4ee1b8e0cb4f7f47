"""Which public addresses are this helper's own: what is asked to look at itself looks at its own network.

Rules of this file:

* known are the addresses of the machine's interfaces, of ``--listen`` and ``--source``; and, where the
  machine stands behind a router that leads connections to it, those that the names in the helper's own
  certificate stand for, looked up when it begins and once an hour;
* what cannot be read or looked up is not known, and no reason not to serve.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import trio

from blockwatch.helper.destinations import Destinations
from blockwatch.helper.names import Resolver

AGAIN_S = 3_600.0
_NAMES = 8  # of the certificate, looked up
_LOCAL_V4 = re.compile(r"\|-- (\S+)\n\s+/32 host LOCAL")  # proc_pid_net(5): fib_trie


def of_interfaces(net: Path = Path("/proc/self/net")) -> frozenset[str]:
    """The addresses of this machine's interfaces, as Linux lists them, to a service as well."""
    found = set(_LOCAL_V4.findall(_text(net / "fib_trie")))
    for line in _text(net / "if_inet6").splitlines():
        digits = line.partition(" ")[0]
        found.add(":".join(digits[at : at + 4] for at in range(0, 32, 4)))
    return frozenset(found)


def names_in(certificate: Path) -> tuple[str, ...]:
    """The DNS names in the first certificate of a PEM file, wildcards left out."""
    from cryptography import x509

    try:
        leaf = x509.load_pem_x509_certificate(certificate.read_bytes())
        names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (ValueError, x509.ExtensionNotFound):  # OpenSSL, which serves it, may take more than this reader
        return ()
    return tuple(name for name in names.get_values_for_type(x509.DNSName) if "*" not in name)[:_NAMES]


class Names:
    """What the helper's own ``names`` stand for; ``destinations`` learns it."""

    def __init__(self, names: Sequence[str], resolver: Resolver, destinations: Destinations) -> None:
        self._known: dict[str, tuple[str, ...]] = dict.fromkeys(names, ())
        self._resolver, self._destinations = resolver, destinations

    async def look(self) -> None:
        """Look all of them up; one that is not answered keeps what it was."""
        async with trio.open_nursery() as nursery:
            for name in self._known:
                nursery.start_soon(self._look, name)
        self._destinations.refuse(address for found in self._known.values() for address in found)

    async def hourly(self) -> None:
        """Look again and again."""
        while True:
            await trio.sleep(AGAIN_S)
            await self.look()

    async def _look(self, name: str) -> None:
        self._known[name] = (await self._resolver.lookup(name)).addresses or self._known[name]


def _text(file: Path) -> str:
    try:
        return file.read_text("ascii", "replace")
    except OSError:
        return ""

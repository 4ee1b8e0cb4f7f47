"""Which addresses one operator stands behind: the edges of a content network all know its customers.

Rules of this file:

* an edge that turns a customer's name away tells what its operator does, and says nothing of the path: to
  the two-name rounds it is no unrelated address;
* two machines of one hosting company are unrelated: their owners are not the company.

The numbers are those under which the operators announce their edges (names as in the table of networks,
:mod:`blockwatch.asn`; Amazon announces CloudFront's with everybody else's).
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

from blockwatch import asn

_NETWORKS = (
    (13335, 209242),  # Cloudflare
    (20940, 16625, 12222, 32787),  # Akamai
    (54113,),  # Fastly
    (16509, 14618),  # Amazon CloudFront
    (15169, 396982, 36040),  # Google
    (8075, 8068),  # Microsoft
    (32934,),  # Meta
    (19551,),  # Imperva
    (30148,),  # Sucuri
    (15133,),  # Edgio
    (60068, 212238),  # CDN77
    (199524, 202422),  # Gcore
    (57724,),  # DDoS-Guard
    (197068, 51115),  # Qrator
    (59796,),  # StormWall
    (13238,),  # Yandex
    (47541, 47764),  # VK
)
_OPERATOR = {number: numbers[0] for numbers in _NETWORKS for number in numbers}


@lru_cache(maxsize=8_192)
def operator(address: str) -> int | None:
    """A number for the content network that an address belongs to; ``None``: to none that is known."""
    network = asn.lookup(address)
    return _OPERATOR.get(network.asn) if network is not None else None


def operators(addresses: Iterable[str]) -> frozenset[int]:
    """The content networks that any of the addresses belong to."""
    return frozenset(found for address in addresses if (found := operator(address)) is not None)

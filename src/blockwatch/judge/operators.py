"""Which addresses one operator stands behind: the edges of a content network all know its customers.

Rules of this file:

* an edge that turns a customer's name away tells what its operator does, and says nothing of the path: to
  the two-name rounds it is no unrelated address;
* two machines of one hosting company are unrelated: their owners are not the company.

The numbers are those under which the operators announce their edges (names as in the table of networks,
:mod:`blockwatch.asn`; Amazon announces CloudFront's with everybody else's).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from functools import lru_cache

from blockwatch import asn

# Without 63949, its hosting: the machines of those customers are their own.
_AKAMAI = (
    20940, 12222, 16625, 17204, 18680, 18717, 21342, 24319, 26008, 31108, 31984, 32787, 33047, 33905, 34164,
    35204, 35994, 36029, 36183, 43639, 49846, 55770, 200005, 213120, 393234, 393560,
)  # fmt: skip
_NETWORKS = (
    (13335, 14789, 132892, 139242, 202623, 203898, 209242, 394536, 395747, 400095),  # Cloudflare
    _AKAMAI,
    (54113,),  # Fastly
    (16509, 14618),  # Amazon CloudFront
    (15169, 396982, 36040),  # Google
    (8075, 8068),  # Microsoft
    (32934,),  # Meta
    (19551,),  # Imperva
    (30148,),  # Sucuri
    (15133,),  # Edgio
    (60068, 212238),  # CDN77
    (199524, 202422, 59245, 210559),  # Gcore
    (57724, 49612),  # DDoS-Guard
    (197068, 51115, 200449, 209671, 211112),  # Qrator
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


def apart(address: str, theirs: Collection[int]) -> bool:
    """Whether an address surely belongs to none of these content networks (``theirs``): where there are any,
    one of a network that the table does not know may be an edge of theirs.
    """
    return not theirs or (asn.lookup(address) is not None and operator(address) not in theirs)


def operators(addresses: Iterable[str]) -> frozenset[int]:
    """The content networks that any of the addresses belong to."""
    return frozenset(found for address in addresses if (found := operator(address)) is not None)


def network(address: str) -> str:
    """Whose network an address is in, for comparing: its AS, or where the table does not know it, itself."""
    found = asn.lookup(address)
    return f"AS{found.asn}" if found is not None else address

"""What a run's own list says of orders against a target: known ones, and searches that found none.

Rules of this file:

* the list is the volunteer's word; that an order is on it says nothing of why a site fails, and that none is
  on it says only that none was known to whoever wrote the list;
* in force is only what the list has both days for, on a network that it covers; where a day or the network is
  not known, so is the answer. A day may be known to the month or year alone: then all of it counts;
* what an order names (a page, a host) is for people to hold against the address.
"""

from __future__ import annotations

from datetime import UTC, datetime

from blockwatch.run import RunOpen
from blockwatch.target import Order, Search


def orders_on(opened: RunOpen, target: str) -> tuple[Order, ...]:
    """Every order of the list that names the target, whenever and wherever in force."""
    return tuple(order for order in opened.orders if target in order.targets)


def searches_on(opened: RunOpen, target: str) -> tuple[Search, ...]:
    """Every search of the list for orders on the target."""
    return tuple(search for search in opened.searches if target in search.targets)


def in_force(order: Order, at: int, asn: int | None) -> bool | None:
    """Whether an order was in force on a network at ``at`` (µs since the epoch); ``None``: unclear."""
    day = datetime.fromtimestamp(at // 1_000_000, UTC).date().isoformat() if 0 <= at < 1 << 57 else None
    begin, end, networks = order.effective_from or order.issued, order.effective_to, order.networks
    here = True if networks is None else None if asn is None else asn in networks
    begun = None if begin is None or day is None else day[: len(begin)] >= begin
    going_on = None if end is None or day is None else day[: len(end)] <= end
    told = (here, begun, going_on)
    return False if False in told else None if None in told else True

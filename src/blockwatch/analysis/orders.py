"""What a run's own list says of orders against a target: known ones, and searches that found none.

Rules of this file:

* the list is the volunteer's word; that an order is on it says nothing of why a site fails, and that none is
  on it says only that none was known to whoever wrote the list;
* days may be known to the month or year alone: an order counts as in force as far as its days allow it;
* where it names networks it says nothing of others, nor of one that was not learned.
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


def in_force(order: Order, at: int, asn: int | None) -> bool:
    """Whether an order was in force at ``at`` (microseconds since the epoch) on a network, by the list."""
    if order.networks is not None and asn not in order.networks:
        return False
    day = datetime.fromtimestamp(at // 1_000_000, UTC).date().isoformat() if 0 <= at < 1 << 57 else ""
    begin, end = order.effective_from or order.issued, order.effective_to
    begun = begin is None or day[: len(begin)] >= begin
    return begun and (end is None or day[: len(end)] <= end)

"""OONI's measurements read into our nouns, and our measurements written as OONI's.

The format is that of OONI's specification (ooni/spec, data formats df-000 to df-008 and ts-017 web
connectivity) as the probe writes it. What maps to what, and what is lost each way: docs/ooni.md.
The names are imported when first used: measuring needs the reader of a helper's answer alone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blockwatch.ooni.head import (
        Head,
        Unreadable,
        digest,
        head_of,
        line_resolvers,
        own_addresses,
        run_open_of,
    )
    from blockwatch.ooni.lines import Damage, Record, records
    from blockwatch.ooni.read import Bodies, Read, read_measurement
    from blockwatch.ooni.write import NotWeb, to_ooni

_MODULES = {
    "head": ("Head", "Unreadable", "digest", "head_of", "line_resolvers", "own_addresses", "run_open_of"),
    "lines": ("Damage", "Record", "records"),
    "read": ("Bodies", "Read", "read_measurement"),
    "write": ("NotWeb", "to_ooni"),
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names}
__all__ = [
    "Bodies",
    "Damage",
    "Head",
    "NotWeb",
    "Read",
    "Record",
    "Unreadable",
    "digest",
    "head_of",
    "line_resolvers",
    "own_addresses",
    "read_measurement",
    "records",
    "run_open_of",
    "to_ooni",
]


def __getattr__(name: str) -> Any:
    if name in _MODULE_OF:
        from importlib import import_module

        return getattr(import_module(f"blockwatch.ooni.{_MODULE_OF[name]}"), name)
    raise AttributeError(f"module 'blockwatch.ooni' has no attribute {name!r}")

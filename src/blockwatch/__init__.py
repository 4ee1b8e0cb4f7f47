"""blockwatch: measure whether a network blocks a site, keep the evidence, say what it means.

For analysts: ``blockwatch.load("results/")`` gives a pandas frame with one row a verdict,
``blockwatch.observations("results/")`` one with a row a step, ``blockwatch.summarise(frame)`` the
table by target and network. They are imported when first used, so that measuring stays light.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from blockwatch.joined import load, observations, summarise

__version__ = "0.1.0"
__all__ = ["__version__", "load", "observations", "summarise"]


def __getattr__(name: str) -> Any:
    if name in ("load", "observations", "summarise"):
        from blockwatch import joined

        return getattr(joined, name)
    raise AttributeError(f"module 'blockwatch' has no attribute {name!r}")

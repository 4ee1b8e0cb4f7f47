"""What two readings of one measurement have in common, by the fields that docs/ooni.md calls kept."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path
from typing import Any

from blockwatch.model import ControlStep, DnsStep, Endpoint, Measurement, Observation, TlsStep
from blockwatch.ooni.fields import address
from blockwatch.run import RunOpen

PAGE = Path(__file__).parents[2] / "docs" / "ooni.md"
ROWS = re.findall(r"^\| `(\w+)\.(\w+)` \|.*\| (kept|part|lost) \|$", PAGE.read_text(), re.MULTILINE)
FATE = {(noun, field): fate for noun, field, fate in ROWS}


def kept(step: Observation) -> tuple[str, ...]:
    """The fields of a step that survive."""
    names = ("Step", type(step).__name__)
    return tuple(field for noun, field, fate in ROWS if noun in names and fate == "kept")


def facts(open_: RunOpen, measurement: Measurement) -> list[Any]:
    """Every step that was made, by its kept fields and its moment, with the others of its connection."""
    flows: dict[Any, list[Any]] = defaultdict(list)
    for step in measurement.observations:
        if step.skipped:
            continue
        flow = step.flow if step.flow is not None else f"step {step.i}"
        flows[flow].append((type(step).__name__, *_told(open_, step)))
    return sorted((sorted(steps, key=repr) for steps in flows.values()), key=repr)


def _told(open_: RunOpen, step: Observation) -> list[Any]:
    told = [(field, getattr(step, field)) for field in kept(step)]
    if isinstance(step, ControlStep):
        return told
    told += [("moment", open_.started + step.t), ("us", step.us)]
    if isinstance(step, DnsStep):
        told += sorted(((r.rcode, r.addresses, r.names, r.ttl if r.names or r.addresses else None, r.raw)
                        for r in step.replies), key=repr)  # fmt: skip
    if isinstance(step, TlsStep) and address(step.server_name) is None and step.server_name is not None:
        told.append(("server_name", step.server_name))
    if isinstance(step, TlsStep):
        told.append(("trust", step.trust if step.failure is None else None))
        told.append(("first byte", step.first_byte_us if step.received else None))
    return told


def fields_of(kind: type) -> tuple[str, ...]:
    """The fields that a noun has of its own."""
    common = {"i", "t", "us", "failure", "skipped", "error", "purpose", "round", "hop", "flow"}
    names = tuple(kind.__struct_fields__)  # type: ignore[attr-defined]
    return names if kind is Endpoint or "i" not in names else tuple(n for n in names if n not in common)

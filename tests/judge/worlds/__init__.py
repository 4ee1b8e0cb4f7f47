"""Worlds by name, each with the verdict that a run in it must give: the table of situations.

A row: the world, the states allowed, a mechanism prefix (blocked only) and the rule that must decide.
"""

from tests.judge.worlds import (  # noqa: F401 - they fill the table
    both,
    chance,
    clean,
    control,
    controls,
    dns,
    dns_honest,
    dns_odd,
    dns_public,
    dns_shared,
    edges,
    household,
    http,
    injection,
    inside,
    interception,
    late,
    line,
    luck,
    pages,
    partly,
    residue,
    speed,
    tcp,
    there_only,
    tls,
    whose,
)
from tests.judge.worlds.say import WORLDS

__all__ = ["WORLDS"]

"""Worlds by name, each with the verdict that a run in it must give: the table of situations.

A row: the world, the states allowed, a mechanism prefix (blocked only) and the rule that must decide.
"""

from tests.judge.worlds import clean, dns, http, line, transport  # noqa: F401 - they fill the table
from tests.judge.worlds.say import WORLDS

__all__ = ["WORLDS"]

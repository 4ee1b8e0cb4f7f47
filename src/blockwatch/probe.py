"""What a probe may use; the only module of blockwatch that ``probes/*.py`` import.

A probe is one file with one question. Its contract:

* the first line of its docstring is the question, as users will read it;
* ``NAME`` (as in ``--probe NAME``), ``VERSION`` (raise it when a measurement's meaning changes) and
  ``TIER`` (1: like browsing; 2: more risk for the volunteer, who must agree to it);
* ``async def measure(target: Task, net: Session) -> None``. Every step made through ``net`` is recorded;
  nothing is returned, nothing judged. After a failure the later steps of a flow write themselves as
  skipped, so no ``if`` and no ``try`` are needed.
"""

from __future__ import annotations

from blockwatch.net.flow import Flow
from blockwatch.net.session import Session, Task

__all__ = ["Flow", "Session", "Task"]

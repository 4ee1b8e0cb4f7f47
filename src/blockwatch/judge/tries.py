"""How the target's own flows fared at one layer: k of n, and in which way.

Rules of this file: facts are counted here, never weighed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from blockwatch.judge.once import once
from blockwatch.judge.outcomes import OK
from blockwatch.judge.sight import Flow


class Tries:
    """How often the target's own flows reached a layer, and how they ended there."""

    def __init__(self, layer: str, failed: Sequence[Flow], passed: Sequence[Flow]) -> None:
        self.layer, self.failed, self.passed = layer, failed, passed

    @once
    def kind(self) -> str:
        """The commonest failure."""
        counted = Counter(flow.at(self.layer) for flow in self.failed)
        return counted.most_common(1)[0][0] if counted else OK

    @once
    def same(self) -> tuple[Flow, ...]:
        """The flows that failed in the commonest way."""
        kind = self.kind
        return tuple(flow for flow in self.failed if flow.at(self.layer) == kind)

    @once
    def rounds(self) -> int:
        """In how many rounds the commonest failure was seen: the first pass is one, each repeat one."""
        return len({(flow.purpose, flow.round) for flow in self.same})

    @once
    def witnesses(self) -> tuple[str, ...]:
        """Where the failures are written."""
        return tuple(ref for flow in self.same for ref in flow.witness(self.layer))

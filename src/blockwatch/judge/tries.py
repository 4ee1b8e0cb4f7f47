"""How the target's own flows fared at one layer: k of n, and in which way.

Rules of this file: facts are counted here, never weighed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from blockwatch.judge.once import once
from blockwatch.judge.outcomes import OK, SKIPPED
from blockwatch.judge.sight import Flow


class Tries:
    """How often the target's own flows reached a layer, and how they ended there."""

    def __init__(self, layer: str, failed: Sequence[Flow], passed: Sequence[Flow]) -> None:
        self.layer, self.failed, self.passed = layer, failed, passed

    def end(self, flow: Flow) -> str:
        """How a flow ended at the layer; where it did not come so far, in the handshake before."""
        end = flow.at(self.layer)
        return flow.at("tls") if end == SKIPPED else end

    @once
    def kind(self) -> str:
        """The commonest failure."""
        counted = Counter(map(self.end, self.failed))
        return counted.most_common(1)[0][0] if counted else OK

    @once
    def same(self) -> tuple[Flow, ...]:
        """The flows that failed in the commonest way."""
        kind = self.kind
        return tuple(flow for flow in self.failed if self.end(flow) == kind)

    @once
    def rounds(self) -> int:
        """In how many rounds the commonest failure was seen: the first pass is one, each repeat one."""
        return len({(flow.purpose, flow.round) for flow in self.same})

    @once
    def witnesses(self) -> tuple[str, ...]:
        """Where the failures are written."""
        layers = [self.layer if flow.at(self.layer) != SKIPPED else "tls" for flow in self.same]
        return tuple(
            ref for flow, layer in zip(self.same, layers, strict=True) for ref in flow.witness(layer)
        )

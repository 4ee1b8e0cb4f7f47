"""Where a name may live, by who says so."""

from __future__ import annotations

from dataclasses import dataclass, field

from blockwatch.net import limits


@dataclass
class Candidates:
    """Addresses of a name: those of the system's resolver, and those of all others."""

    system: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def all(self) -> list[str]:
        """The system's first, at most eight."""
        return [address for group in self.groups() for address in group]

    def groups(self) -> list[list[str]]:
        """The addresses in one group, or in two when the sources disagree entirely."""
        if self.system and self.others and not set(self.system) & set(self.others):
            half = limits.ADDRESSES // 2
            return [self.system[:half], self.others[:half]]
        together = list(dict.fromkeys([*self.system, *self.others]))[: limits.ADDRESSES]
        return [together] if together else []

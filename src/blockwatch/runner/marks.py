"""What stands where something was cut."""

from __future__ import annotations

MARK = "[scrubbed]"
RAW_MARK = MARK.encode("ascii")


def same_length(length: int) -> bytes:
    """``[scrubbed]`` made to fit ``length`` bytes; an address has at least six."""
    return RAW_MARK[:length].ljust(length, b"_")

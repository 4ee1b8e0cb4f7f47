"""Errors for people: what is wrong, where, and what to do; and the exit codes of the command.

Raised by every column, caught once by the command line. None of them ever describes what a network
did: that is a failure, a datum (:mod:`blockwatch.failure`).
"""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """Exit codes of every command (documented in README.md)."""

    OK = 0
    FAULT = 1  # a fault of ours
    USAGE = 2  # wrong usage
    PARTIAL = 3  # stopped, budget, some targets not measured
    LINE_DOWN = 4  # the own line is down
    DISK = 5  # disk or quota
    CONFIG = 6  # bad configuration or targets
    LOCKED = 7  # another run holds the lock
    CONSENT = 8  # consent missing
    UNVERIFIED = 9  # verification failed


class BlockwatchError(Exception):
    """Something a person can put right. ``str(error)`` is what they read."""

    exit_code: Exit = Exit.FAULT

    def __init__(self, what: str, *, where: str = "", remedy: str = "") -> None:
        self.what, self.where, self.remedy = what, where, remedy
        super().__init__(what)

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        return f"{place}{self.what}" + (f"\n  {self.remedy}" if self.remedy else "")


class UsageError(BlockwatchError):
    """Options that do not fit together."""

    exit_code = Exit.USAGE


class ConfigError(BlockwatchError):
    """A targets file, probe or setting that cannot be used."""

    exit_code = Exit.CONFIG


class DiskError(BlockwatchError):
    """The results cannot be written."""

    exit_code = Exit.DISK


class LockedError(BlockwatchError):
    """Another run holds the lock."""

    exit_code = Exit.LOCKED


class ConsentError(BlockwatchError):
    """Nobody has consented yet to what would be done."""

    exit_code = Exit.CONSENT


class EvidenceError(BlockwatchError):
    """A run folder that cannot be read as evidence."""

    exit_code = Exit.UNVERIFIED


class UnreadError(BlockwatchError):
    """Evidence that may merely not be read here: nothing is known of it."""

    exit_code = Exit.PARTIAL


def is_forbidden(error: BaseException | None) -> bool:
    """Whether an error comes of what may merely not be read here; it says nothing of what that holds."""
    while error is not None:
        if isinstance(error, PermissionError):
            return True
        error = error.__cause__
    return False


class LabError(BlockwatchError):
    """The lab cannot start or has lost its isolation."""


class PictureError(BlockwatchError):
    """A page that no browser draws here: it cannot be kept in, crashes, or needs too long."""

"""Joins the keys of the host to the seal of the store: which key seals a run, and what is said of it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import click

from blockwatch.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    from pathlib import Path

    from blockwatch.evidence.note import VerifierKey
    from blockwatch.evidence.signing import Signer


def signer_for(campaign: str | None = None) -> Signer:
    """The key of a campaign, made on first use; raises :class:`ConfigError` where there can be none."""
    from blockwatch.evidence.signing import new_signer, signer_from
    from blockwatch.host.keys import first_key, key_path

    return signer_from(first_key(lambda: new_signer().secret(), campaign), str(key_path(campaign)))


def held_signer(campaign: str | None = None) -> Signer | None:
    """The key of a campaign if there is one that can be used; none is made."""
    from blockwatch.evidence.signing import signer_from
    from blockwatch.host.keys import key_path, read_key

    try:
        secret = read_key(campaign)
        return None if secret is None else signer_from(secret, str(key_path(campaign)))
    except ConfigError:
        return None


def held_signer_of(key: VerifierKey | None) -> Signer | None:
    """The signer of this verifier key, if it is held here; ``None`` otherwise."""
    from blockwatch.evidence.signing import signer_from
    from blockwatch.host.keys import all_keys

    for path, secret in all_keys():
        with contextlib.suppress(ConfigError):
            signer = signer_from(secret, str(path))
            if signer.key == key:
                return signer
    return None


def signer_of_run(campaign: str | None) -> Signer | None:
    """The key for a run. A run without one is made all the same, unsigned, and that is said."""
    try:
        return signer_for(campaign)
    except ConfigError as error:
        click.echo(f"blockwatch: this run will be unsigned: {error}", err=True)
        return None


def seal_words(folder: Path) -> str:
    """One line on the seal of a run as it lies on the disk."""
    from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, read_checkpoint
    from blockwatch.store import read_run

    key = read_run(folder).open.key
    try:
        if key is not None:
            return (
                f"sealed: {read_checkpoint(folder / CHECKPOINT_FILE).size} lines by {key.partition('+')[0]}"
            )
    except EvidenceError:
        pass  # none was written; why has been said
    return "not sealed: whoever can write to this folder can alter the run unnoticed"


def now_text() -> str:
    """The time as RFC 3339 in whole seconds, UTC."""
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

"""``blockwatch bundle``: the evidence of runs as one file to hand on."""

from __future__ import annotations

import contextlib
import math
import os
from pathlib import Path
from typing import Any

import click

from blockwatch.cli.outputs import fresh
from blockwatch.errors import UsageError

_SMALLEST_PART = 0.01  # megabytes


@click.command(name="bundle")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="RUN...")
@click.option("-o", "--output", type=click.Path(path_type=str), metavar="FILE", help="File to write, or a "
              "folder for it. [default: here, under a name that says nothing]")  # fmt: skip
@click.option("--encrypt-to", multiple=True, metavar="AGE_KEY", help="Encrypt to this public key (age1…); "
              "repeat for more, each of them opens it.")  # fmt: skip
@click.option("--split", type=click.FloatRange(_SMALLEST_PART, 8_000), metavar="MB", help="Write parts of at "
              "most this many megabytes, for mail and messengers.")  # fmt: skip
@click.option("--wacz", is_flag=True, help="Write the captured pages as a web archive (WACZ) for replay "
              "programs such as replayweb.page and pywb, instead.")  # fmt: skip
def command(
    paths: tuple[Path, ...],
    output: str | None,
    encrypt_to: tuple[str, ...],
    split: float | None,
    wacz: bool,
) -> None:
    """Put runs, or all runs of folders, into one file that `blockwatch import` reads elsewhere.

    Neither its name nor anything beside the evidence itself says whose it is; the evidence holds the label
    and campaign you chose. The same runs give the same file, so a part that got lost can be made again
    (not where it is encrypted: keep the parts until they have arrived).

    Example: blockwatch bundle results/ --split 20 -o /media/stick
    """
    from blockwatch.cli.words import harmless
    from blockwatch.evidence.crypt import recipients_of
    from blockwatch.evidence.opened import encrypted_runs, no_run, opened_runs
    from blockwatch.store import find_runs

    if split is not None and not math.isfinite(split):
        raise click.BadParameter(f"{split} is no number", param_hint="--split")
    recipients = recipients_of(encrypt_to)
    part_bytes = None if split is None else int(split * 1_000_000)
    sealed = encrypted_runs(paths)
    if sealed and not any(path.is_file() or find_runs([path]) for path in paths):
        written = _as_they_are(sealed, output, encrypt_to, part_bytes, wacz=wacz)
        _say(len(sealed), written, encrypted=True, each=True)
        return
    for path in sealed:
        click.echo(f"left out, as it goes into a file of its own: {harmless(path)} (encrypted)", err=True)
    with opened_runs(paths) as folders:
        if not folders:
            raise no_run(paths)
        if wacz:
            written = _web_archive(folders, output, recipients, part_bytes)
        else:
            written = _bundle(folders, output, recipients, part_bytes)
    _say(len(folders), written, encrypted=bool(recipients))


def _bundle(
    folders: list[Path], output: str | None, recipients: list[Any], part_bytes: int | None
) -> list[Path]:
    from blockwatch.cli.words import harmless
    from blockwatch.evidence.bundle import Bundle, tombstones_for, write_bundle
    from blockwatch.evidence.tombstone import extent

    held = {folder: extent(folder) for folder in folders}  # a run that goes on may hold more afterwards
    bundle = Bundle(folders, tombstones_for(folders))
    target = _target(output, f"{bundle.name}.tar.gz", encrypted=bool(recipients))
    written = write_bundle(bundle, target, recipients=recipients, part_bytes=part_bytes)
    _note_export(held)
    for path in bundle.left_out:
        click.echo(harmless(f"left out, as it is no evidence: {path}", 400), err=True)
    return written


def _as_they_are(
    sealed: list[Path],
    output: str | None,
    encrypt_to: tuple[str, ...],
    part_bytes: int | None,
    *,
    wacz: bool,
) -> list[Path]:
    """Pass on runs that were encrypted as they were written, each in a file of its own."""
    from blockwatch.evidence.bundle import write_pieces
    from blockwatch.evidence.naming import ENCRYPTED_FILE
    from blockwatch.evidence.tombstone import extent

    several = len(sealed) > 1 and output is not None and not Path(output).is_dir()
    if several or encrypt_to or wacz:
        raise UsageError(
            "a run that is encrypted already goes into a file of its own, as it is",
            where=", ".join(map(str, sealed)),
            remedy="Give no other option than --split and -o, and of several runs a folder to -o.",
        )
    written: list[Path] = []
    for folder in sealed:
        held = {folder: extent(folder)}
        with (folder / ENCRYPTED_FILE).open("rb") as file:
            pieces = iter(lambda: file.read(262_144), b"")
            written += write_pieces(pieces, _target(output, "", encrypted=True), part_bytes=part_bytes)
        _note_export(held)
    return written


def _web_archive(
    folders: list[Path], output: str | None, recipients: list[Any], part_bytes: int | None
) -> list[Path]:
    from blockwatch.evidence.bundle import write_pieces
    from blockwatch.evidence.wacz import Wacz

    archive = Wacz(folders)
    target = _target(output, f"{archive.name}.wacz", encrypted=bool(recipients))
    return write_pieces(archive.packed(), target, recipients=recipients, part_bytes=part_bytes)


def _target(output: str | None, name: str, *, encrypted: bool) -> Path:
    """Where to write: as named, or under a name made of nothing but the content's hash."""
    import secrets

    # What is encrypted must not be told by a name that anybody with the same runs could make again.
    name = f"{secrets.token_hex(6)}.age" if encrypted else name
    if output is None:
        return Path(name)
    target = Path(output)
    if target.is_dir():
        return target / name
    if output.endswith(os.sep):
        raise UsageError(
            "there is no such folder", where=output, remedy="Make it, or name one that is there."
        )
    return fresh(target)


def _note_export(held: dict[Path, str]) -> None:
    """So that `blockwatch forget` knows; a folder that cannot be written to is no reason to fail."""
    from datetime import UTC, datetime

    from blockwatch.errors import DiskError
    from blockwatch.evidence.tombstone import mark_exported

    for folder, much in held.items():
        with contextlib.suppress(DiskError):
            mark_exported(folder, datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), much)


def _say(runs: int, written: list[Path], *, encrypted: bool, each: bool = False) -> None:
    from blockwatch.cli.words import size

    total = sum(path.stat().st_size for path in written)
    parts = f" in {len(written)} parts: send all of them" if len(written) > 1 else ""
    if each and runs > 1:
        parts = ", each in a file of its own" + (" or in parts: send all" if len(written) > runs else "")
    click.echo(f"{runs} run{'s' * (runs != 1)}, {size(total)}{', encrypted' * encrypted}{parts}", err=True)
    for path in written:
        click.echo(path)

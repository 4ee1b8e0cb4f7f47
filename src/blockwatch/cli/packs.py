"""The option ``--fingerprints``: files that are read when they are named, and never otherwise.

Rules of this file: what is read is an ordinary file of bounded size; its meaning is the judge's business.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import ConfigError

if TYPE_CHECKING:
    from blockwatch.judge import Pack

fingerprints_option = click.option(
    "--fingerprints",
    multiple=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Table of block pages and false addresses in the form of OONI's blocking-fingerprints (CSV), asked "
    "besides our own; repeat for more.",
)


def packs_of(files: Iterable[Path]) -> Pack:
    """Read the packs named, together with our own; raises :class:`ConfigError` with the line at fault."""
    from blockwatch.judge import read_pack, together

    return together([read_pack(_bytes(file), str(file)) for file in files])


def _bytes(file: Path) -> bytes:
    from blockwatch.judge.packs import MOST_BYTES

    if not file.is_file():
        raise ConfigError("not an ordinary file", where=str(file), remedy="Name the CSV file itself.")
    try:
        with file.open("rb") as source:
            return source.read(MOST_BYTES + 1)
    except OSError as error:
        remedy = "Name a file that you may read."
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(file), remedy=remedy) from None

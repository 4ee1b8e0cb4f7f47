"""Whose word on time the reader takes: the options of those commands that weigh outside time."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from blockwatch.errors import ConfigError

if TYPE_CHECKING:
    from cryptography.x509 import Certificate

    from blockwatch.evidence.timestamps import Trust

F = TypeVar("F", bound=Callable[..., Any])


def trust_options(function: F) -> F:
    """Add ``--tsa-root`` and ``--bitcoin-headers``."""
    root = click.option(
        "--tsa-root", "roots", multiple=True, metavar="PEM",
        help="Root certificates of time-stamp authorities that you trust: a PEM file, or the word "
             "mozilla for those that Mozilla's browsers trust. May be given more than once.",
    )  # fmt: skip
    headers = click.option(
        "--bitcoin-headers", "headers", type=click.Path(path_type=Path), metavar="FILE",
        help="Block headers out of a Bitcoin node that you trust: a line each, height and 160 hex digits.",
    )  # fmt: skip
    return root(headers(function))


def trust_of(roots: tuple[str, ...], headers: Path | None) -> Trust:
    """Read what the two options name; raises ``ConfigError``."""
    from blockwatch.evidence.ots import block_roots
    from blockwatch.evidence.timestamps import Trust
    from blockwatch.evidence.tsp import read_roots

    named: list[Certificate] = []
    where = ""
    try:
        for where in roots:
            if where == "mozilla":
                import certifi

                where = certifi.where()
            with warnings.catch_warnings():  # Mozilla's list holds one of serial number 0: that is no news
                warnings.simplefilter("ignore")
                named += read_roots(Path(where).read_bytes())
        where = str(headers)
        blocks = block_roots(headers.read_text("ascii")) if headers else {}
    except OSError as error:
        words = (error.strerror or "unreadable").lower()
        remedy = "Name a file that is there and that you may read."
        raise ConfigError(f"cannot be read ({words})", where=where, remedy=remedy) from error
    except ValueError as error:
        if where == str(headers):
            what, remedy = (
                "a file of block headers",
                "A line each: the height, and the header's 160 hex digits.",
            )
        else:
            what, remedy = (
                "a PEM file of certificates",
                "Name one that begins with -----BEGIN CERTIFICATE-----.",
            )
        raise ConfigError(f"this is not {what}", where=where, remedy=remedy) from error
    return Trust(roots=tuple(named), blocks=blocks)

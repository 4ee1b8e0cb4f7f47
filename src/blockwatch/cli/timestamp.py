"""``blockwatch timestamp``: have others witness, now, that a run's seal exists. The only command that sends
anything of a run to anybody, and what it sends is a hash.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.errors import BlockwatchError, Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from blockwatch.evidence.ots import Node

_LEARNS = (
    "Sends to each of them one SHA-256 (32 bytes) for every run, and nothing of what was measured.\n"
    "  Each learns the address and the time you ask from, and can tell that two runs were stamped together."
)


@click.command(name="timestamp")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--tsa", "authorities", multiple=True, metavar="URL",
              help="A time-stamp authority (RFC 3161). May be given more than once; two or three are better "
                   "than one.")  # fmt: skip
@click.option("--ots", "calendars", multiple=True, metavar="URL",
              help="An OpenTimestamps calendar. Give the command again some hours later: it then fetches "
                   "the proof that the hash is in a Bitcoin block.")  # fmt: skip
@click.option("--wait", default=20.0, show_default=True, type=click.FloatRange(0.1, 600), metavar="SECONDS",
              help="How long each of them may take to answer.")  # fmt: skip
def command(
    paths: tuple[Path, ...], authorities: tuple[str, ...], calendars: tuple[str, ...], wait: float
) -> None:
    """Have others confirm that the seals of sealed runs exist now: run folders, or folders of runs.

    Whoever holds the runs may do it, whenever the network allows: the volunteer, the collector or the
    analyst. It shows that the seal, and all that it seals, existed no later than that moment; it cannot
    show that it is older. Nobody is asked whom you do not name. A run that an authority has stamped
    already is left alone.

    Example: blockwatch timestamp results/ --tsa https://freetsa.org/tsr --tsa http://timestamp.digicert.com
    """
    import trio

    from blockwatch.evidence.opened import encrypted_runs
    from blockwatch.exchange.ask import checked_url
    from blockwatch.store import find_runs

    if not authorities and not calendars:
        raise UsageError("nobody is named who should confirm it", remedy="Give --tsa URL or --ots URL.")
    for url in (*authorities, *calendars):
        checked_url(url)
    sealed = [run for run in find_runs(paths) if (run / "checkpoint").is_file()]
    if not sealed:
        closed = bool(encrypted_runs(paths))
        raise UsageError(
            "the runs here are encrypted: their seals cannot be read" if closed else "no run here is sealed",
            where=", ".join(map(str, paths)),
            remedy="Whoever has the secret key can have them stamped once they are imported."
            if closed
            else "Only a run with a file `checkpoint` can be stamped.",
        )
    click.echo(f"{len(sealed)} run{'s' * (len(sealed) > 1)}. {_LEARNS}", err=True)
    failed = trio.run(_all, sealed, authorities, calendars, wait)
    if failed:
        click.echo(f"{failed} not obtained; give the command again later.", err=True)
        raise click.exceptions.Exit(Exit.PARTIAL)


async def _all(
    runs: list[Path], authorities: tuple[str, ...], calendars: tuple[str, ...], wait: float
) -> int:
    """Ask everybody at once, each for one run after the other; gives how many stamps are missing."""
    import trio

    missing = 0

    async def ask(url: str, how: Callable[[Path, str, float], Awaitable[str]]) -> None:
        nonlocal missing
        for run in runs:
            try:
                words = await how(run, url, wait)
            except BlockwatchError as error:
                missing += 1
                words = f"{url}: {error.what}"
            from blockwatch.cli.words import harmless

            click.echo(harmless(f"{run.name}: {words}", 600))

    async with trio.open_nursery() as nursery:
        for url in authorities:
            nursery.start_soon(ask, url, _by_authority)
        for url in calendars:
            nursery.start_soon(ask, url, _by_calendar)
    return missing


async def _by_authority(run: Path, url: str, wait: float) -> str:
    from secrets import randbits

    from blockwatch.cli.words import moment
    from blockwatch.evidence.timestamps import (
        STAMPS,
        check_reply,
        digest_of,
        free_name,
        keep_stamp,
        stamp_name,
        stamped_by,
    )
    from blockwatch.evidence.tsp import request_for
    from blockwatch.exchange.ask import ask_authority

    digest, nonce = digest_of(run), randbits(63)
    name = stamp_name(url, digest, ".tsr")
    if (already := stamped_by(run, name, digest)) is not None:
        return f"{url}: stamped already, by {already}"
    reply = await ask_authority(url, request_for(digest, nonce), wait)
    token = check_reply(reply, digest, nonce)
    name = free_name(run, name)
    keep_stamp(run, name, reply)
    return f"{url}: existed no later than {moment(token.time + (token.accuracy or 0))} ({STAMPS}/{name})"


async def _by_calendar(run: Path, url: str, wait: float) -> str:
    from secrets import token_bytes

    from blockwatch.evidence.ots import MAX_PROOF, merge, read_answer, read_proof, veiled
    from blockwatch.evidence.timestamps import STAMPS, digest_of, keep_stamp, read_bounded, stamp_name
    from blockwatch.exchange.ask import ask_calendar, ask_progress

    digest = digest_of(run)
    name = stamp_name(url, digest, ".ots")
    if not (run / STAMPS / name).exists():
        proof, end = veiled(digest, token_bytes(16))
        message = end.message or b""
        merge(end, read_answer(await ask_calendar(url, message, wait), message))
        keep_stamp(run, name, _checked(proof))
        return f"{url}: promised; give the command again in some hours ({STAMPS}/{name})"
    proof = read_proof(read_bounded(run / STAMPS / name, MAX_PROOF))
    attested = list(proof.attested())
    blocks = [one.height for _, one in attested if one.height is not None]
    for node, one in attested:
        if not blocks and one.calendar is not None and node.message is not None:
            answer = read_answer(await ask_progress(url, node.message, wait), node.message)
            merge(node, answer)
    blocks = [one.height for _, one in proof.attested() if one.height is not None]
    if not blocks:
        return f"{url}: not yet in a block; give the command again later"
    keep_stamp(run, name, _checked(proof))
    return f"{url}: in Bitcoin block {blocks[0]} ({STAMPS}/{name})"


def _checked(proof: Node) -> bytes:
    """Write a proof only if it can be read again: what a calendar adds may make it too large or too deep."""
    from blockwatch.evidence.ots import read_proof, write_proof

    content = write_proof(proof)
    read_proof(content)
    return content

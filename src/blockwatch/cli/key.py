"""``blockwatch key``: the keys that seal runs, and the list of those who may."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.cli.options import short_text
from blockwatch.cli.outputs import fresh
from blockwatch.errors import ConfigError, EvidenceError

if TYPE_CHECKING:
    from blockwatch.evidence.allow import Allowed
    from blockwatch.evidence.note import VerifierKey

_campaign = click.option("--campaign", callback=short_text, metavar="TEXT", help="Campaign whose key it is. "
                         "[default: the key of runs that name none]")  # fmt: skip


@click.group(name="key")
def command() -> None:
    """The key that seals your runs: a pseudonym of its own for each campaign, made on first use."""


@command.command()
@_campaign
@click.option("--ssh", is_flag=True, help="As a line for ssh-keygen's file of allowed signers.")
def show(campaign: str | None, ssh: bool) -> None:
    """Print the public key, for whoever is to check your runs: tell it on another way than the runs.

    It says nothing of you, but whoever sees two runs of one key knows that one person made both.

    Example: blockwatch key show --campaign spring
    """
    from blockwatch.cli.sealing import signer_for
    from blockwatch.evidence.sshsig import allowed_signer
    from blockwatch.host.keys import read_key

    new = read_key(campaign) is None
    key = signer_for(campaign).key
    if new:
        spelt = ". Is the campaign written as in your runs?" * bool(campaign)
        click.echo(f"made now: no run is sealed by it yet{spelt}", err=True)
    click.echo(allowed_signer(key) if ssh else str(key))


@command.command()
@_campaign
@click.option("--announce", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
              help="Write a note, signed by both keys, that hands the trust in the old one on.")  # fmt: skip
def rotate(campaign: str | None, announce: Path | None) -> None:
    """Delete the key and make a new one, which nothing links to the old one; a new chain of runs begins.

    Runs already sealed stay as good as they were, and linked to one another. With --announce the link is
    made on purpose, for a collector who has the old key in a list.

    Example: blockwatch key rotate --campaign spring
    """
    from blockwatch.cli.sealing import now_text
    from blockwatch.evidence.allow import rotation_note
    from blockwatch.evidence.disk import replace_file
    from blockwatch.evidence.signing import new_signer, signer_from
    from blockwatch.host.keys import key_path, replace_key

    if announce is not None:
        fresh(announce)
    new = new_signer()

    def announced(old: bytes | None) -> bytes:
        if announce is not None:
            if old is None:
                raise ConfigError(
                    "there is no key yet that could announce another",
                    where=str(announce),
                    remedy="Leave --announce out.",
                )
            before = signer_from(old, str(key_path(campaign)))
            replace_file(announce, rotation_note(before, new, now_text()))
        return new.secret()

    replace_key(announced, campaign)
    click.echo(str(new.key))
    click.echo("The key before it, if there was one, is deleted; the next run begins a new chain.", err=True)


@command.command()
@click.argument("list_", metavar="LIST", type=click.Path(dir_okay=False, path_type=Path))
@click.argument("keys", nargs=-1, required=True, metavar="KEY...")
@click.option("--name", default="", metavar="TEXT", help="Whose key it is, as you call them.")
def allow(list_: Path, keys: tuple[str, ...], name: str) -> None:
    """Add keys to a list of those whose runs you accept; the file is made where there is none.

    KEY is what `blockwatch key show` prints, or the file of a note from `blockwatch key rotate --announce`,
    whose old key must be in the list already, with a line that has no to=. Its name goes on to the new line:
    both keys count as one person's. Validity is written into the list by hand: from=, to= a day.

    Example: blockwatch key allow campaign.keys spring-rotation.note
    """
    from blockwatch.cli.words import harmless
    from blockwatch.evidence.allow import Allowed, read_allow_list
    from blockwatch.evidence.disk import replace_file

    if not name.isprintable():
        raise click.BadParameter("one line", param_hint="--name")
    known = read_allow_list(list_) if list_.exists() else []
    lines = []
    for text in keys:
        key, before = _key_named(text, known)
        called = name or before
        if any(each.key == key for each in known):
            click.echo(f"{key.name} is in the list already", err=True)
            continue
        known.append(Allowed(key=key, name=called))
        lines.append(f"{key} {called}".rstrip() + "\n")
        click.echo(harmless(f"added {key.name} {called}".rstrip()))
    content = list_.read_bytes() if list_.exists() else b""
    if content and not content.endswith(b"\n"):
        content += b"\n"
    replace_file(list_, content + "".join(lines).encode())


def _key_named(text: str, known: list[Allowed]) -> tuple[VerifierKey, str]:
    """The key that ``text`` is, or that a note in the file ``text`` hands trust on to; the name it had."""
    from blockwatch.evidence.allow import parse_rotation
    from blockwatch.evidence.checkpoint import read_note_file
    from blockwatch.evidence.note import parse_campaign_key

    path = Path(text)
    try:
        if "+" in text and not path.is_file():
            return parse_campaign_key(text, text[:200]), ""
        rotation = parse_rotation(read_note_file(path), str(path))
    except (EvidenceError, ValueError) as error:
        raise ConfigError(
            f"neither a key nor a note that hands one on: {error}", remedy="Ask for it again."
        ) from error
    lines = [each for each in known if each.key == rotation.old]
    if not lines:
        raise ConfigError(
            "it hands on the trust of a key that is not in the list",
            where=str(path),
            remedy="Add that key first, if you know whose it is.",
        )
    if all(each.until is not None for each in lines):
        raise ConfigError(
            "it hands on the trust of a key whose days have ended (to=): a thief could have made it",
            where=str(path),
            remedy="Ask whose key the new one is on another way, then add the key itself: "
            f"blockwatch key allow LIST {rotation.new}",
        )
    names = [each.name for each in lines if each.until is None and each.name]
    if not names:
        click.echo(
            "the key before it has no name in the list: give both one, or they count as two people's",
            err=True,
        )
    click.echo("the key before it stays good: give its line to=YYYY-MM-DD if it should not", err=True)
    return rotation.new, names[-1] if names else ""

"""``blockwatch import``: what others measured, out of bundles or in OONI's format, joins what is kept."""

from __future__ import annotations

import zlib
from pathlib import Path

import click

from blockwatch.errors import Exit, UsageError

_BEGIN = 4_096  # bytes that tell JSON


@click.command(name="import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="FILE...")
@click.option("--format", "form", type=click.Choice(["bundle", "ooni"]),
              help="Format of the files. [default: as each of them begins]")  # fmt: skip
@click.option("--results", default=Path("results"), show_default=True, metavar="DIR",
              type=click.Path(file_okay=False, path_type=Path), help="Folder for runs.")  # fmt: skip
@click.option("--identity", multiple=True, type=click.Path(path_type=Path), metavar="FILE", help="File with "
              "your secret age key, for what is encrypted to it; repeat for more.")  # fmt: skip
@click.option("--allow", type=click.Path(path_type=Path), metavar="FILE", help="A list of keys: of copies of "
              "a run that contradict each other one that such a key sealed is kept.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Receipts as JSON objects, on standard output.")
def command(
    files: tuple[Path, ...],
    form: str | None,
    results: Path,
    identity: tuple[Path, ...],
    allow: Path | None,
    as_json: bool,
) -> None:
    """Take in bundles, whole or in parts, runs that `run --encrypt-to` wrote (the folder, one of several, or
    run.age), or OONI web_connectivity measurements (JSON or JSONL, also gzip).

    What is there already is not kept twice; a run goes on as far as seals of its own key cover the longer
    copy; of copies that contradict each other the one sealed further stays. What else came, or is damaged,
    is put aside in DIR/aside (exit code 9). Of each bundle a receipt is kept in DIR/receipts. Where parts
    are missing, those that came wait (exit code 3). OONI's measurements become one run a report.

    Example: blockwatch import 3f9a0c1b2d4e.tar.gz --results collected
    """
    from blockwatch.evidence.allow import read_allow_list
    from blockwatch.evidence.crypt import identities_of
    from blockwatch.host.folders import note_folder

    if form == "ooni" and identity:
        raise UsageError(
            "--identity is for what is encrypted; OONI's measurements are not",
            remedy="Leave out --identity, or --format for files of both kinds.",
        )
    allowed = read_allow_list(allow) if allow else []
    note_folder(results)
    codes = [Exit.OK]
    identities = identities_of(identity)
    bundles = tuple(file for file in files if (form or _format_of(file)) == "bundle")
    others = tuple(file for file in files if file not in bundles)
    if bundles:
        from blockwatch.cli.bundle_import import import_bundles

        codes.append(import_bundles(bundles, results, identities, as_json=as_json, allowed=allowed))
    if others:
        from blockwatch.cli.ooni_import import import_ooni

        codes.append(import_ooni(others, results, as_json=as_json))
    if max(codes) is not Exit.OK:
        raise click.exceptions.Exit(max(codes))


def _format_of(file: Path) -> str:
    """Tell a file's format by its first bytes; of what cannot be told the reader of bundles says so."""
    from blockwatch.evidence.incoming import kind_of
    from blockwatch.evidence.mistaken import begins_as_proof, mistake

    if file.is_dir() or mistake(file) is not None:
        return "bundle"  # perhaps a run that was encrypted as it was written
    if not file.is_file():  # the reader names what is missing, and goes on
        return "ooni" if ".json" in file.name else "bundle"
    if kind_of(file) is None:
        with file.open("rb") as opened:
            begin = opened.read(_BEGIN)
        if begin.startswith(b"\x1f\x8b"):
            try:
                begin = zlib.decompressobj(31).decompress(begin, _BEGIN)
            except zlib.error:
                begin = b""
        if begin.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"["):
            return "bundle" if begins_as_proof(begin) else "ooni"
    return "bundle"

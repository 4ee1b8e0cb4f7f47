"""``blockwatch verify``: what kept evidence shows to somebody who does not trust its maker; offline."""

from __future__ import annotations

import time
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from blockwatch.cli.trust import trust_of, trust_options
from blockwatch.errors import ConfigError, EvidenceError, UnreadError, UsageError

if TYPE_CHECKING:
    from blockwatch.evidence.allow import Allowed
    from blockwatch.evidence.report import Report
    from blockwatch.evidence.verify import Reader

_GRADES = {
    "unsigned": "unsigned: whole, but anybody could have altered it",
    "sealed": "sealed: nobody without the key has altered it",
    "timed": "sealed and timed: existed as it is no later than {time}, and nobody has altered it since",
    "witnessed": "sealed, timed and witnessed by another key: existed as it is no later than {time}",
}
_MAYBE_CUT = (
    "whoever handed it over may have cut it off at a seal, or the run was killed: nothing in it shows that "
    "it did not go on"
)
_UP_TO_HERE = {
    "sealed": "sealed up to here: nobody without the key has altered these lines",
    "timed": "sealed and timed up to here: these lines existed as they are no later than {time}",
    "witnessed": "sealed, timed and witnessed up to here: these lines existed no later than {time}",
}
_CLOCK = {"checked": "", "off": " (clock off)", "unknown": " (clock unknown)"}
_KINDS = {"damage": "DAMAGED", "contradiction": "CONTRADICTION", "signer": "NOT FROM A KEY YOU NAMED",
          "unread": "NOT READ", "stamp": "BAD STAMP (it says nothing against the run)",
          "signature": "BAD SECOND SIGNATURE (it says nothing against the run)",
          "derived": "NOT WHAT THE EVIDENCE SAYS (a file made from it, which proves nothing)"}  # fmt: skip
_LESS = "Nothing is wrong with it; it shows less than was asked for: the lines above say why."
_UNREAD = (
    "Nothing is known of it: read it as the user whose files these are, or have that user give you the right "
    "(chmod) or a copy."
)
_REMEDY = (
    "Keep all of it as it is, and ask whoever handed it over for another copy; the lines above say what is "
    "wrong and where."
)


@click.command(name="verify")
@click.argument("paths", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="PATH...")
@click.option("--key", "key", metavar="KEY",
              help="The key that must have sealed it: as `blockwatch key show` prints it, or "
                   "a file with it.")  # fmt: skip
@click.option("--allow", type=click.Path(path_type=Path), metavar="FILE",
              help="A list of keys, one of which must have sealed each run.")  # fmt: skip
@click.option("--require", type=click.Choice(["sealed", "timed", "witnessed"]),
              help="The grade that everything must reach.")  # fmt: skip
@trust_options
@click.option("--json", "as_json", is_flag=True, help="One JSON object a run or proof, on standard output.")
def command(
    paths: tuple[Path, ...], key: str | None, allow: Path | None, require: str | None,
    roots: tuple[str, ...], headers: Path | None, as_json: bool,
) -> None:  # fmt: skip
    """Check evidence: run folders, folders of runs, bundles, proofs of single records. Sends nothing.

    Each gets a grade: unsigned, sealed, timed (sealed, and somebody outside saw the seal by a certain
    time) or witnessed (timed, and another key asked for the same at the same time, on another network
    by its own word). A run that was killed, or that nobody signed, is whole; but one without its last line
    may have been cut off, and reaches no grade of --require, unless a later run says where it ended.
    Without --key or --allow the signer is unknown: anybody can make a key. Outside time counts if you say
    whom you trust for it: --tsa-root, --bitcoin-headers.

    A key all of whose lines in the list have a to= day is retired: that a run of it is from its days is
    then the signer's own word, unless a timestamp from these days shows it. Without one it reaches no
    grade of --require, and the words say so.

    Exit code 9: something is damaged or contradicts itself, is not sealed to its end by a key that you
    named, or does not reach the grade of --require. Exit code 3: otherwise all is well, but some may not be
    read by you.

    Example: blockwatch verify results/ --allow campaign-keys.txt --tsa-root mozilla --require timed
    """
    from blockwatch.cli.kept import say_encrypted
    from blockwatch.evidence.verify import Reader
    from blockwatch.evidence.verify_paths import verify_paths

    if key and allow:
        raise UsageError("--key and --allow exclude each other", remedy="Put the key into the list.")
    now = time.time_ns() // 1_000
    reader = Reader(keys=_keys(key, allow), trust=trust_of(roots, headers), now=now)
    counts: Counter[str] = Counter()
    low = 0
    say_encrypted(paths)
    for report in verify_paths(paths, reader):
        _print(report, reader, as_json)
        if report.findings or report.kind != "folder":
            wrong = "not read" if report.unread else "not as it should be"
            counts[wrong if report.findings else report.title] += 1
        low += not report.findings and not _reaches(report, require)
    bad, total = counts["not as it should be"], counts.total()
    if total > 1:
        told = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
        click.echo(f"{total} checked: {told}", err=True)
    if bad or low:
        words = [f"{bad} of {total} not as it should be"] * bool(bad)
        words += [f"{low} of {total} below the grade {require!r}"] * bool(low)
        raise EvidenceError("; ".join(words), remedy=_REMEDY if bad else _LESS)
    if unread := counts["not read"]:
        raise UnreadError(f"{unread} of {total} may not be read here", remedy=_UNREAD)


def _reaches(report: Report, require: str | None) -> bool:
    from blockwatch.evidence.report import Level

    return require is None or report.kind == "folder" or report.reaches(Level(require))


def _keys(key: str | None, allow: Path | None) -> tuple[Allowed, ...] | None:
    from blockwatch.evidence.allow import parse_allow_list, read_allow_list

    if allow is not None:
        return tuple(read_allow_list(allow))
    if key is None:
        return None
    path = Path(key)
    found = read_allow_list(path) if path.is_file() else parse_allow_list(key, "--key")
    if not found:
        remedy = "A key is what `blockwatch key show` prints; a file holds one a line."
        raise ConfigError("there is no key in it", where=key[:200], remedy=remedy)
    return tuple(found)


def _print(report: Report, reader: Reader, as_json: bool) -> None:
    from blockwatch.cli.words import harmless

    if as_json:
        click.echo(_json(report))
        return
    lines = [harmless(line, 600) for line in _lines(report, reader)]
    click.echo("\n".join(lines))


def _lines(report: Report, reader: Reader) -> list[str]:
    from blockwatch.evidence.which import which

    told = which(report)
    lines = [report.path, *([f"  {told}"] if told else [])]
    for finding in report.findings:
        record = f" (record {finding.record})" if finding.record else ""
        lines.append(f"  {_KINDS[finding.kind]}: {finding.where}{record}: {finding.what}")
    if report.sound and report.kind != "folder":
        from blockwatch.evidence.verify_times import moment

        time = moment(report.not_after) if report.not_after is not None else ""
        cut = report.level.rank > 0 and report.open_ended
        grade, _, means = (_UP_TO_HERE if cut else _GRADES)[report.level].format(time=time).partition(":")
        clock = "" if report.kind == "growth" else _CLOCK[report.clock]
        lines.append(f"  {grade}{clock}:{means}")
        lines += [f"  {_MAYBE_CUT}"] * cut
        lines.append(f"  {_signer(report, reader)}")
        if report.witnesses:
            lines.append(f"  witnesses: runs {', '.join(report.witnesses)}")
    return lines + [f"  {note}" for note in report.notes]


def _signer(report: Report, reader: Reader) -> str:
    if report.sealed == 0:
        return "internally consistent, unsigned"
    name = (report.key or "").partition("+")[0]
    part = f"lines 1 to {report.sealed} " if report.sealed < report.lines else ""
    if report.signer is None:
        return f"internally consistent, {part}signer unknown: {name}"
    doubt = ", if it was made in the days of that key, for which there is its own word alone"
    doubt *= report.days_unproven
    return f"{part}signed by {report.signer or 'the key you named'}: {name}{doubt}"


def _json(report: Report) -> str:
    import msgspec

    from blockwatch.cli.words import shown_json

    fields = msgspec.structs.asdict(report)
    fields["findings"] = [msgspec.structs.asdict(finding) for finding in report.findings]
    fields["ok"] = not report.findings
    fields["clock"] = None if report.kind in ("folder", "growth") else report.clock
    level = fields.pop("level")
    fields["grade"] = None if not report.sound or report.kind == "folder" else level
    return shown_json(dict(sorted(fields.items()))).decode().rstrip("\n")

"""The half of ``blockwatch import`` that takes other programs' measurements: they become runs like ours."""

from __future__ import annotations

import sys
from collections import Counter, deque
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from blockwatch.errors import Exit, UsageError

if TYPE_CHECKING:
    from concurrent.futures import Future

    from blockwatch.cli.spool import Spool
    from blockwatch.model import Measured
    from blockwatch.ooni import Head
    from blockwatch.run import RunClose, RunOpen
    from blockwatch.runner.scrub import Scrubber

_MOST_IN_A_RUN = 2_000  # measurements; a judge reads a run as a whole
_MOST_ON_THEIR_WAY = 64  # measurements handed to the disk and not yet on it
_MOST_NAMED = 100  # places of what was skipped; the receipt counts all


def import_ooni(files: tuple[Path, ...], results: Path, *, as_json: bool) -> Exit:
    """Read the files, one run a report; what is there already is not kept twice."""
    from blockwatch.cli.ooni_judge import REMEDY
    from blockwatch.cli.spool import Spool
    from blockwatch.cli.words import harmless_lines
    from blockwatch.store import ResultsLock

    receipt = Receipt()
    with ResultsLock(results), Spool(results) as spool:
        _remember(results, spool, receipt)
        for file in files:
            _sort(file, spool, receipt)
        for numbers in spool.runs(_MOST_IN_A_RUN):
            _keep(results, spool, numbers, receipt)
    receipt.print(as_json)
    if not receipt.read:
        where = ", ".join(map(str, files))
        error = UsageError("there is no measurement of OONI's that can be read", where=where, remedy=REMEDY)
        click.echo(f"blockwatch: {harmless_lines(error)}", err=True)
        return error.exit_code
    return Exit.PARTIAL if receipt.unreadable else Exit.OK


class Receipt:
    """What became of every record."""

    def __init__(self) -> None:
        self.read = self.kept = self.already = self.unreadable = 0
        self.skipped: Counter[str] = Counter()
        self.left_out: Counter[str] = Counter()
        self.runs = 0
        self._named = 0

    def skip(self, where: str, why: str, *, unreadable: bool) -> None:
        """Count a record that is not kept, and name its place."""
        from blockwatch.cli.words import harmless

        self.unreadable += unreadable
        short = why.partition(" (")[0]
        self.skipped[short if short in self.skipped or len(self.skipped) < 200 else "other reasons"] += 1
        self._named += 1
        if self._named <= _MOST_NAMED:
            click.echo(harmless(f"{where}: skipped: {why}", 400), err=True)
        elif self._named == _MOST_NAMED + 1:
            click.echo("… more were skipped; they are counted below and no longer named", err=True)

    def print(self, as_json: bool) -> None:
        """Say it all."""
        from blockwatch.cli.words import harmless

        if as_json:
            from blockwatch.cli.words import shown_json

            told = {name: getattr(self, name) for name in ("read", "kept", "already", "runs")}
            told |= {"skipped": dict(self.skipped), "left_out": dict(self.left_out)}
            sys.stdout.write(shown_json(told).decode())
            return
        click.echo(f"{self.read} read, {self.kept} kept in {self.runs} runs, {self.already} already there")
        for why, times in self.skipped.most_common():
            click.echo(harmless(f"  {times} skipped: {why}", 300))
        for what, times in self.left_out.most_common():
            click.echo(harmless(f"  of those kept, left out {times} times: {what}", 300))


def _remember(results: Path, spool: Spool, receipt: Receipt) -> None:
    """Learn what earlier imports kept here."""
    from blockwatch.errors import EvidenceError
    from blockwatch.store import find_runs, read_run

    for folder in find_runs([results]):
        try:
            run = read_run(folder)
            for measurement in run.measurements if run.open.imported is not None else ():
                if measurement.source is not None:
                    spool.know(bytes.fromhex(measurement.source))
        except EvidenceError as error:
            click.echo(f"{error}\n  What this run holds may be imported a second time.", err=True)


def _sort(file: Path, spool: Spool, receipt: Receipt) -> None:
    """Read one file into the spool."""
    from blockwatch.ooni import Damage, Unreadable, digest, head_of, records

    for record in records(file):
        if isinstance(record, Damage):
            receipt.skip(record.where, record.why, unreadable=True)
            continue
        receipt.read += 1
        try:
            head = head_of(record.object)
        except Unreadable as reason:
            other = str(reason).startswith("not web_connectivity")
            receipt.skip(record.where, str(reason), unreadable=not other)
            continue
        known = digest(record.object)
        if spool.know(known):
            spool.add(known, head, record.raw)
        else:
            receipt.already += 1


def _keep(results: Path, spool: Spool, numbers: list[int], receipt: Receipt) -> None:
    """Make one run of these measurements."""
    from hashlib import sha256

    from blockwatch.ooni import Record, read_measurement, run_open_of
    from blockwatch.ooni.lines import decode
    from blockwatch.store import RunWriter

    heads = spool.heads(numbers)
    first = next(spool.take(numbers[:1])).digest
    run = sha256(
        b"blockwatch import ooni\0" + heads[0].report.encode("utf-8", "replace") + first
    ).hexdigest()[:16]
    open_ = run_open_of(run, heads)
    writer = RunWriter(results)
    writer.open(open_)
    pending: deque[Future[None]] = deque()
    for seq, (known, head, raw) in enumerate(spool.take(numbers), start=1):
        record = decode("", raw)
        assert isinstance(record, Record)  # noqa: S101 - it was read before
        found = read_measurement(
            record.object, head, run=run, seq=seq, run_started=open_.started, source=known.hex()
        )
        receipt.left_out.update(found.left_out)
        pending.append(writer.submit(_without_own(record.object, found.measured)))
        if len(pending) >= _MOST_ON_THEIR_WAY:
            pending.popleft().result()
    for future in pending:
        future.result()
    writer.close(_close_of(open_, heads))
    receipt.kept += len(numbers)
    receipt.runs += 1


def _without_own(record: dict[str, Any], measured: Measured) -> Measured:
    """What is kept of a record that names an address of the probe or its resolver, without it in any form."""
    from blockwatch.ooni import line_resolvers, own_addresses
    from blockwatch.runner.machine import is_line_resolver
    from blockwatch.runner.strangers import addresses_in

    own, resolvers = own_addresses(record), set(filter(is_line_resolver, line_resolvers(record)))
    if resolvers:  # not one that a lookup gave, or that was dialled: some networks serve block pages there
        resolvers -= addresses_in(measured.measurement.observations)
    if not own and not resolvers:
        return measured
    return _scrubber(own, tuple(sorted(resolvers))).measured(measured)


@lru_cache(maxsize=64)
def _scrubber(own: tuple[str, ...], resolvers: tuple[str, ...]) -> Scrubber:
    from blockwatch.runner.scrub import Scrubber

    return Scrubber(own, resolvers=resolvers)


def _close_of(open_: RunOpen, heads: list[Head]) -> RunClose:
    from blockwatch.run import RunClose

    ended = max(head.started + head.us for head in heads)
    return RunClose(
        ended=ended, us=ended - open_.started, reason="done", planned=len(heads), measured=len(heads)
    )

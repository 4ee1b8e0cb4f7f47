# ruff: noqa: E501
"""Assets that are whole and worth less than they seem: a clock nobody knows, a link elsewhere."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path
from typing import Any

from blockwatch.evidence.proof import make_proof
from blockwatch.evidence.tombstone import forget_run
from tests.evidence.assets.asset import LOG, TIMES, Asset, Authorities, changed, one
from tests.evidence.assets.world import (
    FIRST,
    HOUR,
    OURS,
    SECOND,
    STARTED,
    in_record,
    log_of,
    sealed_again,
    stamp,
    write_run,
)


def aside(results: Path) -> Path:
    """Where a link may lead: not in the folder that is checked."""
    place = results.parent / f"{results.name}-elsewhere"
    place.mkdir()
    return place


def linked(folder: Path, authorities: Authorities) -> Path:
    """The first run of a chain is somewhere else, and a link stands in its place."""
    first = write_run(folder)
    write_run(folder, SECOND, started=STARTED + HOUR)
    moved = first.rename(aside(folder) / first.name)
    first.symlink_to(moved)
    return folder


def link_to_an_encrypted_run(folder: Path, authorities: Authorities) -> Path:
    write_run(folder)
    hidden = aside(folder) / f"20191231T000000Z-{SECOND}"
    hidden.mkdir()
    (hidden / "run.age").write_bytes(b"chunk 1 5\nhello")
    (folder / hidden.name).symlink_to(hidden)
    return folder


def named_link(folder: Path, authorities: Authorities) -> Path:
    """A link that the reader names is the reader's own."""
    run = write_run(aside(folder))
    (folder / "mine").symlink_to(run)
    return folder / "mine"


def other_links(folder: Path, authorities: Authorities) -> Path:
    """Links to what is no run are nobody's business."""
    write_run(folder)
    (folder / "notes").symlink_to(aside(folder))
    (folder / "nowhere").symlink_to("there/is/nothing")
    return folder


def partly_stamped_later(folder: Path, authorities: Authorities) -> Path:
    run = write_run(folder, started=STARTED + 200 * 8_766 * HOUR)
    stamp(run, authorities.known, of="checkpoints/3")
    return run


def named_before_its_end(folder: Path, authorities: Authorities, offset: int | None = 0) -> Path:
    """The first run says that it was made in 200 years; the second one names its root, and is stamped now."""
    write_run(folder, started=STARTED + 200 * 8_766 * HOUR, offset=offset)
    stamp(write_run(folder, SECOND), authorities.known)
    return folder


def not_fitting(run: Path) -> None:
    """The clock was five hours ahead, and set right before the end."""
    in_record(6, lambda said: said.update(ended=said["ended"] - 5 * HOUR))(run)
    sealed_again(run)
    (run / "run.json").unlink(missing_ok=True)


def of_another_day(run: Path) -> None:
    in_record(3, lambda said: said.update(started=said["started"] - 24 * HOUR))(run)
    sealed_again(run)


def set_and_stamped(folder: Path, authorities: Authorities) -> Path:
    run = write_run(folder, started=STARTED + 200 * 8_766 * HOUR)
    not_fitting(run)
    stamp(run, authorities.known)
    return run


def clock_that_was_ahead(folder: Path, authorities: Authorities) -> Path:
    """Two runs name the one before: what was between them, if anything was, does not show."""
    write_run(folder, started=STARTED + 9_000 * HOUR)
    second = write_run(folder, SECOND)
    before = json.loads(log_of(second)[0])["previous_root"]
    write_run(folder, "c" * 16, started=STARTED + HOUR, previous_root=before)
    return folder


def linked_tombstones(folder: Path, authorities: Authorities) -> Path:
    """What is in the folder that the link leads to, whoever owns that folder can change."""
    first = write_run(folder)
    write_run(folder, SECOND, started=STARTED + HOUR)
    forget_run(first, OURS, "2026-11-22T06:40:00Z")
    moved = (folder / "forgotten").rename(aside(folder) / "forgotten")
    (folder / "forgotten").symlink_to(moved)
    return folder


def in_place_of_a_run(name: str, kind: str) -> Any:
    """In a results folder, a run of which this file is none."""

    def make(folder: Path, authorities: Authorities) -> Path:
        run = write_run(folder).with_name(f"20200101T010000Z-{SECOND}")
        run.mkdir()
        if kind == "pipe":
            os.mkfifo(run / name)
        else:
            (run / name).symlink_to("nowhere")
        return folder

    return make


def file_for(name: str) -> Any:
    """A file where a folder of the run should be."""

    def change(run: Path) -> None:
        shutil.rmtree(run / name, ignore_errors=True)
        (run / name).write_bytes(b"")

    return changed(change)


def killed_off(folder: Path, authorities: Authorities) -> Path:
    """Sealed to its last line, which is not the last line of a run; nobody told the time."""
    return write_run(folder, count=2, close=False, offset=None)


def proof_of(**options: Any) -> Any:
    def make(folder: Path, authorities: Authorities) -> Path:
        path = folder / "proof.json"
        path.write_bytes(make_proof(write_run(folder / "run", **options), "2"))
        return path

    return make


def renamed(name: str) -> Any:
    def make(folder: Path, authorities: Authorities) -> Path:
        return write_run(folder).rename(folder / name)

    return make


OTHER_NAME = "the name of its folder says another run or another time than what is inside"
LINK = f"20200101T000000Z-home-{FIRST}"

DOUBT: dict[str, Asset] = {
    # The clock.
    "sealed, its clock checked": Asset(one(), titles=("sealed",)),
    "sealed, its clock unknown": Asset(one(offset=None), ("sealed",), titles=("sealed (clock unknown)",), require="sealed"),
    "sealed, its clock a minute off": Asset(one(offset=60_000_000), titles=("sealed",)),
    "sealed, its clock more than a minute off": Asset(one(offset=-60_000_001), ("sealed",), titles=("sealed (clock off)",), require="sealed"),
    "unsigned, its clock unknown": Asset(one(offset=None, signer=None), titles=("unsigned (clock unknown)",)),
    "up to here, its clock unknown": Asset(killed_off, ("sealed",), titles=("sealed up to here (clock unknown)",), require="sealed", low=True),
    "a proof whose clock is unknown": Asset(proof_of(offset=None), ("sealed",), titles=("sealed (clock unknown)",)),
    "a proof whose clock is off": Asset(proof_of(offset=90_000_000), ("sealed",), titles=("sealed (clock off)",)),
    "a stamp over some lines that is older than they are": Asset(
        partly_stamped_later, where="timestamps/tsa.tsr", alone=TIMES),
    "a run that ended after one that names it was stamped": Asset(
        named_before_its_end, ("timed", None), where=LOG, alone=TIMES),
    "the same, its clock unknown": Asset(
        lambda folder, authorities: named_before_its_end(folder, authorities, None), ("timed", "sealed"),
        says="a run that names this one is older than"),
    "a clock that was set while the run went on": Asset(changed(not_fitting), ("sealed",), titles=("sealed (clock off)",)),
    "a measurement of another day": Asset(changed(of_another_day), ("sealed",), titles=("sealed (clock off)",)),
    "a stamp older than a run whose clock was set": Asset(set_and_stamped, ("timed",), says="by a clock that nobody checked, or that was set"),
    # The chain.
    "two runs that name the same one before": Asset(
        clock_that_was_ahead, ("sealed",) * 3, says="another run here names the same run before, or none", require="sealed"),
    # The name of a folder.
    "a folder that bears the id of another run": Asset(
        renamed(f"20200101T000000Z-court-{SECOND}"), ("sealed",), says=OTHER_NAME, require="sealed"),
    "a folder that bears another time": Asset(renamed(f"20310109T000000Z-{FIRST}"), ("sealed",), says=OTHER_NAME),
    "a folder of a name that says nothing": Asset(renamed("case 17"), ("sealed",)),
    # Links.
    "a link in the place of a run": Asset(linked, where=LINK),
    "a link in the place of an encrypted run": Asset(link_to_an_encrypted_run, where=f"20191231T000000Z-{SECOND}"),
    "a link that is named": Asset(named_link, ("sealed",)),
    "a link in the place of the folder of tombstones": Asset(linked_tombstones, where="forgotten"),
    "a link to nowhere in the place of a log among runs": Asset(in_place_of_a_run(LOG, "link"), where=LOG),
    "a pipe in the place of an encrypted run that was killed": Asset(
        in_place_of_a_run("run.age", "pipe"), where=f"20200101T010000Z-{SECOND}/run.age"),
    "a file in the place of earlier seals": Asset(file_for("checkpoints"), where="checkpoints"),
    "a file in the place of stamps": Asset(file_for("timestamps"), where="timestamps"),
    "links to what is no run": Asset(other_links, ("sealed",)),
}  # fmt: skip

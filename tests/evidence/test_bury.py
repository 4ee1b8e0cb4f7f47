"""Tombstones that come by import: what anybody could have written keeps out nothing that a key has signed."""

from __future__ import annotations

from pathlib import Path

import pytest

from blockwatch.evidence.bury import bury
from blockwatch.evidence.tombstone import FORGOTTEN_FOLDER, read_tombstones, tombstone_text
from blockwatch.store import read_run
from tests.evidence.assets.world import FIRST, OURS, write_run

TRUE, FALSE = "2026-11-22T06:40:00Z", "2020-01-01T00:00:00Z"


@pytest.fixture
def texts(tmp_path: Path) -> tuple[bytes, bytes]:
    """What its key signed, and a made-up one that fits but for the time."""
    run = read_run(write_run(tmp_path / "own"))
    return OURS.note(tombstone_text(run, TRUE)), tombstone_text(run, FALSE)


def come(tmp_path: Path, *raws: bytes) -> list[tuple[str, bool]]:
    """Outcome of each, and whether it is told why; the results folder is tmp_path/res."""
    staged, results = tmp_path / "staged", tmp_path / "res"
    for folder in (staged, results):
        folder.mkdir(exist_ok=True)
    told = []
    for raw in raws:
        (staged / FIRST).write_bytes(raw)
        one = bury(staged, results, FIRST)
        told.append((one.outcome, one.why is not None))
    return told


def kept(tmp_path: Path) -> list[tuple[str, bool]]:
    return [(stone.when, stone.signed) for stone in read_tombstones(tmp_path / "res")]


def put_aside(tmp_path: Path) -> list[bytes]:
    return [path.read_bytes() for path in (tmp_path / "res" / "aside").glob("forgotten-*")]


def test_a_signed_one_takes_the_place_of_an_unsigned_one(tmp_path: Path, texts: tuple[bytes, bytes]) -> None:
    signed, bare = texts
    assert come(tmp_path, bare, signed) == [("new", True), ("replaced", True)]
    assert (kept(tmp_path), put_aside(tmp_path)) == ([(TRUE, True)], [bare])
    assert come(tmp_path, signed) == [("there already", False)]


def test_an_unsigned_one_does_not_take_that_of_a_signed_one(
    tmp_path: Path, texts: tuple[bytes, bytes]
) -> None:
    signed, bare = texts
    assert come(tmp_path, signed, bare) == [("new", False), ("aside", True)]
    assert (kept(tmp_path), put_aside(tmp_path)) == ([(TRUE, True)], [bare])


def test_of_two_unsigned_ones_the_first_stays(tmp_path: Path, texts: tuple[bytes, bytes]) -> None:
    bare = texts[1]
    other = bare.replace(b"2020", b"2021")
    assert come(tmp_path, bare, other, bare) == [("new", True), ("aside", True), ("there already", False)]
    assert kept(tmp_path) == [(FALSE, False)]


def test_what_others_added_to_one_makes_no_other_of_it(tmp_path: Path, texts: tuple[bytes, bytes]) -> None:
    signed = texts[0]
    assert come(tmp_path, signed, signed + b"more") == [("new", False), ("there already", False)]


def test_a_damaged_one_goes_aside_and_gives_way(tmp_path: Path, texts: tuple[bytes, bytes]) -> None:
    signed = texts[0]
    broken = signed.replace(b"size 6", b"size 7")
    assert come(tmp_path, broken, signed) == [("aside", True), ("new", False)]
    (tmp_path / "res" / FORGOTTEN_FOLDER / FIRST).write_bytes(broken)
    assert come(tmp_path, signed) == [("replaced", True)]
    assert kept(tmp_path) == [(TRUE, True)]

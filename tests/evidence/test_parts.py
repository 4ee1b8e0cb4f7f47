"""Bundles that come in parts: they wait for each other, within bounds, and none is believed."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from blockwatch.evidence import incoming
from blockwatch.evidence.bundle import Bundle, write_bundle
from blockwatch.evidence.incoming import Imported, Incoming, Waiting
from blockwatch.evidence.parts import HEAD, read_part
from blockwatch.evidence.reading import find_runs, read_run
from tests.evidence.collector import bundled, made, take
from tests.evidence.made import RUN


def test_parts_wait_for_each_other(tmp_path: Path) -> None:
    paths = bundled([made(tmp_path / "sent", 3)], tmp_path / "x", part_bytes=6_000)
    results = tmp_path / "collected"
    results.mkdir()
    assert len(paths) >= 3
    for number, path in enumerate(paths[1:], 2):
        incoming = Incoming(results, [], "blockwatch 0")
        came = incoming.take(path)
        assert isinstance(came, Waiting)
        assert came.missing == (1, *range(number + 1, len(paths) + 1))
        assert [waiting.missing for waiting in incoming.incomplete()] == [came.missing]
    again = Incoming(results, [], "blockwatch 0").take(paths[1])
    assert isinstance(again, Waiting)
    assert again.already
    assert find_runs([results]) == []
    receipt = take(paths[0], results)
    assert [run.outcome for run in receipt.runs] == ["new"]
    assert receipt.parts == len(paths)
    late = Incoming(results, [], "blockwatch 0").take(paths[2])
    assert isinstance(late, Waiting)
    assert (late.missing, late.already) == ((), True)
    assert list((results / ".parts").iterdir()) == []


def test_a_part_that_came_twice_differently(tmp_path: Path) -> None:
    paths = bundled([made(tmp_path / "sent", 3)], tmp_path / "x", part_bytes=6_000)
    results = tmp_path / "collected"
    results.mkdir()
    forged = read_part(paths[1])._replace(sha256=sha256(b"forged").hexdigest())
    (tmp_path / "forged").write_bytes(forged.head() + b"forged")
    assert len(forged.head()) == HEAD
    incoming = Incoming(results, [], "blockwatch 0")
    incoming.take(paths[1])
    with pytest.raises(Exception, match=r"part 2 of \d came twice, with different contents"):
        incoming.take(tmp_path / "forged")
    shutil.rmtree(results / ".parts")
    incoming.take(tmp_path / "forged")
    for path in (paths[0], *paths[2:-1]):
        incoming.take(path)
    with pytest.raises(Exception, match="one of them is forged"):
        incoming.take(paths[-1])
    for path in paths[:-1]:
        incoming.take(path)
    assert isinstance(incoming.take(paths[-1]), Imported)


def parts_of(tmp_path: Path) -> list[Path]:
    return write_bundle(Bundle([made(tmp_path / "sent", 3)]), tmp_path / "x", part_bytes=6_000)


def import_all(results: Path, paths: list[Path]) -> list[str]:
    comes = incoming.Incoming(results, [], "blockwatch 0")
    return [type(comes.take(path)).__name__ for path in paths]


def test_parts_restore_a_run_that_was_deleted(tmp_path: Path) -> None:
    paths, results = parts_of(tmp_path), tmp_path / "collected"
    results.mkdir()
    assert import_all(results, paths)[-1] == "Imported"
    (kept,) = find_runs([results])
    shutil.rmtree(kept)
    assert import_all(results, paths)[-1] == "Imported"
    assert [read_run(folder).open.run for folder in find_runs([results])] == [RUN]
    assert len(list((results / "receipts").iterdir())) == 2
    assert import_all(results, paths)[-1] == "Waiting"


def test_names_of_parts_sort_as_their_numbers_do(tmp_path: Path) -> None:
    from blockwatch.evidence.parts import Outcome

    outcome = Outcome(tmp_path / "x", 257)  # one byte a part
    outcome.write(bytes(range(250)) * 4 + b"x" * 5)
    paths = outcome.finish()
    assert len(paths) == 1_005
    assert sorted(paths) == paths
    whole = b"".join(path.read_bytes()[256:] for path in sorted(tmp_path.glob("x.*")))
    assert whole == bytes(range(250)) * 4 + b"x" * 5


def test_sets_of_parts_that_never_complete_are_bounded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    results = tmp_path / "collected"
    results.mkdir()
    monkeypatch.setattr(incoming, "MOST_SETS", 2)
    sets = []
    for number in range(3):
        folder = made(tmp_path / f"sent{number}", 3, run=f"{number:016x}")
        sets.append(write_bundle(Bundle([folder]), tmp_path / f"x{number}", part_bytes=6_000))
    comes = incoming.Incoming(results, [], "blockwatch 0")
    comes.take(sets[0][0])
    comes.take(sets[1][0])
    with pytest.raises(Exception, match=r"too much waits .* \(2 sets, 12000 bytes\)"):
        comes.take(sets[2][0])
    for path in sets[0][1:]:
        comes.take(path)  # a set that waits may be completed
    comes.take(sets[2][0])
    monkeypatch.setattr(incoming, "MOST_WAITING", 15_000)
    with pytest.raises(Exception, match="too much waits"):
        comes.take(sets[2][1])
    with pytest.raises(Exception, match="too much waits"):
        incoming.Incoming(results, [], "blockwatch 0").take(sets[2][1])


def test_a_set_that_holds_more_than_it_is_is_refused(tmp_path: Path) -> None:
    from blockwatch.evidence.parts import Part

    results = tmp_path / "collected"
    results.mkdir()
    comes = incoming.Incoming(results, [], "blockwatch 0")
    content = b"x" * 90
    for number in (1, 2):
        part = Part(sha256(b"whole").hexdigest(), number, 3, 100, sha256(content).hexdigest())
        (tmp_path / str(number)).write_bytes(part.head() + content)
    comes.take(tmp_path / "1")
    with pytest.raises(Exception, match="longer than the file that they name"):
        comes.take(tmp_path / "2")

"""Witnesses: who bears a run out, who does not, and that many runs are looked at quickly."""

from __future__ import annotations

from array import array
from pathlib import Path

import pytest

from blockwatch.evidence import verify_witnesses
from blockwatch.evidence.allow import parse_allow_list
from blockwatch.evidence.report import Level, Report
from blockwatch.evidence.timestamps import Trust
from blockwatch.evidence.verify import Checked, Reader
from blockwatch.evidence.verify_witnesses import NEAR_US, find_witnesses
from tests.evidence.assets.asset import apart
from tests.evidence.assets.world import OURS, THEIRS
from tests.evidence.assets.write import authorities_in
from tests.evidence.verified import verified


@pytest.mark.parametrize(
    ("names", "witnessed"),
    [(("Anna", "Anna"), False), (("Anna", "ANNA"), False), (("Anna", "Aigul"), True), (("", ""), True),
     (("Anna", ""), True)],
)  # fmt: skip
def test_two_keys_of_one_name_bear_out_nothing_of_each_other(
    names: tuple[str, str], witnessed: bool, tmp_path: Path
) -> None:
    """She rotated her key, or has one for another campaign, and measured with her phone within the hour."""
    authorities = authorities_in(tmp_path)
    (tmp_path / "results").mkdir()
    results = apart()(tmp_path / "results", authorities)
    keys = tuple(parse_allow_list(f"{OURS.key} {names[0]}\n{THEIRS.key} {names[1]}\n", "keys"))
    told = verified(results, reader=Reader(keys=keys, trust=Trust(roots=(authorities.known.root,))))
    assert [one.sound for one in told] == [True, True]
    assert [one.reaches(Level.WITNESSED) for one in told] == [witnessed] * 2
    kin = ["the list gives both keys that name, so it is no witness" in " ".join(one.notes) for one in told]
    assert kin == [not witnessed] * 2


def run(number: int, times: dict[str, list[int]], *, key: str = "", asn: int = 0, who: str = "") -> Checked:
    """One that can witness; each has a key and a network of its own, unless told."""
    report = Report(
        path=str(number), kind="run", run=f"{number:016x}", key=key or f"k{number}", asn=asn or number + 1,
        signer=who, level=Level.TIMED,
    )  # fmt: skip
    return Checked(report, Path("x"), {url: array("q", when) for url, when in times.items()})


def levels(runs: list[Checked]) -> list[str]:
    find_witnesses(runs)
    return [str(one.report.level) for one in runs]


NOON = 12 * NEAR_US


@pytest.mark.parametrize("apart_us", [0, 1, NEAR_US // 2, NEAR_US - 1, NEAR_US, NEAR_US + 1, 2 * NEAR_US])
@pytest.mark.parametrize("at", [NOON, NOON + 1, NOON + NEAR_US // 2, NOON + NEAR_US - 1])
def test_at_most_an_hour_away(at: int, apart_us: int) -> None:
    runs = [run(0, {"u": [at]}), run(1, {"u": [at + apart_us]})]
    assert levels(runs) == ["witnessed" if apart_us <= NEAR_US else "timed"] * 2


def test_the_nearest_of_several_in_an_hour_counts() -> None:
    """Of one key: the run that is near is named, and not one that is further away."""
    far, near = run(1, {"u": [NOON]}, key="k", asn=7), run(2, {"u": [NOON + NEAR_US - 1]}, key="k", asn=7)
    mine = run(0, {"u": [NOON + 2 * NEAR_US - 1]})
    assert levels([mine, far, near])[0] == "witnessed"
    assert mine.report.witnesses == (near.report.run,)


def test_neither_its_own_key_nor_its_own_network_bears_a_run_out() -> None:
    mine = run(0, {"u": [NOON]}, key="k", asn=7)
    assert levels([mine, run(1, {"u": [NOON]}, key="k"), run(2, {"u": [NOON]}, asn=7)])[0] == "timed"


def test_each_measurement_needs_one_and_no_more_are_named_than_needed() -> None:
    mine = run(0, {"u": [NOON], "v": [NOON, NOON + 9 * NEAR_US]})
    others = [run(1, {"u": [NOON]}), run(2, {"u": [NOON], "v": [NOON]})]
    assert levels([mine, *others])[0] == "timed"
    assert "asked for 2 of 3 measurements' addresses at the same time" in mine.report.notes[-1]
    others.append(run(3, {"v": [NOON + 8 * NEAR_US]}))
    mine = run(0, {"u": [NOON], "v": [NOON, NOON + 9 * NEAR_US]})
    assert levels([mine, *others])[0] == "witnessed"
    assert mine.report.witnesses == tuple(f"{number:016x}" for number in (1, 2, 3))


@pytest.mark.parametrize("same_network", [False, True])
def test_the_work_grows_with_the_measurements_and_not_with_pairs_of_runs(
    same_network: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    seen = verify_witnesses._Seen.near

    def near(self: verify_witnesses._Seen, when: int) -> Report | None:
        nonlocal looks
        looks += 1
        return seen(self, when)

    monkeypatch.setattr(verify_witnesses._Seen, "near", near)
    asn = 7 if same_network else 0
    runs = [
        run(number, {f"u{each}": [NOON + number] for each in range(10)}, asn=asn) for number in range(300)
    ]
    assert set(levels(runs)) == {"timed" if same_network else "witnessed"}
    assert looks <= 2 * 300 * 10

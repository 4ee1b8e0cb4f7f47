"""What no analyst must be left alone with: wrong clocks, one id for two sites, whose keys, what orders."""

import pytest
from msgspec.structs import replace

from blockwatch.analysis.frame import Judged, observation_frame, verdict_frame
from blockwatch.analysis.orders import in_force
from blockwatch.analysis.summarise import doubts, summarise
from blockwatch.evidence.verify_times import sure_offset
from blockwatch.model import TcpStep
from blockwatch.run import LineCheck, RunClose
from blockwatch.target import Order, Search
from tests.analysis.rows import measurement, micros, opened, verdict

DAY_US = 86_400_000_000


def judged(run, state="blocked", *, sealed=2, **more):
    made = measurement(run, 1, **more)
    offset = sure_offset(run, [made], None)
    return Judged(run, [made], [verdict(made, state, asn=run.vantage.asn)], sealed, offset)


def run_of(number, **more):
    return opened(run=f"{number:016x}", **more)


def test_a_clock_that_is_known_to_be_wrong_dates_nothing():
    good, behind = run_of(1, clock_offset_us=0), run_of(2, clock_offset_us=-730 * DAY_US)
    behind = replace(behind, started=good.started - 730 * DAY_US)
    frame = verdict_frame([judged(good), judged(behind)])
    assert frame["started"].dt.year.tolist() == [2026, 2024]
    (row,) = summarise(frame).to_dict("records")
    assert row["first_seen"].year == row["blocked_first"].year == 2026
    assert (row["span_days"], row["unchecked"]) == (1, 0)
    assert summarise(frame, until="2025-01-01").empty
    assert doubts(summarise(frame)) == []


def test_a_clock_that_nobody_checked_is_told():
    frame = verdict_frame([judged(run_of(1))])
    table = summarise(frame)
    assert frame["when"].isna().all()
    assert table["first_seen"].tolist() == frame["started"].tolist()
    assert table["unchecked"].tolist() == [1]
    assert "of 1 of 1 verdicts the time is the volunteer's word" in doubts(table)[0]


def ended(run, after_us, offset=None):
    """The last line of a run of nine seconds, with what its clock said in the end."""
    told = LineCheck(kind="clock", when="after", t=5, ok=True, detail="x", offset_us=offset)
    ended = run.started + after_us
    return RunClose(ended=ended, us=9_000_000, reason="done", planned=1, measured=1, checks=(told,))


def test_of_a_clock_that_was_set_on_the_way_nothing_is_sure():
    run = run_of(1, clock_offset_us=-2 * DAY_US)
    made = [measurement(run, 1)]
    assert sure_offset(run, made, None) == -2 * DAY_US
    assert sure_offset(run, made, ended(run, 9_000_000, -2 * DAY_US + 1_000_000)) == -2 * DAY_US
    assert sure_offset(run, made, ended(run, 9_000_000, 0)) is None  # corrected while it went on
    assert sure_offset(run, made, ended(run, -DAY_US)) is None


def test_an_offset_that_was_learned_in_the_end_is_one():
    run = run_of(1)
    made = [measurement(run, 1)]
    assert sure_offset(run, made, ended(run, 9_000_000, 7 * DAY_US)) == 7 * DAY_US
    assert sure_offset(run, made, ended(run, 9_000_000)) is None


def test_addresses_that_some_list_has_together_are_one_site():
    shared = "https://mirror.example/"
    runs = []
    for number, urls in enumerate((["https://a.example/", shared], [shared], ["https://b.example/"])):
        run = run_of(number)
        for seq, url in enumerate(urls, 1):
            made = measurement(run, seq, url=url)
            runs.append(Judged(run, [made], [verdict(made)], 9, None))
    table = summarise(verdict_frame(runs), ["target"])
    assert table["sites"].tolist() == [2]
    assert any("target site: lists call 2 different sites so" in note for note in doubts(table))
    table = summarise(verdict_frame(runs), ["target", "url"])
    assert table["sites"].tolist() == [1, 1, 1]
    assert not any("different sites" in note for note in doubts(table))


def test_only_keys_with_a_good_seal_are_counted():
    keys = ["blockwatch/key/00+aa+x", "blockwatch/key/11+bb+y", "blockwatch/key/11+bb+y", None]
    runs = [run_of(number, key=key) for number, key in enumerate(keys)]
    frame = verdict_frame(judged(run, sealed=2 * (number != 0)) for number, run in enumerate(runs))
    assert frame["key"].tolist()[:3] == ["blockwatch/key/00", "blockwatch/key/11", "blockwatch/key/11"]
    assert frame["key"].isna().tolist() == [False, False, False, True]
    assert summarise(frame)["keys"].tolist() == [1]
    step = TcpStep(i=0, t=5, us=5, failure=None, flow=0, address="93.184.215.14", port=80)
    steps = observation_frame([(runs[0], [measurement(runs[0], 1, steps=(step,))])])
    assert steps["key"].tolist() == ["blockwatch/key/00"]
    assert steps["sealed"].isna().tolist() == [True]


def order(name="kz-1", **more):
    return Order(
        id=name, targets=("site",), kind="court", source="https://x.example/", checked_on="2026", **more
    )


@pytest.mark.parametrize(
    ("told", "wanted"),
    [
        ({}, None),
        ({"issued": "2026-11-22"}, None),
        ({"issued": "2026-11-23"}, False),
        ({"issued": "2026-12", "effective_from": "2026-11", "effective_to": "2026-11"}, True),
        ({"effective_to": "2026-11-22"}, None),
        ({"effective_to": "2026-11-21"}, False),
        ({"issued": "2020", "effective_to": "2026"}, True),
        ({"issued": "2020", "effective_to": "2025"}, False),
        ({"networks": (9198,)}, None),
        ({"networks": (9198,), "issued": "2020", "effective_to": "2027"}, True),
        ({"networks": (29355,)}, False),
    ],
)
def test_an_order_is_in_force_as_far_as_its_days_and_networks_say(told, wanted):
    assert in_force(order(**told), micros("2026-11-22T23:59:59"), 9198) is wanted


def test_whether_an_order_for_some_networks_is_for_an_unknown_one_is_not_known():
    days = {"issued": "2020", "effective_to": "2027"}
    assert in_force(order(networks=(9198,), **days), micros("2026-11-22T10:00:00"), None) is None
    assert in_force(order(**days), micros("2026-11-22T10:00:00"), None) is True


def test_orders_and_searches_of_the_lists_stand_in_the_table():
    orders = (
        order("kz 2", effective_from="2026", effective_to="2027"),
        order("old", effective_to="2013"),
        order("kz-1"),
    )
    searches = (
        Search(targets=("site",), source="x", on="2026-11-01", found="none"),
        Search(targets=("site",), source="x", on="2026-11-20", found="none"),
        Search(targets=("site",), source="x", on="2026-11-21", found="a letter"),
        Search(targets=("other",), source="x", on="2026-11-22", found="none"),
    )
    runs = [run_of(1, orders=orders, searches=searches), run_of(2), run_of(3, orders=orders[1:])]
    frame = verdict_frame(judged(run) for run in runs)
    assert frame["orders"].astype("string").fillna("").tolist() == ["kz_2", "", ""]
    assert frame["orders_unclear"].astype("string").fillna("").tolist() == ["kz-1", "", "kz-1"]
    table = summarise(frame)
    assert (table["orders"].tolist(), table["orders_unclear"].tolist()) == (["kz_2"], ["kz-1"])
    assert table["searched"].tolist() == ["2026-11-20"]
    assert summarise(verdict_frame([judged(run_of(2))]))[["orders", "searched"]].isna().all(axis=None)

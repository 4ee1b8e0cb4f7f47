"""What a good file means, in every form that is read."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from blockwatch.errors import ConfigError, UsageError
from blockwatch.target import Mirror, Target
from blockwatch.targets import check, load, load_all
from blockwatch.targets.address import BadAddress, endpoint, web_address
from blockwatch.targets.citizenlab import convert
from blockwatch.targets.packs import PACKS

ROOT = Path(__file__).parents[2]
LISTS = ROOT.parent / "shared" / "data" / "test-lists"


def write(tmp_path: Path, text: str, name: str = "targets.yaml") -> Path:
    file = tmp_path / name
    file.write_text(text, encoding="utf-8")
    return file


def test_every_value_stays_what_was_written(tmp_path: Path) -> None:
    found = load(
        write(
            tmp_path,
            "targets:\n  - id: 1e3\n    url: https://example.org/\n    country: NO\n    note: 0x10\n"
            "    mirrors: [ {url: 'http://example.org:80/', from: 2012-01-01, to: 2013} ]\n"
            "    identity_to: 2014\n"
            "orders:\n  - {id: o, targets: [1e3], kind: oral, source: s, checked_on: 2026-11-22,\n"
            "     published: no, networks: [AS9198, 21299], issued: 2012-12}\n",
        )
    )
    target, order = found.targets[0], found.orders[0]
    assert target.id == "1e3"
    assert target.country == "NO"
    assert target.note == "0x10"
    assert target.mirrors == (Mirror(url="http://example.org/", from_="2012-01-01", to="2013"),)
    assert target.identity_to == "2014"
    assert (order.published, order.networks, order.issued) == ("no", (9198, 21299), "2012-12")


@pytest.mark.parametrize(
    ("written", "measured"),
    [
        ("HTTP://Example.ORG", "http://example.org/"),
        ("https://example.org:443/a?b=c#d", "https://example.org/a?b=c"),
        ("http://example.org:443", "http://example.org:443/"),
        ("https://example.org?q", "https://example.org/?q"),
        ("https://example.org./", "https://example.org/"),
        (
            "https://пример.рф/новости",
            "https://xn--e1afmkfd.xn--p1ai/%D0%BD%D0%BE%D0%B2%D0%BE%D1%81%D1%82%D0%B8",
        ),
        ("https://xn--e1afmkfd.xn--p1ai/", "https://xn--e1afmkfd.xn--p1ai/"),
        ("http://[2001:DB8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("http://1.2.3.4/%20a", "http://1.2.3.4/%20a"),
        ("http://under_score.example.org/", "http://under_score.example.org/"),
    ],
)
def test_addresses_in_the_form_that_is_measured(written: str, measured: str) -> None:
    assert web_address(written).url == measured
    assert web_address(measured).url == measured


def test_an_international_name_keeps_what_was_written(tmp_path: Path) -> None:
    found = load(write(tmp_path, "targets:\n  - {id: a, url: 'http://пример.рф/', note: news}\n"))
    assert found.targets[0].url == "http://xn--e1afmkfd.xn--p1ai/"
    assert found.targets[0].note == "news; written as http://пример.рф/"


def test_endpoints_have_one_form() -> None:
    assert endpoint("TLS://Example.org:5222/") == "tls://example.org:5222"
    assert endpoint("tcp://[2001:db8::1]:443") == "tcp://[2001:db8::1]:443"
    with pytest.raises(BadAddress, match="no path"):
        endpoint("tcp://example.org:443/x")


def test_a_plain_list_and_its_bare_domains(tmp_path: Path) -> None:
    file = write(
        tmp_path,
        "\ufeff# sites\n\nguljan.org\n  https://example.org/news/\nhttp://example.org/news/\nguljan.org\n",
        "sites.txt",
    )
    found = load(file)
    assert found.targets[0] == Target(
        id="guljan-org", url="https://guljan.org/", mirrors=(Mirror(url="http://guljan.org/"),)
    )
    assert [target.id for target in found.targets[1:]] == ["example-org-news", "example-org-news-http"]
    assert [(p.line, p.warning) for p in check(file)] == [(6, True)]


def test_a_plain_list_says_all_its_problems(tmp_path: Path) -> None:
    file = write(tmp_path, "http://http://a.org\n\n two words\nhttps://ok.org/\n", "sites.txt")
    assert [(p.line, p.column) for p in check(file)] == [(1, 1), (3, 2)]


CSV = (
    "url,category_code,category_description,date_added,source,notes\n"
    'https://a.example.org/,NEWS,News Media,2020-01-01,x,"Blocked by order #1, since 2020"\n'
    "https://b.example.org/,PORN,Pornography,2020-01-01,x,\n"
    "nonsense,NEWS,News Media,2020-01-01,x,\n"
    'http://c.example.org/,HUMR,Human Rights,2020-01-01,x,"two\nlines"\n'
)


def test_a_citizen_lab_list_leaves_risky_categories_out(tmp_path: Path) -> None:
    file = write(tmp_path, CSV.replace("nonsense,NEWS,News Media,2020-01-01,x,\n", ""), "kz.csv")
    assert [target.category for target in load(file).targets] == ["NEWS", "HUMR"]
    assert "PORN 1" in check(file)[0].what


def test_an_imported_list_is_a_good_targets_file(tmp_path: Path) -> None:
    made = convert(write(tmp_path, CSV, "kz.csv"), None, ())
    assert [(p.line, p.warning) for p in made.problems] == [(4, False)]
    found = load(write(tmp_path, made.text))
    assert not check(tmp_path / "targets.yaml")
    assert [(t.id, t.country, t.note) for t in found.targets] == [
        ("a-example-org", "KZ", "Blocked by order #1, since 2020"),
        ("c-example-org-http", "KZ", "two lines"),
    ]
    assert found.orders == ()


def test_categories_named_are_taken_and_only_they(tmp_path: Path) -> None:
    made = convert(write(tmp_path, CSV), "no", ("porn",))
    assert made.count == 1
    assert "country: 'NO'" in made.text
    with pytest.raises(UsageError, match="NEWZ"):
        convert(tmp_path / "targets.yaml", None, ("NEWZ",))
    write(tmp_path, CSV.replace("nonsense,NEWS,News Media,2020-01-01,x,\n", ""))
    with pytest.raises(ConfigError, match="no row"):
        convert(tmp_path / "targets.yaml", None, ("GMB",))


@pytest.mark.skipif(not LISTS.is_dir(), reason="Citizen Lab's lists are not beside the project")
@pytest.mark.parametrize("country", ["kz", "kg", "tj", "tm", "uz", "ru", "global"])
def test_citizen_labs_own_lists_come_through(country: str, tmp_path: Path) -> None:
    made = convert(LISTS / f"{country}.csv", None, ())
    assert not [problem for problem in made.problems if not problem.warning]
    assert len(load(write(tmp_path, made.text)).targets) == made.count > 20


@pytest.mark.parametrize("name", [str(ROOT / "targets.yaml"), *(f"pack:{pack}" for pack in PACKS)])
def test_what_we_ship_has_no_problem(name: str) -> None:
    assert check(name) == []
    assert load(name).targets


def test_the_shipped_file_holds_the_four_cases_and_controls() -> None:
    found = load(ROOT / "targets.yaml")
    names = {target.id for target in found.targets}
    assert {"guljan", "ferghana", "livejournal", "youtube"} <= names
    assert sum(target.role == "control" for target in found.targets) >= 4
    assert {t for order in found.orders for t in order.targets} >= {
        "guljan",
        "ferghana",
        "livejournal",
        "youtube",
    }
    assert {order.kind for order in found.orders} >= {"court", "parliament", "regulator", "oral"}


def test_circumvention_tools_are_measured_only_when_named() -> None:
    assert not {t.id for t in load("pack:circumvention").targets} & {
        t.id for t in load(ROOT / "targets.yaml").targets
    }
    assert all(target.expires for pack in PACKS for target in load(f"pack:{pack}").targets)


def test_several_files_are_one(tmp_path: Path) -> None:
    one = write(tmp_path, "targets:\n  - {id: a, url: 'https://a.org/'}\n", "one.yaml")
    same = write(
        tmp_path,
        "targets:\n  - {id: a, url: 'https://a.org/'}\n  - {id: b, url: 'https://b.org/'}\n",
        "two.yaml",
    )
    other = write(tmp_path, "targets:\n  - {id: a, url: 'https://c.org/'}\n", "three.yaml")
    assert [target.id for target in load_all([one, same]).targets] == ["a", "b"]
    with pytest.raises(ConfigError, match=r"three\.yaml.*means another target"):
        load_all([one, same, other])


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(st.text(max_size=300), st.text(alphabet="targets:[]{}-&*!|>'\"#% \n\tidurl/.0", max_size=300))
)
def test_check_never_crashes_on_text(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    for suffix in ("yaml", "txt", "csv"):
        file = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        file.write_text(text, encoding="utf-8", newline="")
        check(file)


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=300))
def test_check_never_crashes_on_bytes(tmp_path_factory: pytest.TempPathFactory, raw: bytes) -> None:
    for suffix in ("yaml", "txt", "csv"):
        file = tmp_path_factory.getbasetemp() / f"any.{suffix}"
        file.write_bytes(raw)
        check(file)


_VALUES = st.recursive(
    st.one_of(st.text(max_size=20), st.none(), st.integers()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
_KEYS = st.sampled_from(
    ["id", "url", "endpoints", "mirrors", "note", "country", "expires", "from", "targets", "kind"]
)
_ITEMS = st.lists(st.one_of(_VALUES, st.dictionaries(_KEYS, _VALUES, max_size=6)), max_size=4)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["targets", "orders", "searches"]), _ITEMS, max_size=3))
def test_check_never_crashes_on_shapes(tmp_path_factory: pytest.TempPathFactory, shape: object) -> None:
    import json

    file = tmp_path_factory.getbasetemp() / "shape.yaml"
    file.write_text(json.dumps(shape), encoding="utf-8")
    check(file)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=60))
def test_an_address_is_in_normal_form_or_refused(text: str) -> None:
    for written in (text, f"http://{text}", f"https://example.org/{text}"):
        try:
            url = web_address(written).url
        except BadAddress:
            continue
        assert url.isascii()
        assert web_address(url).url == url

"""What counts as known to work, and in which order it is offered."""

import msgspec
import pytest

from blockwatch.model import ControlStep, HttpStep, TlsStep
from blockwatch.runner.good import GoodNames

URL = "http://a.example/"
PAGE = HttpStep(
    i=0, t=0, us=1, failure=None, address="93.184.216.34", port=80, method="GET", url=URL,
    host="a.example", status=200, body_length=1_000, title="Hello",
)  # fmt: skip
SEEN = ControlStep(
    i=1, t=0, us=1, failure=None, helper="h", url=URL, status=200, body_length=1_000, title="Hello"
)


def names(*steps, role="target"):
    good = GoodNames()
    good.learn(role, steps)
    return good.names


@pytest.mark.parametrize(
    ("page", "control", "good"),
    [
        ({}, {}, True),
        ({}, {"body_length": 9}, True),
        ({"title": "Blocked"}, {}, False),
        ({"title": None}, {}, False),
        ({}, {"title": None}, False),
        ({"title": None}, {"title": None}, True),
        ({"title": None, "body_length": 700}, {"title": None}, True),
        ({"title": None, "body_length": 699}, {"title": None}, False),
        ({"title": None}, {"title": None, "body_length": 699}, False),
        ({"title": None, "body_length": 0}, {"title": None, "body_length": 0}, False),
        ({"status": 403}, {"status": 403}, False),
        ({}, {"status": 403}, False),
        ({}, {"url": "http://b.example/"}, False),
        ({"failure": "eof_error"}, {}, False),
        ({}, {"failure": "generic_timeout_error"}, False),
    ],
)
def test_a_cleartext_page_counts_only_where_the_control_got_the_same(page, control, good):
    steps = (msgspec.structs.replace(PAGE, **page), msgspec.structs.replace(SEEN, **control))
    assert [(one.host, one.tls) for one in names(*steps)] == ([("a.example", False)] if good else [])


def test_without_a_control_no_cleartext_page_counts():
    assert names(PAGE) == ()


def shaken(host, address="93.184.216.34"):
    return TlsStep(i=0, t=0, us=1, failure=None, address=address, port=443, server_name=host)


def clear(host):
    url = f"http://{host}/"
    return msgspec.structs.replace(PAGE, url=url, host=host), msgspec.structs.replace(SEEN, url=url)


def test_every_owner_and_either_port_has_its_place():
    good = GoodNames()
    good.learn("target", [shaken(f"{label}.one.example") for label in "abcd"])
    good.learn("target", [shaken(f"site{number}.example") for number in range(40)])
    for number in range(3):
        good.learn("target", clear(f"www.clear{number}.test"))
    good.learn("control", [shaken("www.control.test")])
    found = [one.host for one in good.names if one.tls]
    assert found[0] == "www.control.test"
    assert len(found) <= 12
    assert sum(host.endswith("one.example") for host in found) <= 2
    assert [one.host for one in good.names if not one.tls] == [
        f"www.clear{number}.test" for number in range(3)
    ]


def test_owners_take_turns():
    hosts = ("a.one.test", "b.one.test", "two.test")
    assert [one.host for one in names(*map(shaken, hosts))] == ["a.one.test", "two.test", "b.one.test"]


@pytest.mark.parametrize("page", [{"failure": "generic_timeout_error"}, {"us": 20_000_000}])
def test_a_name_without_its_page_serves_only_where_there_is_no_other(page):
    def of(host, **fields):
        https = msgspec.structs.replace(PAGE, port=443, url=f"https://{host}/", host=host, **fields)
        return shaken(host), https

    good = GoodNames()
    good.learn("target", of("frozen.example", **page))
    assert [name.host for name in good.names] == ["frozen.example"]
    good.learn("target", of("whole.example"))
    assert [name.host for name in good.names] == ["whole.example"]

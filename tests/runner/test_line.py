"""What a run learns of its own line: down, behind a portal, with a wrong clock; its address never shows."""

import pytest
import trio

from blockwatch.followup import FlowRequest
from blockwatch.model import Purpose
from blockwatch.runner import run

from ..net.far import SITE, helper_answer, page, plain_page, posts, read_head
from .making import Asking, Kept, plan_of, site


async def test_the_own_address_is_cut_out(far, autojump_clock):
    far.names = {"a.example": [SITE]}
    own = "93.184.216.99"

    async def mirror(stream):
        await read_head(stream)
        body = f"<title>You are {own}</title>93.184.216.9 {own}, x93.184.216.991".encode()
        await stream.send_all(page(body, headers=f"X-You: {own}\r\n"))

    await far.serve(SITE, 80, mirror)
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    (measured,) = kept.written
    assert own not in repr(measured).replace("x93.184.216.991", "")
    step = measured.measurement.observations[-1]
    assert step.title == "You are [scrubbed]"
    assert ("X-You", "[scrubbed]") in step.headers
    response = measured.exchanges[step.i].response
    assert b"93.184.216.9 [scrubbed]___, x93.184.216.991" in response
    assert len(response) == step.received


async def test_an_offline_line_is_said(far, autojump_clock):
    async def nobody(name):
        await trio.sleep_forever()

    far.getaddrinfo = nobody
    far.black_hole("1.1.1.1", 80)
    far.black_hole("8.8.8.8", 80)
    kept = Kept()
    close = await run(plan_of(site("a")), kept, Asking(), network=far)
    before = {check.kind: check.ok for check in kept.opened[0].checks}
    assert before == {"portal": None, "connectivity": False, "clock": None}
    assert close.reason == "line"
    assert kept.written[0].measurement.observations[0].failure == "generic_timeout_error"


@pytest.fixture
def dark(far):
    """Nothing answers, until ``far.getaddrinfo`` is put back."""
    lookup = far.getaddrinfo

    async def nobody(name):
        await trio.sleep_forever()

    far.getaddrinfo = nobody
    for address in ("1.1.1.1", "8.8.8.8"):
        far.black_hole(address, 80)
    return lookup


MORE = (
    FlowRequest(address=SITE, port=80, tls=False, url="http://a.example/", purpose=Purpose.REPEAT, round=1),
)


async def test_a_line_that_is_down_is_asked_nothing_more(far, dark, autojump_clock):
    kept = Kept()
    begun = trio.current_time()
    close = await run(plan_of(site("a"), site("b")), kept, Asking(MORE, again=True), network=far)
    assert trio.current_time() - begun < 35
    assert (close.reason, close.measured) == ("line", 2)
    steps = [step for m in kept.written for step in m.measurement.observations]
    assert {step.purpose for step in steps} == {Purpose.FIRST}
    assert [check.when for check in close.checks if check.kind == "connectivity"] == ["during", "after"]


async def test_a_line_that_comes_up_is_asked_on(far, sites, dark, autojump_clock):
    async def wake():
        await trio.sleep(8)
        far.getaddrinfo = dark
        far.names |= {"cp.cloudflare.com": [SITE]}

    kept = Kept()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(wake)
        close = await run(plan_of(site("dead"), site("a")), kept, Asking(MORE, again=True), network=far)
    assert (close.reason, close.measured) == ("done", 4)
    purposes = {step.purpose for m in kept.written for step in m.measurement.observations}
    assert purposes == {Purpose.FIRST, Purpose.REPEAT}


async def behind_a_portal(far):
    login = page(b"", status="302 Found", headers="Location: http://login.example/\r\n")
    for address in (SITE, "1.1.1.1", "8.8.8.8"):
        await far.serve(address, 80, plain_page(login))
    far.names = {"a.example": [SITE]}


async def test_behind_a_portal_nothing_more_is_asked(far, autojump_clock):
    await behind_a_portal(far)
    kept = Kept()
    close = await run(plan_of(site("a")), kept, Asking(MORE, again=True), network=far)
    assert (close.reason, close.measured) == ("line", 1)
    assert [check.ok for check in close.checks if (check.kind, check.when) == ("portal", "during")] == [False]


async def test_what_surely_works_keeps_the_questions_coming(far, autojump_clock):
    await behind_a_portal(far)
    await far.serve("93.184.216.51", 80, posts(helper_answer()))
    kept = Kept()
    plan = plan_of(site("a"), helpers=("http://93.184.216.51/",))
    close = await run(plan, kept, Asking(MORE, again=True), network=far)
    assert close.measured == 2
    assert Purpose.REPEAT in {step.purpose for step in kept.written[0].measurement.observations}


async def test_a_portal_and_a_wrong_clock_are_seen(far, autojump_clock):
    login = page(b"", status="302 Found", headers="Location: http://login.example/\r\n")
    far.names = {"connectivitycheck.gstatic.com": [SITE], "a.example": [SITE]}
    for address in (SITE, "1.1.1.1", "8.8.8.8"):
        await far.serve(address, 80, plain_page(login))
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    assert {check.kind: check.ok for check in kept.opened[0].checks}["portal"] is False


async def test_the_clock_is_compared(far, autojump_clock):
    far.names = {"cp.cloudflare.com": [SITE], "a.example": [SITE]}
    date = "Date: Mon, 01 Jan 2024 00:00:00 GMT\r\n"
    await far.serve(SITE, 80, plain_page(b"HTTP/1.1 204 No Content\r\n" + date.encode() + b"\r\n"))
    kept = Kept()
    await run(plan_of(site("a")), kept, Asking(), network=far)
    (opened,) = kept.opened
    assert {check.kind: check.ok for check in opened.checks} == {
        "portal": True,
        "connectivity": True,
        "clock": False,
    }
    assert opened.clock_offset_us == pytest.approx(far.utc_us() - 1_704_067_200_000_000, abs=60_000_000)

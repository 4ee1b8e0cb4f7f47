"""The page of a URL: every hop, every address, the control beside it."""

import json

import pytest
import trio

from blockwatch.control import Helpers
from blockwatch.model import ControlStep, DnsStep, HttpStep, TcpStep, TlsStep
from blockwatch.net.habits import Habits
from blockwatch.net.session import Session, make_task
from blockwatch.registry import load_probes

from ..net.far import SITE, answering, helper_answer, page, plain_page, posts, read_head, reply_to

OTHER = "93.184.216.35"
HELPER = "http://93.184.216.51/"


@pytest.fixture
async def measure(tools):
    """Measure ``url`` with a probe; the observations."""

    async def measure(url, probe="web", *, helpers=(), resolvers=("system",)):
        task = make_task("t", url)
        control = Helpers(tools.kit, helpers)
        habits = Habits(tools.kit)
        async with trio.open_nursery() as background:
            session = Session(
                tools.kit,
                tools.record,
                background,
                task=task,
                habits=habits,
                resolvers=resolvers,
                control=control if helpers else None,
            )
            await load_probes()[probe].measure(task, session)
            session.finish()
        control.close()
        habits.close()
        steps = tools.record.snapshot()
        assert [step.i for step in steps] == list(range(len(steps)))
        return steps

    return measure


def of(steps, kind):
    return [step for step in steps if isinstance(step, kind)]


async def test_a_clean_site_with_everything(tools, far, authority, measure, autojump_clock):
    far.names = {"a.example": [SITE], "doh.example": ["9.9.9.11"]}
    zone = {"a.example": [SITE]}
    await far.resolver("8.8.8.8", answering(zone))
    doh = posts(lambda query: ("application/dns-message", reply_to(query, zone)))
    await far.serve("9.9.9.11", 443, authority.secure(doh, "doh.example"))
    await far.serve(SITE, 443, authority.https_page(page(b"<title>Hello</title>"), "a.example"))
    asked = []
    await far.serve("93.184.216.51", 80, posts(lambda body: (asked.append(body), helper_answer()(body))[1]))
    resolvers = ("system", "udp://8.8.8.8:53", "https://doh.example/dns-query")
    steps = await measure("https://a.example/", helpers=(HELPER,), resolvers=resolvers)
    assert [step.failure for step in steps] == [None] * len(steps)
    assert {step.resolver for step in of(steps, DnsStep)} == set(resolvers)
    assert len(of(steps, TcpStep)) == 2  # the site and the resolver
    (http,) = of(steps, HttpStep)
    assert (http.status, http.title, http.hop) == (200, "Hello", 0)
    (control,) = of(steps, ControlStep)
    assert (control.status, control.addresses, control.title) == (200, (SITE,), "Hello")
    assert (control.endpoints[0].address, control.endpoints[0].tls) == (SITE, True)
    assert control.asns == ((SITE, 15133),)
    (question,) = map(json.loads, asked)
    assert question["http_request"] == "https://a.example/"
    assert question["tcp_connect"] == [f"{SITE}:443"]
    assert question["x_quic_enabled"] is False
    assert question["http_request_headers"]["Accept-Language"] == ["en-US,en;q=0.9"]


async def test_one_page_though_many_addresses(far, authority, measure):
    far.names = {"a.example": [SITE, OTHER]}
    for address in (SITE, OTHER):
        await far.serve(address, 443, authority.https_page(page(b"x"), "a.example"))
    steps = await measure("https://a.example/")
    assert len(of(steps, TlsStep)) == 2
    assert len(of(steps, HttpStep)) == 1


async def test_one_address_is_dead(far, authority, measure, autojump_clock):
    far.names = {"a.example": [OTHER, SITE]}
    far.black_hole(OTHER, 443)
    await far.serve(SITE, 443, authority.https_page(page(b"x"), "a.example"))
    steps = await measure("https://a.example/")
    assert {step.address: step.failure for step in of(steps, TcpStep)} == {
        OTHER: "generic_timeout_error",
        SITE: None,
    }
    assert [step.status for step in of(steps, HttpStep)] == [200]


async def test_two_pages_when_the_resolvers_have_nothing_in_common(far, measure, autojump_clock):
    far.names = {"a.example": [OTHER]}
    await far.resolver("8.8.8.8", answering({"a.example": [SITE]}))
    await far.serve(OTHER, 80, plain_page(page(b"blocked")))
    await far.serve(SITE, 80, plain_page(page(b"the page itself")))
    steps = await measure("http://a.example/", resolvers=("system", "udp://8.8.8.8:53"))
    assert {step.address: step.body_length for step in of(steps, HttpStep)} == {OTHER: 7, SITE: 15}


async def test_the_control_knows_an_address_that_nobody_here_does(far, measure):
    await far.serve(SITE, 80, plain_page(page(b"the page itself")))
    await far.serve("93.184.216.51", 80, posts(helper_answer()))
    steps = await measure("http://a.example/", helpers=(HELPER,))
    assert of(steps, DnsStep)[0].failure == "dns_nxdomain_error"
    assert [(step.address, step.status) for step in of(steps, HttpStep)] == [(SITE, 200)]


async def test_a_name_that_points_home_is_not_dialled(far, measure):
    far.names = {"a.example": ["127.0.0.1"]}
    steps = await measure("http://a.example/")
    assert [step.skipped for step in steps] == [False, True, True]
    assert far.dialled == []


async def test_redirects_are_hops_with_a_control_each(far, authority, measure):
    far.names = {"a.example": [SITE], "www.a.example": [OTHER]}
    to = "Location: //www.a.example/de/#top\r\n"
    await far.serve(
        SITE, 80, plain_page(page(b"", status="301 Moved", headers="Location: https://a.example/x\r\n"))
    )
    await far.serve(SITE, 443, authority.https_page(page(b"", status="303 See", headers=to), "a.example"))
    await far.serve(OTHER, 443, authority.https_page(page(b"there"), "www.a.example"))
    await far.serve("93.184.216.51", 80, posts(helper_answer()))
    steps = await measure("http://a.example/", helpers=(HELPER,))
    assert [(s.hop, s.url, s.status) for s in of(steps, HttpStep)] == [
        (0, "http://a.example/", 301),
        (1, "https://a.example/x", 303),
        (2, "https://www.a.example/de/", 200),
    ]
    assert sorted(s.hop for s in of(steps, ControlStep)) == [0, 1, 2]
    assert [(s.hop, s.name) for s in of(steps, DnsStep)] == [(0, "a.example"), (2, "www.a.example")]


@pytest.mark.parametrize(
    "location", ["http:///nowhere", "ftp://a.example/", "http://a..b/", "http://[::/", "http://a.example:0x/"]
)
async def test_a_redirect_to_nowhere(far, measure, location):
    far.names = {"a.example": [SITE]}
    await far.serve(SITE, 80, plain_page(page(b"", status="302 Found", headers=f"Location: {location}\r\n")))
    (http,) = of(await measure("http://a.example/"), HttpStep)
    assert (http.status, http.failure) == (302, "http_invalid_redirect_location_host")


async def test_redirects_without_end(far, measure):
    far.names = {"a.example": [SITE]}
    count = iter(range(10_000))

    async def handler(stream):
        await read_head(stream)
        await stream.send_all(page(b"", status="302 Found", headers=f"Location: /{next(count)}\r\n"))

    await far.serve(SITE, 80, handler)
    pages = of(await measure("http://a.example/"), HttpStep)
    assert len(pages) == 11
    assert pages[-1].failure == "unknown_failure: stopped after too many redirects"


async def test_a_redirect_loop(far, measure):
    far.names = {"a.example": [SITE]}
    await far.serve(SITE, 80, plain_page(page(b"", status="302 Found", headers="Location: /\r\n")))
    (http,) = of(await measure("http://a.example/"), HttpStep)
    assert (http.failure, http.error) == ("unknown_failure: stopped after too many redirects", "loop")


async def test_the_next_helper_is_asked_when_one_fails(far, authority, measure, autojump_clock):
    far.names = {"a.example": [SITE]}
    await far.serve(SITE, 80, plain_page(page(b"x")))

    async def mute(stream):
        await trio.sleep_forever()

    await far.serve("93.184.216.60", 80, mute)
    await far.serve("93.184.216.61", 443, authority.secure(posts(helper_answer()), "wrong.example"))
    await far.serve("93.184.216.62", 80, posts(lambda body: ("text/html", b"<h1>blocked</h1>")))
    await far.serve("93.184.216.51", 80, posts(helper_answer()))
    helpers = ("http://93.184.216.60/", "https://93.184.216.61/", "http://93.184.216.62/", HELPER)
    steps = of(await measure("http://a.example/", helpers=helpers), ControlStep)
    assert [(step.helper, step.failure) for step in steps] == [
        ("http://93.184.216.60/", "generic_timeout_error"),
        ("https://93.184.216.61/", "ssl_invalid_hostname"),
        ("http://93.184.216.62/", "json_parse_error"),
        (HELPER, None),
    ]
    assert steps[0].us == 10_000_000 or steps[0].us == 15_000_000


@pytest.mark.parametrize(
    "answer",
    [
        b"[]",
        b"null",
        b'{"http_request": 7}',
        b"[" * 100_000,
        b'{"dns": {"addrs": [1, "x", {}]}}',
        b'{"http_request": {"title": "half a character: \\ud800"}}',
        b"\xff\xfe",
    ],
)
async def test_a_helper_that_talks_nonsense(far, measure, answer):
    far.names = {"a.example": [SITE]}
    await far.serve(SITE, 80, plain_page(page(b"x")))
    await far.serve("93.184.216.51", 80, posts(lambda body: ("application/json", answer)))
    (control,) = of(await measure("http://a.example/", helpers=(HELPER,)), ControlStep)
    assert (control.failure, control.status, control.addresses) == ("json_parse_error", None, ())


async def test_reach_and_dns_and_endpoints(tools, far, authority, measure):
    far.names = {"a.example": [SITE, OTHER]}
    await far.serve(SITE, 5222, authority.https_page(b"", "a.example"))
    steps = await measure("tls://a.example:5222", "reach")
    assert [(s.address, s.failure) for s in of(steps, TcpStep)] == [
        (SITE, None),
        (OTHER, "connection_refused"),
    ]
    assert [s.skipped for s in of(steps, TlsStep)] == [False, True]
    assert of(steps, HttpStep) == []
    before = len(steps)
    assert [type(s) for s in (await measure("tls://a.example:5222", "dns"))[before:]] == [DnsStep]
    before += 1
    kinds = [type(s) for s in (await measure("tls://a.example:5222"))[before:]]
    assert kinds == [DnsStep, TcpStep, TlsStep, TcpStep, TlsStep]


async def test_an_address_needs_no_lookup(far, measure):
    await far.serve(SITE, 80, plain_page(page(b"x")))
    tcp, http = await measure(f"http://{SITE}/")
    assert (tcp.address, http.host, http.status) == (SITE, SITE, 200)

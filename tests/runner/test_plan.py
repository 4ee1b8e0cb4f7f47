"""A plan says everything that would be done, and sends nothing."""

import pytest

from blockwatch import codec
from blockwatch.errors import ConfigError, UsageError
from blockwatch.net.kit import Kit
from blockwatch.registry import load_probes
from blockwatch.run import Vantage
from blockwatch.runner.first_line import first_line
from blockwatch.runner.line import Line
from blockwatch.runner.plan import Settings, make_plan
from blockwatch.target import Mirror, Target, TargetsFile

TARGETS = TargetsFile(
    targets=(
        Target(id="a", url="http://a.example/", mirrors=(Mirror(url="https://m.example/"),), category="NEWS"),
        Target(id="b", endpoints=("tcp://b.example:443",)),
        Target(id="c", url="https://c.example/", role="control"),
    )
)


def test_tasks_and_hosts():
    plan = make_plan(TARGETS, load_probes(), Settings(helpers=("https://th.example/",)))
    assert [(task.target, task.url) for task in plan.tasks] == [
        ("c", "https://c.example/"),
        ("a", "http://a.example/"),
        ("a", "https://m.example/"),
        ("b", "tcp://b.example:443"),
    ]
    assert {"a.example", "m.example", "b.example", "c.example"} <= set(plan.hosts)
    assert {"th.example", "8.8.8.8", "cloudflare-dns.com", "stun.cloudflare.com"} <= set(plan.hosts)
    assert {"connectivitycheck.gstatic.com", "1.1.1.1", "8.8.8.8"} <= set(plan.hosts)
    assert plan.bytes > 400_000
    assert plan.seconds > 0
    assert plan.categories == ("NEWS",)


def test_several_probes():
    plan = make_plan(TARGETS, load_probes(), Settings(probes=("dns", "web")))
    assert [task.probe for task in plan.tasks] == ["dns", "web"] * 4
    assert "stun.cloudflare.com" not in make_plan(TARGETS, load_probes(), Settings(stun=None)).hosts


def test_root_servers_are_listed_where_they_may_be_asked():
    roots = {"k.root-servers.net", "m.root-servers.net"}
    assert roots <= set(make_plan(TARGETS, load_probes(), Settings(tier=2)).hosts)
    assert not roots & set(make_plan(TARGETS, load_probes(), Settings()).hosts)


@pytest.mark.parametrize(
    "settings",
    [
        Settings(probes=("none",)),
        Settings(probes=()),
        Settings(resolvers=("8.8.8.8",)),
        Settings(helpers=("th.example",)),
        Settings(concurrency=0),
    ],
)
def test_options_that_cannot_be(settings):
    with pytest.raises(UsageError):
        make_plan(TARGETS, load_probes(), settings)


def test_a_target_that_cannot_be_measured():
    targets = TargetsFile(targets=(Target(id="bad", url="http://a..b/"),))
    with pytest.raises(ConfigError, match="cannot be measured") as caught:
        make_plan(targets, load_probes(), Settings())
    assert "target bad" in caught.value.where


async def test_what_checks_the_line_is_in_every_plan(far):
    checker = Line(Kit(far))
    await checker.check("before")
    hosts = make_plan(TARGETS, load_probes(), Settings(resolvers=(), stun=None)).hosts
    assert far.asked >= {"cp.cloudflare.com"}
    assert far.asked | {address for address, _ in far.dialled} <= set(hosts)


async def test_the_password_of_a_proxy_is_in_no_first_line(far):
    settings = Settings(control="socks5://me:secret@proxy.example:1080")
    plan = make_plan(TARGETS, load_probes(), settings)
    told = {"vantage": Vantage(), "line": Line(Kit(far)), "previous_root": None, "retest_of": None}
    opened = first_line(plan, run_id="0" * 16, started=1, **told)
    assert opened.control == "socks5://proxy.example:1080"
    assert b"secret" not in codec.canonical(opened)
    assert "proxy.example" in plan.hosts

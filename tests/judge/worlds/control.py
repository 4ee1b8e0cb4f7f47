"""Worlds in which the control has trouble of its own: what it did not see it does not witness."""

from __future__ import annotations

from typing import Any

from blockwatch import failure as f
from blockwatch.model import Endpoint, Measurement
from tests.judge import forged
from tests.judge.stage import changed, measured
from tests.judge.world import CUT, HOST, SECOND, SILENCE, SITE, SITE2, UDP, Hello, World
from tests.judge.worlds.say import HTTP, broken_for_control, by_host, by_sni, ends, on_address, row

STATE = Hello(trust=f.UNKNOWN_AUTHORITY, chain=forged.isca_whole(HOST))
DEAF = broken_for_control(
    addresses=(), dns_failure="dns_server_misbehaving", endpoints=(), http_failure="dns_server_misbehaving"
)
REFUSING = broken_for_control(addresses=(), endpoints=(), http_failure="unknown_error")
FAR = broken_for_control(endpoints=ends(tcp=f.TIMEOUT), http_failure=f.TIMEOUT)

for name, control in (
    ("its resolver fails", DEAF),
    ("it refuses to ask", REFUSING),
    ("it cannot connect", FAR),
):
    row(
        f"state interception by name, and a helper of which {name}",
        "blocked",
        "tls.mitm",
        shake=by_sni(STATE),
        control=control,
        grades="strong",
    )
    row(
        f"resets by Host everywhere, and a helper of which {name}",
        "blocked",
        "http.reset.host",
        url=HTTP,
        answer=by_host(f.RESET),
        control=control,
        grades="strong",
    )
    row(
        f"resets by name everywhere, and a helper of which {name}",
        "blocked",
        "tls.reset.sni",
        shake=by_sni(CUT),
        control=control,
        grades="strong",
    )


def proxied(port: int, **tls: object) -> dict[str, object]:
    """A control through a proxy, whose request the site cut off; SOCKS tells no addresses."""
    end = Endpoint(address=SITE, port=port, tcp_failure=None, tls=bool(tls), tls_failure=tls.get("failure"))
    told = broken_for_control(addresses=(), dns_failure=None, endpoints=(end,), http_failure=f.RESET)
    return {**told, "helper": "socks5://192.0.2.1:1080"}


def no_doh(resolver: str, name: str, n: int) -> tuple[str, ...] | str:
    """Encrypted resolvers are blocked."""
    return (SITE,) if resolver in ("system", "line", *UDP) else f.TIMEOUT


row(
    "a clean http site that turns the proxy away",
    "inconclusive ok",
    url=HTTP,
    lookup=no_doh,
    dial=lambda a, port, n: f.REFUSED if port == 443 and a in (SITE, SITE2) else None,
    control=proxied(80),
)
row(
    "resets by Host, and a site that turns the proxy away",
    "blocked inconclusive",
    "http.reset",
    url=HTTP,
    lookup=no_doh,
    dial=lambda a, port, n: f.REFUSED if port == 443 and a in (SITE, SITE2) else None,
    answer=by_host(f.RESET),
    control=proxied(80),
)


# A helper that this very run belies: of three sites that came here over valid chains it says what is not so.
DOWN = broken_for_control(http_failure=f.TIMEOUT, endpoints=ends(tcp=f.TIMEOUT))
BLANK = {"title": None, "body_length": 0, "headers": ()}


def belied(told: dict[str, Any], count: int = 3, *, each: int = 0) -> tuple[Measurement, ...]:
    """Other owners' sites that work here, and what the helper says of them; ``each``: of every site another
    page, by so many bytes.
    """
    made = []
    for number in range(count):
        host = f"site.owner{number}.example"
        page = {**told, "body_length": told["body_length"] + number * each} if each else told
        there = World(url=f"https://{host}/", shake=lambda a, sni, n: Hello(), control=page)
        one = measured(there, 10 + number, "first", number * SECOND, ())
        made.append(changed(one, target=host, url=there.url))
    return tuple(made)


row(
    "a dead site, and a helper that gives a blank page for every site",
    "inconclusive down",
    rule="line.helper",
    dial=on_address(f.TIMEOUT, SITE),
    control=BLANK,
    others=belied(BLANK),
)
row(
    "a blocked address, and a helper that says of every site that it is down",
    "inconclusive",
    rule="line.helper",
    dial=on_address(f.TIMEOUT, SITE),
    control=DOWN,
    others=belied(DOWN),
)
row(
    "a block by name, and a helper that says of every site that it is down",
    "blocked inconclusive",
    "tls.timeout.sni",
    shake=by_sni(SILENCE),
    control=DOWN,
    others=belied(DOWN),
)
row(
    "a blocked address, and a helper that was wrong of two sites",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    others=belied(BLANK, 2),
)
row(
    "a blocked address, and three sites that show the helper's country pages of their own",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    others=belied({"title": None, "body_length": 30_000}, each=2_000),
)
row(
    "a blocked address, and a helper that gives one page for three sites",
    "inconclusive down",
    rule="line.helper",
    dial=on_address(f.TIMEOUT, SITE),
    others=belied({"title": None, "body_length": 30_000}),
)
row(
    "a blocked address, and a helper whose network blocks other sites of the run",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    others=belied(DOWN),
)


# A helper that answers in one of the two measurements only: asked twice more there, it has told enough.


class Hiccup:
    """A helper that fails when it is asked for these times, counted from the begin of the run."""

    def __init__(self, *fails: int) -> None:
        self.fails, self.asked = fails, 0

    def begin(self) -> None:
        """A new run."""
        self.asked = 0

    def __call__(self, url: str) -> dict[str, Any]:
        self.asked += 1
        return {"failure": f.TIMEOUT} if self.asked in self.fails else {}


for when, fails in (("at the re-test", (4, 5, 6)), ("at first", (1,))):
    hiccup = Hiccup(*fails)
    row(
        f"a blocked address, and a helper that fails {when}",
        "blocked",
        "tcp.timeout",
        dial=on_address(f.TIMEOUT, SITE, SITE2),
        controls=hiccup,
        begin=hiccup.begin,
    )
    hiccup = Hiccup(*fails)
    row(
        f"resets by name, no other name at hand, and a helper that fails {when}",
        "blocked",
        "tls.reset",
        shake=by_sni(CUT),
        good=False,
        controls=hiccup,
        begin=hiccup.begin,
        grades="signs",
    )
row(
    "resets by Host, no other name at hand",
    "blocked",
    "http.reset",
    url=HTTP,
    answer=by_host(f.RESET),
    good=False,
    grades="signs",
)
row(
    "a blocked address, and a helper that tells of no endpoints",
    "blocked",
    "tcp.timeout",
    dial=on_address(f.TIMEOUT, SITE),
    control={"endpoints": ()},
)

"""Worlds in which the control has trouble of its own: what it did not see it does not witness."""

from __future__ import annotations

from blockwatch import failure as f
from blockwatch.model import Endpoint
from tests.judge import forged
from tests.judge.world import CUT, HOST, SITE, SITE2, UDP, Hello
from tests.judge.worlds.say import HTTP, broken_for_control, by_host, by_sni, ends, row

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

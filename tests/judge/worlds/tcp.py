"""Worlds in which connecting fails."""

from __future__ import annotations

from blockwatch import failure as f
from tests.judge.world import CUT, HOST, SITE, SITE2, Page, resolves
from tests.judge.worlds.say import broken_for_control, ends, on_address, row

row(
    "address dead for us",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    dial=on_address(f.TIMEOUT, SITE),
    grades="signs",  # the site's own firewall may drop this country
)
row("RST on SYN", "blocked", "tcp.refused", "tcp.blocked", dial=on_address(f.REFUSED, SITE))
row(
    "port 443 dropped only",
    "blocked",
    "tcp.timeout",
    dial=lambda a, port, n: f.TIMEOUT if a == SITE and port == 443 else None,
)
row(
    "address dead for everybody",
    "down",
    rule="tcp.down",
    dial=on_address(f.TIMEOUT, SITE),
    control=broken_for_control(endpoints=ends(tcp=f.TIMEOUT)),
)
row(
    "address dead, no helper",
    "inconclusive",
    rule="tcp.alone",
    dial=on_address(f.TIMEOUT, SITE),
    control=None,
)
row(
    "IP block on a multi-CDN site (M)",
    "blocked",
    "tcp.timeout",
    lookup=lambda r, name, n: (SITE2,) if r in ("system", "line") else (SITE,),
    dial=on_address(f.TIMEOUT, SITE2),
)
row(
    "stale address, dead for the control too",
    "inconclusive",
    lookup=resolves(SITE2),
    dial=on_address(f.TIMEOUT, SITE2),
    controls=lambda url: {
        "addresses": (SITE2, SITE),
        "endpoints": ends() + ends(tcp=f.TIMEOUT, address=SITE2),
    },
)
row(
    "redirect target refuses everybody (C)",
    "down",
    page=lambda url, a: (
        Page(status=308, location="https://www.site.example.org/") if "www" not in url else Page()
    ),
    lookup=lambda r, name, n: (SITE2,) if name.startswith("www") else (SITE,),
    dial=on_address(f.REFUSED, SITE2),
    controls=lambda url: (
        broken_for_control(endpoints=ends(tcp=f.REFUSED, address=SITE2), addresses=(SITE2,))
        if "www" in url
        else broken_for_control()
    ),
)
row(
    "redirect target is gone (C2)",
    "down",
    rule="dns.gone",
    page=lambda url, a: Page(status=308, location="https://www.site.example.org/"),
    lookup=lambda r, name, n: f.NXDOMAIN if name.startswith("www") else (SITE,),
    controls=lambda url: (
        broken_for_control(addresses=(), dns_failure=f.NXDOMAIN, endpoints=())
        if "www" in url
        else broken_for_control()
    ),
)
row(
    "redirect target blocked",
    "blocked",
    "tls.reset",
    page=lambda url, a: (
        Page(status=308, location="https://www.site.example.org/") if "www" not in url else Page()
    ),
    shake=lambda a, sni, n: CUT if sni and sni.startswith("www") else None,
)
row("local firewall", "inconclusive", rule="line.firewall", dial=on_address(f.PERMISSION_DENIED, SITE))

row(
    "the address that the line's resolver gives is dropped, the site's other one is not",
    "blocked",
    "tcp.timeout",
    "tcp.blocked",
    lookup=lambda r, name, n: (SITE,) if r in ("system", "line") or name != HOST else (SITE2,),
    dial=on_address(f.TIMEOUT, SITE),
    control={"addresses": (SITE2,)},
)

# the control connects, and gets no further: a shield that takes every connection, a server under load
for how, seen in {
    "its handshake times out": {"http_failure": f.TIMEOUT, "endpoints": ends(tls=f.TIMEOUT)},
    "its handshake is reset": {"http_failure": f.RESET, "endpoints": ends(tls=f.RESET)},
    "it waits in vain for a page": {"http_failure": f.TIMEOUT, "endpoints": ends()},
}.items():
    for failure in (f.TIMEOUT, f.REFUSED):
        row(
            f"we cannot connect ({failure}); the control can, but {how}",
            "inconclusive down",
            dial=on_address(failure, SITE),
            control=broken_for_control(**seen),
        )
row(
    "address dropped; the control gets an error page",
    "blocked",
    "tcp.timeout",
    dial=on_address(f.TIMEOUT, SITE),
    control={"status": 503, "title": "Service Unavailable"},
    grades="signs",
)
row(
    "address dropped; the control meets an expired certificate",
    "blocked",
    "tcp.timeout",
    dial=on_address(f.TIMEOUT, SITE),
    control=broken_for_control(http_failure=f.INVALID_CERTIFICATE, endpoints=ends(tls=f.INVALID_CERTIFICATE)),
    grades="signs",
)

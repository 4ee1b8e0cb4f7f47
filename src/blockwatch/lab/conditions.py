"""What the name of a row's world means for the whole network: fields of :class:`~blockwatch.lab.world.World`.

Besides those fields: ``rules`` and ``sites`` that are there whatever rows the world has.
"""

from __future__ import annotations

from functools import partial
from typing import Any

from blockwatch.lab.world import (
    ERRING_HELPER_HOST,
    ISP_RESOLVER,
    ROUTER,
    DnsRule,
    OfflineRule,
    Outage,
    PortalRule,
    Serve,
    Site,
    TcpRule,
)

WALLED = tuple(f"{n}-walled.net" for n in ("one", "two", "three", "four", "five", "six"))
_every_name = partial(DnsRule, name="", match="substring", to="isp")


def _erring_helper(kind: str, **args: object) -> dict[str, Any]:
    """The only helper that is offered errs: a ``liar``, or one that is to ``relay`` the truth."""
    does = Serve(kind=kind, args=args)
    return {
        "helpers": (ERRING_HELPER_HOST,),
        "sites": (Site(key="h", host=ERRING_HELPER_HOST, http=None, https=does),),
    }


CONDITIONS: dict[str, dict[str, Any]] = {
    "main": {},
    "loss": {"loss": 0.05},
    "offline": {"rules": (OfflineRule(),)},
    "portal": {"rules": (PortalRule(),)},
    "helper-sni": {},
    "helper-down": {},
    "no-helper": {"helper": False},
    "resolver-dead": {},
    "ipv6": {"ipv6": True},
    "antivirus": {},
    "hostile": {},
    "residual": {},
    "tier2": {"tier": 2},
    "more": {},
    "limits": {},
    "unpaid": {},
    "unpaid-page": {},
    "unpaid-names": {},
    "sold-names": {},
    "ipv6-dead": {"ipv6": True},
    "alone": {},
    "no-control": {},
    "strict-no-helper": {"helper": False},
    "company": {},
    "flaky-servers": {},
    "listed-sites-only": {},
    # 440 ms there and back, most of it on the way back.
    "far": {"delay_ms": 120.0, "back_ms": 200.0, "jitter_ms": 20.0},
    "slow": {"rate_kbit": 256.0, "delay_ms": 30.0},
    "lossy": {"loss": 0.12},
    # First no lookup passes, then nothing at all, then the machine moves to another network.
    "outages": {
        "delay_ms": 60.0,
        "rules": (
            Outage(begins=0.3, seconds=4, what="names"),
            Outage(begins=5, seconds=12),
            Outage(begins=30, seconds=3, what="switch"),
        ),
    },
    "portal-later": {"delay_ms": 60.0, "rules": (Outage(begins=0.5, seconds=900, what="portal"),)},
    # Every second query over UDP is answered, none over TCP.
    "names-flaky": {"rules": (_every_name(do="drop", share=0.5), TcpRule(ip=ISP_RESOLVER, port=53))},
    "names-servfail": {"rules": (_every_name(do="servfail"),)},
    "names-denied": {"rules": (_every_name(do="nxdomain"),)},
    # 3 s there and back, to the router that answers lookups.
    "router": {"resolver": ROUTER, "delays_ms": {ROUTER: 1500.0}},
    "helper-says-down": _erring_helper("liar", says="down"),
    "helper-says-empty": _erring_helper("liar", says="empty"),
    "helper-dies": _erring_helper("relay", n=4, seconds=20),
    "helper-walled": _erring_helper("liar", says="down", names=WALLED),
    "houses": {},
    "diverted": {"tier": 2, "rules": (DnsRule(name="", match="substring", do="divert"),)},
}

"""Sites whose name leads elsewhere from here than from where the others ask: nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    at,
    down,
    http,
    https,
    notice,
    ok,
    serve,
    signs,
    site,
    unclear,
)

row = partial(say.row, family="clean", world="more")

_EMPTY_SERVER = notice(
    "Welcome to nginx!", "If you see this page, the nginx web server is successfully installed."
)
_SUSPENDED = notice("Account Suspended", "This account has been suspended. Contact your hosting provider.")

ROWS = (
    row(
        "page-by-node",
        "each node shows a page of its own, resolvers give different nodes, cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: geo-DNS and anycast without TLS",
        sites=(
            site(
                n=3,
                https=None,
                http=serve("bynode"),
                pool="aws",
                dns={"views": {"isp": ["@a.ip@"], "helper": ["@a.ip2@"], "*": ["@a.ip1@"]}},
            ),
        ),
    ),
    row(
        "name-expired",
        "expired: the line's resolver still has the old address, others a seller's page",
        http(ok(), down(), unclear(), see="ok"),
        source="own: stale answers of the line's resolver",
        sites=(
            site(https=None, n=1, dns={"views": {"isp": ["@a.ip@"], "*": ["@b.ip@"]}}),
            site("b", host="park.name-seller.net", https=None, http=serve("parked"), aliases=()),
        ),
    ),
    row(
        "moved-empty-server",
        "site moved; the line's resolver has the old address, an empty server, cleartext",
        http(ok(), down(), unclear(), signs("dns."), see="ok"),
        source="own: stale answers of the line's resolver",
        sites=(
            site("o", host="old1.cheap-racks.net", https=None, http=_EMPTY_SERVER),
            site(https=None, dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}}),
        ),
    ),
    row(
        "moved-wrong-cert",
        "site moved; the old hoster's server shows its own certificate, https",
        https(ok(), down(), unclear(), signs("dns."), see="tls.cert:name"),
        source="own: stale answers of the line's resolver",
        sites=(
            site("o", host="old3.cheap-racks.net", cert="wrong", https=_EMPTY_SERVER),
            site(dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}}),
        ),
    ),
    row(
        "moved-other-customer",
        "site moved; at the old address another customer's valid site lives, https",
        https(ok(), down(), unclear(), signs("dns."), see="tls.cert:name"),
        source="own: stale answers of the line's resolver",
        sites=(site("o"), site(dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}})),
    ),
    row(
        "moved-cert-expired",
        "site moved; the old server still serves, its certificate has expired",
        at(https(ok(), down(), unclear(), signs("dns."), see="tls.cert:expired"), "https://house-moved.kz/"),
        source="own: stale answers of the line's resolver",
        sites=(
            site("o", host="house-moved.kz", cert="expired"),
            site(
                host="www.house-moved.kz",
                aliases=("house-moved.kz",),
                dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}},
            ),
        ),
    ),
    row(
        "moved-dead",
        "site moved; nobody answers at the old address",
        https(ok(), down(), unclear(), signs("dns.", "tcp."), see="tcp.timeout"),
        source="own: stale answers of the line's resolver",
        sites=(site(n=2, dns={"views": {"isp": ["@a.ip@"], "*": ["@a.ip1@"]}}),),
        dead=("@a.ip@",),
    ),
    row(
        "moved-refused",
        "site moved; the old address refuses",
        https(ok(), down(), unclear(), signs("dns.", "tcp."), see="tcp.refused"),
        source="own: stale answers of the line's resolver",
        sites=(
            site("o", host="old5.cheap-racks.net", http=None, https=None),
            site(dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}}),
        ),
    ),
    row(
        "moved-dead-http",
        "site moved; nobody answers at the old address, cleartext",
        http(ok(), down(), unclear(), signs("dns.", "tcp."), see="tcp.timeout"),
        source="own: stale answers of the line's resolver",
        sites=(site(n=2, https=None, dns={"views": {"isp": ["@a.ip@"], "*": ["@a.ip1@"]}}),),
        dead=("@a.ip@",),
    ),
    row(
        "nearest-node-dead",
        "the nearest node of a content network is dead for everybody; others are well",
        https(ok(), down(), unclear(), signs("dns.", "tcp."), see="tcp.timeout"),
        source="own: content networks with a node in the country",
        sites=(site(n=2, pool="cloudflare", dns={"views": {"isp": ["@a.ip@"], "*": ["@a.ip1@"]}}),),
        dead=("@a.ip@",),
    ),
    row(
        "node-cert-expired",
        "one of two nodes has an expired certificate; we get that node, the control the other",
        at(
            https(ok(), down(), unclear(), signs("tls.mitm", "dns."), see="tls.cert:expired"),
            "https://two-nodes.kz/",
        ),
        source="own: one node of two was forgotten",
        sites=(
            site("o", host="two-nodes.kz", cert="expired"),
            site(
                host="www.two-nodes.kz",
                aliases=("two-nodes.kz",),
                dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}},
            ),
        ),
    ),
    row(
        "node-cert-self",
        "one of two nodes has a self-signed certificate; we get that node, the control the other",
        at(
            https(ok(), down(), unclear(), signs("tls.mitm", "dns."), see="tls.cert:unknown"),
            "https://two-nodes.kg/",
        ),
        source="own: one node of two was forgotten",
        sites=(
            site("o", host="two-nodes.kg", cert="self"),
            site(
                host="www.two-nodes.kg",
                aliases=("two-nodes.kg",),
                dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}},
            ),
        ),
    ),
    row(
        "isp-mirror",
        "the ISP's resolver gives the ISP's own mirror of a software archive, cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: mirrors of software archives at the provider",
        sites=(
            site(
                "o",
                host="mirror.line-of-ours.kz",
                https=None,
                http=serve("page", title="Index of /pub"),
                aliases=("pub-archive.org",),
            ),
            site(
                host="pub-archive.org",
                https=None,
                http=serve("page", title="Index of /pub mirror list"),
                dns={"views": {"isp": ["@o.ip@"], "*": ["@a.ip@"]}},
            ),
        ),
    ),
)

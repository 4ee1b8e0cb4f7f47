"""Lines and runs in an odd state as a whole: unpaid, half dead, alone, without anything to compare with."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import pages, say
from blockwatch.lab.scenarios.say import (
    blocked,
    down,
    http,
    https,
    notice,
    nowhere,
    ok,
    redirect,
    refused,
    serve,
    signs,
    site,
    unclear,
)
from blockwatch.lab.world import DnsRule, HttpRule, Manners, Mitm, TcpRule, TlsRule

row = partial(say.row, family="global")

_CASHIER = notice("Оплата", "Пополните баланс.")
_PAY = say.reply(
    "302 Found", b"", "Location: https://bill.line-of-ours.kz/pay", "Content-Length: 0", "Connection: close",
    length=False,
)  # fmt: skip

ROWS = (
    # An unpaid line: the provider answers all cleartext, or all lookups, itself.
    row(
        "unpaid",
        "all cleartext of the line is led to the provider's cashier, TLS works",
        *(https(ok(), key=key, see="ok") for key in "abc"),
        *(http(unclear(), key=key, see="http.other") for key in "def"),
        http(unclear(), ok(), key="g", see="http.other"),
        https(ok(), key="h", see="ok"),
        source="own: unpaid lines",
        world="unpaid",
        sites=(
            *(site(key) for key in "abc"),
            *(site(key, https=None) for key in "def"),
            site("g", http=redirect("https://@g@/", 301)),
            site("h", host="bill.line-of-ours.kz", https=_CASHIER),
        ),
        rules=(HttpRule(host="", match="substring", do="page", response=_PAY),),
    ),
    row(
        "unpaid-page",
        "every cleartext request of the line is answered with one page, TLS works",
        *(https(ok(), key=key, see="ok") for key in "ab"),
        *(http(unclear(), key=key, see="http.other") for key in "cdef"),
        source="own: unpaid lines",
        world="unpaid-page",
        sites=(*(site(key) for key in "ab"), *(site(key, https=None) for key in "cdef")),
        rules=(HttpRule(host="", match="substring", do="page", response=pages.RU_UTF8),),
    ),
    row(
        "unpaid-names",
        "the provider's resolver leads every name to its cashier",
        *(https(ok(), unclear(), key=key, see="any") for key in "abc"),
        *(http(unclear(), ok(), key=key, see="any") for key in "de"),
        http(ok(), unclear(), key="h", see="ok"),
        source="own: unpaid lines",
        world="unpaid-names",
        sites=(
            *(site(key) for key in "abc"),
            *(site(key, https=None) for key in "de"),
            site("h", https=None, http=_CASHIER),
        ),
        rules=(DnsRule(name="", match="substring", to="isp", answers=("@h.ip@",)),),
    ),
    # Names that do not exist are sold.
    row(
        "sold-names",
        "names that do not exist lead to an advertiser of the provider",
        https(down(), unclear(), see="any"),
        http(down(), unclear(), key="b", see="any"),
        http(down(), unclear(), key="c", see="any"),
        http(ok(), unclear(), key="d", see="ok"),
        https(ok(), key="e", see="ok"),
        source="own: providers that sell mistyped names",
        world="sold-names",
        sites=(
            nowhere(rcode=3),
            nowhere("b", rcode=3),
            site("c", http=redirect("http://@a@/", 301)),
            site("d", https=None, http=notice("Search", "Did you mean something else? Sponsored results.")),
            site("e"),
        ),
        rules=(DnsRule(name="", match="substring", do="wildcard", to="isp", answers=("@d.ip@",)),),
    ),
    # IPv6 that is there and leads nowhere.
    row(
        "ipv6-dead",
        "every packet over IPv6 is lost on the line",
        *(https(ok(), key=key, see="ok") for key in "ab"),
        http(ok(), key="c", see="ok"),
        https(unclear(), key="d", see="any"),
        source="own: lines with dead IPv6",
        world="ipv6-dead",
        sites=(site(v6=1), site("b", v6=1), site("c", v6=1, https=None), site("d", n=0, v6=1)),
        rules=(*(TcpRule(ip=f"@{key}.ip1@") for key in "abc"), TcpRule(ip="@d.ip@")),
    ),
    # Nothing to compare with.
    row(
        "alone",
        "the only target: its server resets our network",
        https(unclear(), refused(), signs("tls.", "http."), see="tls.reset"),
        family="refused",
        source="own: lists of one target",
        world="alone",
        sites=(site(host="alone-here.com", manners=Manners(fence=("alone-here.com",))),),
    ),
    row(
        "no-control",
        "the server resets our network, a name is reset on the way; all other targets are dead",
        https(unclear(), refused(), signs("tls.", "http."), see="tls.reset"),
        https(blocked("tls.reset"), unclear(), key="b", see="tls.reset"),
        *(https(down(), key=key, see="tcp.refused") for key in "cdef"),
        source="own: lists whose other targets are dead",
        world="no-control",
        sites=(
            site(host="alone-there.com", manners=Manners(fence=("alone-there.com",))),
            site("b"),
            *(site(key, http=None, https=None) for key in "cdef"),
        ),
        rules=(TlsRule(sni="@b@", do="rst"),),
    ),
    row(
        "strict-no-helper",
        "no helper, and servers that know their own name alone; one site is dead behind its front",
        http(down(), unclear(), see="http.timeout"),
        http(down(), unclear(), key="b", see="http.reset"),
        *(https(ok(), key=key, see="ok") for key in "cde"),
        source="own: servers that know their own name alone",
        world="strict-no-helper",
        sites=(
            site(https=None, http=serve("hang"), manners=Manners(unknown_host="404")),
            site("b", https=None, http=serve("reset"), manners=Manners(unknown_host="421")),
            site("c", manners=Manners(unknown_sni="reset", unknown_host="404")),
            site("d", manners=Manners(unknown_sni="alert", unknown_host="reset")),
            site("e", manners=Manners(unknown_sni="close", unknown_host="hang")),
        ),
    ),
    row(
        "company",
        "behind a company's proxy that signs every chain, one name is intercepted beyond it",
        *(https(ok(), unclear(), key=key, see="tls.cert:unknown") for key in "abc"),
        https(blocked("tls.mitm"), unclear(), key="d", see="tls.cert:unknown"),
        https(down(), ok(), unclear(), key="e", see="tls.cert:expired"),
        source="own: proxies of companies",
        world="company",
        sites=(*(site(key) for key in "abcd"), site("e", cert="expired")),
        mitm=(*(Mitm(site=key, style="company") for key in "abc"), Mitm(site="d", style="gateway")),
    ),
    row(
        "flaky-servers",
        "every server of the run resets a share of the handshakes or requests",
        *(https(ok(), down(), unclear(), key=key, see="any") for key in "abcd"),
        *(http(ok(), down(), unclear(), key=key, see="any") for key in "efgh"),
        family="noise",
        source="own: overloaded servers",
        world="flaky-servers",
        sites=(
            *(site(key, manners=Manners(tls_flaky=0.2 + 0.1 * i)) for i, key in enumerate("abcd")),
            *(
                site(key, https=None, http=serve("flaky", share=0.2 + 0.1 * i))
                for i, key in enumerate("efgh")
            ),
        ),
    ),
    row(
        "listed-sites-only",
        "everything is dropped but a listed site",
        *(https(blocked("tcp.timeout"), unclear(), key=key, see="tcp.timeout") for key in "abcd"),
        https(ok(), key="e", see="ok"),
        family="tcp",
        source="own: shut-downs with a list of what is spared",
        world="listed-sites-only",
        sites=tuple(site(key) for key in "abcde"),
        rules=tuple(TcpRule(ip=f"@{key}.ip@") for key in "abcd"),
    ),
)

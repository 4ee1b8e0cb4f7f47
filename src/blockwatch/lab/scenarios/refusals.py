"""Servers that refuse this country or this network themselves: nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    down,
    http,
    https,
    notice,
    ok,
    refused,
    serve,
    signs,
    site,
    to_us,
    unclear,
)
from blockwatch.lab.world import Manners

row = partial(say.row, family="refused", world="more")

_GEO = notice(
    "Limited",
    "Access to this page from your region is limited by the hosting provider.",
    audience="probe",
)
_BY_LAW = notice(
    "Доступ ограничен", "Материал недоступен в вашей стране по требованию закона.", audience="probe"
)
_COURT = notice(
    "451",
    "This material is not available by decision of a court of your country. Доступ ограничен.",
    audience="probe",
    code=451,
)

ROWS = (
    row(
        "hoster-notice-three",
        "one hoster's 200 page for our region at three of its sites",
        *(http(ok(), unclear(), refused(), signs("http."), key=k, see="any") for k in "abc"),
        source="own: a hoster's notice at several of its sites",
        sites=tuple(site(k, https=None, http=_GEO) for k in "abc"),
    ),
    row(
        "geo-403-three",
        "403 for our region at three cleartext sites, one page",
        *(http(refused(), unclear(), key=k, see="http.status:403") for k in "abc"),
        source="own: a server's stock page at several sites",
        sites=tuple(site(k, https=None, http=serve("status", code=403, audience="probe")) for k in "abc"),
    ),
    row(
        "challenge-three",
        "a content network's challenge to us at three cleartext sites",
        *(http(refused(), unclear(), key=k, see="http.status:403") for k in "abc"),
        source="own: a content network's challenge at several sites",
        sites=tuple(
            site(k, https=None, pool="cloudflare", http=serve("challenge", code=403, audience="probe"))
            for k in "abc"
        ),
    ),
    row(
        "legal-451-words",
        "451 with the words of a law to us alone, in cleartext, by the server",
        http(refused(), unclear(), see="http.status:451"),
        source="own: RFC 7725, said by the server itself",
        sites=(site(https=None, http=_COURT),),
    ),
    row(
        "legal-200",
        "200 'not available in your country by law' to us alone, in cleartext, by the server",
        http(refused(), unclear(), signs("http."), see="ok"),
        source="own: legal notices by the server itself",
        sites=(site(https=None, http=_BY_LAW),),
    ),
    row(
        "legal-200-tls",
        "200 'restricted by law' to us alone, https, by the server",
        https(refused(), ok(), see="ok"),
        source="own: legal notices by the server itself",
        sites=(site(https=_BY_LAW),),
    ),
    row(
        "geo-403-strict",
        "server knows its name only: 404 to other Hosts, 403 to us in cleartext",
        http(refused(), unclear(), see="http.status:403"),
        source="own: servers that know their own name alone",
        sites=(
            site(
                https=None,
                http=serve("status", code=403, audience="probe"),
                manners=Manners(unknown_host="404"),
            ),
        ),
    ),
    row(
        "geo-reset",
        "the server resets handshakes of our network; the control gets through",
        https(unclear(), refused(), signs("tls.", "http."), see="any"),
        source="own: servers that refuse networks without a word",
        sites=(site(https=serve("reset", audience="probe")),),
    ),
    row(
        "led-to-a-dead-site",
        "we alone are led to a site that is dead for everybody",
        http(down(), unclear(), ok(), see="tcp.timeout"),
        family="clean",
        source="own: redirects by country",
        sites=(site(https=None, http=to_us("https://@b@/")), site("b", n=0, dns={"A": ["62.122.7.9"]})),
        dead=("62.122.7.9",),
    ),
)

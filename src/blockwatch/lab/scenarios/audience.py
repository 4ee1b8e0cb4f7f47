"""Servers that give this country, this network or the control another page: nobody interferes."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import (
    http,
    https,
    notice,
    ok,
    redirect,
    refused,
    serve,
    signs,
    site,
    to_us,
    unclear,
)
from blockwatch.lab.servers.pages import ordinary
from blockwatch.lab.world import HttpRule

row = partial(say.row, family="clean", world="more")

_PLEASE_UPGRADE = notice("Use https", "Please use the secure version of this site.", audience="probe")
_WITH_SCRIPT = say.reply(
    "200 OK",
    ordinary("sky-weather.kz").replace(b"</body>", b"<script src=//ads.isp.kz/a.js></script></body>"),
    "Content-Type: text/html; charset=utf-8",
)

ROWS = (
    row(
        "page-by-country",
        "Russian page for visitors from here, English one elsewhere, cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: sites with a page for each country",
        sites=(
            site(https=None, http=serve("page", audience="probe", lang="ru", bytes=26000, title="Главная")),
        ),
    ),
    row(
        "consent-page",
        "a small consent page for visitors from here, cleartext",
        http(ok(), unclear(), refused(), see="ok"),
        source="own: consent pages for some countries",
        sites=(
            site(
                https=None,
                http=notice("Cookies", "We use cookies. Please accept to continue.", audience="probe"),
            ),
        ),
    ),
    row(
        "region-choice",
        "a page without words but a choice of the region, for visitors from here",
        http(ok(), unclear(), refused(), see="ok"),
        source="own: sites that ask for the region",
        sites=(
            site(https=None, http=notice("Выберите регион", "Казахстан Россия Узбекистан", audience="probe")),
        ),
    ),
    row(
        "language-path",
        "redirect to /kk/ for visitors from here, https",
        https(ok(), see="ok"),
        source="own: sites that lead to a language",
        sites=(site(https=to_us("/kk/"), paths={"/kk/": serve("page", lang="ru")}),),
    ),
    row(
        "country-brand",
        "redirect to the country's own brand site for visitors from here, https to cleartext",
        https(ok(), unclear(), see="ok"),
        source="own: brands with a site for each country",
        sites=(site(https=to_us("http://@b@/")), site("b", https=None, http=serve("page", lang="ru"))),
    ),
    row(
        "login-in-cleartext",
        "https redirects to a login in cleartext at another host",
        https(ok(), unclear(), see="ok"),
        source="own: login pages at another host",
        sites=(site(https=redirect("http://@b@/login", 302)), site("b", https=None, http=serve("dynamic"))),
    ),
    row(
        "page-by-chance",
        "one of two quite different pages by chance, cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: tests of two designs",
        sites=(site(https=None, http=serve("bynode"), n=4, dns={"rotate": 1}),),
    ),
    row(
        "control-sees-little",
        "controls see a small page, we the large one",
        http(ok(), unclear(), see="ok"),
        source="own: tests of two designs",
        sites=(site(https=None, http=notice("Hello", "Welcome.", audience="helper")),),
    ),
    row(
        "control-refused",
        "the control is refused, we get the page, cleartext",
        http(ok(), unclear(), see="ok"),
        source="own: servers that refuse data centres",
        sites=(site(https=None, http=serve("status", code=403, audience="helper")),),
    ),
    row(
        "isp-adds-script",
        "the ISP adds a script to cleartext pages",
        http(ok(), unclear(), see="ok"),
        source="own: providers that add advertising to cleartext",
        sites=(site(host="sky-weather.kz", https=None),),
        rules=(HttpRule(host="@a@", do="page", response=_WITH_SCRIPT),),
    ),
    row(
        "edition-on-blocking",
        "a local edition that writes about blocking, for us",
        http(ok(), unclear(), see="any"),
        source="own: newspapers that write about blocking",
        sites=(
            site(
                https=None,
                http=serve(
                    "page",
                    audience="probe",
                    lang="ru",
                    bytes=9000,
                    title="Доступ к сайту ограничен: что делать",
                ),
            ),
        ),
    ),
    row(
        "news-on-blocking",
        "a page about blocked sites, everybody's, dynamic",
        http(ok(), unclear(), see="ok"),
        source="own: newspapers that write about blocking",
        sites=(site(https=None, http=serve("page", title="Доступ к сайту ограничен: хроника блокировок")),),
    ),
    row(
        "notice-over-http",
        "a notice over http for us, the site's page over https",
        http(ok(), unclear(), refused(), signs("http."), see="any"),
        source="own: sites whose cleartext differs from their TLS",
        sites=(site(http=_PLEASE_UPGRADE),),
    ),
    row(
        "country-over-http",
        "over http we are led to the country's site, https shows the page",
        http(ok(), unclear(), signs("http."), see="any"),
        source="own: sites whose cleartext differs from their TLS",
        sites=(site(http=to_us("http://@b@/")), site("b", https=None)),
    ),
    row(
        "country-over-http-tls",
        "over http we are led to the country's site over TLS, https shows the page",
        http(ok(), unclear(), signs("http."), see="any"),
        source="own: sites whose cleartext differs from their TLS",
        sites=(site(http=to_us("https://@b@/")), site("b")),
    ),
    row(
        "consent-host-three",
        "three sites lead us to one consent host, cleartext",
        *(http(ok(), unclear(), refused(), key=k, see="any") for k in "abc"),
        source="own: one consent host of several sites",
        sites=(
            *(site(k, https=None, http=to_us("http://@d@/consent")) for k in "abc"),
            site("d", https=None),
        ),
    ),
    row(
        "consent-host-three-tls",
        "three sites lead us to one consent host over TLS",
        *(http(ok(), unclear(), refused(), key=k, see="any") for k in "abc"),
        source="own: one consent host of several sites",
        sites=(*(site(k, https=None, http=to_us("https://@d@/consent")) for k in "abc"), site("d")),
    ),
    row(
        "led-to-own-address",
        "the server leads us to a bare address of its own",
        http(ok(), unclear(), see="any"),
        source="own: redirects to a bare address of the site's own",
        sites=(site(https=None, http=to_us("http://@b.ip@/kz/")), site("b", https=None)),
    ),
)

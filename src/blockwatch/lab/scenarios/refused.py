"""The server itself refuses: a page, not a block."""

from __future__ import annotations

from functools import partial

from blockwatch.lab.scenarios import say
from blockwatch.lab.scenarios.say import http, https, refused, serve, site

row = partial(say.row, family="refused")

ROWS = (
    row(
        "o06",
        "CDN challenge (503) only to the probe, HTTPS",
        https(refused(), see="http.status:503"),
        source="ooni-qa",
        sites=(site(http=None, https=serve("challenge", audience="probe"), pool="cloudflare"),),
    ),
    row(
        "e-H",
        "HTTPS 451 to the probe, 200 to the control",
        https(refused(), see="http.status:451"),
        source="ooni-edge",
        sites=(site(https=serve("status", code=451, audience="probe")),),
    ),
    row(
        "geo-403",
        "403 'not available in your country' for everybody",
        https(refused(), see="http.status:403"),
        source="noise",
        sites=(site(https=serve("status", code=403)),),
    ),
    row(
        "geo-451",
        "451 for everybody",
        https(refused(), see="http.status:451"),
        source="noise",
        sites=(site(https=serve("status", code=451)),),
    ),
    row(
        "challenge-all",
        "CDN challenge (503) for everybody",
        https(refused(), see="http.status:503"),
        source="own",
        sites=(site(http=None, https=serve("challenge"), pool="cloudflare"),),
    ),
    row(
        "geo-403-probe",
        "403 to the probe alone, https",
        https(refused(), see="http.status:403"),
        source="own",
        sites=(site(https=serve("status", code=403, audience="probe")),),
    ),
    row(
        "geo-403-http",
        "403 to the probe alone, in cleartext",
        http(refused(), see="http.status:403"),
        source="own: refusal where no certificate vouches for it",
        sites=(site(http=serve("status", code=403, audience="probe"), https=None),),
    ),
)

"""Getting the page: HTTP/1.1 over a connection that was dialled, and up to ten redirects.

Rules of this file:

* every hop is resolved and judged anew; the address judged is the address connected to;
* a response is read by the measurer's own reader (:mod:`blockwatch.net.http`), odd heads, broken chunks
  and bounds included, and redirects are followed as it does: what it can show, a control must not miss;
* no content coding is asked for, and one that comes all the same is undone within the body's bound;
* out of time after the head, the page is what has come so far, and says that it is cut;
* a request that failed is made once more on a new connection, unless it had run out of time;
* cookies live as long as one fetch, since some sites redirect to themselves until they see theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import trio

from blockwatch import content
from blockwatch import failure as f
from blockwatch.helper.dial import Stream
from blockwatch.helper.protocol import BadRequest, Hop, Url, follow
from blockwatch.net import limits
from blockwatch.net import url as net_url
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.http import Reply, Request, exchange
from blockwatch.net.redirects import location

TOTAL = 15.0  # seconds, redirects included
MAX_COOKIES = 30


@dataclass(kw_only=True)
class Opened:
    """A connection for a URL, or why there is none."""

    stream: Stream | None = None
    failure: str | None = None
    resolving: bool = False  # the failure is a look-up's


Opener = Callable[[Url], Awaitable[Opened]]
Headers = list[tuple[str, str]]
Cookies = dict[str, dict[str, str]]  # by host, by name


@dataclass(kw_only=True)
class Page:
    """What came of a fetch. ``failure`` is OONI's exact string."""

    url: Url
    failure: str | None = None
    resolving: bool = False
    status: int = -1
    headers: Headers = field(default_factory=list)  # as received, Latin-1
    body: bytes = b""
    truncated: bool = False
    hops: list[Hop] = field(default_factory=list)


async def fetch(url: Url, headers: Headers, opener: Opener) -> Page:
    """GET ``url`` and follow its redirects; ``opener`` connects, once or twice a hop."""
    cookies: Cookies = {}
    hops: list[Hop] = []
    deadline = trio.current_time() + TOTAL
    while True:
        page = await _hop(url, headers, cookies, opener, deadline)
        page.hops = hops
        where = location(page.status, page.headers)
        if page.failure is not None or where is None:
            return page
        if len(hops) == limits.REDIRECTS:
            page.failure = f.unknown("stopped after too many redirects")
            return page
        _keep_cookies(page, cookies)
        hops.append(Hop(url=url.text, status=page.status))
        try:
            url = follow(url, where)
        except BadRequest:
            hops.pop()
            page.failure = f.BAD_REDIRECT
            return page


async def _hop(url: Url, headers: Headers, cookies: Cookies, opener: Opener, deadline: float) -> Page:
    """One hop, at most two tries."""
    request = _request(url, headers, cookies.get(url.host, {}))
    page = Page(url=url, failure=f.TIMEOUT)
    for _ in range(2):
        opened = Opened(failure=f.TIMEOUT)
        with trio.CancelScope(deadline=deadline):
            opened = await opener(url)
        if opened.stream is None:  # the dialler has tried twice already
            return Page(url=url, failure=opened.failure, resolving=opened.resolving)
        try:
            page = await _exchange(url, request, opened.stream, deadline)
        finally:
            opened.stream.close()
        if page.failure is None or page.failure in f.TIMEOUTS:
            break
    return page


def _request(url: Url, headers: Headers, jar: dict[str, str]) -> Request:
    cookie = [("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items()))] if jar else []
    target = net_url.Url("https" if url.tls else "http", url.host, url.port, url.target)
    return Request(target, host=url.authority, headers=(*headers, *cookie))


async def _exchange(url: Url, request: Request, stream: Stream, deadline: float) -> Page:
    """Send the request and read the response; a failure of the network is the page's."""
    reply = Reply()
    failure: str | None = None
    with trio.CancelScope(deadline=deadline) as scope:
        try:
            await exchange(stream.stream, request, reply, protocol=None)
        except NETWORK as error:
            failure, _ = name_failure(error)
    if scope.cancelled_caught:
        failure = f.TIMEOUT if reply.status is None else None
        reply.truncated = True
    if failure is not None or reply.status is None:
        return Page(url=url, failure=failure)
    body, more = content.decode_body(reply.headers, bytes(reply.body), limits.HTTP_BODY)
    return Page(
        url=url,
        status=reply.status,
        headers=list(reply.headers),
        body=body,
        truncated=reply.truncated or more,
    )


def _keep_cookies(page: Page, cookies: Cookies) -> None:
    jar = cookies.setdefault(page.url.host, {})
    for name, value in page.headers:
        pair = value.partition(";")[0].strip()
        key, equals, content = pair.partition("=")
        if name.lower() != "set-cookie" or not equals or len(pair) > 4_096 or not pair.isprintable():
            continue
        if pair.isascii() and len(jar) < MAX_COOKIES:
            jar[key.strip()] = content.strip()

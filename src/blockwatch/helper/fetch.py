"""Getting the page: HTTP/1.1 over a connection that was dialled, and up to ten redirects.

Rules of this file:

* every hop is resolved and judged anew; the address judged is the address connected to;
* the body is read up to :data:`MAX_BODY` bytes, the head up to :data:`MAX_HEAD`; no content coding is asked
  for, and one that comes all the same is undone within the same bound: lengths are compared with a probe's;
* a request that failed is made once more on a new connection, unless it had run out of time;
* cookies live as long as one fetch, since some sites redirect to themselves until they see theirs.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import h11
import trio

from blockwatch import content
from blockwatch import failure as f
from blockwatch.helper.dial import Stream
from blockwatch.helper.protocol import BadRequest, Hop, Url, follow
from blockwatch.net.failures import NETWORK, EndOfStream, Garbage
from blockwatch.net.failures import name as name_failure

TOTAL = 15.0  # seconds, redirects included
MAX_BODY = 1_048_576  # bytes
MAX_HEAD = 65_536  # bytes
MAX_REDIRECTS = 10
MAX_INTERIM = 8  # 1xx responses before the one that counts
MAX_COOKIES = 30
_REDIRECTS = frozenset({301, 302, 303, 307, 308})


@dataclass(kw_only=True)
class Opened:
    """A connection for a URL, or why there is none."""

    stream: Stream | None = None
    failure: str | None = None
    resolving: bool = False  # the failure is a look-up's


Opener = Callable[[Url], Awaitable[Opened]]


@dataclass(kw_only=True)
class Page:
    """What came of a fetch. ``failure`` is OONI's exact string."""

    url: Url
    failure: str | None = None
    resolving: bool = False
    status: int = -1
    headers: list[tuple[str, str]] = field(default_factory=list)  # as received, Latin-1
    body: bytes = b""
    truncated: bool = False
    hops: list[Hop] = field(default_factory=list)


async def fetch(url: Url, headers: list[tuple[str, str]], opener: Opener) -> Page:
    """GET ``url`` and follow its redirects; ``opener`` connects, once or twice a hop."""
    page = Page(url=url, failure=f.TIMEOUT)
    cookies: dict[str, dict[str, str]] = {}
    with trio.move_on_after(TOTAL):
        for _ in range(MAX_REDIRECTS + 1):
            got = await _get(page.url, headers, cookies, opener)
            got.hops, page = page.hops, got
            location = _location(page)
            if page.failure is not None or location is None:
                return page
            _keep_cookies(page, cookies)
            try:
                ahead = follow(page.url, location)
            except BadRequest:
                page.failure = f.BAD_REDIRECT
                return page
            page.hops.append(Hop(url=page.url.text, status=page.status))
            page = Page(url=ahead, failure=f.TIMEOUT, hops=page.hops)
        page.failure = f.unknown("stopped after 10 redirects")
    return page


async def _get(
    url: Url, headers: list[tuple[str, str]], cookies: dict[str, dict[str, str]], opener: Opener
) -> Page:
    """One hop, at most two tries."""
    head = [("Host", url.authority), *headers]
    if jar := cookies.get(url.host):
        head.append(("Cookie", "; ".join(f"{name}={value}" for name, value in jar.items())))
    page = Page(url=url)
    for last in (False, True):
        opened = await opener(url)
        if opened.stream is None:
            page.failure, page.resolving = opened.failure, opened.resolving
            return page  # the dialler has tried twice already
        page = Page(url=url)
        try:
            await _exchange(opened.stream, page, head)
            return page
        except NETWORK as error:
            named = name_failure(error)
            if named is None:
                raise
            page = Page(url=url, failure=named[0])
        finally:
            opened.stream.close()
        if last or page.failure in f.TIMEOUTS:
            break
    return page


async def _exchange(stream: Stream, page: Page, head: list[tuple[str, str]]) -> None:
    """Send the request, read the response into ``page``; raises what the network did."""
    connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD)
    request = h11.Request(method="GET", target=page.url.target, headers=head)
    await stream.stream.send(connection.send(request) + connection.send(h11.EndOfMessage()))
    body = bytearray()
    ended, interim = False, 0
    while True:
        try:
            event = connection.next_event()
        except h11.RemoteProtocolError as error:
            if ended:
                raise EndOfStream from None
            raise Garbage(f.HTTP_GARBAGE, str(error)) from None
        if event is h11.NEED_DATA:
            data = await stream.stream.receive(65_536)
            ended = not data
            connection.receive_data(data)
        elif isinstance(event, h11.InformationalResponse):
            interim += 1
            if interim > MAX_INTERIM or event.status_code == 101:
                raise Garbage(f.HTTP_GARBAGE, "too many interim responses")
        elif isinstance(event, h11.Response):
            page.status = event.status_code
            page.headers = [(n.decode("latin-1"), v.decode("latin-1")) for n, v in event.headers.raw_items()]
        elif isinstance(event, h11.Data):
            body += event.data
            page.truncated = len(body) > MAX_BODY
        elif isinstance(event, h11.ConnectionClosed):
            raise EndOfStream
        if page.truncated or isinstance(event, h11.EndOfMessage):
            page.body, more = content.decode_body(page.headers, bytes(body[:MAX_BODY]), MAX_BODY)
            page.truncated = page.truncated or more
            return


def _location(page: Page) -> str | None:
    if page.status not in _REDIRECTS:
        return None
    value = next((value for name, value in page.headers if name.lower() == "location"), None)
    if value is None:
        return None
    try:
        return value.encode("latin-1").decode("utf-8")
    except UnicodeDecodeError:
        return value


def _keep_cookies(page: Page, cookies: dict[str, dict[str, str]]) -> None:
    jar = cookies.setdefault(page.url.host, {})
    for name, value in page.headers:
        pair = value.partition(";")[0].strip()
        key, equals, content = pair.partition("=")
        if name.lower() != "set-cookie" or not equals or len(pair) > 4_096 or not pair.isprintable():
            continue
        if pair.isascii() and len(jar) < MAX_COOKIES:
            jar[key.strip()] = content.strip()

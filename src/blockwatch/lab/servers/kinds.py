"""What well-behaved servers do: one function a kind, found by name in :data:`KINDS`.

A kind gets the request, the numbers of its row and a place to answer; it knows nothing of the
protocol beneath.
"""

from __future__ import annotations

import gzip as gz
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import trio

from blockwatch.lab.servers import pages
from blockwatch.lab.servers.out import Out, reply
from blockwatch.lab.servers.town import Request, Town
from blockwatch.lab.servers.zone import Zone


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Everything a kind may look at."""

    request: Request
    args: Mapping[str, Any]
    town: Town
    zone: Zone
    address: str  # where the request came in

    def page(self) -> bytes:
        """The ordinary page of the site asked."""
        return ordinary_page(self.request.host or str(self.request.site.host), self.args)


def ordinary_page(host: str, args: Mapping[str, Any]) -> bytes:
    """The page of ``host`` as the numbers of its row want it."""
    return pages.ordinary(
        host,
        size=args.get("bytes", 8192),
        lang=args.get("lang", "en"),
        charset=args.get("charset", "utf-8"),
        title=args.get("title"),
    )


Kind = Callable[[Asked, Out], Awaitable[None]]


async def page(asked: Asked, out: Out) -> None:
    """The site's page; ``bytes``, ``lang``, ``charset``, ``title``."""
    charset = asked.args.get("charset", "utf-8")
    await reply(out, 200, asked.page(), ("Content-Type", f"text/html; charset={charset}"))


async def status(asked: Asked, out: Out) -> None:
    """A status with a short page; ``code``, ``text``."""
    code = int(asked.args["code"])
    words = {
        403: "This content is not available in your country.",
        451: "Unavailable for legal reasons: this content cannot be shown in your country.",
    }
    text = asked.args.get("text") or words.get(code, "The server could not serve the page.")
    await reply(out, code, pages.small(f"{code} {HTTPStatus(code).phrase}", text))


async def redirect(asked: Asked, out: Out) -> None:
    """A redirect; ``to``, ``code``."""
    code = int(asked.args.get("code", 302))
    await reply(out, code, pages.small(HTTPStatus(code).phrase), ("Location", asked.args["to"]))


async def chain(asked: Asked, out: Out) -> None:
    """``n`` redirects, then the page."""
    step = int(asked.request.path.rpartition("/step/")[2] or 0) if "/step/" in asked.request.path else 0
    if step >= int(asked.args["n"]):
        await page(asked, out)
    else:
        await reply(out, 302, b"", ("Location", f"/step/{step + 1}"))


async def loop(asked: Asked, out: Out) -> None:
    """A redirect to the same URL."""
    await reply(out, 302, b"", ("Location", asked.request.target))


async def cookiewall(asked: Asked, out: Out) -> None:
    """A redirect to the same URL until the cookie comes back."""
    if "seen=1" in asked.request.headers.get("cookie", ""):
        await page(asked, out)
    else:
        await reply(out, 302, b"", ("Location", "/"), ("Set-Cookie", "seen=1; Path=/"))


async def hang(asked: Asked, out: Out) -> None:
    """No answer at all."""
    await trio.sleep_forever()


async def slow(asked: Asked, out: Out) -> None:
    """The page after ``seconds``."""
    await trio.sleep(float(asked.args["seconds"]))
    await page(asked, out)


async def slowbody(asked: Asked, out: Out) -> None:
    """A long page at ``rate`` kB/s; with ``stall`` the server stops for good after 16 KB."""
    body = pages.ordinary(asked.request.host, size=int(asked.args.get("bytes", 300_000)))
    rate = int(asked.args["rate"]) * 1024
    stop = 16 * 1024 if asked.args.get("stall") else len(body)
    await out.head(200, [("Content-Type", "text/html; charset=utf-8")], len(body))
    for start in range(0, stop, max(rate // 10, 1)):
        await out.data(body[start : min(start + rate // 10, stop)])
        await trio.sleep(0.1)
    if stop < len(body):
        await trio.sleep_forever()
    await out.end()


async def drip(asked: Asked, out: Out) -> None:
    """The page in many small pieces, length unknown."""
    body = asked.page()
    await out.head(200, [("Content-Type", "text/html; charset=utf-8")], None)
    for start in range(0, len(body), 600):
        await out.data(body[start : start + 600])
        await trio.sleep(0.05)
    await out.end()


async def large(asked: Asked, out: Out) -> None:
    """``bytes`` bytes as fast as they go; ``html``: a page, else a download."""
    total = int(asked.args["bytes"])
    kind = "text/html; charset=utf-8" if asked.args.get("html") else "application/octet-stream"
    block = pages.ordinary(asked.request.host, size=65_536)
    await out.head(200, [("Content-Type", kind)], total)
    sent = 0
    while sent < total:
        # Small TLS records first, as servers do that care for the time to the first byte: a client
        # whose line freezes after 16 KB has then read something.
        size = 4096 if sent < 65_536 else 65_536
        part = block[: min(size, total - sent)]
        await out.data(part)
        sent += len(part)
    await out.end()


async def gzip(asked: Asked, out: Out) -> None:
    """A page of ``size`` bytes, compressed where the client accepts it."""
    body = pages.ordinary(asked.request.host, size=int(asked.args.get("size", 8192)))
    if "gzip" in asked.request.headers.get("accept-encoding", ""):
        await reply(out, 200, gz.compress(body, 6), ("Content-Encoding", "gzip"), ("Vary", "Accept-Encoding"))
    else:
        await reply(out, 200, body)


async def dynamic(asked: Asked, out: Out) -> None:
    """A page that changes much with each request."""
    await reply(out, 200, pages.dynamic(asked.request.host, asked.town.chance))


async def challenge(asked: Asked, out: Out) -> None:
    """A content network's test for machines; ``code``."""
    await reply(
        out,
        int(asked.args.get("code", 503)),
        pages.challenge(),
        ("Content-Type", "text/html; charset=UTF-8"),
        ("CF-RAY", "8f2c1d7ab9d03e11-FRA"),
        ("cf-mitigated", "challenge"),
        ("Cache-Control", "private, max-age=0, no-store"),
    )


async def parked(asked: Asked, out: Out) -> None:
    """The page of a seller of names."""
    await reply(out, 200, pages.parked(asked.request.host))


async def blockpage(asked: Asked, out: Out) -> None:
    """A block page, whatever is asked; ``lang``."""
    await reply(out, 200, pages.block_page(asked.args.get("lang", "en")))


async def empty(asked: Asked, out: Out) -> None:
    """200 and no body."""
    await reply(out, 200, b"")


async def reset(asked: Asked, out: Out) -> None:
    """A reset instead of an answer."""
    await out.abort()


async def flaky(asked: Asked, out: Out) -> None:
    """A reset for a ``share`` of the requests, else the page."""
    if asked.town.chance.random() < float(asked.args.get("share", 0.5)):
        await out.abort()
    else:
        await page(asked, out)


async def h2broken(asked: Asked, out: Out) -> None:
    """HTTP/2: a reset instead of an answer; HTTP/1.1: the page."""
    await (page(asked, out) if hasattr(out, "raw") else out.abort())


async def doh(asked: Asked, out: Out) -> None:
    """DNS over HTTPS (RFC 8484) at /dns-query, GET and POST."""
    request = asked.request
    query = asked.zone.doh_query(request.method, request.target, request.body)
    if request.path != "/dns-query" or query is None:
        await reply(out, 404 if request.path != "/dns-query" else 400, pages.small("DNS over HTTPS"))
        return
    answer = asked.zone.answer(query, resolver=asked.address, helper=request.helper)
    if answer is None:
        await reply(out, 400, b"")
    else:
        await reply(out, 200, answer, ("Content-Type", "application/dns-message"))


KINDS: dict[str, Kind] = {
    kind.__name__: kind
    for kind in (
        page, status, redirect, chain, loop, cookiewall, hang, slow, slowbody, drip, large, gzip, dynamic,
        challenge, parked, blockpage, empty, reset, flaky, h2broken, doh,
    )
}  # fmt: skip

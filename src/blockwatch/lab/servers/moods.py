"""Servers of changing moods: it matters how often, where and in which protocol they are asked."""

from __future__ import annotations

import trio

from blockwatch.lab.servers import pages
from blockwatch.lab.servers.http2 import Http2Out
from blockwatch.lab.servers.kinds import Asked, Kind, page
from blockwatch.lab.servers.out import Out, reply

_HTML = [("Content-Type", "text/html; charset=utf-8")]


def _count(asked: Asked) -> int:
    """Which request of this client (the control, or everybody else) this is at this address, from 1."""
    key = (asked.address, "helper" if asked.request.helper else "probe")
    asked.town.asked[key] += 1
    return asked.town.asked[key]


async def notice(asked: Asked, out: Out) -> None:
    """A short page of its own; ``title``, ``text``, ``code``."""
    args = asked.args
    await reply(out, int(args.get("code", 200)), pages.small(str(args["title"]), str(args["text"])))


async def bynode(asked: Asked, out: Out) -> None:
    """A page of its own at each address, in Russian at every second one; ``bytes``."""
    lang = "ru" if sum(map(ord, asked.address)) % 2 else "en"
    name = f"{asked.address}.{asked.request.host}"
    await reply(out, 200, pages.ordinary(name, size=int(asked.args.get("bytes", 8192)), lang=lang))


async def endsopen(asked: Asked, out: Out) -> None:
    """The page, whose end comes ``seconds`` after its last byte."""
    await out.head(200, _HTML, None)
    await out.data(asked.page())
    await trio.sleep(float(asked.args.get("seconds", 25)))
    await out.end()


async def cutbody(asked: Asked, out: Out) -> None:
    """Half of the page, then a reset."""
    body = asked.page()
    await out.head(200, _HTML, len(body))
    await out.data(body[: len(body) // 2])
    await trio.sleep(0.05)  # or the reset would overtake it
    await out.abort()


async def goaway(asked: Asked, out: Out) -> None:
    """HTTP/2: GOAWAY instead of an answer; HTTP/1.1: the page."""
    await (out.leave() if isinstance(out, Http2Out) else page(asked, out))


async def ratelimit(asked: Asked, out: Out) -> None:
    """The page for the first ``n`` requests of a client, then 429."""
    if _count(asked) <= int(asked.args["n"]):
        await page(asked, out)
    else:
        await reply(out, 429, pages.small("Too many requests", "Slow down."))


async def early(asked: Asked, out: Out) -> None:
    """A reset for the first ``n`` requests of a client, then the page: a server that wakes up."""
    await (out.abort() if _count(asked) <= int(asked.args["n"]) else page(asked, out))


async def dying(asked: Asked, out: Out) -> None:
    """The page for the first ``n`` requests of all, then resets for everybody."""
    _count(asked)
    total = sum(number for (address, _), number in asked.town.asked.items() if address == asked.address)
    await (page(asked, out) if total <= int(asked.args["n"]) else out.abort())


MOODS: dict[str, Kind] = {
    kind.__name__: kind for kind in (notice, bynode, endsopen, cutbody, goaway, ratelimit, early, dying)
}

"""Test helpers that err, lie, are late or die: what a probe must not believe.

Rules: they listen as sites with names of their own, speak OONI's protocol (a POST of JSON, an answer of
JSON) and are known to nobody as liars; ``relay`` asks the lab's true helper and passes its answer on.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from typing import Any

import trio

from blockwatch.lab.servers import pages
from blockwatch.lab.servers.kinds import Asked, Kind
from blockwatch.lab.servers.out import Out, reply
from blockwatch.lab.world import HELPER, HELPER_HOST

_JSON = ("Content-Type", "application/json")
_NO_ANSWER = "generic_timeout_error"
HELPER_PORT = 80  # the true one speaks cleartext there, too


def _answer(
    endpoints: list[str], failure: str | None, *, nowhere: bool = False, length: int = -1, title: str = ""
) -> dict[str, Any]:
    """One answer about every endpoint: reached, or not, and a page of ``length`` bytes."""
    reached = {"status": failure is None, "failure": failure}
    secure = [where for where in endpoints if where.endswith(":443")]
    literal = dict.fromkeys(where.rpartition(":")[0].strip("[]") for where in endpoints)
    addresses = [one for one in literal if ipaddress.ip_address(one).is_global]
    return {
        "dns": {
            "failure": "dns_nxdomain_error" if nowhere else None,
            "addrs": [] if nowhere else addresses,
        },
        "tcp_connect": dict.fromkeys(endpoints, reached),
        "tls_handshake": {where: reached | {"server_name": ""} for where in secure if failure is None},
        "quic_handshake": {},
        "http_request": {
            "failure": failure,
            "status_code": -1 if failure else 200,
            "body_length": length,
            "title": title,
            "headers": {} if failure else {"Content-Type": "text/html"},
        },
        "http3_request": None,
        "ip_info": {},
    }


_SAYS: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "down": lambda at: _answer(at, _NO_ANSWER),
    "nowhere": lambda at: _answer(at, "dns_nxdomain_error", nowhere=True),
    "empty": lambda at: _answer(at, None, length=0),
    "other": lambda at: _answer(at, None, length=615, title="Welcome to nginx!"),
}


async def liar(asked: Asked, out: Out) -> None:
    """The same of every site, or of the ``names`` alone: ``says`` down | nowhere | empty | other."""
    question = _question(asked)
    names = asked.args.get("names")
    url = str(question.get("http_request", ""))
    if question and names is not None and not any(f"//{name}/" in url for name in names):
        await relay(asked, out)
        return
    endpoints = [str(where) for where in question.get("tcp_connect", [])]
    said = json.dumps(_SAYS[str(asked.args["says"])](endpoints)).encode()
    await reply(out, 200, said if question else pages.small("helper"), _JSON)


async def relay(asked: Asked, out: Out) -> None:
    """The truth, ``seconds`` late, and ``n`` times at most: then it is reset, for good."""
    asked.town.asked[asked.address, "relay"] += 1
    if asked.town.asked[asked.address, "relay"] > int(asked.args.get("n", 1_000_000)):
        await out.abort()
        return
    await trio.sleep(float(asked.args.get("seconds", 0)))
    body = asked.request.body
    head = (
        f"POST / HTTP/1.1\r\nHost: {HELPER_HOST}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    )
    heard = bytearray()
    async with await trio.open_tcp_stream(HELPER, HELPER_PORT) as stream:
        await stream.send_all(head.encode() + body)
        async for part in stream:
            heard += part
    said, _, answer = bytes(heard).partition(b"\r\n\r\n")
    await reply(out, int(said.split(b" ", 2)[1]), answer, _JSON)


def _question(asked: Asked) -> dict[str, Any]:
    """The JSON of a request; empty where it is none."""
    try:
        question = json.loads(asked.request.body)
    except ValueError:
        return {}
    return question if isinstance(question, dict) else {}


LIARS: dict[str, Kind] = {"liar": liar, "relay": relay}

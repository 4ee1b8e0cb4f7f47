"""An open-loop load on a helper: requests leave at fixed moments, whatever became of the earlier ones.

Usage: load.py PLAN_JSON RESULT_JSON. It runs inside the lab. Rules: a request's latency counts from the
moment it was planned for, so that a stall shows in every request that it delayed (no coordinated
omission); each answer is compared with what is known of the site; clients are many addresses of
loopback, below the helper's rate each.
"""

from __future__ import annotations

import gc
import json
import ssl
import sys
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import trio
from trio import socket

PATIENCE = 40.0  # seconds, then a request is lost


@dataclass
class Load:
    """The plan, and what came of it so far."""

    plan: dict[str, Any]
    tls: ssl.SSLContext | None
    latencies: list[float] = field(default_factory=list)  # seconds since the planned moment
    dead: list[float] = field(default_factory=list)  # the same, of sites that answer nothing
    lags: list[float] = field(default_factory=list)  # seconds by which we ourselves sent late
    errors: Counter[str] = field(default_factory=Counter)
    idle: dict[str, list[trio.abc.Stream]] = field(default_factory=dict)
    flying: int = 0
    most: int = 0

    async def run(self) -> None:
        """Send every request at its moment, and wait for the last answer."""
        rate, count = self.plan["rate"], self.plan["rate"] * self.plan["seconds"]
        begin = trio.current_time() + 0.5
        async with trio.open_nursery() as nursery:
            for number in range(count):
                planned = begin + number / rate
                await trio.sleep_until(planned)
                nursery.start_soon(self._one, number, planned)

    async def _one(self, number: int, planned: float) -> None:
        self.lags.append(trio.current_time() - planned)
        site = self.plan["sites"][number % len(self.plan["sites"])]
        client = self.plan["clients"][number % len(self.plan["clients"])]
        self.flying += 1
        self.most = max(self.most, self.flying)
        try:
            with trio.fail_after(PATIENCE):
                problem = await self._ask(client, site)
        except trio.TooSlowError:
            problem = "no answer in time"
        except (OSError, trio.BrokenResourceError, EOFError, ValueError) as error:
            problem = f"connection: {type(error).__name__}"
        self.flying -= 1
        (self.dead if site["dead"] else self.latencies).append(trio.current_time() - planned)
        if problem is not None:
            self.errors[problem] += 1

    async def _ask(self, client: str, site: dict[str, Any]) -> str | None:
        stream = await self._stream(client)
        try:
            await stream.send_all(site["request"])
            status, body = await _response(stream)
        except BaseException:
            await trio.aclose_forcefully(stream)
            raise
        if self.plan["fresh"]:
            await trio.aclose_forcefully(stream)
        else:
            self.idle.setdefault(client, []).append(stream)
        return f"status {status}" if status != 200 else wrong(json.loads(body), site)

    async def _stream(self, client: str) -> trio.abc.Stream:
        if kept := self.idle.get(client):
            return kept.pop()
        sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        await sock.bind((client, 0))
        await sock.connect(("127.0.0.1", self.plan["port"]))
        stream: trio.abc.Stream = trio.SocketStream(sock)
        if self.tls is not None:
            stream = trio.SSLStream(stream, self.tls, https_compatible=True)
        return stream


def wrong(answer: dict[str, Any], site: dict[str, Any]) -> str | None:
    """What is not true in an answer about a clean site, or one that answers nothing."""
    page, where = answer["http_request"], f"{site['address']}:443"
    if site["dead"]:
        failed = {answer["tcp_connect"].get(where, {}).get("failure"), page["failure"]}
        return None if failed == {"generic_timeout_error"} else f"wrong answer: {failed}"
    checks = {
        "dns": answer["dns"] == {"failure": None, "addrs": [site["address"]]},
        "tcp": answer["tcp_connect"].get(where) == {"status": True, "failure": None},
        "tls": answer["tls_handshake"].get(where, {}).get("status") is True,
        "status": (page["failure"], page["status_code"]) == (None, 200),
        "title": page["title"] == site["title"],
        "sha256": answer["x_blockwatch"].get("body_sha256") == site["sha256"],
    }
    failed = [name for name, good in checks.items() if not good]
    exact = answer["x_blockwatch"].get("http_failure")
    return f"wrong answer: {' '.join(failed)}; {exact}" if failed else None


async def _response(stream: trio.abc.Stream) -> tuple[int, bytes]:
    raw = b""
    while (end := raw.find(b"\r\n\r\n")) < 0:
        raw += await _more(stream)
    head = raw[:end].decode("latin-1").split("\r\n")
    fields = dict(line.lower().split(": ", 1) for line in head[1:])
    while len(raw) < end + 4 + int(fields["content-length"]):
        raw += await _more(stream)
    return int(head[0].split()[1]), raw[end + 4 :]


async def _more(stream: trio.abc.Stream) -> bytes:
    data = bytes(await stream.receive_some(65_536))
    if not data:
        raise EOFError
    return data


def prepare(site: dict[str, Any]) -> dict[str, Any]:
    """The bytes of a question as a probe puts it, addresses and all."""
    question = {
        "http_request": f"https://{site['host']}/",
        "http_request_headers": {"User-Agent": ["Mozilla/5.0"], "Accept": ["text/html,*/*;q=0.8"]},
        "tcp_connect": [f"{site['address']}:443"],
        "x_quic_enabled": False,
    }
    body = json.dumps(question).encode()
    head = f"POST / HTTP/1.1\r\nHost: helper\r\nContent-Length: {len(body)}\r\n\r\n".encode()
    return site | {"request": head + body}


def main() -> None:
    """Carry out the plan of a file."""
    plan = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    plan["sites"] = [prepare(site) for site in plan["sites"]]
    tls = None
    if plan["tls"]:
        tls = ssl.create_default_context(cafile=plan["tls"])
        tls.check_hostname = False
    load = Load(plan, tls)
    gc.freeze()
    trio.run(load.run)
    result = {
        "latencies": load.latencies,
        "dead": load.dead,
        "lags": load.lags,
        "errors": load.errors,
        "most": load.most,
    }
    Path(sys.argv[2]).write_text(json.dumps(result), encoding="utf-8")


if __name__ == "__main__":
    main()

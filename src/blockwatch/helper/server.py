"""The HTTP side of the helper: plain or TLS sockets, HTTP/1.1 with keep-alive, and its limits.

Rules of this file:

* a client can cost us a bounded amount: connections, requests at a time, waiting requests, bytes
  and seconds all have a limit, and beyond it the answer is 429 or 503, never a guess;
* nothing about a client is written down, and its address is told to itself alone; a fault of ours is
  reported as its kind and place alone;
* a fault of ours answers 500, time-outs that may be ours 503, which no probe takes for a finding.
"""

from __future__ import annotations

import ipaddress
import json
import ssl
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import h11
import trio

from blockwatch import asn
from blockwatch.errors import ConfigError
from blockwatch.helper import own
from blockwatch.helper.clients import RateLimit, Turns, key_of
from blockwatch.helper.control import Tools, control, encode, ran_out
from blockwatch.helper.destinations import Destinations, parse
from blockwatch.helper.dial import Dialer, SourceNetwork, verifying_context
from blockwatch.helper.listening import MAX_HEAD, READ, Answer, drain, read, write
from blockwatch.helper.names import Resolver
from blockwatch.helper.protocol import BadRequest, read_endpoint, read_request
from blockwatch.helper.pulse import Pulse

CONNECTIONS = 1_000  # open at a time
CLIENT_CONNECTIONS = 100  # of these, of one client
WRITE = 20.0  # seconds for one answer to leave
WAIT = 10.0  # seconds a request may wait for its turn
QUEUE = 8  # waiting requests for each one that may run
HELLO = "Hello, this is a test helper. POST a request to it."


@dataclass
class Helper:
    """What all connections share."""

    tools: Tools
    rate: RateLimit
    turns: Turns
    tls: ssl.SSLContext | None
    pulse: Pulse
    connections: Counter[str] = field(default_factory=Counter)

    async def connected(self, sock: trio.SocketStream) -> None:
        """Serve one connection until it ends."""
        try:
            client = str(sock.socket.getpeername()[0])
        except OSError:
            client = ""  # gone already
        open_now, key = self.connections, key_of(client) if client else ""
        if not client or open_now.total() >= CONNECTIONS or open_now[key] >= CLIENT_CONNECTIONS:
            await trio.aclose_forcefully(sock)
            return
        open_now[key] += 1
        try:
            stream: trio.abc.Stream = sock
            if self.tls is not None:
                secure = trio.SSLStream(sock, self.tls, server_side=True, https_compatible=True)
                with trio.fail_after(READ):
                    await secure.do_handshake()
                stream = secure
            await self._converse(stream, client)
        except (OSError, trio.BrokenResourceError, trio.ClosedResourceError, trio.TooSlowError):
            return  # the client went away, or was too slow
        except Exception as error:  # one client's request must not end the service for all
            _report(error)
        finally:
            open_now[key] -= 1
            if not open_now[key]:
                del open_now[key]
            await trio.aclose_forcefully(sock)

    async def _converse(self, stream: trio.abc.Stream, client: str) -> None:
        connection = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
        while True:
            try:
                request, body = await read(stream, connection)
            except h11.RemoteProtocolError:
                with trio.fail_after(WRITE):
                    await write(stream, connection, (400, _message("bad request")), close=True)
                return
            if request is None:
                return
            status, said = (
                (413, _message("too long")) if body is None else await self._answer(request, body, client)
            )
            if request.method == b"HEAD":  # no body may follow
                said = b""
            with trio.fail_after(WRITE):
                await write(stream, connection, (status, said), close=body is None)
            if body is None:
                await drain(stream)
            if connection.our_state is not h11.DONE or connection.their_state is not h11.DONE:
                return
            connection.start_next_cycle()

    async def _answer(self, request: h11.Request, body: bytes, client: str) -> Answer:
        if not self.rate.allows(client):
            return 429, _message("too many requests")
        path = request.target.partition(b"?")[0]
        if request.method == b"GET":
            return 200, _whoami(client) if path == b"/whoami" else _message(HELLO)
        if request.method != b"POST":
            return 400, _message("only GET and POST")
        try:
            asked, url = read_request(body)
        except BadRequest as error:
            return 400, _message(str(error))
        if self.turns.crowded(client, QUEUE):
            return 503, _message("busy")
        with trio.move_on_after(WAIT) as waiting:
            async with self.turns.one(client):
                waiting.deadline = float("inf")
                begun = trio.current_time()
                try:
                    said = await control(asked, url, self.tools)
                    if not (ran_out(said) and self.pulse.stalled_since(begun)):
                        return 200, encode(said)
                except Exception as error:
                    _report(error)
                    return 500, _message("a fault of the helper's")
        return 503, _message("busy")


async def serve(
    *,
    listen: list[tuple[str, int]],
    tls: ssl.SSLContext | None = None,
    resolver: str | None = None,
    ca_file: Path | None = None,
    source_address: str | None = None,
    rate: float = 50.0,
    burst: float | None = None,
    parallel: int = 200,
    destinations: Destinations | None = None,
    names: Sequence[str] = (),
    ready: Callable[[list[tuple[str, int]]], None] = lambda bound: None,
) -> None:
    """Serve until cancelled.

    ``listen``: literal addresses and ports (0: any). ``tls``: serve TLS on all of them. ``resolver``: the
    recursive name server, ``ADDRESS``, ``ADDRESS:PORT`` or either with ``udp://``; without it the first
    of ``/etc/resolv.conf``. ``ca_file``: PEM roots trusted besides Mozilla's. ``source_address``: measure
    from this address. ``rate``: requests a second and client (0: no limit), ``burst``: at once, four
    times the rate if not given. ``parallel``: requests carried out at a time. ``names``: the helper's own,
    whose addresses are refused as its other ones are. ``ready`` is called with what was bound. Raises
    :class:`ConfigError`.
    """
    network = SourceNetwork(source_address)
    address, port = _nameserver(resolver, network)
    given = {host for host, _ in listen} | ({source_address} if source_address is not None else set())
    policy = destinations or Destinations(own=own.of_interfaces() | given)
    names_server = Resolver(network, address, port)
    helper = Helper(
        tools=Tools(
            resolver=names_server,
            dialer=Dialer(network, verifying_context(ca_file), policy),
            destinations=policy,
            ipv6=network.source(6) is not None,
        ),
        rate=RateLimit(rate, burst if burst is not None else max(1.0, 4 * rate), trio.current_time),
        turns=Turns(parallel),
        tls=tls,
        pulse=Pulse(),
    )
    looking = own.Names(names, names_server, policy)
    await looking.look()
    listeners = await _listen(listen)
    bound = [(str(one.socket.getsockname()[0]), int(one.socket.getsockname()[1])) for one in listeners]
    ready(bound)
    async with trio.open_nursery() as nursery:
        nursery.start_soon(helper.pulse.run)
        nursery.start_soon(looking.hourly)
        await trio.serve_listeners(helper.connected, listeners)


async def _listen(where: list[tuple[str, int]]) -> list[trio.SocketListener]:
    listeners: list[trio.SocketListener] = []
    for host, number in where:
        try:
            listeners += await trio.open_tcp_listeners(number, host=host)
        except OSError as error:
            for opened in listeners:
                opened.socket.close()
            raise ConfigError(
                f"cannot listen: {error.strerror or error}",
                where=f"{host}:{number}",
                remedy="choose another address or port with --listen",
            ) from None
    return listeners


def _nameserver(given: str | None, network: SourceNetwork) -> tuple[str, int]:
    text = given if given is not None else network.nameserver()
    if text is None:
        raise ConfigError("no name server is configured", remedy="name one with --resolver ADDRESS")
    bare = text.removeprefix("udp://")
    if parse(bare) is not None:
        return bare, 53
    read = read_endpoint(bare)
    if read is None or not 0 < read[1] < 65_536:
        raise ConfigError(
            "not the address of a name server", where=text, remedy="write udp://ADDRESS or udp://ADDRESS:PORT"
        )
    return read


def _message(words: str) -> bytes:
    return json.dumps({"message": words}).encode()


def _whoami(client: str) -> bytes:
    """The caller's address and network, told to the caller alone."""
    address = ipaddress.ip_address(client.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    found = asn.lookup(str(mapped or address))
    return json.dumps(
        {
            "address": str(mapped or address),
            "asn": found.asn if found else None,
            "country": found.country if found else None,
            "network": found.name if found else None,
            "table": asn.table_id(),
        }
    ).encode()


def _report(error: Exception) -> None:
    """Say on standard error what kind of fault it was and where, without any value."""
    while isinstance(error, ExceptionGroup):
        error = error.exceptions[0]
    places = traceback.extract_tb(error.__traceback__)
    where = f"{Path(places[-1].filename).name}:{places[-1].lineno}" if places else "?"
    print(f"blockwatch helper: {type(error).__name__} at {where}", file=sys.stderr)

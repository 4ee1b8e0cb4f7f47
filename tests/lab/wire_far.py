"""Plain servers for the tests of the wire and its censor, and a plain client to run inside the lab.

The servers keep a diary of how each connection ended for them, by the client's port; it is read on
``DIARY_PORT``. ``GET /N`` over HTTP or TLS brings N bytes and the end.
"""

from __future__ import annotations

import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dns.message
import dns.rrset
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from blockwatch.errors import LabError
from blockwatch.lab import namespace
from blockwatch.lab.world import ISP_RESOLVER, World

DIARY_PORT = 7
TRUE_ADDRESS = "93.184.216.34"
RESOLVERS = ("8.8.8.8", ISP_RESOLVER)
_CLIENT = Path(__file__).with_name("wire_client.py")
_diary: dict[int, str] = {}


def start(world: World) -> namespace.Handle:
    """A lab with these servers; skips where the kernel gives none, but never in CI."""
    try:
        return namespace.start(world, serve)
    except LabError as error:
        if os.environ.get("CI") == "true" or not error.remedy:
            raise  # without a remedy it is no hindrance of this machine
        pytest.skip(f"no lab here: {error}")


def ask(lab: namespace.Handle, *calls: dict[str, object]) -> list[dict[str, object]]:
    """What the client sees of each call (see ``wire_client.py``); they are made at the same time."""
    lab.check()
    done = subprocess.run(
        lab.enter([sys.executable, str(_CLIENT), json.dumps(calls)]),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    answers: list[dict[str, object]] = json.loads(done.stdout)
    return answers


def said_by(work: Callable[[], object]) -> str:
    """What ``work`` returns, or the LabError it ends with, in a process of its own."""
    start(World(name="trial", sites=())).close()  # skips where there is no lab
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        said = ""
        try:
            said = str(work())
        except LabError as error:
            said = str(error)
        except BaseException:
            said = traceback.format_exc()
        finally:
            os.write(writing, said.encode())
            os._exit(0)
    os.close(writing)
    os.waitpid(pid, 0)
    with os.fdopen(reading) as file:
        return file.read()


def serve(world: World, ready: Callable[[], None]) -> None:
    context = _context()
    listen = [
        _listen(80, _http),
        _listen(8080, _http),
        _listen(8880, lambda link: _page(link, b"portal")),
        _listen(443, lambda link: _tls(link, context, b"")),
        _listen(10443, lambda link: _tls(link, context, b"intercepted")),
        _listen(DIARY_PORT, lambda link: link.sendall(json.dumps(_diary).encode())),
    ]
    datagrams = [*((address, 53, _dns) for address in RESOLVERS), (TRUE_ADDRESS, 7, lambda asked: asked)]
    threads = [threading.Thread(target=work, daemon=True) for work in listen]
    threads += [threading.Thread(target=_datagrams, args=each, daemon=True) for each in datagrams]
    for thread in threads:
        thread.start()
    while sum(_bound) < len(threads):
        threading.Event().wait(0.005)
    ready()
    threads[0].join()


_bound: list[int] = []


def _listen(port: int, work: Callable[[socket.socket], None]) -> Callable[[], None]:
    def loop() -> None:
        listener = socket.create_server(
            ("::", port), family=socket.AF_INET6, dualstack_ipv6=True, backlog=512
        )
        _bound.append(1)
        while True:
            link, peer = listener.accept()
            threading.Thread(target=_keep_diary, args=(link, peer[1], work), daemon=True).start()

    return loop


def _keep_diary(link: socket.socket, peer: int, work: Callable[[socket.socket], None]) -> None:
    link.settimeout(20)
    try:
        with link:
            work(link)
        _diary[peer] = "done"
    except ConnectionResetError:
        _diary[peer] = "reset"
    except OSError as error:
        _diary[peer] = type(error).__name__


def _http(link: socket.socket) -> None:
    _page(link, b"")


def _page(link: socket.socket, start: bytes) -> None:
    """Answer requests until the client closes."""
    while head := _head(link.recv):
        count = int(head.split()[1][1:] or 5)
        body = (start + b"x" * count)[: max(count, len(start))]
        link.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))


def _tls(link: socket.socket, context: ssl.SSLContext, start: bytes) -> None:
    with context.wrap_socket(link, server_side=True) as tls:
        if head := _head(tls.recv):
            tls.sendall(start + b"x" * int(head.split()[1][1:] or 5))


def _head(read: Callable[[int], bytes]) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        more = read(65536)
        if not more:
            return b""
        head += more
    return head


def _datagrams(address: str, port: int, answer: Callable[[bytes], bytes]) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as server:
        server.bind((address, port))
        _bound.append(1)
        while True:
            asked, peer = server.recvfrom(65536)
            server.sendto(answer(asked), peer)


def _dns(asked: bytes) -> bytes:
    query = dns.message.from_wire(asked)
    response = dns.message.make_response(query)
    if query.question[0].rdtype == 1:
        response.answer.append(dns.rrset.from_text(query.question[0].name, 60, "IN", "A", TRUE_ADDRESS))
    return response.to_wire()


def _context() -> ssl.SSLContext:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "wire test")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .sign(key, hashes.SHA256())
    )
    pem = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with tempfile.NamedTemporaryFile() as file:
        file.write(pem + certificate.public_bytes(serialization.Encoding.PEM))
        file.flush()
        context.load_cert_chain(file.name)
    return context


def by_name(
    answers: Sequence[dict[str, object]], calls: Sequence[dict[str, object]]
) -> dict[object, dict[str, object]]:
    """The answers by the name that was asked for."""
    return {call["name"]: answer for call, answer in zip(calls, answers, strict=True)}

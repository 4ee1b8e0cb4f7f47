"""What somebody on the way reads of a question to an authority or a calendar: not which program asks."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import trio

from blockwatch.exchange.ask import ExchangeError, ask_authority, ask_calendar, ask_progress

QUERY = b"0\x03\x02\x01\x01"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


@contextmanager
def listening(heard: list[bytes]) -> Iterator[str]:
    """A server that keeps what comes, byte for byte."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _ = server.accept()
            with connection:
                connection.settimeout(10)
                raw = connection.recv(65_536)
                while b"\r\n\r\n" not in raw or (raw.startswith(b"POST") and raw.endswith(b"\r\n\r\n")):
                    raw += connection.recv(65_536)
                heard.append(raw)
                connection.sendall(ANSWER)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{server.getsockname()[1]}"
        thread.join()


@pytest.mark.parametrize("whom", ["authority", "calendar", "progress"])
def test_a_question_names_no_program(whom: str) -> None:
    heard: list[bytes] = []

    async def question(url: str) -> bytes:
        if whom == "authority":
            return await ask_authority(f"{url}/tsr", QUERY, 10.0)
        return await (ask_calendar if whom == "calendar" else ask_progress)(url, b"\x01" * 32, 10.0)

    with listening(heard) as url:
        assert trio.run(question, url) == b"ok"
    (raw,) = heard
    assert b"blockwatch" not in raw.lower()
    assert b"python" not in raw.lower()
    assert b"httpx" not in raw.lower()


def test_a_question_to_an_authority_is_the_one_that_everybody_sends() -> None:
    """As ``curl -H "Content-Type: application/timestamp-query" --data-binary @query URL`` writes it."""
    heard: list[bytes] = []
    with listening(heard) as url:
        trio.run(ask_authority, f"{url}/tsr", QUERY, 10.0)
    host = url.removeprefix("http://").encode()
    assert heard == [
        b"POST /tsr HTTP/1.1\r\nHost: " + host + b"\r\nUser-Agent: curl/8.5.0\r\nAccept: */*\r\n"
        b"Content-Type: application/timestamp-query\r\nContent-Length: 5\r\n\r\n" + QUERY
    ]


def test_what_fails_is_said_in_words() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        url = f"http://127.0.0.1:{taken.getsockname()[1]}/"
    with pytest.raises(ExchangeError, match="could not be asked"):
        trio.run(ask_authority, url, QUERY, 10.0)

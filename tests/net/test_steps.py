"""Each way a step can end has its own name, and what came is kept."""

import gzip
import ssl

import pytest
import trio

from blockwatch.net import limits

from .far import SITE, h2_page, page, plain_page, reset

URL = "http://a.example/"
SECURE = "https://a.example/"


async def test_a_page_over_http_1(tools):
    body = b"<title> Hi \n there</title>" + b"x" * 70_000
    response = page(body)
    await tools.far.serve(SITE, 80, plain_page(response))
    tcp, http = await tools.visit(URL)
    assert (tcp.failure, http.failure, http.status, http.version) == (None, None, 200, "HTTP/1.1")
    assert (http.title, http.body_length, http.truncated) == ("Hi there", len(body), False)
    assert http.received == len(response)
    assert http.progress[-1][1] == len(response)
    exchange = tools.record.exchanges()[1]
    assert exchange.response == response
    assert exchange.request.startswith(b"GET / HTTP/1.1\r\nHost: a.example\r\n")
    assert http.sent == len(exchange.request)
    assert tcp.flow == http.flow == 0


@pytest.mark.parametrize("alpn", ["h2", "http/1.1"])
async def test_a_page_over_tls(tools, authority, alpn):
    body = gzip.compress(b"<title>Hello</title>" + b"y" * 100_000)
    head = [("content-type", "text/html"), ("content-encoding", "gzip")]
    if alpn == "h2":
        handler = authority.secure(h2_page(200, head, body), "a.example", alpn=("h2",))
    else:
        handler = authority.https_page(page(body, headers="Content-Encoding: gzip\r\n"), "a.example")
    await tools.far.serve(SITE, 443, handler)
    _, tls, http = await tools.visit(SECURE)
    assert (tls.failure, tls.trust, tls.alpn, tls.version) == (None, None, alpn, "TLSv1.3")
    assert len(tls.chain) >= 1
    assert tls.sent > 200
    assert tls.received > 500
    assert tls.first_byte_us > 0
    assert (http.failure, http.status, http.title, http.body_length) == (None, 200, "Hello", 100_020)
    exchange = tools.record.exchanges()[2]
    assert exchange.protocol == alpn
    assert exchange.response.endswith(body)
    assert exchange.response.startswith(b"HTTP/1.1 200 OK\r\n")


async def test_a_large_body_over_http_2_is_cut(tools, authority):
    handler = authority.secure(h2_page(200, [], b"z" * 900_000), "a.example", alpn=("h2",))
    await tools.far.serve(SITE, 443, handler)
    http = (await tools.visit(SECURE))[2]
    assert (http.failure, http.body_length, http.truncated) == (None, limits.HTTP_BODY, True)


@pytest.mark.parametrize("head", [True, False])
async def test_frames_without_end_over_http_2_are_cut(tools, authority, head):
    """They cost more to read than to send, and add nothing to the body."""
    from h2.config import H2Configuration
    from h2.connection import H2Connection

    ping = b"\0\0\x08\6\0\0\0\0\0" + bytes(8)

    async def endless(stream):
        connection = H2Connection(H2Configuration(client_side=False))
        connection.initiate_connection()
        connection.receive_data(await stream.receive_some(65_536))
        if head:
            connection.send_headers(1, [(":status", "200")])
        await stream.send_all(connection.data_to_send())
        while True:
            await stream.send_all(ping * 1_000)

    await tools.far.serve(SITE, 443, authority.secure(endless, "a.example", alpn=("h2",)))
    http = (await tools.visit(SECURE))[2]
    assert (http.failure, http.truncated) == ((None, True) if head else ("http_request_failed", False))
    assert http.us < 15_000_000


async def test_refused_leaves_skipped_rows(tools):
    tcp, tls, http = await tools.visit(SECURE)
    assert (tcp.failure, tcp.error, tcp.skipped) == ("connection_refused", "ECONNREFUSED", False)
    for step in (tls, http):
        assert (step.skipped, step.failure, step.us) == (True, None, 0)


async def test_a_black_hole_times_out(tools, autojump_clock):
    tools.far.black_hole(SITE, 443)
    tcp = (await tools.visit(SECURE))[0]
    assert (tcp.failure, tcp.us) == ("generic_timeout_error", 10_000_000)


async def test_loopback_is_never_dialled(tools):
    for address in ("127.0.0.1", "0.0.0.0", "::1", "::ffff:127.0.0.1", "224.0.0.1"):
        await tools.visit(URL, address)
    assert all(step.skipped for step in tools.record.snapshot())
    assert tools.far.dialled == []


async def silence(stream):
    await trio.sleep_forever()


async def fin(stream):
    await stream.receive_some(4_096)


async def rst(stream):
    await stream.receive_some(4_096)
    await reset(stream)


@pytest.mark.parametrize(
    ("handler", "failure", "error"),
    [
        (fin, "eof_error", "FIN"),
        (rst, "connection_reset", "ECONNRESET"),
        (silence, "generic_timeout_error", None),
    ],
)
@pytest.mark.parametrize("url", [URL, SECURE])
async def test_fin_reset_and_silence_keep_apart(tools, autojump_clock, url, handler, failure, error):
    await tools.far.serve(SITE, 443 if url == SECURE else 80, handler)
    steps = await tools.visit(url)
    assert steps[0].failure is None
    assert (steps[1].failure, steps[1].error) == (failure, error)
    if failure == "generic_timeout_error":
        assert steps[1].us == 10_000_000
    if url == SECURE:
        assert steps[2].skipped


@pytest.mark.parametrize(
    ("number", "failure"),
    [(112, "ssl_invalid_hostname"), (40, "ssl_failed_handshake"), (80, "ssl_failed_handshake")],
)
async def test_an_alert_keeps_its_number(tools, number, failure):
    async def alert(stream):
        await stream.receive_some(4_096)
        await stream.send_all(bytes([21, 3, 3, 0, 2, 2, number]))
        await stream.receive_some(4_096)

    await tools.far.serve(SITE, 443, alert)
    tls = (await tools.visit(SECURE))[1]
    assert (tls.failure, tls.error, tls.alert) == (failure, f"alert {number}", number)
    assert tls.plaintext == b""


async def test_an_encrypted_alert_keeps_its_number(tools, authority):
    context = authority.context("a.example")
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    context.verify_mode = ssl.CERT_REQUIRED  # wants a client certificate, which we do not have

    async def handler(stream):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        error = None
        while error is None:
            incoming.write(await stream.receive_some(65_536))
            try:
                server.do_handshake()
            except ssl.SSLWantReadError:
                await stream.send_all(outgoing.read())
            except ssl.SSLError as complaint:
                error = complaint
        assert error.reason == "PEER_DID_NOT_RETURN_A_CERTIFICATE"
        await stream.send_all(outgoing.read())
        await reset(stream)

    await tools.far.serve(SITE, 443, handler)
    _, tls, http = await tools.visit(SECURE)
    assert tls.failure is None  # TLS 1.3: our side is through before the server complains
    assert (http.failure, http.error) == ("ssl_failed_handshake", "alert 116")


async def test_plaintext_instead_of_tls_is_kept_whole(tools):
    words = b"HTTP/1.0 404 Object not found\r\n\r\n<h1>Object not found</h1>"

    async def handler(stream):
        await stream.receive_some(4_096)
        await stream.send_all(words[:20])
        await trio.sleep(0.02)
        await stream.send_all(words[20:])

    await tools.far.serve(SITE, 443, handler)
    tls = (await tools.visit(SECURE))[1]
    assert (tls.failure, tls.error, tls.plaintext) == ("ssl_failed_handshake", "not TLS", words)


async def test_a_torn_record_is_an_eof(tools, authority):
    async def handler(stream):
        await stream.receive_some(4_096)
        await stream.send_all(b"\x16\x03\x03\x10\x00\x02\x00\x00\x60\x03\x03abc")

    await tools.far.serve(SITE, 443, handler)
    tls = (await tools.visit(SECURE))[1]
    assert (tls.failure, tls.plaintext) == ("eof_error", b"")
    assert tls.received == 14


async def test_the_chain_is_kept_when_the_handshake_fails_after_it(tools, authority):
    """A TLS 1.2 server that dies after its first flight."""
    context = authority.context("a.example")
    context.maximum_version = ssl.TLSVersion.TLSv1_2

    async def handler(stream):
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        server = context.wrap_bio(incoming, outgoing, server_side=True)
        incoming.write(await stream.receive_some(65_536))
        with pytest.raises(ssl.SSLWantReadError):
            server.do_handshake()
        await stream.send_all(outgoing.read())
        await stream.receive_some(65_536)
        await reset(stream)

    await tools.far.serve(SITE, 443, handler)
    tls = (await tools.visit(SECURE))[1]
    assert tls.failure == "connection_reset"
    assert len(tls.chain) == 1
    assert tls.trust is None


async def test_an_untrusted_chain_is_not_asked_for_a_page(tools, authority):
    await tools.far.serve(SITE, 443, authority.https_page(page(b"x"), "other.example"))
    _, tls, http = await tools.visit(SECURE)
    assert (tls.failure, tls.trust) == (None, "ssl_invalid_hostname")
    assert tls.trust_detail.startswith("X509 62: ")
    assert (http.skipped, http.failure) == (True, None)
    assert (await tools.visit(SECURE, insecure=True))[-1].status == 200


async def test_a_local_firewall_is_not_the_network(tools, far):
    async def forbidden(address, port):
        await trio.lowlevel.checkpoint()
        raise PermissionError(1, "Operation not permitted")

    far.connect = forbidden
    tcp = (await tools.visit(URL))[0]
    assert (tcp.failure, tcp.error) == ("permission_denied", "EPERM")


async def test_a_fault_of_ours_is_no_failure(tools, far):
    async def broken(address, port):
        await trio.lowlevel.checkpoint()
        raise OSError(24, "Too many open files")

    far.connect = broken
    with pytest.raises(OSError, match="Too many open files"):
        await tools.visit(URL)

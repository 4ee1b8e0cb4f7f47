"""A plain client: ``plain_client.py CA_FILE`` reads a JSON list of URLs and prints what it saw of each.

It is no part of the tool and shares no code with it: sockets, the standard library's TLS, and DNS
messages by hand. For each URL: ``dns`` (the word of the ISP resolver's replies), ``isp`` and ``true``
(addresses by the ISP resolver over UDP, and by a public one over TCP), ``tcp`` (a word an address),
``web`` (how far a visit came), ``text`` (what was read), ``final`` (the last URL).
"""

import json
import socket
import ssl
import struct
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urljoin, urlsplit

ISP, PUBLIC = "95.56.8.1", "8.8.8.8"
WAIT = 3.0  # seconds for a connection or a handshake
FIRST_BYTE, STALL, LOOK = 7.0, 5.0, 6.0
SLOW = 50_000  # bytes a second
RCODES = {2: "dns.servfail", 3: "dns.nxdomain", 5: "dns.refused"}
ALERTS = {"SSLV3_ALERT_HANDSHAKE_FAILURE": 40, "TLSV1_UNRECOGNIZED_NAME": 112}


def question(name):
    labels = b"".join(bytes([len(x)]) + x for x in name.encode("idna").split(b"."))
    return struct.pack(">HHHHHH", hash(name) & 0xFFFF, 0x100, 1, 0, 0, 0) + labels + b"\0\0\1\0\1"


def skip_name(message, at):
    while message[at]:
        if message[at] >= 0xC0:
            return at + 2
        at += message[at] + 1
    return at + 1


def read_reply(message):
    """The word and the addresses of one reply."""
    rcode = message[3] & 15
    if rcode:
        return RCODES.get(rcode, f"dns.rcode{rcode}"), ()
    at, found = skip_name(message, 12) + 4, []
    for _ in range(int.from_bytes(message[6:8], "big")):
        at = skip_name(message, at)
        kind, _, _, size = struct.unpack(">HHIH", message[at : at + 10])
        if kind == 1:
            found.append(socket.inet_ntoa(message[at + 10 : at + 14]))
        at += 10 + size
    return ("ok" if found else "dns.empty"), tuple(found)


def over_udp(name):
    """Every differing reply within a second of the first; asked twice, as one packet may be lost."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect((ISP, 53))
        replies = []
        for _ in range(2):
            link.send(question(name))
            deadline = time.monotonic() + 2.0
            while (left := deadline - time.monotonic()) > 0:
                link.settimeout(left)
                try:
                    reply = read_reply(link.recv(4096))
                except (TimeoutError, ConnectionRefusedError):
                    break
                replies += [] if reply in replies else [reply]
            if replies:
                break
    if not replies:
        return "dns.timeout", ()
    return ("dns.injection" if len(replies) > 1 else replies[0][0]), replies[0][1]


def over_tcp(name):
    try:
        with socket.create_connection((PUBLIC, 53), WAIT) as link:
            message = question(name)
            link.sendall(len(message).to_bytes(2, "big") + message)
            size = int.from_bytes(link.recv(2, socket.MSG_WAITALL), "big")
            return read_reply(link.recv(size, socket.MSG_WAITALL))[1]
    except OSError:
        return ()


def connect(address, port):
    try:
        return socket.create_connection((address, port), WAIT), "ok"
    except ConnectionRefusedError:
        return None, "tcp.refused"
    except OSError:
        return None, "tcp.timeout"


def word(step, error):
    """One word for what a TLS or HTTP exchange ended with."""
    if isinstance(error, TimeoutError):
        return f"{step}.timeout"
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return f"{step}.reset"
    if isinstance(error, ssl.SSLCertVerificationError):
        kind = {10: "expired", 62: "name", 64: "name"}.get(error.verify_code, "unknown")
        return f"tls.cert:{kind}"
    if isinstance(error, ssl.SSLError):
        if error.reason in ALERTS:
            return f"tls.alert:{ALERTS[error.reason]}"
        if error.reason in ("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNKNOWN_PROTOCOL"):
            return "tls.plaintext"
        # Up to Python 3.11.2 an end inside the handshake is called a clean one.
        if isinstance(error, (ssl.SSLEOFError, ssl.SSLZeroReturnError)):
            return f"{step}.eof"
    return f"{step}.{error!r}"


def visit(url, address, context):
    """One request: (word, status, Location, text)."""
    parts = urlsplit(url)
    link, saw = connect(address, parts.port or {"http": 80, "https": 443}[parts.scheme])
    if link is None:
        return saw, None, None, ""
    host = parts.hostname.encode("idna").decode()
    with link:
        if parts.scheme == "https":
            try:
                link = context.wrap_socket(link, server_hostname=host)
            except OSError as error:
                return word("tls", error), None, None, ""
        try:
            return read(link, host, parts)
        except OSError as error:
            return word("http", error), None, None, ""
        finally:
            link.close()


def read(link, host, parts):
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    link.settimeout(FIRST_BYTE)
    link.sendall(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
    got = link.recv(65536)
    if not got:
        return "http.eof", None, None, ""
    start, saw = time.monotonic(), "ok"
    link.settimeout(STALL)
    while True:
        spent = time.monotonic() - start
        if spent > LOOK:
            saw = "throttle" if len(got) / spent < SLOW else "ok"
            break
        try:
            more = link.recv(65536)
        except TimeoutError:
            saw = "freeze"
            break
        if not more:
            spent = time.monotonic() - start
            saw = "throttle" if spent > 2 and len(got) / spent < SLOW and len(got) > 100_000 else "ok"
            break
        got += more
    head, _, body = got.partition(b"\r\n\r\n")
    lines = head.decode("latin-1").split("\r\n")
    status = int(lines[0].split(" ")[1])
    fields = {name.lower(): value.strip() for name, _, value in (x.partition(":") for x in lines[1:])}
    return saw, status, fields.get("location"), body[:20000].decode("utf-8", "replace")


def measure(url, context):
    seen = {"url": url, "dns": "ok", "isp": [], "true": [], "tcp": []}
    for hop in range(11):
        parts = urlsplit(url)
        if parts.hostname.replace(".", "").isdigit():
            said, isp = "ok", (parts.hostname,)
        else:
            said, isp = over_udp(parts.hostname)
        if hop == 0:
            port = parts.port or {"http": 80, "https": 443}[parts.scheme]
            seen |= {"dns": said, "isp": isp, "true": over_tcp(parts.hostname)}
            seen["tcp"] = [connect(address, port)[1] for address in isp[:4]]
        if not isp:
            return seen | {"web": said, "text": "", "final": url}
        saw, status, location, text = visit(url, isp[0], context)
        if saw == "ok" and status in (301, 302, 303, 307, 308) and location:
            url = urljoin(url, location)
            continue
        if saw == "ok" and status and status >= 400:
            saw = f"http.status:{status}"
        return seen | {"web": saw, "text": text, "final": url}
    return seen | {"web": "http.redirects", "text": "", "final": url}


def main():
    context = ssl.create_default_context(cafile=sys.argv[1])
    with ThreadPoolExecutor(48) as pool:
        print(json.dumps(list(pool.map(lambda url: measure(url, context), json.load(sys.stdin)))))


if __name__ == "__main__":
    main()

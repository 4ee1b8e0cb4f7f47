"""A plain client: ``wire_client.py JSON`` makes the calls of a JSON list at once and prints what it saw.

Calls: {"do": one of WORDS, "address", "port", "name", "ttl", "size", …}. Answers: "saw" is ``ok`` or
STEP.FAILURE (tcp, tls, http × timeout, reset, refused, eof, garbage, unreachable), "body" how many bytes
came, "text" the first of them, "seconds" by the clock.
"""

import json
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor

IP_RECVERR, MSG_ERRQUEUE, IP_RECVTTL = 11, 0x2000, 12


def tcp(call):
    """Connect; whose ICMP message ended it, if one did."""
    family = socket.AF_INET6 if ":" in call["address"] else socket.AF_INET
    link = socket.socket(family)
    link.settimeout(call.get("timeout", 1.2))
    link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    if "ttl" in call:
        link.setsockopt(socket.IPPROTO_IP, socket.IP_TTL, call["ttl"])
        link.setsockopt(socket.IPPROTO_IP, IP_RECVERR, 1)
    try:
        link.connect((call["address"], call["port"]))
    except OSError as error:
        saw = {"saw": f"tcp.{word(error)}"}
        if saw["saw"] == "tcp.unreachable" and "ttl" in call:
            _, controls, _, _ = link.recvmsg(512, 512, MSG_ERRQUEUE)
            saw["router"] = socket.inet_ntoa(controls[0][2][20:24])  # after sock_extended_err and the port
        link.close()
        return None, saw
    return link, {"saw": "ok", "port": link.getsockname()[1]}


def word(error):
    """One word for what an exchange ended with."""
    if isinstance(error, TimeoutError):
        return "timeout"
    if isinstance(error, ConnectionResetError | BrokenPipeError):
        return "reset"
    if isinstance(error, ConnectionRefusedError):
        return "refused"
    return "unreachable" if error.errno in (101, 113) else repr(error)


def http(call):
    """One request, or ``times`` of them on one connection, with the Host named."""
    link, saw = tcp(call)
    for _ in range(call.get("times", 1) if link else 0):
        request = (
            f"GET /{call.get('size', 5)} HTTP/1.1\r\nUser-Agent: x\r\nHost: {call['name']}\r\n\r\n".encode()
        )
        send(link, request, call.get("pieces", 1))
        saw |= read(link.recv, "http", call.get("size", 5), call)
    return closed(link, saw)


def tls(call):
    """A handshake with the name, then a request of ``size`` bytes."""
    link, saw = tcp(call)
    if link is None:
        return saw
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    if call.get("large"):  # as large as with a post-quantum key share: two segments
        context.set_alpn_protocols([f"{number:0200d}" for number in range(9)])
    coming, going = ssl.MemoryBIO(), ssl.MemoryBIO()
    talk = context.wrap_bio(coming, going, server_hostname=call["name"])
    raw = b""
    began = time.monotonic()

    def turn(step):
        nonlocal raw
        while True:
            try:
                return step()
            except ssl.SSLWantReadError:
                pending = going.read()
                if pending:
                    send(link, pending, call.get("pieces", 1) if not raw else 1)
                heard = link.recv(65536)
                raw += heard
                if not heard:
                    coming.write_eof()
                coming.write(heard)

    try:
        turn(talk.do_handshake)
        saw["handshake"] = time.monotonic() - began
        talk.write(f"GET /{call.get('size', 5)} HTTP/1.1\r\n\r\n".encode())
        send(link, going.read(), 1)
    except ssl.SSLError as error:
        failed = "garbage" if raw and raw[0] not in (20, 21, 22) else "eof" if not raw else repr(error)
        saw |= {"saw": f"tls.{failed}", "text": raw.decode("latin-1")}
    except OSError as error:
        saw |= {"saw": f"tls.{word(error)}"}
    else:
        saw |= read(lambda size: turn(lambda: talk.read(size)), "http", call.get("size", 5), call, head=False)
        saw["raw"] = len(raw)
    return closed(link, saw)


def send(link, octets, pieces):
    """Send in ``pieces`` segments."""
    size = -(-len(octets) // pieces)
    for start in range(0, len(octets), size):
        link.sendall(octets[start : start + size])
        if pieces > 1:
            time.sleep(0.02)


def read(receive, step, size, call, head=True):
    """Read a whole answer; its head, if any, ends with an empty line."""
    heard, began = b"", time.monotonic()
    saw = "ok"
    try:
        while len(heard.partition(b"\r\n\r\n")[2] if head else heard) < size:
            more = receive(65536)
            if not more:
                saw = f"{step}.eof"
                break
            heard += more
    except ssl.SSLError:
        saw = f"{step}.eof"
    except OSError as error:
        saw = f"{step}.{word(error)}"
    body = heard.partition(b"\r\n\r\n")[2] if head else heard
    return {
        "saw": saw,
        "body": len(body),
        "text": heard[:200].decode("latin-1"),
        "seconds": time.monotonic() - began,
    }


def closed(link, saw):
    """Close, if there is anything to."""
    if link:
        link.close()
    return saw


def dns(call):
    """Ask once; every answer that comes while the socket is held, with its time to live."""
    name = call["name"].encode()
    kind = {"A": 1, "AAAA": 28}[call.get("type", "A")]
    question = b"".join(bytes([len(label)]) + label for label in name.split(b".")) + b"\0"
    query = b"\x12\x34\x01\0\0\1\0\0\0\0\0\0" + question + kind.to_bytes(2, "big") + b"\0\1"
    answers = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.setsockopt(socket.IPPROTO_IP, IP_RECVTTL, 1)
        began = time.monotonic()
        link.sendto(query, (call["address"], 53))
        while (left := began + call.get("hold", 0.6) - time.monotonic()) > 0:
            link.settimeout(left)
            try:
                heard, controls, _, _ = link.recvmsg(2048, 128)
            except TimeoutError:
                break
            found = int.from_bytes(heard[6:8], "big")
            size = {1: 4, 28: 16}[kind]
            family = socket.AF_INET6 if size == 16 else socket.AF_INET
            at = len(query) + 12
            addresses = [
                socket.inet_ntop(family, heard[start : start + size])
                for start in range(at, at + found * (12 + size), 12 + size)
            ]
            answers.append(
                {
                    "rcode": heard[3] & 15,
                    "addresses": addresses,
                    "ttl": int.from_bytes(controls[0][2], "little"),
                    "seconds": time.monotonic() - began,
                }
            )
    return {"saw": "ok" if answers else "dns.timeout", "answers": answers}


def echo(call):
    """Send numbered datagrams in small bursts; the numbers that came back, as they came."""
    heard = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as link:
        link.connect((call["address"], 7))
        link.settimeout(0.2)
        for start in range(0, call["count"], 100):
            for number in range(start, start + 100):
                link.send(number.to_bytes(4, "big"))
            try:
                while True:
                    heard.append(int.from_bytes(link.recv(64), "big"))
            except TimeoutError:
                continue
    return {"saw": "ok", "heard": heard}


def system(call):
    """How this place looks to a program: devices, the name service, whom it runs as."""
    import os

    with open("/etc/resolv.conf") as file:
        resolver = file.read()
    try:
        found = socket.getaddrinfo(call["name"], 80, type=socket.SOCK_STREAM)
        addresses = [entry[4][0] for entry in found]
    except socket.gaierror as error:
        addresses = [str(error)]
    return {
        "saw": "ok",
        "devices": [name for _, name in socket.if_nameindex()],
        "in_sys": os.listdir("/sys/class/net"),
        "resolver": resolver,
        "addresses": addresses,
        "uid": os.getuid(),
        "folder": os.getcwd(),
    }


WORDS = {
    "tcp": lambda call: closed(*tcp(call)),
    "http": http,
    "tls": tls,
    "dns": dns,
    "echo": echo,
    "system": system,
}

if __name__ == "__main__":
    calls = json.loads(sys.argv[1])
    with ThreadPoolExecutor(len(calls)) as pool:
        print(json.dumps(list(pool.map(lambda call: WORDS[call["do"]](call), calls))))

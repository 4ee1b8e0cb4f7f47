"""The lab's own limit: the same exchanges as a clean https site, with nothing measured or kept.

Usage: ceiling.py TARGETS_YAML CA_PEM SITES; prints sites per second. It runs inside the lab: a
lookup, TCP, TLS and a GET per site, and as much again for the helper's visit, 200 at a time.
"""

from __future__ import annotations

import re
import socket
import ssl
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

AT_A_TIME = 200
VISITS = 2  # the probe's and the helper's


def visit(host: str, context: ssl.SSLContext) -> int:
    """Fetch ``https://host/`` the plainest way; bytes read."""
    with (
        socket.create_connection((host, 443), timeout=30) as raw,
        context.wrap_socket(raw, server_hostname=host) as tls,
    ):
        tls.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        total = 0
        while chunk := tls.recv(65536):
            total += len(chunk)
    return total


def main() -> None:
    """Visit each site ``VISITS`` times and print sites per second."""
    targets, ca_file, count = sys.argv[1:]
    urls = re.findall(r"https://[^\s\"']+", Path(targets).read_text(encoding="utf-8"))
    hosts = [host for url in urls if (host := urlsplit(url).hostname)][: int(count)]
    context = ssl.create_default_context(cafile=ca_file)
    began = time.perf_counter()
    with ThreadPoolExecutor(AT_A_TIME) as pool:
        read = list(pool.map(lambda host: visit(host, context), hosts * VISITS))
    if not all(read):
        sys.exit("a site sent nothing")
    print(len(hosts) / (time.perf_counter() - began))


if __name__ == "__main__":
    main()

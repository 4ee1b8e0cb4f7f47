"""Every limit of the measurer in time and size, in one place.

Rules of this file: seconds are floats and end in ``_S``; sizes are bytes; nothing else in ``net/``
invents a number. The time-outs of a step follow OONI's (DNS 4 s, TCP, TLS and HTTP 10 s each), so
that ``generic_timeout_error`` means about the same in both records.
"""

from __future__ import annotations

DNS_ATTEMPTS = 3  # UDP: the first query and two repeats, each a step of its own
DNS_SPACING_S = 2.0  # between them
DNS_STREAM_S = 5.0  # one query over TCP, TLS or HTTPS, its connection not counted
DNS_SYSTEM_S = 11.0  # getaddrinfo: glibc tries twice, 5 s each
DNS_LINGER_S = 1.0  # listen at least so long after the first reply
DNS_PATIENCE_S = 3.0  # once one resolver has answered, wait so long for the others
DNS_REPLIES = 16  # replies kept a query
DNS_RAW = 4_096  # bytes kept of a reply
DNS_ADDRESSES = 64  # addresses kept of a reply

TCP_S = 10.0
TLS_S = 10.0
TLS_PLAINTEXT = 1_024  # bytes kept of what came instead of TLS
TLS_PLAINTEXT_S = 1.0  # how long the rest of it is waited for
TLS_CHAIN = 16  # certificates kept

HTTP_HEAD_S = 10.0  # from the request to the end of the response's head
HTTP_IDLE_S = 10.0  # without one byte of the body
HTTP_TOTAL_S = 20.0  # then we stop, though the body still flows
HTTP_HEAD = 65_536
HTTP_BODY = 524_288  # of the body, before and after content decoding
HTTP_PIECES = 20_000  # chunks of a body, frames of HTTP/2: those of a byte each would cost seconds of CPU
HTTP_RAW = 1_310_720  # of the response on the wire, its framing included

CONTROL_NEXT_S = 15.0  # then the next helper is asked
CONTROL_S = 30.0  # one helper
PROXY_S = 5.0  # dialling a proxy; and again, its greeting

ADDRESSES = 8  # of one name, dialled
REDIRECTS = 10
PARALLEL = 2  # connections to one (address, name)
RESOLVER_CONNECTIONS = 6  # to one encrypted resolver: it answers at once
HELPER_CONNECTIONS = 64  # to one helper: each waits as long as a dead site makes the helper wait
MEASUREMENT_S = 90.0  # the first pass of one measurement; its follow-ups have FOLLOW_UP_S more
FOLLOW_UP_S = 240.0  # all follow-ups of one measurement: 330 s in all
MEASUREMENT_BYTES = 8 * 1024 * 1024
OBSERVATIONS = 400  # of one measurement

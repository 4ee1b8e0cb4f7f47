"""OONI's failure strings (probe-cli ``internal/netxlite``): the network's words.

A string of this list is data, not an opinion. How exceptions become strings is the measurer's
business (:mod:`blockwatch.net`); what a string means is the judge's.
"""

from __future__ import annotations

# Connecting and reading.
REFUSED = "connection_refused"
RESET = "connection_reset"
ABORTED = "connection_aborted"
HOST_UNREACHABLE = "host_unreachable"
NETWORK_UNREACHABLE = "network_unreachable"
NETWORK_DOWN = "network_down"
NETWORK_RESET = "network_reset"
TIMED_OUT = "timed_out"  # the kernel gave up (ETIMEDOUT)
TIMEOUT = "generic_timeout_error"  # our deadline passed
EOF = "eof_error"  # FIN where more was due
PERMISSION_DENIED = "permission_denied"  # EPERM, EACCES: the local firewall, never the network
INTERRUPTED = "interrupted"

# DNS.
NXDOMAIN = "dns_nxdomain_error"
NO_ANSWER = "dns_no_answer"
DNS_REFUSED = "dns_refused_error"
SERVFAIL = "dns_servfail_error"
DNS_MISBEHAVING = "dns_server_misbehaving"
DNS_TEMPORARY = "dns_temporary_failure"  # EAI_AGAIN: time-out, REFUSED or SERVFAIL, glibc does not say
DNS_NON_RECOVERABLE = "dns_non_recoverable_failure"

# TLS.
INVALID_HOSTNAME = "ssl_invalid_hostname"
UNKNOWN_AUTHORITY = "ssl_unknown_authority"
INVALID_CERTIFICATE = "ssl_invalid_certificate"
FAILED_HANDSHAKE = "ssl_failed_handshake"

# HTTP.
BAD_REDIRECT = "http_invalid_redirect_location_host"
HTTP_GARBAGE = "http_request_failed"  # what came is not HTTP, or breaks a limit of ours

TIMEOUTS = frozenset({TIMEOUT, TIMED_OUT})
LOCAL = frozenset({PERMISSION_DENIED, NETWORK_DOWN, INTERRUPTED})


def unknown(words: str) -> str:
    """The string for what has no name: ``unknown_failure: …``, one line, at most 200 characters."""
    return "unknown_failure: " + " ".join(words.split())[:200]

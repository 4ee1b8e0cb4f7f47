"""From exceptions to OONI's failure strings: the closed list.

Rules of this file:

* what is not named here is our own fault and propagates: a bug must never look like censorship;
* :data:`NETWORK` is the only tuple that steps catch; :func:`name_failure` raises again what is among them and
  still no network's doing (an errno that a network cannot cause, such as EMFILE);
* FIN, RST, time-out and alert keep their own names, whatever library stood between.

Strings: OONI, probe-cli ``internal/netxlite`` (classification of errors).
"""

from __future__ import annotations

import errno
import socket
import ssl

import trio

from blockwatch import failure as f


class EndOfStream(Exception):
    """The peer sent FIN where more was due."""


class Garbage(Exception):
    """What the peer sent breaks the protocol, or a limit of ours; ``failure`` names it."""

    def __init__(self, failure: str, words: str) -> None:
        super().__init__(words)
        self.failure = failure


NETWORK = (OSError, trio.TooSlowError, EndOfStream, Garbage)  # OSError: also gaierror and SSLError

_ERRNO = {
    errno.ECONNREFUSED: f.REFUSED,
    errno.ECONNRESET: f.RESET,
    errno.EPIPE: f.RESET,  # we wrote after their RST
    errno.ECONNABORTED: f.ABORTED,
    errno.EHOSTUNREACH: f.HOST_UNREACHABLE,
    errno.EHOSTDOWN: f.HOST_UNREACHABLE,
    errno.ENETUNREACH: f.NETWORK_UNREACHABLE,
    errno.EADDRNOTAVAIL: f.NETWORK_UNREACHABLE,  # IPv6 without a global address
    errno.EAFNOSUPPORT: f.NETWORK_UNREACHABLE,  # a kernel without IPv6
    errno.ENETDOWN: f.NETWORK_DOWN,
    errno.ENETRESET: f.NETWORK_RESET,
    errno.ETIMEDOUT: f.TIMED_OUT,
    errno.EPERM: f.PERMISSION_DENIED,
    errno.EACCES: f.PERMISSION_DENIED,
    errno.EPROTO: f.HOST_UNREACHABLE,  # ICMP protocol unreachable
    errno.ENOPROTOOPT: f.HOST_UNREACHABLE,
}

_GAI = {
    "EAI_NONAME": f.NXDOMAIN,
    "EAI_NODATA": f.NO_ANSWER,
    "EAI_ADDRFAMILY": f.NO_ANSWER,
    "EAI_AGAIN": f.DNS_TEMPORARY,
    "EAI_FAIL": f.DNS_NON_RECOVERABLE,
}
_GAI_BY_CODE = {getattr(socket, word): word for word in _GAI if hasattr(socket, word)}

_ALERT_FAILURES = {112: f.INVALID_HOSTNAME}  # OONI: unrecognized_name; all others below
_ALERT_WORDS = {
    member.name.removeprefix("ALERT_DESCRIPTION_"): int(member) for member in ssl.AlertDescription
}
_ALERT_WORDS |= {"CERTIFICATE_REQUIRED": 116, "NO_APPLICATION_PROTOCOL": 120, "INAPPROPRIATE_FALLBACK": 86}


def alert_number(error: ssl.SSLError) -> int | None:
    """The TLS alert that the peer sent (RFC 8446, section 6), read from OpenSSL's reason.

    OpenSSL names them ``SSLV3_ALERT_HANDSHAKE_FAILURE``, ``TLSV1_UNRECOGNIZED_NAME`` and so on; for our
    own complaints the reason has no such prefix.
    """
    reason = error.reason or ""
    for prefix in ("SSLV3_ALERT_", "TLSV1_ALERT_", "TLSV13_ALERT_", "TLSV1_"):
        if reason.startswith(prefix):
            return _ALERT_WORDS.get(reason.removeprefix(prefix))
    return None


def alert_failure(number: int) -> str:
    """The failure string of a fatal alert."""
    return _ALERT_FAILURES.get(number, f.FAILED_HANDSHAKE)


def name_failure(exception: BaseException) -> tuple[str, str | None]:
    """``(failure, error beneath)`` of an exception that a network caused; any other is raised again."""
    named = _name(exception)
    if named is None:
        raise exception
    return named


def _name(exception: BaseException) -> tuple[str, str | None] | None:
    if isinstance(exception, trio.TooSlowError):
        return f.TIMEOUT, None
    if isinstance(exception, EndOfStream):
        return f.EOF, "FIN"
    if isinstance(exception, Garbage):
        return exception.failure, " ".join(str(exception).split())[:200] or None
    if isinstance(exception, socket.gaierror):
        return _name_gai(exception)
    if isinstance(exception, ssl.SSLError):
        number = alert_number(exception)
        if number is not None:
            return alert_failure(number), f"alert {number}"
        return f.FAILED_HANDSHAKE, exception.reason or " ".join(str(exception).split())[:100]
    if isinstance(exception, OSError):
        return _name_errno(exception)
    return None


def _name_gai(exception: socket.gaierror) -> tuple[str, str | None] | None:
    word = _GAI_BY_CODE.get(exception.errno or 0)
    if word is not None:
        return _GAI[word], word
    if exception.errno in (socket.EAI_MEMORY, socket.EAI_BADFLAGS, socket.EAI_FAMILY, socket.EAI_SOCKTYPE):
        return None
    return f.DNS_MISBEHAVING, f"EAI {exception.errno}"


def _name_errno(exception: BaseException) -> tuple[str, str | None] | None:
    """The first errno we know, in the exception or what it was raised in the handling of."""
    seen: BaseException | None = exception
    for _ in range(10):
        if seen is None:
            return None
        number = getattr(seen, "errno", None)
        if isinstance(number, int) and number in _ERRNO:
            return _ERRNO[number], errno.errorcode[number]
        seen = seen.__context__
    return None

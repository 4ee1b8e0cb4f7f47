"""Is a chain, as sent, valid for a name? OpenSSL's own word, without a network.

Rules of this file:

* the judge of trust is OpenSSL, with certifi's roots and those of one named file;
* Python cannot call ``X509_verify_cert`` alone, so the chain is *replayed*: a client of ours in memory
  is handed a ServerHello and a Certificate message of TLS 1.2. Both travel in the clear there and
  are not signed, so no private key is needed; OpenSSL verifies as soon as it has read the
  Certificate and then either asks for more or raises with its verification code;
* the answer for one (chain, name) is remembered within a run;
* certifi's roots are read by a thread beside, as the first packet need not wait for them.

Why so: docs/decisions/0006-verify-by-replay.md.
"""

from __future__ import annotations

import hashlib
import ssl
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import certifi

from blockwatch import failure as f
from blockwatch.errors import ConfigError

_RSA, _ECDSA = b"\xc0\x2f", b"\xc0\x2b"  # ECDHE-{RSA,ECDSA}-AES128-GCM-SHA256, RFC 5289
_EC_KEY = bytes.fromhex("06072a8648ce3d0201")  # id-ecPublicKey (RFC 5480), in DER
_NAME_CODES = {62, 63, 64}  # X509_V_ERR_HOSTNAME_MISMATCH, EMAIL_, IP_ADDRESS_
_AUTHORITY_CODES = {2, 18, 19, 20, 21, 27, 33}  # no issuer found, self-signed, untrusted
UNCHECKED = "unchecked"


class Trust:
    """The roots of one run, and what they say of chains."""

    def __init__(self, ca_file: Path | None = None) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        if ca_file is not None:
            _load(self._context, ca_file)
        self._context.maximum_version = ssl.TLSVersion.TLSv1_2
        self._context.set_ciphers("ECDHE+AESGCM:@SECLEVEL=1")
        self._roots = _roots_beside(self._context)
        self._nameless = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        self._ca_file = ca_file
        self._nameless_loaded = False
        self._known: dict[bytes, tuple[str | None, str | None]] = {}

    def check(self, chain: tuple[bytes, ...], name: str | None) -> tuple[str | None, str | None]:
        """``(trust, detail)`` of a DER chain, leaf first, for a host name or literal address.

        ``trust`` is None when the chain is valid, else a failure string, or ``"unchecked"`` for an
        empty chain. ``name`` None: any name will do. ``detail`` is in OpenSSL's words.
        """
        if not chain:
            return UNCHECKED, None
        key = hashlib.sha256(b"".join((name or "").encode() + b"|" + der for der in chain)).digest()
        if key not in self._known:
            self._known[key] = self._replay(chain, name)
        return self._known[key]

    def _replay(self, chain: tuple[bytes, ...], name: str | None) -> tuple[str | None, str | None]:
        self._roots.result()
        context = self._context if name is not None else self._without_names()
        error: ssl.SSLError | None = None
        # A chain is verified under either suite; of the right one the answer comes at once.
        for suite in (_ECDSA, _RSA) if _EC_KEY in chain[0] else (_RSA, _ECDSA):
            error = _hand_over(context, name, _flight(suite, chain))
            if error is None:
                return None, None
            if isinstance(error, ssl.SSLCertVerificationError):
                return _classify(error.verify_code, error.verify_message)
            if error.reason != "WRONG_CERTIFICATE_TYPE":
                break
        # OpenSSL would not even read it (broken DER, a key it cannot use).
        return f.INVALID_CERTIFICATE, f"OpenSSL: {error.reason or error}" if error else None

    def _without_names(self) -> ssl.SSLContext:
        if not self._nameless_loaded:
            self._nameless.check_hostname = False
            self._nameless.load_verify_locations(certifi.where())
            if self._ca_file is not None:
                _load(self._nameless, self._ca_file)
            self._nameless.maximum_version = ssl.TLSVersion.TLSv1_2
            self._nameless.set_ciphers("ECDHE+AESGCM:@SECLEVEL=1")
            self._nameless_loaded = True
        return self._nameless


def _roots_beside(context: ssl.SSLContext) -> Future[None]:
    """Give ``context`` certifi's roots; until the future has its result nobody else may use it."""
    threads = ThreadPoolExecutor(1, thread_name_prefix="roots")
    future = threads.submit(context.load_verify_locations, certifi.where())
    threads.shutdown(wait=False)
    return future


def _load(context: ssl.SSLContext, ca_file: Path) -> None:
    try:
        context.load_verify_locations(str(ca_file))
    except (OSError, ssl.SSLError) as error:
        raise ConfigError(
            f"cannot read certificates: {error.strerror or error}",
            where=str(ca_file),
            remedy="give a file of PEM certificates to --ca-file",
        ) from None


def _classify(code: int, message: str) -> tuple[str, str]:
    detail = f"X509 {code}: {message}"
    if code in _NAME_CODES:
        return f.INVALID_HOSTNAME, detail
    if code in _AUTHORITY_CODES:
        return f.UNKNOWN_AUTHORITY, detail
    return f.INVALID_CERTIFICATE, detail


def _hand_over(context: ssl.SSLContext, name: str | None, flight: bytes) -> ssl.SSLError | None:
    """Give a client the server's first flight; its complaint, or None when it asks for more."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = context.wrap_bio(incoming, outgoing, server_hostname=name)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        incoming.write(flight)
    try:
        client.do_handshake()
    except ssl.SSLWantReadError:
        return None
    except ssl.SSLError as error:
        return error
    raise AssertionError("a handshake without keys cannot end")


def _flight(suite: bytes, chain: tuple[bytes, ...]) -> bytes:
    """ServerHello and Certificate of TLS 1.2 (RFC 5246, section 7.4), as records."""
    # renegotiation_info (RFC 5746), extended_master_secret (RFC 7627)
    extensions = b"\x00\x09" + b"\xff\x01\x00\x01\x00" + b"\x00\x17\x00\x00"
    hello = b"\x03\x03" + bytes(32) + b"\x00" + suite + b"\x00" + extensions
    listed = b"".join(len(der).to_bytes(3, "big") + der for der in chain)
    certificates = len(listed).to_bytes(3, "big") + listed
    messages = b"\x02" + len(hello).to_bytes(3, "big") + hello
    messages += b"\x0b" + len(certificates).to_bytes(3, "big") + certificates
    pieces = [messages[at : at + 16_000] for at in range(0, len(messages), 16_000)]
    return b"".join(b"\x16\x03\x03" + len(piece).to_bytes(2, "big") + piece for piece in pieces)

"""The helper's own certificate, where it serves TLS.

Rules of this file: TLS 1.2 or newer, HTTP/1.1 only; a file that cannot be used is named, with what to do.
"""

from __future__ import annotations

import ssl
from os import PathLike

from blockwatch.errors import ConfigError

PathText = str | PathLike[str]


def serving_context(certificate: PathText, key: PathText) -> ssl.SSLContext:
    """Make a server's context of a PEM chain (leaf first) and its private key.

    Raises :class:`ConfigError` where they cannot be read or do not belong together.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        # An empty passphrase: never wait at a terminal that a service does not have.
        context.load_cert_chain(certificate, key, password="")
    except OSError as error:  # ssl.SSLError is one
        reason = getattr(error, "reason", None) or error.strerror or "not readable"
        raise ConfigError(
            f"cannot use this certificate and key: {reason}",
            where=f"{certificate}, {key}",
            remedy="Give a PEM chain, leaf first, and its private key without passphrase.",
        ) from None
    return context

"""The certificate a helper serves with, out of two PEM files."""

from __future__ import annotations

import ssl
from pathlib import Path

from blockwatch.errors import ConfigError


def serving_context(certificate: Path, key: Path) -> ssl.SSLContext:
    """Return a server's TLS context; raises :class:`ConfigError` where the files do not serve."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.set_alpn_protocols(["http/1.1"])
    try:
        context.load_cert_chain(certificate, key, password=_no_password)
    except (OSError, ValueError) as error:  # SSLError is an OSError
        raise ConfigError(
            f"this certificate and key cannot be used: {error.strerror or error}"
            if isinstance(error, OSError)
            else "the key is protected by a password",
            where=f"{certificate}, {key}",
            remedy="Name the whole chain and its own key, both PEM, the key without a password.",
        ) from None
    return context


def _no_password() -> str:
    raise ValueError("password")  # OpenSSL would ask on the terminal and wait for ever

"""A time-stamp authority on loopback: ``openssl ts`` behind a few lines of HTTP, and ways to misbehave.

Certificates are made here, so that a test can choose their dates; the tokens are OpenSSL's own.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

CONFIG = """
[tsa]
serial = {folder}/serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
accuracy = secs:1
ess_cert_id_alg = sha256
"""

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


def name_of(common: str, *others: tuple[x509.ObjectIdentifier, str]) -> x509.Name:
    """A name with other attributes before the common name."""
    parts = (*others, (NameOID.COMMON_NAME, common))
    return x509.Name([x509.NameAttribute(kind, text) for kind, text in parts])


def make_certificate(
    subject: str | x509.Name,
    key: Key,
    issuer: tuple[x509.Certificate, Key] | None = None,
    *,
    ca: bool = False,
    days: tuple[int, int] = (-30, 3_650),
    usage: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.TIME_STAMPING,),
    critical: bool = True,
    path_length: int | None = None,
    key_usage: bool = True,
    extra: tuple[tuple[x509.ExtensionType, bool], ...] = (),
) -> x509.Certificate:
    now = datetime.now(UTC)
    subject = name_of(subject) if isinstance(subject, str) else subject
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=days[0]))
        .not_valid_after(now + timedelta(days=days[1]))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=path_length), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    )
    if issuer:
        identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer[1].public_key())
        builder = builder.add_extension(identifier, critical=False)
    sign = x509.KeyUsage(not ca, False, False, False, False, ca, ca, False, False)
    if key_usage:
        builder = builder.add_extension(sign, critical=True)
    if not ca:
        builder = builder.add_extension(x509.ExtendedKeyUsage(usage), critical=critical)
    for extension, essential in extra:
        builder = builder.add_extension(extension, critical=essential)
    return builder.sign(issuer[1] if issuer else key, hashes.SHA256())


class Authority:
    """Root, intermediate and signer in ``folder``; :meth:`reply` answers a request by ``openssl ts``."""

    def __init__(
        self,
        folder: Path,
        name: str = "one",
        *,
        rsa_key: bool = False,
        root: Mapping[str, Any] | None = None,
        middle: Mapping[str, Any] | None = None,
        **leaf: Any,
    ) -> None:
        """``root``, ``middle`` and the rest: for :func:`make_certificate`."""
        folder.mkdir(parents=True)
        self.folder = folder
        keys: list[Key] = [ec.generate_private_key(ec.SECP256R1()) for _ in range(3)]
        if rsa_key:
            keys[2] = rsa.generate_private_key(65_537, 2_048)
        first = {"subject": f"root {name}", "key": keys[0], "ca": True}
        self.root = make_certificate(**first | dict(root or {}))
        above = {"subject": f"middle {name}", "key": keys[1], "issuer": (self.root, keys[0]), "ca": True}
        self.middle = make_certificate(**above | dict(middle or {}))
        last = {"subject": f"authority {name}", "key": keys[2], "issuer": (self.middle, keys[1])}
        self.signer = make_certificate(**last | leaf)
        secret = keys[2].private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        for file, content in (
            ("root.pem", self.pem(self.root)),
            ("middle.pem", self.pem(self.middle)),
            ("signer.pem", self.pem(self.signer)),
            ("signer.key", secret),
            ("serial", b"01"),
            ("ts.cnf", CONFIG.format(folder=folder).encode()),
        ):
            (folder / file).write_bytes(content)

    @staticmethod
    def pem(certificate: x509.Certificate) -> bytes:
        return certificate.public_bytes(Encoding.PEM)

    @property
    def roots(self) -> Path:
        return self.folder / "root.pem"

    def reply(self, request: bytes, *extra: str) -> bytes:
        (self.folder / "request").write_bytes(request)
        done = subprocess.run(
            ["openssl", "ts", "-reply", "-config", "ts.cnf", "-section", "tsa", "-queryfile", "request",
             "-signer", "signer.pem", "-inkey", "signer.key", "-chain", "middle.pem", *extra],
            cwd=self.folder, capture_output=True, check=True,
        )  # fmt: skip
        return done.stdout


@contextmanager
def served(answer: Callable[[str, bytes], tuple[int, bytes] | None]) -> Iterator[str]:
    """Serve ``answer(path, body)`` → (status, body), or hang up at ``None``; gives the URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["Content-Length"] or 0)))

        def do_GET(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            found = answer(self.path, body)
            if found is None:
                self.close_connection = True
                return
            self.send_response(found[0])
            self.send_header("Content-Type", "application/timestamp-reply")
            self.send_header("Content-Length", str(len(found[1])))
            self.end_headers()
            try:
                self.wfile.write(found[1])
            except OSError:
                self.close_connection = True  # the client had enough

        def log_message(self, format: str, *arguments: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()

"""``blockwatch helper``: the control server for other people's runs."""

from __future__ import annotations

import sys
from pathlib import Path

import click

_PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command(name="helper")
@click.option("--listen", default="127.0.0.1:8000", show_default=True, metavar="ADDR:PORT",
              help="Where to listen; [::]:443 for IPv6.")  # fmt: skip
@click.option("--tls-cert", type=_PEM, help="Certificate chain, PEM.")
@click.option("--tls-key", type=_PEM, help="Its private key, PEM.")
def command(listen: str, tls_cert: Path | None, tls_key: Path | None) -> None:
    """Run a test helper that speaks OONI's protocol, until it is stopped.

    It belongs on a machine whose network blocks nothing. It looks at the address that is asked about,
    refuses private addresses, and keeps nothing about who asked.

    Example: blockwatch helper --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")
    address = _address(listen)

    import functools

    import trio

    from blockwatch.helper import serve
    from blockwatch.helper.certificate import serving_context

    tls = serving_context(tls_cert, tls_key) if tls_cert and tls_key else None

    def ready(bound: list[tuple[str, int]]) -> None:
        for host, port in bound:
            shown = f"[{host}]" if ":" in host else host
            print(f"listening on {'https' if tls else 'http'}://{shown}:{port}/", file=sys.stderr, flush=True)

    trio.run(functools.partial(serve, listen=[address], tls=tls, ready=ready))


def _address(listen: str) -> tuple[str, int]:
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdecimal() or int(port) > 65_535:
        raise click.BadParameter("write ADDR:PORT, for example 0.0.0.0:443", param_hint="--listen")
    return host.removeprefix("[").removesuffix("]"), int(port)

"""``blockwatch helper``: the control server for other people's runs."""

from __future__ import annotations

import click


@click.command(name="helper")
@click.option("--listen", default="127.0.0.1:8000", show_default=True, metavar="ADDR:PORT",
              help="Where to listen; [::]:443 for IPv6.")  # fmt: skip
@click.option("--tls-cert", type=click.Path(exists=True, dir_okay=False), help="Certificate chain, PEM.")
@click.option("--tls-key", type=click.Path(exists=True, dir_okay=False), help="Its private key, PEM.")
def command(listen: str, tls_cert: str | None, tls_key: str | None) -> None:
    """Run a test helper that speaks OONI's protocol, until stopped.

    It belongs on a machine whose network blocks nothing. It looks at the same address as the person
    who asks, refuses private addresses, and keeps no log of who asked.

    Example: blockwatch helper --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem
    """

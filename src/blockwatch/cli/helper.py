"""``blockwatch helper``: the control server for other people's runs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import click

_PEM = click.Path(exists=True, dir_okay=False, path_type=Path)


def _addresses(ctx: click.Context, param: click.Parameter, given: tuple[str, ...]) -> list[tuple[str, int]]:
    return [_address(ctx, param, text) for text in given]


def _address(ctx: click.Context, param: click.Parameter, text: str) -> tuple[str, int]:
    from blockwatch.helper.destinations import parse

    host, colon, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    good = parse(bare) is not None and (bare != host or ":" not in host)
    if not (colon and good and port.isascii() and port.isdecimal() and int(port) < 65_536):
        raise click.BadParameter("write ADDR:PORT, for example 0.0.0.0:443 or [::]:443", ctx, param)
    return bare, int(port)


def _literal(ctx: click.Context, param: click.Parameter, text: str | None) -> str | None:
    from blockwatch.helper.destinations import parse

    if text is not None and parse(text) is None:
        raise click.BadParameter("write an IP address of this machine", ctx, param)
    return text


@click.command(name="helper")
@click.option(
    "--listen",
    default=["127.0.0.1:8000"],
    show_default=True,
    multiple=True,
    metavar="ADDR:PORT",
    callback=_addresses,
    help="Where to listen; repeat for more, [::]:443 is IPv6.",
)
@click.option("--tls-cert", type=_PEM, metavar="PEM", help="Certificate chain, leaf first: serve https.")
@click.option("--tls-key", type=_PEM, metavar="PEM", help="Its private key.")
@click.option(
    "--resolver",
    metavar="udp://IP[:PORT]",
    help="Recursive name server to ask. [default: the first of /etc/resolv.conf]",
)
@click.option("--source", metavar="IP", callback=_literal, help="Measure from this address of the machine.")
@click.option("--ca-file", type=_PEM, metavar="PEM", help="Roots to trust besides Mozilla's.")
@click.option(
    "--rate",
    type=click.IntRange(0, 100_000),
    default=50,
    show_default=True,
    metavar="N",
    help="Requests a second that one client may make; 0: no limit.",
)
@click.option("--parallel", type=click.IntRange(1, 5_000), default=200, show_default=True, metavar="N",
              help="Requests carried out at a time; more wait, and then get 503.")  # fmt: skip
def command(
    listen: list[tuple[str, int]],
    tls_cert: Path | None,
    tls_key: Path | None,
    source: str | None,
    **settings: Any,
) -> None:
    """Run a test helper that speaks OONI's protocol, until it is stopped.

    It belongs on a machine whose network blocks nothing. It looks at the address that is asked about,
    refuses private addresses, and keeps nothing about who asked.

    Example: blockwatch helper --listen 0.0.0.0:443 --tls-cert chain.pem --tls-key key.pem
    """
    if (tls_cert is None) != (tls_key is None):
        raise click.UsageError("--tls-cert and --tls-key belong together")

    import functools

    import trio

    from blockwatch.helper import serve
    from blockwatch.helper.certificate import serving_context
    from blockwatch.helper.own import names_in

    tls = serving_context(tls_cert, tls_key) if tls_cert and tls_key else None
    names = names_in(tls_cert) if tls_cert else ()

    def ready(bound: list[tuple[str, int]]) -> None:
        for host, port in bound:
            shown = f"[{host}]" if ":" in host else host
            print(f"listening on {'https' if tls else 'http'}://{shown}:{port}/", file=sys.stderr, flush=True)

    settings |= {"listen": listen, "tls": tls, "source_address": source, "names": names, "ready": ready}
    trio.run(functools.partial(serve, **settings))

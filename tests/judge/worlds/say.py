"""The words that rows of worlds are written with; a row should read like a sentence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from blockwatch import failure as f
from blockwatch.model import Endpoint
from tests.judge.world import HOST, SECOND, SITE, Hello, Page, World

HTTP = f"http://{HOST}/"
BLOCK = Page(title="Access Denied", length=185, headers=(("Content-Type", "text/html"),))
UNTITLED = Page(title=None, length=90, headers=())


@dataclass(frozen=True)
class Row:
    """One situation and its truth."""

    world: World
    states: str  # space-separated
    mechanism: str = ""
    rule: str = ""
    grades: str = "signs strong confirmed"


def isp(said: Any, *, line: bool = True) -> Callable[[str, str, int], Any]:
    """The line's own resolver lies about the site; everybody else tells the truth."""
    mine = ("system", "line") if line else ("system",)
    return lambda resolver, name, n: said if resolver in mine and name == HOST else (SITE,)


def everywhere(said: Any) -> Callable[[str, str, int], Any]:
    """Answers over UDP are made up on the path, whoever is asked; DoH and TCP are not reached."""
    return lambda resolver, name, n: (
        said if not resolver.startswith(("https:", "tcp:")) and name == HOST else (SITE,)
    )


def by_place(said: Any) -> Callable[[str, str, int], Any]:
    """The site answers by place: all but the encrypted resolver, which hides the place, are told so."""
    return lambda resolver, name, n: said if not resolver.startswith("https:") and name == HOST else (SITE,)


def late_truth(resolver: str, name: str) -> Any:
    """The true answer for the site comes behind the first; a control name draws one answer."""
    return (SITE,) if name == HOST else None


def by_sni(hello: Hello) -> Callable[[str, str | None, int], Hello | None]:
    """The censor acts on the site's name in the ClientHello, wherever it is sent."""
    return lambda address, sni, n: hello if sni and sni.lower() == HOST else None


def by_host(answer: Any) -> Callable[[str, str, bool, int], Any]:
    """The censor acts on the site's name in a cleartext request, wherever it is sent."""
    return lambda address, host, tls, n: answer if host.lower() == HOST and not tls else None


def on_address(failure: str, *addresses: str) -> Callable[[str, int, int], str | None]:
    """Connections to these addresses fail."""
    return lambda address, port, n: failure if address in addresses else None


def broken_for_control(**fields: Any) -> dict[str, Any]:
    """A helper that got no page."""
    return {
        "status": None,
        "headers": (),
        "body_length": None,
        "title": None,
        "http_failure": "unknown_error",
        **fields,
    }


def ends(
    tcp: str | None = None, tls: str | None = None, address: str = SITE, port: int = 443
) -> tuple[Endpoint, ...]:
    """What the helper saw of one endpoint."""
    return (Endpoint(address=address, port=port, tcp_failure=tcp, tls=tcp is None, tls_failure=tls),)


def redirecting(to: str, status: int = 302) -> Callable[[str, str], Page]:
    """The site's http address redirects; what is behind it is a page."""
    return lambda url, address: Page(status=status, location=to) if url.startswith("http:") else Page()


def block_server(url: str) -> dict[str, Any]:
    """What a helper sees of a block page's server, where a URL leads to one."""
    return {} if HOST in url else {"title": "Access Denied", "body_length": 190}


SLOW = Page(length=300_000, us=20 * SECOND, truncated=True)
FAST = Page(length=400_000, us=500_000)
FROZEN = Page(length=16_384, us=200_000, stall=True)
SELF = Hello(trust=f.UNKNOWN_AUTHORITY)
OLD = Hello(trust=f.INVALID_CERTIFICATE, detail="X509 10: certificate has expired")


WORLDS: dict[str, Row] = {}


def row(
    name: str,
    states: str,
    mechanism: str = "",
    rule: str = "",
    *,
    grades: str = "signs strong confirmed",
    **world: Any,
) -> None:
    """Add a row to the table."""
    if name in WORLDS:
        raise ValueError(f"two rows are called {name}")
    WORLDS[name] = Row(World(**world), states, mechanism, rule, grades)


def at_site(named: Hello, bare: Hello | None = None) -> Callable[[str, str | None, int], Hello | None]:
    """The site's own address answers so when its name is sent, and perhaps otherwise when none is."""
    said = {HOST: named, None: bare}
    return lambda address, sni, n: said.get(sni) if address == SITE else None

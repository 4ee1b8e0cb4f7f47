"""The short words rows are written with; a row should read like a sentence.

Nothing here decides anything: each function only fills a noun of :mod:`blockwatch.lab.world` with
what is usual, so that a row shows what is unusual.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from blockwatch.lab.world import Allowed, Expected, Mitm, Rule, Scenario, Serve, Site

PAGE = Serve(kind="page")


def serve(kind: str, *, audience: str = "all", **args: object) -> Serve:
    """What a server does, with the numbers of that kind by name."""
    return Serve(kind=kind, args=args, audience=audience)


def notice(title: str, text: str, *, audience: str = "all", code: int = 200) -> Serve:
    """A short page of the server's own."""
    return serve("notice", audience=audience, title=title, text=text, code=code)


def to_us(to: str) -> Serve:
    """A redirect that the probe alone meets."""
    return serve("redirect", audience="probe", to=to, code=302)


def redirect(to: str, code: int = 308) -> Serve:
    """A redirect to ``to`` (absolute or a path)."""
    return serve("redirect", to=to, code=code)


def site(key: str = "a", **fields: Any) -> Site:
    """One site: by default a page over http and https, one address at a hoster."""
    return Site(key=key, **fields)


def nowhere(key: str = "a", **dns: object) -> Site:
    """A name with no server behind it; ``dns`` is what the zone says."""
    return Site(key=key, http=None, https=None, dns=dns)


def ok() -> Allowed:
    """The site works."""
    return Allowed(state="ok")


def down(*mechanisms: str) -> Allowed:
    """Broken for everybody."""
    return Allowed(state="down", mechanisms=mechanisms)


def refused() -> Allowed:
    """The server itself refuses."""
    return Allowed(state="refused")


def unclear() -> Allowed:
    """Nothing may be concluded."""
    return Allowed(state="inconclusive")


def blocked(*mechanisms: str) -> Allowed:
    """Blocked, by the first mechanism named; the others are allowed too, as prefixes."""
    return Allowed(state="blocked", mechanisms=mechanisms)


def signs(*mechanisms: str) -> Allowed:
    """Blocked at the lowest grade alone: nothing that can be asked tells this from a block."""
    return Allowed(state="blocked", mechanisms=mechanisms, grades=("signs",))


def http(*truth: Allowed, key: str = "a", see: str, slow: bool = False) -> Expected:
    """The target ``http://`` the site ``key``, its truth, and what a plain client sees."""
    return Expected(url=f"http://@{key}@/", truth=truth, slow=slow, see=see)


def https(*truth: Allowed, key: str = "a", see: str, slow: bool = False) -> Expected:
    """The target ``https://`` the site ``key``, its truth, and what a plain client sees."""
    return Expected(url=f"https://@{key}@/", truth=truth, slow=slow, see=see)


def at(expected: Expected, url: str) -> Expected:
    """The same expectation of another URL."""
    return replace(expected, url=url)


def row(
    id: str,
    desc: str,
    *targets: Expected,
    family: str,
    source: str,
    sites: tuple[Site, ...] = (),
    rules: tuple[Rule, ...] = (),
    world: str = "main",
    mitm: tuple[Mitm, ...] = (),
    dead: tuple[str, ...] = (),
) -> Scenario:
    """One scenario; without ``sites`` it has the ordinary site ``a``."""
    return Scenario(
        id=id,
        desc=desc,
        family=family,
        source=source,
        targets=targets,
        sites=sites or (site(),),
        rules=rules,
        world=world,
        mitm=mitm,
        dead=dead,
    )


def reply(status: str, body: bytes, *headers: str, length: bool = True) -> bytes:
    """Raw HTTP/1.1 bytes as a censor injects them."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body

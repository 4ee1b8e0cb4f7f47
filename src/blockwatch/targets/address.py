"""URLs and endpoints as people write them, and in the one form that is measured.

Rules of this file:

* the form measured is ASCII: host names in IDNA A-labels (UTS 46), paths percent-encoded UTF-8;
* nothing is guessed: a bare domain, a user name, a port 0 or a space is a problem with a remedy;
* pure: no lookup, no network.
"""

from __future__ import annotations

import functools
import ipaddress
import re
from urllib.parse import quote

import idna
import msgspec

from blockwatch.targets.problem import shown

LONGEST_URL = 2_000
_URL = re.compile(
    r"(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://(?P<authority>[^/?#]*)(?P<rest>[^#]*)(?P<fragment>#.*)?\Z"
)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")
_BARE = re.compile(r"[^\s/:@?#]+\.[^\s/:@?#.]{2,}(?P<port>:\d+)?(?P<path>/\S*)?\Z")
# Browsers read such a host as an IPv4 address, or refuse it (WHATWG URL, "ends in a number").
_NUMBER_LAST = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")
# Sub-delimiters and others that stand in a URL as they are (RFC 3986), and "%".
_KEEP = "!$&'()*+,;=:@/?%-._~[]|"


class Address(msgspec.Struct, frozen=True):
    """A URL in the form that is measured, and a note where that differs from what was written."""

    url: str
    note: str | None = None


class BadAddress(ValueError):
    """A URL that cannot be measured: what is wrong, and what to do."""

    def __init__(self, what: str, remedy: str = "") -> None:
        super().__init__(what)
        self.what, self.remedy = what, remedy


@functools.lru_cache(maxsize=64)  # each address is looked at several times in a row
def web_address(written: str) -> Address:
    """Return the address for an http or https URL; raises :class:`BadAddress`."""
    _refuse_strays(written)
    found = _URL.match(written)
    if found is None:
        raise _no_scheme(written)
    scheme = found["scheme"].lower()
    if scheme in ("tcp", "tls"):
        raise BadAddress(
            f"{scheme}:// is no web address", f'Write it under endpoints: [ "{_plain(written)}" ].'
        )
    if scheme not in ("http", "https"):
        raise BadAddress(f"the scheme {shown(scheme, 20)} is not measured", "Use http:// or https://.")
    if found["authority"].lower() in ("http:", "https:", "http", "https"):
        raise BadAddress(f"the scheme stands twice in {shown(written)}", "Write it once: http://host/.")
    host, port = _authority(found["authority"], written)
    if port == {"http": 80, "https": 443}[scheme]:
        port = None
    rest = found["rest"] or "/"
    rest = "/" + rest if rest.startswith("?") else rest
    url = f"{scheme}://{host}" + (f":{port}" if port else "") + quote(rest, safe=_KEEP)
    idn = not written.isascii()
    return Address(url, f"written as {_plain(written)}" if idn else None)


def endpoint(written: str) -> str:
    """Return ``tcp://host:port`` or ``tls://host:port`` in normal form; raises :class:`BadAddress`."""
    _refuse_strays(written)
    found = _URL.match(written)
    if found is None or found["scheme"].lower() not in ("tcp", "tls"):
        raise BadAddress(
            f"{shown(written)} is no endpoint", 'An endpoint is "tcp://host:port" or "tls://host:port".'
        )
    if found["rest"] not in ("", "/") or found["fragment"]:
        raise BadAddress(f"an endpoint has no path: {shown(written)}", "A page belongs under url.")
    host, port = _authority(found["authority"], written)
    if port is None:
        raise BadAddress(
            f"{shown(written)} has no port", f"For example {found['scheme'].lower()}://{host}:443."
        )
    return f"{found['scheme'].lower()}://{host}:{port}"


def is_bare_domain(written: str) -> bool:
    """Whether this is a host name, with or without a path, that lacks only its scheme."""
    return _BARE.match(written) is not None


def _plain(written: str) -> str:
    return shown(written, 200)[1:-1]


def _refuse_strays(written: str) -> None:
    if not written.strip():
        raise BadAddress("the address is empty", "Write a URL such as https://example.org/.")
    if len(written) > LONGEST_URL:
        raise BadAddress(f"the address is longer than {LONGEST_URL} characters")
    if "\n" in written or "\r" in written:
        raise BadAddress("the address holds a line break", "A URL stands on one line.")
    if any(ord(c) < 0x20 or 0x7F <= ord(c) < 0xA0 for c in written):
        raise BadAddress("the address holds a control character", "Delete it, or copy the URL again.")
    if any(c.isspace() for c in written):
        raise BadAddress(f"the address holds a space: {shown(written)}", "Write %20 for a space.")
    if "\\" in written:
        raise BadAddress(f"the address holds a backslash: {shown(written)}", "Use / instead.")


def _no_scheme(written: str) -> BadAddress:
    if re.match(r"https?:/?[^/]", written, re.IGNORECASE):
        return BadAddress(f"{shown(written)} lacks the // after the scheme", "Write http://host/.")
    if is_bare_domain(written):
        rest = _plain(written) + ("" if "/" in written else "/")
        return BadAddress(
            f"{shown(written)} has no scheme",
            f"Write https://{rest} or http://{rest}; for both: one as url, the other under mirrors.",
        )
    return BadAddress(f"{shown(written)} is no URL", "A URL begins with http:// or https://.")


def _authority(authority: str, written: str) -> tuple[str, int | None]:
    """Split and normalise ``host[:port]``."""
    if "@" in authority:
        raise BadAddress(
            "the address holds a user name or password",
            "Delete everything before the @: it would be sent and kept in the evidence.",
        )
    if authority.startswith("["):
        inner, _, after = authority[1:].partition("]")
        return _ipv6(inner), _port(after.removeprefix(":") if after else None, written)
    host, colon, port = authority.partition(":")
    return _host(host, written), _port(port if colon else None, written)


def _ipv6(inner: str) -> str:
    try:
        return f"[{ipaddress.IPv6Address(inner)}]"
    except ValueError:
        raise BadAddress(f"{shown(inner)} is no IPv6 address") from None


def _port(text: str | None, written: str) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 5 and 0 < int(text) < 65_536):
        raise BadAddress(f"{shown(text, 20)} is no port in {shown(written)}", "A port is 1 to 65535.")
    return int(text)


def _host(host: str, written: str) -> str:
    if not host:
        raise BadAddress(f"{shown(written)} names no host", "Write http://host/.")
    if re.fullmatch(r"[0-9.]+", host):
        try:
            return str(ipaddress.IPv4Address(host))
        except ValueError:
            raise BadAddress(f"{shown(host)} is no IPv4 address") from None
    if not host.isascii() or "xn--" in host.lower():
        host = _a_labels(host)  # may have become an IPv4 address, too: "¹" is "1"
        if re.fullmatch(r"[0-9.]+", host):
            return _host(host, written)
    lower = host.lower().removesuffix(".")
    if re.fullmatch(
        r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)", lower
    ):  # browsers read it as an address, or refuse it
        raise BadAddress(f"{shown(host)} is no host name", "Write an IPv4 address in decimal: 192.0.2.1.")
    if len(lower) > 253 or not all(_LABEL.match(label) for label in lower.split(".")):
        raise BadAddress(f"{shown(host)} is no host name", "Letters, digits, hyphens and dots only.")
    return lower


def _a_labels(host: str) -> str:
    if len(host) > 253:
        raise BadAddress("a host name longer than 253 characters")
    try:
        unicode = idna.decode(host.lower(), uts46=True) if host.isascii() else host
        return idna.encode(unicode, uts46=True).decode("ascii").removesuffix(".")
    except (idna.IDNAError, UnicodeError) as error:
        words = " ".join(str(error).split())[:120]
        raise BadAddress(
            f"{shown(host)} is no valid international host name: {words}",
            "Copy the name from the browser's address bar.",
        ) from None

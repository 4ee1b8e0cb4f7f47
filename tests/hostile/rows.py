"""Servers whose words are meant for the terminal, the spreadsheet and the parser of whoever reads them."""

from __future__ import annotations

from blockwatch.lab.scenarios.say import down, http, ok, row, serve, site, unclear
from blockwatch.lab.world import Scenario

STEER = "\x1b[2J\x1b]0;owned\x07\x9b31m"  # clears the screen, sets the title, colours
BIDI = "\u202egnp.exe\u2066"
FORMULA = '=HYPERLINK("http://evil.example/","open")'
MARKUP = "<script>alert(1)</script>[bold]x[/bold]"


def _answer(head: bytes, body: bytes) -> bytes:
    return b"HTTP/1.1 " + head + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def _page(title: str) -> bytes:
    text = title.replace("<", "&lt;")
    return f"<!doctype html><title>{text}</title><p>{text}".encode()


_HTML = b"200 OK\r\nContent-Type: text/html; charset=utf-8"
ANSWERS = {
    "title-steers": _answer(_HTML, _page(STEER + BIDI + MARKUP)),
    "title-formula": _answer(_HTML, _page(FORMULA + "\t\x00\x0b")),
    "reason-steers": _answer(b"200 " + STEER.encode() + b"\r\nContent-Type: text/html", _page("x")),
    "head-64k": _answer(_HTML + b"\r\nX-Long: " + b"a" * 65_536, _page("long")),
    "head-nul": _answer(_HTML + b"\r\nX-Nul: a\0b\x1b[2J\xff\xfe", _page("nul")),
    "not-utf8": _answer(_HTML, b"<title>\xff\xfe\x80\xed\xa0\x80</title>\0\0"),
    "deep": _answer(_HTML, b"<title>" + b"<div>" * 100_000),
    "location-steers": _answer(b"302 Found\r\nLocation: http://evil.example/" + STEER.encode() + b"a b", b""),
    "location-formula": _answer(b"302 Found\r\nLocation: " + FORMULA.encode(), b""),
    "location-file": _answer(b"302 Found\r\nLocation: file:///etc/passwd", b""),
    "location-64k": _answer(b"302 Found\r\nLocation: /" + b"a" * 60_000, b""),
    "location-idn": _answer(b"302 Found\r\nLocation: http://\xd0\xb6\xe2\x80\xae.example/", b""),
    "status-999": _answer(b"999 Odd", b""),
    "status-interim": b"HTTP/1.1 100 Continue\r\n\r\n" * 5_000,
}


def words_rows() -> tuple[Scenario, ...]:
    """One scenario a hostile answer over cleartext HTTP."""
    return tuple(
        row(
            name,
            f"hostile words: {name}",
            http(ok(), down(), unclear(), see="any"),
            family="hostile",
            source="own",
            sites=(site(http=serve("raw", bytes=answer), https=None),),
            world="hostile",
        )
        for name, answer in ANSWERS.items()
    )

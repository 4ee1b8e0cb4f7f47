"""Draw a captured page: what of it is handed to a browser, and what is refused to it.

Rules of this file:

* the browser gets three things: the body, its type, and a policy of ours that forbids the rest. The page
  lives at an address of ours, with no origin; whatever it asks for is refused before it is looked up;
* scripts are off three times: switched off, sandboxed, and forbidden by the policy;
* only what a browser shows as a page is drawn: HTML and plain text; what else came is said in words.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

import msgspec

from blockwatch.content import MAX_BODY, decode_body, header, parse_response, undecodable
from blockwatch.errors import PictureError, UsageError
from blockwatch.picture.browser import Browser, crashed
from blockwatch.picture.png import size_of

SECONDS = 30.0
WIDTH, LEAST_HEIGHT, MOST_HEIGHT = 1_280, 800, 8_000  # pixels
_ADDRESS = "https://captured.invalid/"  # RFC 6761: of nobody
_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; font-src data:; "
    "base-uri 'none'; form-action 'none'; sandbox"
)
_TYPES = ("text/html", "application/xhtml+xml", "text/plain")
_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]+/[a-z0-9!#$&^_.+-]+", re.I)
_LOOKS_LIKE_HTML = re.compile(rb"\A(?:\xef\xbb\xbf)?\s*<[!a-z?]", re.I)


class Page(msgspec.Struct, frozen=True, kw_only=True):
    """What is drawn: a body with transfer and content coding undone, and its type for the browser."""

    body: bytes  # at most 512 KiB
    type: str  # value of a Content-Type header, printable ASCII
    complete: bool  # false: the exchange broke off, or the body was longer


class Drawing(msgspec.Struct, frozen=True, kw_only=True):
    """A picture of a page."""

    png: bytes
    browser: str  # as it calls itself, "Chrome/156.0.8078.79"
    width: int  # pixels
    height: int
    cut: bool  # the page goes on below


def page_in(response: bytes) -> Page:
    """Return the page in the bytes of a response; ``UsageError``, in words, where there is none to draw."""
    parsed = parse_response(response)
    coding = undecodable(parsed.headers)
    if parsed.status is None and not _LOOKS_LIKE_HTML.match(parsed.body):
        raise UsageError("what came back is not HTTP, and no page")
    if coding and parsed.body:
        raise UsageError(f"the body is coded in a way that is not undone here ({coding[:40]!a})")
    body, longer = decode_body(parsed.headers, parsed.body, MAX_BODY)
    if not body.strip():
        raise UsageError(f"the answer (status {parsed.status}) has no body, so there is nothing to draw")
    declared = (header(parsed.headers, "content-type") or "").strip()
    kind = declared.partition(";")[0].strip().lower()
    if _TYPE.fullmatch(kind) is None:  # none, or none that a browser would heed
        kind = declared = "text/html" if _LOOKS_LIKE_HTML.match(body) else "text/plain"
        if kind == "text/plain" and b"\0" in body:
            raise UsageError("the body is neither HTML nor text")
    if kind not in _TYPES:
        raise UsageError(f"the body is no page: its type is {kind[:80]}")
    if not (declared.isascii() and declared.isprintable() and len(declared) <= 200):
        declared = kind
    return Page(body=body, type=declared, complete=parsed.complete is not False and not longer)


def draw(page: Page, program: str, *, seconds: float = SECONDS) -> Drawing:
    """Draw ``page`` with the browser ``program``; ``PictureError`` where that does not succeed."""
    with Browser(program, seconds=seconds) as browser:
        return _Sheet(browser, page).drawn()


class _Sheet:
    """The one tab of a browser, with the page in it."""

    def __init__(self, browser: Browser, page: Page) -> None:
        self._browser, self._page = browser, page
        self._session: str | None = None
        self._given = self._loaded = False

    def drawn(self) -> Drawing:
        version = _text(self._ask("Browser.getVersion"), "product")
        self._open()
        self._ask("Page.navigate", url=_ADDRESS)
        while not self._loaded:
            self._listen(self._browser.next_message())
        metrics = self._ask("Page.getLayoutMetrics").get("cssContentSize")
        wanted = metrics.get("height") if isinstance(metrics, dict) else None
        if not isinstance(wanted, int | float):
            raise PictureError("the browser does not say how long the page is")
        height = int(min(max(wanted, LEAST_HEIGHT), MOST_HEIGHT))
        clip = {"x": 0, "y": 0, "width": WIDTH, "height": height, "scale": 1}
        shot = self._ask("Page.captureScreenshot", format="png", clip=clip, captureBeyondViewport=True)
        try:
            png = base64.b64decode(_text(shot, "data"), validate=True)
        except binascii.Error as error:
            raise PictureError("what the browser gives is no picture") from error
        wide, high = size_of(png)
        name = re.sub(r"[^ -~]", "?", version)[:80]
        return Drawing(png=png, browser=name, width=wide, height=high, cut=wanted > MOST_HEIGHT)

    def _open(self) -> None:
        """Open a tab in which nothing runs and every request is asked about."""
        target = _text(self._ask("Target.createTarget", url="about:blank"), "targetId")
        self._session = _text(self._ask("Target.attachToTarget", targetId=target, flatten=True), "sessionId")
        self._ask("Emulation.setScriptExecutionDisabled", value=True)
        self._ask("Emulation.setDeviceMetricsOverride", width=WIDTH, height=LEAST_HEIGHT, deviceScaleFactor=1,
                  mobile=False)  # fmt: skip
        self._ask("Fetch.enable", patterns=[{"urlPattern": "*"}])
        self._ask("Page.enable")

    def _ask(self, method: str, **fields: Any) -> dict[str, Any]:
        return self._browser.ask(method, self._session, listen=self._listen, **fields)

    def _listen(self, message: dict[str, Any]) -> None:
        """Give the page when it is asked for first; refuse everything after it."""
        fields = message.get("params")
        request = fields.get("requestId") if isinstance(fields, dict) else None
        match message.get("method"):
            case "Fetch.requestPaused" if not self._given:
                self._given = True
                self._browser.tell(
                    "Fetch.fulfillRequest", self._session, requestId=request, responseCode=200,
                    responseHeaders=[{"name": "Content-Type", "value": self._page.type},
                                     {"name": "Content-Security-Policy", "value": _POLICY}],
                    body=base64.b64encode(self._page.body).decode(),
                )  # fmt: skip
            case "Fetch.requestPaused":  # "Aborted" leaves a page that wants to go elsewhere where it is
                self._browser.tell(
                    "Fetch.failRequest", self._session, requestId=request, errorReason="Aborted"
                )
            case "Page.loadEventFired":
                self._loaded = self._given
            case "Inspector.targetCrashed" | "Target.targetCrashed" | "Inspector.detached":
                raise crashed()


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise PictureError(f"the browser does not say its {name}")
    return value

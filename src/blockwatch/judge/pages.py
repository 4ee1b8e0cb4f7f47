"""Whose page is it: the site's, the server's refusal, a challenge, or a middlebox's?

Rules of this file:

* a page is the site's when it agrees with the control by title or by size: one header name in common
  proves nothing, and neither does a difference (news change by the minute);
* the vocabulary of block pages is only a sign (facts on record: :mod:`blockwatch.judge.fingerprints`);
* a control that was itself refused (403, challenge) says nothing about our page.
"""

from __future__ import annotations

import re
from functools import lru_cache

from blockwatch.judge.names import parts
from blockwatch.judge.sight import redirect_of
from blockwatch.model import ControlStep, HttpStep

SMALL = 20_000  # bytes: a block page is hardly ever larger
TINY = 2_000  # bytes: below it a page may be anybody's
REFUSALS = frozenset({403, 451})
BEGINNING = 1_000  # characters of a large page in which a fingerprint still counts
_CONTROL_REFUSED = frozenset({401, 403, 407, 429, 451})
_SAME_TITLE_WORDS = 0.5  # share of words in common (Jaccard)
_SAME_SIZE = 0.95
_LIKE_SIZE = 0.3

_LOOKED_AT = 20_000  # characters of a page in which words are looked for
_VOCABULARY = re.compile(
    r"access (?:is |has been )?(?:denied|restricted|blocked|prohibited|forbidden)|has been blocked|"
    r"site (?:is )?blocked|website (?:is )?(?:blocked|not accessible)|blocked by|jurisdiction|judicial|"
    r"court (?:order|decision)|доступ[а-я]* .{0,60}(?:ограничен|заблокирован|запрещ|закрыт|прекращ)|"
    r"(?:ограничен|заблокирован|запрещ)[а-я]* доступ|страниц[аы] заблокирован|заблокирован|"
    r"решени[а-я]+ суд|роскомнадзор|реестр[а-я]* запрещ|қол ?жеткізу .{0,40}(?:шектел|бұғаттал)|"
    r"бұғаттал|рұқсат .{0,20}(?:жоқ|шектел)|сот шешімі|kirish .{0,30}(?:cheklan|taqiqlan)|"
    r"бөгөттөл|дастрасӣ .{0,30}маҳдуд",
    re.S,
)
# Every match of the vocabulary holds one of these, which are found much faster.
_STEMS = (
    *("denied", "restricted", "blocked", "prohibited", "forbidden", "not accessible", "jurisdiction"),
    *("judicial", "court ", "доступ", "заблокирован", "решени", "роскомнадзор", "реестр", "жеткізу"),
    *("бұғаттал", "рұқсат", "сот шешімі", "kirish", "бөгөттөл", "дастрасӣ"),
)
_BLOCK_PATH = re.compile(r"block|denied|forbid|restrict|zapret|warning|reestr|censor|filter|access", re.I)
_CHALLENGES = (
    "just a moment",
    "attention required",
    "checking your browser",
    "checking if the site connection is secure",
    "enable javascript and cookies",
    "verify you are human",
    "verify you are a human",
    "verifying you are human",
    "verifying you are a human",
    "ddos protection",
    "captcha",
    "ddos-guard",
    "are you a robot",
    "security check",
    "one more step",
    "please wait",
)
_CDN_HEADERS = frozenset(
    [
        "cf-ray",
        "cf-cache-status",
        "x-amz-cf-id",
        "x-amz-cf-pop",
        "x-served-by",
        "x-akamai-transformed",
        "x-fastly-request-id",
        "x-cache-hits",
        "x-sucuri-id",
        "x-iinfo",
    ]
)
_CDN_SERVERS = ("akamaighost", "cloudflare", "cloudfront", "ecacc", "ecs ", "bunnycdn", "netlify", "vercel")
_PROXY_HEADERS = frozenset({"via", "age", "x-cache", "x-cache-lookup", "x-squid-error", "x-bluecoat-via"})
# Headers that servers of every kind send: to have them in common says nothing.
_GENERIC = frozenset(
    [
        *("server", "date", "content-type", "content-length", "content-encoding", "content-language"),
        *("connection", "keep-alive", "transfer-encoding", "cache-control", "pragma", "expires", "vary"),
        *("etag", "last-modified", "accept-ranges", "age", "via", "x-powered-by", "set-cookie", "location"),
    ]
)
_WORD = re.compile(r"\w+")
_PART = re.compile(r"\s[-|–—·»:]+\s")


def agrees(step: HttpStep, control: ControlStep | None) -> str:
    """``same``, ``different``, ``void`` (the control was refused or erred) or ``none`` (no control)."""
    if control is None or control.failure is not None or control.status is None or control.http_failure:
        return "none"
    ours, theirs = step.status or 0, control.status
    if ours // 100 == 2 and (theirs in _CONTROL_REFUSED or theirs >= 400):
        return "void"
    if ours != theirs and not (ours // 100 == theirs // 100 == 2):
        return "different"
    if control.title and "\ufffd" in control.title:  # the helper could not read it: sizes must tell
        return "same" if _sizes(step, control) >= _SAME_SIZE else "different"
    if step.title and control.title:
        return "same" if _titles_alike(step.title, control.title) else "different"
    if bool(step.title) != bool(control.title):
        return "different"
    return "same" if _sizes(step, control) >= _SAME_SIZE else "different"


def half_alike(step: HttpStep, control: ControlStep | None) -> bool:
    """Whether only some words of the title are the control's: a block page may name the site as well."""
    if control is None or not step.title or not control.title:
        return False
    return _WORD.findall(step.title.lower()) != _WORD.findall(control.title.lower())


def speaks_instead(step: HttpStep, control: ControlStep, text: str = "") -> bool:
    """Whether a title speaks of blocking where the control's does not, or a page that is much smaller than
    the control's speaks of it, be it with a single word of the title.
    """
    ours, theirs = (step.title or "").lower(), (control.title or "").lower()
    if _VOCABULARY.search(ours) is not None and _VOCABULARY.search(theirs) is None:
        return True
    if (step.body_length or 0) >= _LIKE_SIZE * (control.body_length or 0):
        return False
    return wording(step, text) or any(stem in ours and stem not in theirs for stem in _STEMS)


def same_page(one: ControlStep | None, other: ControlStep | None) -> bool:
    """Whether the control got one and the same page for two URLs."""
    if one is None or other is None or not (one.status and other.status):
        return False
    if one.http_failure or other.http_failure or one.status != other.status or not one.body_length:
        return False
    return one.title == other.title and one.body_length == other.body_length


def turned_away(control: ControlStep) -> bool:
    """Whether the control was refused, or had to prove that it is a browser: it saw nobody's page."""
    return (control.status or 600) >= 400 or challenge(control)


def _sizes(step: HttpStep, control: ControlStep) -> float:
    ours, theirs = step.body_length or 0, control.body_length or 0
    if step.truncated and theirs >= ours:
        return 1.0
    return min(ours, theirs) / max(ours, theirs) if ours or theirs else 1.0


@lru_cache(maxsize=8_192)
def _titles_alike(one: str, other: str) -> bool:
    first, second = (set(_WORD.findall(title.lower())) for title in (one, other))
    if not first or not second:
        return one.split() == other.split()
    return len(first & second) / len(first | second) >= _SAME_TITLE_WORDS


def structured_like(step: HttpStep, control: ControlStep | None) -> bool:
    """Whether a differing page is still built like the control's: size and header names in common."""
    if control is None or not control.status:
        return False
    ours = {name.lower() for name, _ in step.headers}
    theirs = {name.lower() for name, _ in control.headers}
    size = _sizes(step, control)
    if size < _LIKE_SIZE or (step.status or 0) != control.status:
        return False
    return bool(theirs) and len(ours & theirs) * 10 >= len(theirs) * 7


def built_alike(step: HttpStep, control: ControlStep | None) -> bool:
    """:func:`structured_like` by headers that not every server sends."""
    if control is None or not structured_like(step, control):
        return False
    ours = {name.lower() for name, _ in step.headers} - _GENERIC
    theirs = {name.lower() for name, _ in control.headers} - _GENERIC
    return bool(theirs) and len(ours & theirs) * 10 >= len(theirs) * 7


def kindred(step: HttpStep, control: ControlStep | None) -> bool:
    """:func:`built_alike`; or :func:`structured_like`, with one name at the end or beginning of both titles,
    as all pages of a site have (``headline | name``).
    """
    if control is None or built_alike(step, control):
        return control is not None
    return structured_like(step, control) and bool(_names(step.title) & _names(control.title))


def _names(title: str | None) -> set[str]:
    """The first and the last part of a title that has several, in lower case; none of few letters."""
    told = [part.strip().lower() for part in _PART.split(title or "")]
    return {part for part in (told[0], told[-1]) if len(part) >= 4} if len(told) > 1 else set()


def alike(one: HttpStep, other: HttpStep) -> bool:
    """Whether two responses of ours are one and the same answer (page or redirect)."""
    if one.status != other.status:
        return False
    first, second = redirect_of(one), redirect_of(other)
    if first or second:
        return _bare(first) == _bare(second)
    if (one.title or "") != (other.title or ""):
        return False
    sizes = sorted((one.body_length or 0, other.body_length or 0))
    return sizes[1] - sizes[0] <= max(64, sizes[1] // 20)


def _bare(url: str) -> str:
    """A URL without its query, and with every run of digits in its path made one."""
    head, _, _ = url.partition("?")
    scheme, mark, rest = head.partition("://")
    host, slash, path = rest.partition("/")
    return scheme + mark + host + slash + re.sub(r"\d+", "0", path)


def wording(step: HttpStep, text: str = "") -> bool:
    """Whether a page speaks like a block page: a sign, never proof."""
    return telling(_words(step, text))


def telling(words: str) -> bool:
    """Whether words, in lower case, speak like a block page."""
    return any(stem in words for stem in _STEMS) and _VOCABULARY.search(words) is not None


def _words(step: HttpStep | ControlStep, text: str) -> str:
    """Title and beginning of a page in lower case."""
    return f"{step.title or ''}\n{text[:_LOOKED_AT]}".lower()


def telling_path(url: str) -> bool:
    """Whether a redirect's path or host reads like a block page's: a sign, never proof."""
    return bool(_BLOCK_PATH.search(url))


def from_cdn(step: HttpStep, *, servers: bool = True) -> bool:
    """Whether a CDN's own headers are on the response: then another address may rightly serve the site.

    Not all send any, on errors of their own above all: so the name of the server counts, too (``servers``).
    """
    told = [(name.lower(), value) for name, value in step.headers]
    named = any(n == "server" and v.strip().lower().startswith(_CDN_SERVERS) for n, v in told)
    return (servers and named) or any(name in _CDN_HEADERS for name, _ in told)


def handed_on(step: HttpStep) -> bool:
    """Whether a proxy shows that it was between: by its headers, or with an error of the kind that gateways
    have (RFC 9110, 7.6.3 and 15.6.3 to 15.6.5).
    """
    return step.status in (502, 503, 504) or any(name.lower() in _PROXY_HEADERS for name, _ in step.headers)


def may_challenge(step: HttpStep | ControlStep) -> bool:
    """Whether a page's words matter to :func:`challenge`: by its status, and a good one must be small."""
    if step.status == 200:
        return (step.body_length or 0) < SMALL
    return step.status in (202, 403, 429, 503)


def challenge(step: HttpStep | ControlStep, text: str = "") -> bool:
    """Whether the server asks the visitor to prove that it is a browser."""
    if step.status not in (200, 202, 403, 429, 503):
        return False
    names = {name.lower() for name, _ in step.headers}
    if "cf-mitigated" in names or "x-sucuri-block" in names:
        return True
    if not may_challenge(step):
        return False
    words = _words(step, text)
    return any(phrase in words for phrase in _CHALLENGES)


def refusal(step: HttpStep, control: ControlStep | None, text: str = "") -> bool:
    """Whether the server itself refuses: 403, 451, a challenge, or 429/503 that the control did not get."""
    if step.status in REFUSALS or challenge(step, text):
        return True
    if step.status == 429 and control is None:
        return True
    fine = control is not None and control.http_failure is None and (control.status or 500) < 400
    return step.status in (429, 503) and fine


def destination(url: str) -> str:
    """A redirect's destination without what may differ between visitors: scheme, host and path."""
    split = parts(url)
    return f"{split.scheme}://{split.host}:{split.port}{split.path}"


def page_key(step: HttpStep) -> str:
    """What makes two small pages the same one: status, title and length."""
    return f"{step.status} {step.title or ''} {step.body_length}"

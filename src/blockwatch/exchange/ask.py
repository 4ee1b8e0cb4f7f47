"""One question to somebody outside, one answer: over HTTP, bounded in time and size.

Rules of this file:

* nothing is sent that the caller did not hand over: no cookie, no proxy of the environment, no
  redirect followed;
* many authorities are asked without encryption, so a question looks like those of the tool that their
  own pages tell people to use: whoever reads along sees that a stamp is taken, not by which program;
* an answer is read up to ``MAX_ANSWER`` bytes and for as long as the caller's patience, then dropped;
* whatever fails is an :class:`ExchangeError` in words; the caller goes on with the next one.
"""

from __future__ import annotations

from urllib.parse import urlsplit

import httpx
import trio

from blockwatch.errors import BlockwatchError, Exit, UsageError

MAX_ANSWER = 65_536  # bytes
_USER_AGENT = "curl/8.5.0"  # headers and their order are curl's, too


class ExchangeError(BlockwatchError):
    """Somebody outside could not be reached, or did not answer as agreed."""

    exit_code = Exit.PARTIAL


def checked_url(url: str) -> str:
    """Give back a URL that may be asked, or raise ``UsageError``."""
    try:
        parts = urlsplit(url)
        fine = parts.scheme in ("http", "https") and parts.hostname and parts.username is None
        fine = fine and parts.port != 0 and not parts.query and not parts.fragment and url.isprintable()
    except ValueError:
        fine = False
    if not fine:
        raise UsageError(
            f'"{url[:100]}" is no address to ask',
            remedy="Write it as https://HOST/PATH or http://HOST/PATH, without user name or query.",
        )
    return url


async def ask(url: str, question: bytes | None, headers: dict[str, str], patience: float) -> bytes:
    """POST ``question`` (or GET) and give the body of a 200; raises :class:`ExchangeError`."""
    body = bytearray()
    try:
        with trio.fail_after(patience):
            async with httpx.AsyncClient(trust_env=False, timeout=None) as client:  # noqa: S113, the scope ends it
                method = "GET" if question is None else "POST"
                sent = [("Host", urlsplit(url).netloc), ("User-Agent", _USER_AGENT), *headers.items()]
                if question is not None:
                    sent.append(("Content-Length", str(len(question))))
                request = httpx.Request(method, url, content=question, headers=sent)
                answer = await client.send(request, stream=True)
                async for part in answer.aiter_raw():
                    body += part
                    if len(body) > MAX_ANSWER:
                        raise ExchangeError(f"answered with more than {MAX_ANSWER} bytes", where=url)
                if answer.status_code != 200:
                    raise ExchangeError(f"answered with status {answer.status_code}", where=url)
    except trio.TooSlowError:
        raise ExchangeError(f"no answer within {patience:g} s", where=url) from None
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
        words = " ".join(str(error).split())[:200] or type(error).__name__
        raise ExchangeError(f"could not be asked ({words})", where=url) from error
    return bytes(body)


async def ask_authority(url: str, request: bytes, patience: float) -> bytes:
    """Hand an RFC 3161 request to a time-stamp authority (section 3.4); the reply as it came."""
    kinds = {"Accept": "*/*", "Content-Type": "application/timestamp-query"}
    return await ask(url, request, kinds, patience)


_CALENDAR = {"Accept": "application/vnd.opentimestamps.v1"}


async def ask_calendar(url: str, commitment: bytes, patience: float) -> bytes:
    """Hand 32 bytes to an OpenTimestamps calendar; its promise, as it came."""
    return await ask(f"{url.rstrip('/')}/digest", commitment, _CALENDAR, patience)


async def ask_progress(url: str, commitment: bytes, patience: float) -> bytes:
    """Ask a calendar what has become of its promise for ``commitment``."""
    return await ask(f"{url.rstrip('/')}/timestamp/{commitment.hex()}", None, _CALENDAR, patience)

"""The control: the same URL as a test helper sees it.

Rules of this file:

* OONI's test-helper protocol (probe-cli ``oohelperd``): a POST of JSON, an answer of JSON;
* helpers are asked in turn, the next one after a failure or after a while; one that is busy is asked
  again a little later; each try is a :class:`~blockwatch.model.ControlStep` of its own, whose
  ``failure`` speaks of the helper and never of the site;
* waiting for a place at a helper is no part of the step, neither of its time nor of its limit;
* the answer is hostile input: bounded, and what does not fit is left out;
* a helper's certificate must be valid: otherwise whoever forges it makes our controls.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import msgspec
import trio

from blockwatch import failure as f
from blockwatch.model import ControlStep
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, Garbage, name_failure
from blockwatch.net.http import BROWSER_HEADERS, Reply, Request
from blockwatch.net.kept import Kept
from blockwatch.net.kit import Kit
from blockwatch.net.question import Control, Question
from blockwatch.net.record import Draft, Record
from blockwatch.net.url import Url, parse_url
from blockwatch.ooni.answer import control_fields

_FORWARDED = ("User-Agent", "Accept", "Accept-Language")
_BUSY = (429, 503)
_AGAIN_S = (1.0, 3.0)  # waits before a busy helper is asked again, each made up to half as long again
_HEADERS = (
    BROWSER_HEADERS[0],  # a helper may be asked without encryption: whoever reads along learns no program
    ("Content-Type", "application/json"),
    ("Accept", "application/json"),
)


class Helpers:
    """The test helpers of one run, in order of preference."""

    def __init__(self, kit: Kit, urls: Sequence[str]) -> None:
        self._kit = kit
        self._helpers = [Kept(kit, parse_url(url), limits.HELPER_CONNECTIONS) for url in urls]
        self.dates: list[tuple[int, str]] = []  # (our UTC microseconds, Date header) of answers

    def __bool__(self) -> bool:
        return bool(self._helpers)

    async def ask(self, record: Record, question: Question) -> tuple[str, ...] | None:
        """Ask until one helper answers; the addresses that it found, or None when none answers."""
        body = _body(question.url, question.addresses)

        def begin(helper: Kept, tries: int) -> Draft:
            return record.begin(
                ControlStep,
                purpose=question.purpose,
                round=question.round + tries,
                hop=question.hop,
                helper=str(helper.url),
                url=str(question.url),
                addresses=(),
                skipped=False,
            )

        for helper in self._helpers:
            draft = await self._ask_one(helper, partial(begin, helper), record, body)
            if draft.fields["failure"] is None:
                return tuple(draft.fields["addresses"])
        return None

    async def _ask_one(
        self, helper: Kept, begin: Callable[[int], Draft], record: Record, body: bytes
    ) -> Draft:
        """Ask one helper, again where it is busy; the last step made."""
        for tries, wait in enumerate((*_AGAIN_S, None)):
            async with helper.place():
                since, draft = trio.current_time(), begin(tries)
                status = await self._try(helper, draft, record, body)
            if status not in _BUSY:
                break
            helper.busy(since)
            if wait is not None:
                await trio.sleep(wait * random.uniform(1.0, 1.5))  # noqa: S311
        return draft

    async def _try(self, helper: Kept, draft: Draft, record: Record, body: bytes) -> int | None:
        """Ask once; the status of the answer, if there was one."""
        fields = draft.fields
        if helper.resting:
            fields["failure"], fields["error"] = f.TIMEOUT, "failed three times in a row, not asked now"
            record.end(draft)
            return None
        last = helper is self._helpers[-1]
        request = Request(helper.url, method="POST", headers=_HEADERS, body=body, head_s=limits.CONTROL_S)
        reply = Reply()
        connecting = Record(self._kit.network.monotonic_us, self._kit.origin_us)
        try:
            with trio.fail_after(limits.CONTROL_S if last else limits.CONTROL_NEXT_S):
                made = await helper.send(connecting, request, reply)
            if made:
                _read(fields, reply)
                self._note_date(reply)
            else:
                fields["failure"], fields["error"] = _why_not(connecting)
        except NETWORK as error:
            fields["failure"], fields["error"] = name_failure(error)
        fields["sent"], fields["received"] = len(request.raw()), len(reply.raw)
        record.end(draft)
        return reply.status

    def _note_date(self, reply: Reply) -> None:
        date = reply.header("date")
        if date is not None and len(self.dates) < 1_000:
            self.dates.append((self._kit.network.utc_us(), date[:64]))

    def close(self) -> None:
        """Close the kept connections."""
        for helper in self._helpers:
            helper.close()


class Controls:
    """Several kinds of control, the next one asked when one does not work."""

    def __init__(self, controls: Sequence[Control]) -> None:
        self._controls = tuple(controls)

    async def ask(self, record: Record, question: Question) -> tuple[str, ...] | None:
        """Ask until one answers."""
        for control in self._controls:
            found = await control.ask(record, question)
            if found is not None:
                return found
        return None


def _body(url: Url, addresses: Sequence[str]) -> bytes:
    ports = {"http": (443, 80), "https": (443,)}[url.scheme] if url.port in (80, 443) else (url.port,)
    shown = [f"[{a}]" if ":" in a else a for a in addresses]
    headers = {key: [value] for key, value in BROWSER_HEADERS if key in _FORWARDED}
    question = {
        "http_request": str(url),
        "http_request_headers": headers,
        "tcp_connect": [f"{address}:{port}" for address in shown for port in ports],
        "x_quic_enabled": False,
    }
    return json.dumps(question).encode("ascii")


def _why_not(connecting: Record) -> tuple[str, str | None]:
    """The failure of the last step that tried to reach the helper."""
    for step in reversed(connecting.snapshot()):
        if step.failure is not None:
            return step.failure, step.error
        trust = getattr(step, "trust", None)
        if trust is not None:
            return trust, "certificate of the helper"
    return f.DNS_TEMPORARY, "no address of the helper"


def _read(fields: dict[str, Any], reply: Reply) -> None:
    if reply.status != 200:
        raise Garbage("http_unexpected_status_code", f"HTTP {reply.status}")
    try:
        answer = msgspec.json.decode(reply.body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Garbage("json_parse_error", "the helper's answer is not JSON") from None
    page = answer.get("http_request") if isinstance(answer, dict) else None
    if not page or not isinstance(page, dict):
        raise Garbage("json_parse_error", "no http_request in the helper's answer")
    fields.update(control_fields(answer))

"""The control through a proxy: the same page and addresses, dialled from where the proxy is.

Rules of this file: as for a test helper, one :class:`~blockwatch.model.ControlStep` a question, whose
``failure`` speaks of the proxy alone; redirects are followed, since a helper follows them too; which
addresses the proxy's resolver finds is not told by SOCKS, so ``addresses`` stays empty.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import trio

from blockwatch.model import ControlStep, Endpoint, HttpStep, Observation
from blockwatch.net import limits
from blockwatch.net.failures import NETWORK, name_failure
from blockwatch.net.flow import Flow
from blockwatch.net.http import Reply
from blockwatch.net.kit import Kit
from blockwatch.net.question import Question
from blockwatch.net.record import Record
from blockwatch.net.redirects import location
from blockwatch.net.seam import Network
from blockwatch.net.socks import Proxy, ProxyDown, SocksNetwork
from blockwatch.net.url import BadUrl, Url, join


class Proxied:
    """A control that is this very program, elsewhere."""

    def __init__(self, network: Network, proxy: Proxy, *, ca_file: Path | None = None) -> None:
        self._kit = Kit(SocksNetwork(network, proxy), ca_file=ca_file)
        self._shown = proxy.shown

    async def ask(self, record: Record, question: Question) -> tuple[str, ...] | None:
        """Fetch the URL and dial the addresses through the proxy; None when the proxy does not work."""
        url = question.url
        draft = record.begin(
            ControlStep,
            purpose=question.purpose,
            round=question.round,
            hop=question.hop,
            helper=self._shown,
            url=str(url),
        )
        fields = draft.fields
        found: list[Endpoint] = []
        try:
            with trio.fail_after(limits.CONTROL_S):
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._fetch, url, fields)
                    for address in question.addresses[: limits.ADDRESSES]:
                        nursery.start_soon(self._endpoint, url, address, found)
        except (*NETWORK, ExceptionGroup) as error:
            fields["failure"], fields["error"] = _blame(error)
        fields["endpoints"] = tuple(sorted(found, key=lambda endpoint: endpoint.address))
        record.end(draft)
        return () if fields["failure"] is None else None

    async def _fetch(self, url: Url, fields: dict[str, Any]) -> None:
        for _ in range(limits.REDIRECTS + 1):
            scratch, reply = await self._page(url)
            step = scratch[-1]
            fields["http_failure"] = next((s.failure for s in scratch if s.failure), None) or _distrust(
                scratch
            )
            if not isinstance(step, HttpStep) or step.status is None or step.failure is not None:
                return
            fields |= {"status": step.status, "headers": step.headers}
            fields |= {"body_length": step.body_length, "title": step.title}
            ahead = location(step.status, reply.headers)
            if ahead is None:
                return
            try:
                url = join(url, ahead)
            except BadUrl:
                return

    async def _page(self, url: Url) -> tuple[tuple[Observation, ...], Reply]:
        scratch = Record(self._kit.network.monotonic_us, self._kit.origin_us)
        flow = Flow(self._kit, scratch, url.host, url.port)
        try:
            await flow.tcp_connect()
            if url.scheme == "https":
                await flow.tls_handshake(server_name=url.host)
            _, reply = await flow.http_get(url)
        finally:
            flow.close()
        return scratch.snapshot(), reply

    async def _endpoint(self, url: Url, address: str, found: list[Endpoint]) -> None:
        scratch = Record(self._kit.network.monotonic_us, self._kit.origin_us)
        flow = Flow(self._kit, scratch, address, url.port)
        secure = url.scheme == "https"
        try:
            await flow.tcp_connect()
            if secure:
                await flow.tls_handshake(server_name=url.host)
        finally:
            flow.close()
        tcp, *tls = scratch.snapshot()
        tried = secure and tcp.failure is None
        failure = (tls[0].failure or _distrust(tuple(tls))) if tried else None
        found.append(
            Endpoint(address=address, port=url.port, tcp_failure=tcp.failure, tls=tried, tls_failure=failure)
        )

    def close(self) -> None:
        """Nothing is kept open."""


def _distrust(steps: tuple[Observation, ...]) -> str | None:
    return next((trust for step in steps if (trust := getattr(step, "trust", None)) is not None), None)


def _blame(error: BaseException) -> tuple[str, str | None]:
    """What is wrong with the proxy; what is not its fault is raised again, whatever came beside it."""
    if isinstance(error, BaseExceptionGroup):
        first, *_ = [_blame(one) for one in error.exceptions]  # all of them: a fault of ours may come last
        return first
    if isinstance(error, ProxyDown):
        return error.failure, error.error
    return name_failure(error)

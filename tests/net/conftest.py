"""Kits and authorities for tests of the flows."""

from pathlib import Path

import pytest
import trio

from blockwatch.net.flow import Flow
from blockwatch.net.habits import Habits
from blockwatch.net.kit import Kit
from blockwatch.net.lookup import Lookups
from blockwatch.net.record import Record

from .far import SITE, Authority, Far


@pytest.fixture(scope="session")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(Path(tmp_path_factory.mktemp("ca")))


@pytest.fixture
async def far(nursery: trio.Nursery) -> Far:
    return Far(nursery)


class Tools:
    """A kit, a record, and a flow through all its steps."""

    def __init__(self, far: Far, authority: Authority) -> None:
        self.far = far
        self.kit = Kit(far, ca_file=authority.ca_file)
        self.record = Record(far.monotonic_us, self.kit.origin_us)

    async def visit(self, url: str, address: str = SITE, *, insecure: bool = False):
        """Dial, shake hands, GET; the observations."""
        host = url.split("/")[2].partition(":")[0]
        secure = url.startswith("https")
        flow = Flow(self.kit, self.record, address, 443 if secure else 80)
        await flow.tcp_connect()
        if secure:
            await flow.tls_handshake(server_name=host)
        await flow.http_get(url, insecure=insecure)
        flow.close()
        return self.record.snapshot()


@pytest.fixture
async def tools(far: Far, authority: Authority) -> Tools:
    return Tools(far, authority)


@pytest.fixture
async def ask(tools, nursery):
    """Ask one resolver; the steps once listening is over."""

    async def ask(resolver, name="a.example", *, finish=True, **more):
        async with trio.open_nursery() as background:
            lookups = Lookups(tools.kit, tools.record, Habits(tools.kit), background)
            found = await lookups.ask(resolver, name, **more)
            if finish:
                lookups.finish()
        return found, tools.record.snapshot()

    return ask

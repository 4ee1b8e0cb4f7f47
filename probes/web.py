"""Does the page come, over which addresses, and does it look elsewhere as it looks here?"""

from blockwatch.probe import Session, Task

NAME = "web"
VERSION = "1"
TIER = 1


async def measure(target: Task, net: Session) -> None:
    """Fetch the page with every redirect; an endpoint without a page is only dialled."""
    if target.is_page:
        await net.page(target.url)
        return
    for address in await net.lookup(target.host):
        async with net.flow(address, target.port) as flow:
            await flow.tcp_connect()
            if target.tls:
                await flow.tls_handshake(server_name=target.host)

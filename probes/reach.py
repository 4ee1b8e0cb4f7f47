"""Can every address of the target be dialled, and does TLS answer there?"""

from blockwatch.probe import Session, Task

NAME = "reach"
VERSION = "1"
TIER = 1


async def measure(target: Task, net: Session) -> None:
    """Dial every address and shake hands where TLS belongs; no page is asked for."""
    for address in await net.lookup(target.host):
        async with net.flow(address, target.port) as flow:
            await flow.tcp_connect()
            if target.tls:
                await flow.tls_handshake(server_name=target.host)

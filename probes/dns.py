"""What does every resolver answer for the name, and how many answers come?"""

from blockwatch.probe import Session, Task

NAME = "dns"
VERSION = "1"
TIER = 1


async def measure(target: Task, net: Session) -> None:
    """Ask all resolvers at once; replies that come later are kept too."""
    await net.lookup(target.host)

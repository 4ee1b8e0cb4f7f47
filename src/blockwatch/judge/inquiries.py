"""What an odd lookup buys: the name again and a control name, and a look at who lives at the addresses.

Rules of this file: as in :mod:`blockwatch.judge.followups`; each function asks once, and names its requests
from the observations alone.
"""

from __future__ import annotations

from zlib import crc32

from blockwatch.followup import FlowRequest, FollowUp, LookupRequest
from blockwatch.judge import matrix
from blockwatch.judge.addresses import bogon, is_address, is_v6
from blockwatch.judge.answers import LINE, SYSTEM, given
from blockwatch.judge.ground import Ground
from blockwatch.judge.names import neutral, parts
from blockwatch.judge.negative import ghostly
from blockwatch.judge.outcomes import EMPTY, NXDOMAIN, OK, REFUSED, SERVFAIL, TIMEOUT, TRUST
from blockwatch.judge.public import denies, nowhere
from blockwatch.judge.scene import Scene
from blockwatch.judge.sight import FRESH, MADE_UP
from blockwatch.model import Purpose

_WINDOW_US = 4_000_000
COPY = 9  # the round by which a copy of the page over TLS is told from a mere handshake


def of_name(scene: Scene, ground: Ground) -> list[FollowUp]:
    """What to ask next about a name whose lookup is odd."""
    asked = _lookups(scene, ground) or _validations(scene) or _strangers(scene, ground)
    return asked or _undialled(scene)


def _lookups(scene: Scene, ground: Ground) -> list[FollowUp]:
    """Ask again: the system, its resolver by our own socket, the others; and a control name of each. As that
    may be blocked itself, the line's resolver is also asked for a name that nobody blocks.
    """
    hop, answers = scene.hop, scene.answers
    if answers.line or hop.name_controls or any(x.step.purpose is Purpose.REPEAT for x in answers.system):
        return []
    name = answers.system[0].step.name
    calm = ground.hosts or _helper_names(scene)
    others = _open_resolvers(scene)
    wanted: list[FollowUp] = [
        LookupRequest(
            resolver=resolver,
            name=asked,
            purpose=purpose,
            round=number,
            hop=hop.number,
            window_us=_WINDOW_US,
            wait_us=matrix.pause(name, number),
        )
        for resolver, asked, purpose, number in (
            *((r, host, Purpose.NAME_CONTROL, 0) for host in calm[:1] for r in (SYSTEM, LINE, *others)),
            *((r, neutral(name, *calm[:1]), Purpose.NAME_CONTROL, 1) for r in (SYSTEM, LINE)),
            *((r, _fresh(scene, *calm[:1]), Purpose.NAME_CONTROL, FRESH) for r in others),
            (LINE, name, Purpose.REPEAT, 1),
            (SYSTEM, name, Purpose.REPEAT, 1),
            (SYSTEM, name, Purpose.REPEAT, 2),
            *((resolver, name, Purpose.REPEAT, 1) for resolver in others),
            *((resolver, name, Purpose.VALIDATE, 1) for resolver in _over_tcp(scene, others)),
            *(
                (LINE, made_up, Purpose.NAME_CONTROL, MADE_UP + n)
                for made_up in _made_up(scene, calm)
                for n in (0, 1)
            ),
        )
    ]
    return wanted


def _made_up(scene: Scene, calm: tuple[str, ...]) -> list[str]:
    """A name that nobody has, where this one is denied: does the resolver say what it knows that from? Where
    it fails: does the resolver still find out anything, or live on what it remembers? And where this one has
    an address for the line alone: does every name that does not exist?

    Asked twice, as the second answer is one that it remembers.
    """
    if scene.answers.how not in (EMPTY, NXDOMAIN, TIMEOUT, SERVFAIL, REFUSED) and not ghostly(scene):
        return []
    return [f"{crc32(scene.hop.host.encode()):08x}.{host}" for host in calm[:1]]


def _fresh(scene: Scene, *calm: str) -> str:
    """A name that nobody has, below one kept for examples: no censor's list holds it and no memory does, so
    one reply shows that this path answers once. Another one each time.
    """
    first = scene.answers.system[0].step
    return f"{crc32(f'{first.name}/{first.t}'.encode()):08x}.{neutral(first.name, *calm)}"


def _helper_names(scene: Scene) -> tuple[str, ...]:
    """The helper's own name, which this run looks up anyway: a control name where there is no better one."""
    hosts = (parts(step.helper).host for _, step in scene.hop.controls)
    return tuple(host for host in hosts if host and not is_address(host))


def _open_resolvers(scene: Scene) -> tuple[str, ...]:
    """Two resolvers over UDP to listen to for longer: the second reply may be the true one."""
    return tuple(dict.fromkeys(lookup.step.resolver for lookup in scene.answers.udp))[:2]


def _over_tcp(scene: Scene, resolvers: tuple[str, ...]) -> list[str]:
    """Those public resolvers over TCP that deny the name, or give an address where no site can live, or one
    that only the line's resolver gives, too: is it their own word? Few on the path answer there as well.
    """
    false = scene.answers.false if scene.answers.good else frozenset()
    told = [x for x in scene.answers.udp if denies(x) or nowhere(x) or false & set(x.step.addresses)]
    odd = {lookup.step.resolver for lookup in told}
    return [f"tcp:{resolver.partition(':')[2]}" for resolver in resolvers if resolver in odd]


def _validations(scene: Scene) -> list[FollowUp]:
    """TLS for the name at the disputed addresses; for a cleartext page also the page elsewhere."""
    hop, answers = scene.hop, scene.answers
    if any(flow.purpose is Purpose.VALIDATE and flow.round < COPY for flow in hop.flows):
        return []
    shaken = {flow.address for flow in hop.flows if flow.tls is not None and flow.at("tls") in (OK, TRUST)}
    port = hop.port if hop.secure else 443
    name = answers.system[0].step.name
    twice = [x for x in (*answers.line, *answers.udp) if len(x.step.replies) > 1 and answers.late]
    others = (answers.late, given(twice), answers.elsewhere)  # the true answer may come behind a false one
    groups = (answers.given, *(group - answers.given for group in others))
    disputed = dict.fromkeys(address for group in groups for address in _some(group, 2))
    wanted: list[FollowUp] = [
        FlowRequest(
            address=address,
            port=port,
            tls=True,
            server_name=name,
            purpose=Purpose.VALIDATE,
            round=number,
            hop=hop.number,
            wait_us=matrix.pause(name, number),
        )
        for number, address in enumerate(a for a in disputed if a not in shaken)
    ]
    if hop.scheme == "http":
        shown = {flow.address for flow in hop.own if flow.responded}
        both = [*_some(answers.given, 1), *_some(answers.elsewhere - answers.given, 1)]
        wanted += [matrix.repeat(scene, address, 1) for address in both if address not in shown]
    return wanted


def _strangers(scene: Scene, ground: Ground) -> list[FollowUp]:
    """Control names at the disputed addresses that gave a page in cleartext: do they know the site?"""
    if scene.hop.secure:
        return []
    asked = {flow.address for flow in scene.hop.by(Purpose.HOST_CONTROL_ON_TARGET)}
    shown = {flow.address for flow in scene.hop.own if flow.responded} - asked
    return matrix.strangers(scene, ground, _some(scene.answers.false & shown, 2))


def _undialled(scene: Scene) -> list[FollowUp]:
    """The page from addresses that the line's resolver gave only when it was asked again."""
    dialled = {flow.address for flow in scene.hop.own}
    fresh = _some(scene.answers.given - dialled, 1) if dialled and not dialled & scene.answers.given else []
    return [matrix.repeat(scene, address, number) for address in fresh for number in (1, 2)]


def _some(addresses: frozenset[str], most: int) -> list[str]:
    """A few real addresses, IPv4 first, always the same ones."""
    real = sorted((address for address in addresses if bogon(address) is None), key=lambda a: (is_v6(a), a))
    return real[:most]

"""The two-name rounds: which name is sent to which address, in which order.

Rules of this file:

* within a round: control on control, a name strange to that server on it, target on control, and behind the
  first, at another place each round, control on target; then no name, and the target's own name in
  capitals; then the target repeats;
* capitals come after all rounds: a censor may read them as the name, and leave a residual block;
* nothing here asks why; :mod:`blockwatch.judge.proof` reads the answers.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar
from zlib import crc32

from blockwatch.followup import ControlRequest, FlowRequest, FollowUp
from blockwatch.judge.ground import ROUNDS, Ground
from blockwatch.judge.outcomes import TRUST
from blockwatch.judge.scene import Scene
from blockwatch.judge.trouble import Trouble
from blockwatch.model import Purpose

MORE = 4  # the round from which all is asked again, as the name fails now and then
ELSEWHERE = 6  # the round from which a page is asked for at other control addresses, as too few were heard
_T = TypeVar("_T")
SPELLED = 20  # the round from which the site's own name is spelled otherwise
DISPUTED = 40  # the round from which control names are sent to addresses that may not be the site's
COPIES = 3  # of a slow transfer, under each name: fewer leave luck an explanation
STRANGE = 10  # added to the round in which another control's name is sent to a control address: a server
# may turn away every name that is not its own


def repeat(scene: Scene, address: str, number: int, *, plain: bool = False) -> FlowRequest:
    """The plain measurement again, on a new connection; ``plain``: by HTTP/1.1, as helpers speak it."""
    hop = scene.hop
    asks_page = any(flow.http is not None for flow in hop.own)
    return FlowRequest(
        address=address,
        port=hop.port,
        tls=hop.secure,
        server_name=hop.host if hop.secure else None,
        url=hop.url if asks_page else None,
        plain=plain,
        purpose=Purpose.REPEAT,
        round=number,
        hop=hop.number,
        wait_us=pause(hop.host, number),
    )


def rounds(scene: Scene, ground: Ground, trouble: Trouble, address: str) -> list[FollowUp]:
    """Everything a failing handshake, request or a slow transfer buys."""
    if trouble is Trouble.SLOW:
        return [*_speeds(scene, ground, address), *control_again(scene)]
    strange = trouble is Trouble.TLS and scene.tries("tls").kind == TRUST  # an answer, not a failure
    heard = [] if strange else control_again(scene)
    wanted: list[FollowUp] = []
    if not ground.usable:
        wanted += [*(repeat(scene, address, number) for number in (1, 2)), *heard]
        if trouble is Trouble.TLS:
            wanted.append(_sni(scene, address, None, Purpose.SNI_NONE_ON_TARGET, 0, page=False))
        return [*wanted, *_capitals(scene, address, page=trouble is Trouble.HTTP)]
    if not scene.hop.secure:
        wanted = hosts(scene, ground, address, ROUNDS)
    else:
        for number in range(ROUNDS):
            wanted += _sni_round(scene, ground, address, number, page=trouble is Trouble.HTTP)
        none = Purpose.SNI_NONE_ON_TARGET
        wanted += [_sni(scene, address, None, none, number, page=False) for number in range(ROUNDS)]
    wanted += _capitals(scene, address, page=trouble is Trouble.HTTP)
    spoke_h2 = any(flow.tls is not None and flow.tls.alpn == "h2" for flow in scene.hop.own)
    plain = trouble is Trouble.HTTP and spoke_h2
    return [*wanted, repeat(scene, address, 1), repeat(scene, address, 2, plain=plain), *heard]


def more(scene: Scene, ground: Ground, trouble: Trouble, address: str) -> list[FollowUp]:
    """As much again of a name that fails now and then: chance must not look like a name's doing."""
    wanted: list[FollowUp] = [repeat(scene, address, MORE + number) for number in range(ROUNDS)]
    if not ground.usable:
        return wanted
    if not scene.hop.secure:
        return [*hosts(scene, ground, address, ROUNDS, MORE), *wanted]
    page = trouble is Trouble.HTTP
    each = (_sni_round(scene, ground, address, MORE + number, page=page) for number in range(ROUNDS))
    return [*(flow for one in each for flow in one), *wanted]


def look(scene: Scene, ground: Ground, trouble: Trouble) -> list[FollowUp]:
    """Of one round, what is sent to the control address: its own name, and the site's."""
    address = scene.hop.own[0].address
    if scene.hop.secure:
        whole = _sni_round(scene, ground, address, 0, page=trouble is Trouble.HTTP)
    else:
        whole = hosts(scene, ground, address, 1)
    return [x for x in whole if isinstance(x, FlowRequest) and x.address != address and x.round < STRANGE]


def control_again(scene: Scene, numbers: Sequence[int] = (1, 2)) -> list[FollowUp]:
    """The helper's word twice more: asked once, it may have been lucky where a server fails at times."""
    return _controls(scene, numbers) if scene.hop.control is not None else []


def control_heard(scene: Scene) -> list[FollowUp]:
    """A helper that was asked and not heard, once more: its answer may have been lost."""
    asked = [step for _, step in scene.hop.controls if not step.skipped]
    lost = bool(asked) and all(step.failure is not None for step in asked)
    return _controls(scene, (1,)) if lost and len({step.round for step in asked}) == 1 else []


def _controls(scene: Scene, numbers: Sequence[int]) -> list[FollowUp]:
    hop = scene.hop
    return [
        ControlRequest(
            url=hop.url,
            addresses=tuple(dict.fromkeys(flow.address for flow in hop.own)),
            purpose=Purpose.REPEAT,
            round=number,
            hop=hop.number,
            wait_us=pause(hop.host, number),
        )
        for number in numbers
    ]


def hosts(scene: Scene, ground: Ground, address: str, count: int, first: int = 0) -> list[FollowUp]:
    """Rounds of two Host headers in cleartext, numbered from ``first`` on."""
    hop, wanted = scene.hop, []
    for number in range(first, first + count):
        good = ground.at(number)
        stranger = ground.strange_to(good, hop.host)
        quiet = Purpose.HOST_CONTROL_ON_CONTROL
        for purpose, where, host, turn in _in_turn(
            hop.host,
            number,
            (quiet, good.address, good.host, number),
            (quiet, good.address, stranger, STRANGE + number),
            (Purpose.HOST_CONTROL_ON_TARGET, address, good.host, number),
            (Purpose.HOST_TARGET_ON_CONTROL, good.address, hop.host, number),
        ):
            wanted.append(
                FlowRequest(
                    address=where,
                    port=hop.port,
                    tls=False,
                    url=hop.url if host == hop.host else f"http://{authority(host, hop.port)}/",
                    purpose=purpose,
                    round=turn,
                    hop=hop.number,
                    wait_us=pause(host, turn),
                )
            )
    return list(wanted)


def _in_turn(host: str, number: int, calm: _T, strange: _T, near: _T, far: _T) -> list[_T]:
    """One round in an order that differs from round to round: no fault that comes at every fourth flow may
    look like a name's. At the control address the order stays, and the target's name comes last.
    """
    ordered = [calm, strange, far]
    ordered.insert(1 + (crc32(host.encode()) + number) % 3, near)
    return ordered


def strangers(scene: Scene, ground: Ground, addresses: Sequence[str]) -> list[FollowUp]:
    """Two control names to each of these addresses, in cleartext: does it answer every name alike?"""
    port = scene.hop.port
    return [
        FlowRequest(
            address=address,
            port=port,
            tls=False,
            url=f"http://{authority(host, port)}/",
            purpose=Purpose.HOST_CONTROL_ON_TARGET,
            round=DISPUTED + 2 * place + number,
            hop=scene.hop.number,
            wait_us=pause(host, DISPUTED + number),
        )
        for place, address in enumerate(addresses)
        for number, host in enumerate(ground.hosts[:2])
    ]


def _speeds(scene: Scene, ground: Ground, address: str) -> list[FollowUp]:
    """The same page from the same address, in turn under the target's name and under another."""
    wanted: list[FollowUp] = []
    for number in range(1, COPIES + 1):  # another name each time: one of them may be slowed itself
        other = ground.hosts[number % len(ground.hosts)] if ground.hosts else None
        if scene.hop.secure:
            purpose = Purpose.SNI_CONTROL_ON_TARGET if other else Purpose.SNI_NONE_ON_TARGET
            wanted.append(_sni(scene, address, other, purpose, number, page=True))
        else:
            wanted += [_as_other(scene, address, other, number)] if other else []
            wanted.append(_respelled(scene, address, number))
        wanted.append(repeat(scene, address, number))
    if scene.hop.secure and ground.hosts:
        none = Purpose.SNI_NONE_ON_TARGET
        wanted += [_sni(scene, address, None, none, COPIES + number, page=True) for number in (1, 2)]
    return wanted


def spelled(scene: Scene, address: str) -> list[FollowUp]:
    """The page in cleartext under its name spelled otherwise, three times, and once more as it is."""
    asked = [_respelled(scene, address, number) for number in range(1, COPIES + 1)]
    return [*asked, repeat(scene, address, SPELLED)]


def _respelled(scene: Scene, address: str, number: int) -> FlowRequest:
    """Ask for the page under its name with a dot behind it.

    A server takes both for one name (RFC 1034, 3.1), where under another it may give another page.
    """
    return _as_other(scene, address, scene.hop.host + ".", SPELLED + number)


def _as_other(
    scene: Scene, address: str, host: str, number: int, purpose: Purpose = Purpose.HOST_CONTROL_ON_TARGET
) -> FlowRequest:
    """The target's page asked for in cleartext under another name."""
    hop = scene.hop
    return FlowRequest(
        address=address,
        port=hop.port,
        tls=False,
        url=hop.url,
        host=authority(host, hop.port),
        purpose=purpose,
        round=number,
        hop=hop.number,
        wait_us=pause(host, number),
    )


def _sni_round(scene: Scene, ground: Ground, address: str, number: int, *, page: bool) -> list[FollowUp]:
    good = ground.at(number)
    stranger = ground.strange_to(good, scene.hop.host)
    quiet = Purpose.SNI_CONTROL_ON_CONTROL
    return _in_turn(
        scene.hop.host,
        number,
        _sni(scene, good.address, good.host, quiet, number, page=page),
        _sni(scene, good.address, stranger, quiet, STRANGE + number, page=page),
        _sni(scene, address, good.host, Purpose.SNI_CONTROL_ON_TARGET, number, page=page),
        _sni(scene, good.address, scene.hop.host, Purpose.SNI_TARGET_ON_CONTROL, number, page=page),
    )


def _sni(
    scene: Scene, address: str, name: str | None, purpose: Purpose, number: int, *, page: bool
) -> FlowRequest:
    """A handshake with ``name`` at ``address``; with ``page`` also a request for the target's page."""
    hop = scene.hop
    return FlowRequest(
        address=address,
        port=hop.port,
        tls=True,
        server_name=name,
        url=hop.url if page else None,
        host=authority(hop.host, hop.port) if page else None,
        insecure=page,
        purpose=purpose,
        round=number,
        hop=hop.number,
        wait_us=pause(name or "", number),
    )


def _capitals(scene: Scene, address: str, *, page: bool) -> list[FollowUp]:
    """The target's own name in capitals, at its own address, in each round.

    To a server it is the same name (RFC 4343; RFC 6066, 3), to a box that compares bytes another one.
    """
    name = scene.hop.host.upper()
    if name == scene.hop.host:  # an address
        return []
    if not scene.hop.secure:
        purpose = Purpose.HOST_CAPITALS_ON_TARGET
        return [_as_other(scene, address, name, number, purpose) for number in range(ROUNDS)]
    purpose = Purpose.SNI_CAPITALS_ON_TARGET
    return [_sni(scene, address, name, purpose, number, page=page) for number in range(ROUNDS)]


def authority(host: str, port: int) -> str:
    """Host and port as a URL or a Host header writes them."""
    shown = f"[{host}]" if ":" in host else host
    return shown if port in (80, 443) else f"{shown}:{port}"


def pause(name: str, number: int) -> int:
    """A wait before a step, 0.2 to 0.9 s in microseconds: spread, yet the same for the same evidence."""
    return 200_000 + crc32(f"{name}/{number}".encode()) % 700_000

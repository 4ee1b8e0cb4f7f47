"""The rules on speed: transfers that are slow, or stop, for the site's name alone.

Rules of this file:

* nothing is said before the same page was asked for at the same address under another name;
* nor where luck explains it: a server, or a line, may be slow at times (:mod:`blockwatch.judge.bursts`);
* nor, more than a sign, where nothing shows that the site is quick for others elsewhere.
"""

from __future__ import annotations

from blockwatch.judge import bursts
from blockwatch.judge.chance import LIKELY, MIXED
from blockwatch.judge.finding import Finding, Note, blocked, refs, sign
from blockwatch.judge.rules_http import slow_errand
from blockwatch.judge.scene import Scene
from blockwatch.judge.speed import FACTOR, SAME_OFFSET, Speeds
from blockwatch.judge.transfers import LEAST, Transfer
from blockwatch.verdict import Grade

UNPROVEN = "under another name it goes faster or on; nothing shows that it does for others elsewhere"
FEW = 4  # of other names' copies one in so many may be slow or stop, as packets are lost


def frozen(scene: Scene) -> Finding | None:
    """The transfer stops at the same offset every time; under another name it does not."""
    speeds = Speeds(scene)
    stalled = speeds.stalled
    if len(stalled) < 2 or _hard_for_control(scene):
        return None
    farthest = max(t.moved for t in stalled)
    others = bursts.compared(speeds.other, lambda t: not t.stalled and t.moved > farthest)
    past = [t for t in others if not t.stalled and t.moved > farthest]
    stuck = [t for t in others if t.stalled]
    text = f"The transfer stops after about {farthest} bytes, {len(stalled)} times"
    witnesses = refs(_of(stalled), _of(past), scene.hop.control_refs)
    whole = scene.control_ok and scene.control is not None and (scene.control.body_length or 0) > 2 * farthest
    odds = bursts.stops(scene, farthest)
    if len(past) >= 2 and len(stuck) * FEW <= len(others):
        if not _belied(scene, past, whole):
            return _sign("freeze", scene, f"{text}; {UNPROVEN}", witnesses, odds.names)
        alike = len(stalled) >= 3 and farthest - min(t.moved for t in stalled) <= SAME_OFFSET
        text += "; under another name, or the same spelled otherwise, it goes on"
        if any(
            t.moved > farthest and not t.stalled for t in speeds.own
        ):  # luck, or a censor that misses some
            return _sign("freeze", scene, text, witnesses, odds.names)
        return _graded("freeze", scene, text, witnesses, odds.names, sure=alike)
    if whole and not stuck and len(stalled) >= 3 and odds.control < LIKELY:
        return sign("freeze", text + "; the control got the page whole", witnesses)
    return None


def throttled(scene: Scene) -> Finding | None:
    """The transfer is slow every time; under another name the same address is fast."""
    speeds = Speeds(scene)
    slow = speeds.slow
    if len(slow) < 2 or _hard_for_control(scene):
        return None
    if len(slow) < len([t for t in speeds.own if t.moved >= LEAST]):
        return None
    quickest = max(t.rate for t in slow)
    least = FACTOR * quickest
    others = [t for t in bursts.compared(speeds.other, lambda t: t.rate >= least) if t.moved >= LEAST]
    others = _whole(others)
    fast = [t for t in others if t.rate >= least]
    text = f"The transfer runs at {quickest // 1000} kB/s at most, {len(slow)} times"
    witnesses = refs(_of(slow), _of(fast), scene.hop.control_refs)
    odds = bursts.speeds(scene, quickest)
    if len(fast) >= 2 and (len(others) - len(fast)) * FEW <= len(others):
        if not _belied(scene, fast, speeds.control_rate >= least):
            return _sign("throttle", scene, f"{text}; {UNPROVEN}", witnesses, odds.names)
        text += "; under another name, or the same spelled otherwise, it is five times faster"
        return _graded("throttle", scene, text, witnesses, odds.names, sure=len(slow) >= 3)
    if not others and len(slow) >= 3 and speeds.control_rate >= least and odds.control < LIKELY:
        return sign("throttle", text + "; the control got it five times faster", witnesses)
    return None


def slow_note(scene: Scene) -> Note | None:
    """The page came slowly, and nothing shows that it is for its name."""
    slow = Speeds(scene).slow
    return Note("The page came slowly; nothing shows that it is for its name", _of(slow)) if slow else None


def _graded(
    layer: str, scene: Scene, text: str, witnesses: tuple[str, ...], odds: float, *, sure: bool
) -> Finding | None:
    """What counts of transfers that differ by name, if luck has such ``odds``."""
    if odds >= MIXED:
        return _sign(layer, scene, text, witnesses, odds)
    return blocked(_named(layer, scene), Grade.STRONG if sure else Grade.SIGNS, text, witnesses)


def _sign(layer: str, scene: Scene, text: str, witnesses: tuple[str, ...], odds: float) -> Finding | None:
    """A sign, or nothing where luck explains it."""
    return sign(_named(layer, scene), text, witnesses) if odds < LIKELY else None


def _named(layer: str, scene: Scene) -> str:
    return layer + (".sni" if scene.hop.secure else ".host")


def _whole(copies: list[Transfer]) -> list[Transfer]:
    """Without the copies that broke, where others came: a control name may be blocked itself."""
    whole = [copy for copy in copies if not bursts.broken(copy)]
    return whole if len(whole) >= 2 else copies


def _belied(scene: Scene, others: list[Transfer], control: bool) -> bool:
    """Whether the site itself is shown not to be slow for everybody: by the ``control``, or in cleartext by
    its own name spelled otherwise, to which the same host of the server answers.
    """
    return control or (not scene.hop.secure and any(map(bursts.respelled, others)))


def _hard_for_control(scene: Scene) -> bool:
    """Whether the control got no page either, or took as long."""
    return scene.control is not None and (not scene.control_ok or slow_errand(scene))


def _of(transfers: list[Transfer]) -> tuple[str, ...]:
    return tuple(ref for t in transfers for ref in t.flow.witness("http"))

"""Rules of ruleset 1 on speed, as they were.

Rules of this file: nothing here is ever changed, nor used by anything but the rows of ruleset 1.
"""

from __future__ import annotations

from blockwatch.judge.finding import Finding, blocked, refs, sign
from blockwatch.judge.matrix import SPELLED
from blockwatch.judge.scene import Scene
from blockwatch.judge.speed import FACTOR, SAME_OFFSET, Speeds
from blockwatch.judge.transfers import LEAST, Transfer
from blockwatch.verdict import Grade


def frozen(scene: Scene) -> Finding | None:
    """The transfer stops at the same offset every time; under another name it does not."""
    speeds = Speeds(scene)
    stalled = speeds.stalled
    if len(stalled) < 2:
        return None
    farthest = max(t.moved for t in stalled)
    past = [t for t in speeds.other if not t.stalled and t.moved > farthest]
    stuck = [t for t in speeds.other if t.stalled]
    text = f"The transfer stops after about {farthest} bytes, {len(stalled)} times"
    witnesses = refs(_of(stalled), _of(past), scene.hop.control_refs)
    whole = scene.control_ok and (scene.control.body_length or 0) > 2 * farthest if scene.control else False
    if len(past) >= 2 and not stuck:
        alike = farthest - min(t.moved for t in stalled) <= SAME_OFFSET
        grade = Grade.STRONG if len(stalled) >= 3 and alike else Grade.SIGNS
        text += "; under another name, or the same spelled otherwise, it goes on"
        return blocked("freeze" + _trigger(scene), grade, text, witnesses)
    if whole and not stuck and len(stalled) >= 3:
        return sign("freeze", text + "; the control got the page whole", witnesses)
    return None


def throttled(scene: Scene) -> Finding | None:
    """The transfer is slow every time; under another name the same address is fast."""
    speeds = Speeds(scene)
    slow = speeds.slow
    if len(slow) < 2 or len(slow) < len([t for t in speeds.own if t.moved >= LEAST]):
        return None
    quickest = max(t.rate for t in slow)
    fast = [t for t in speeds.other if t.moved >= LEAST and not (t.flow.round >= SPELLED and t.slow)]
    text = f"The transfer runs at {quickest // 1000} kB/s at most, {len(slow)} times"
    witnesses = refs(_of(slow), _of(fast), scene.hop.control_refs)
    if len(fast) >= 2 and min(t.rate for t in fast) >= FACTOR * quickest:
        grade = Grade.STRONG if len(slow) >= 3 else Grade.SIGNS
        text += "; under another name, or the same spelled otherwise, it is five times faster"
        return blocked("throttle" + _trigger(scene), grade, text, witnesses)
    if not fast and len(slow) >= 3 and speeds.control_rate >= FACTOR * quickest:
        return sign("throttle", text + "; the control got it five times faster", witnesses)
    return None


def _trigger(scene: Scene) -> str:
    return ".sni" if scene.hop.secure else ".host"


def _of(transfers: list[Transfer]) -> tuple[str, ...]:
    return tuple(ref for t in transfers for ref in t.flow.witness("http"))

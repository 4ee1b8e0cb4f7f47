"""What a page or redirect on record proves, where it came in cleartext.

Rules of this file:

* it may be the site's own: a page that quotes the sentence, a server that itself leads to a censor's page. So
  where it came from decides: ``confirmed`` if unrelated addresses give it to the site's name;
* where they were asked and do not give it, it is a sign; where none could be asked, it is ``strong`` if the
  control got a page, and another one, and a sign otherwise;
* no block page on record is large: a large page that comes from the site alone is one that quotes;
* once is never enough, but for imported records of programs that try once: there it is a sign.
"""

from __future__ import annotations

from collections.abc import Sequence

from blockwatch.judge import proof
from blockwatch.judge.finding import Finding, blocked, refs, sign, unclear
from blockwatch.judge.fingerprints import Fingerprint
from blockwatch.judge.pages import SMALL
from blockwatch.judge.rules_known import said
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow
from blockwatch.verdict import Grade


def settled(
    scene: Scene,
    known: Fingerprint,
    mechanism: str,
    repeats: Sequence[Flow],
    shown: proof.Elsewhere,
    *,
    differs: bool,
) -> Finding | None:
    """What ``known`` proves of an answer that came ``repeats`` times; ``None``: no more than any other
    answer does, as addresses were asked that give every name an answer of its own.

    ``shown``: whether unrelated addresses give it; ``differs``: the control got a page, and another one.
    """
    what = "redirect" if mechanism == "http.redirect" else "page"
    text = f"The {what} is a censor's on record: {said(scene, known)}"
    witnesses = refs(*(f.witness("http") for f in repeats[:4]), shown.same, scene.hop.control_refs)
    if shown.same:
        if shown.by_name:
            return None
        text += "; an unrelated address gives it too when asked for the name"
        return blocked(mechanism, Grade.CONFIRMED, text, witnesses, proven=True)
    if not scene.enough(len(repeats)):
        return unclear(f"{text}; it was seen once, and may be the site's own", witnesses, "http")
    large = any((step_of(f).body_length or 0) > SMALL for f in repeats)
    if large and (shown.tried or not differs):
        return unclear(f"{text}; but it is large, and may be a page that quotes it", witnesses, "http")
    if shown.tried:
        return sign(mechanism, f"{text}; no other address gives it, so it may be the site's own", witnesses)
    if differs and not (large or scene.once):
        return blocked(mechanism, Grade.STRONG, f"{text}; the control got another one", witnesses)
    return sign(mechanism, f"{text}; nothing shows that it is not the site's own", witnesses)

"""Whether a disputed address may be the site's: an old server of its, or one that is meant for this place.

Rules of this file:

* an address that gives the site's name a page, or a redirect to the site's owner, and gives other names none
  of the kind, knows the site: that accuses nobody;
* where no other name was asked there, what leads home, or is large, is nobody's block page;
* an address that several owners' names lead to, or that shows several of them one page, is no site's; but
  a server that many share, with a page of its own for each, is a hoster's.
"""

from __future__ import annotations

from blockwatch.judge.addresses import unreal
from blockwatch.judge.case import Names
from blockwatch.judge.names import owner, parts, same_owner
from blockwatch.judge.operators import network
from blockwatch.judge.pages import SMALL, TINY, alike, destination, page_key, telling_path
from blockwatch.judge.rules_known import speaks
from blockwatch.judge.scene import Scene, step_of
from blockwatch.judge.sight import Flow, redirect_of
from blockwatch.model import HttpStep, Purpose


def in_cleartext(scene: Scene) -> str:
    """Why a cleartext page at the disputed addresses may be the site's, whatever certificate they have.

    A node that serves a site in cleartext alone may have none for it. Empty where the page tells otherwise.
    """
    here = [flow for flow in scene.hop.own if flow.address in scene.answers.false and flow.responded]
    if scene.hop.secure or not here or scene.answers.injected or many_get(scene, here[0]):
        return ""
    if any(speaks(scene, step_of(flow), scene.text(flow)) for flow in here):
        return ""
    return perhaps_the_sites(scene, here)


def perhaps_the_sites(scene: Scene, here: list[Flow]) -> str:
    """Why the page of a disputed address may be the site's own all the same; empty: it hardly is."""
    pages = [step_of(flow) for flow in here]
    if not pages:
        return ""
    if _of_its_own(scene, here):
        text = "The resolver's address shows this name a page of its own, and not the one seen elsewhere"
        return f"{text}; it may be one of the site's"
    if shared(scene) or _strangers_at(scene, here):
        return ""
    if all(_leads_home(scene, page) for page in pages):
        return "The resolver's address leads to the site itself; no other name was asked for there"
    if all((page.body_length or 0) > SMALL for page in pages):
        return "The resolver's address shows another page, a large one; no other name was asked for there"
    return ""


def _of_its_own(scene: Scene, here: list[Flow]) -> bool:
    """Whether the disputed address gives this name a page, or a redirect to the site itself, that it gives no
    other name that was asked there: then it knows the site, as an old or another server of the site does.
    """
    others = [flow for flow in _strangers_at(scene, here) if flow.responded]
    pages = [step_of(flow) for flow in here]
    telling = all(
        _leads_home(scene, page) if redirect_of(page) else (page.body_length or 0) >= TINY for page in pages
    )
    return bool(others) and telling and not any(_same(scene, f, page) for f in others for page in pages)


def _strangers_at(scene: Scene, here: list[Flow]) -> list[Flow]:
    """Flows that sent another name to the disputed addresses."""
    places = {flow.address for flow in here}
    return [flow for flow in scene.hop.by(Purpose.HOST_CONTROL_ON_TARGET) if flow.address in places]


def _same(scene: Scene, other: Flow, page: HttpStep) -> bool:
    """Whether another name got this answer too: a server may lead every name to a place of that name's.

    One that leads every name to the site's owner is the site's.
    """
    theirs = redirect_of(step_of(other))
    if _leads_home(scene, page):
        return same_owner(parts(theirs).host, parts(step_of(other).url).host)
    return alike(step_of(other), page)


def _leads_home(scene: Scene, page: HttpStep) -> bool:
    """Whether an answer redirects to the site's owner: by its domain, or by the name it has under another."""
    target = parts(redirect_of(page))
    ours, theirs = owner(scene.hop.host), owner(target.host)
    brand = ours.partition(".")[0]
    own = ours == theirs or (len(brand) > 3 and brand == theirs.partition(".")[0])
    return bool(target.host) and own and not telling_path(target.path)


def shared(scene: Scene) -> bool:
    """Whether every false address is given for names of at least two other owners, and nobody's valid
    certificate was seen there, nor a page of its own for each of them, as at a hoster's.
    """
    peers = scene.peers
    living = {address for _, address in peers.proven} | peers.hosting
    false = scene.answers.false
    return bool(false) and all(
        a not in living and len(_unrelated(scene, peers.shared, a)) >= 2 for a in false
    )


def many_get(scene: Scene, flow: Flow) -> bool:
    """Whether this very page or redirect came for at least two other owners' names in the run."""
    step = step_of(flow)
    target = redirect_of(step)
    known, key = (
        (scene.peers.redirected, destination(target)) if target else (scene.peers.pages, page_key(step))
    )
    return len(_unrelated(scene, known, key)) >= 2


def _unrelated(scene: Scene, names: Names, key: str) -> frozenset[str]:
    """The other owners to whom something happened, too, and whose sites live in other networks than this one.

    A service of which several sites of a list are customers (parking, a hoster, a content network) treats
    them alike, and moves with them; a censor's list knows no network.
    """
    others = scene.peers.others(names, key, scene.hop.host)
    if scene.ruleset == 1:
        return others
    ours = _networks(scene.answers.elsewhere)
    theirs = {whose: _networks(scene.peers.homes.get(whose, frozenset()) - {key}) for whose in others}
    return frozenset(whose for whose in others if theirs[whose] and not theirs[whose] & ours)


def _networks(addresses: frozenset[str]) -> frozenset[str]:
    return frozenset(network(address) for address in addresses if unreal(address) is None)

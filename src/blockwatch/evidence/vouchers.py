"""Seals and stamps of two copies of one run: what vouches for a log, apart from its lines.

Rules of this file:

* what is there stays; a stamp under a name that is taken goes beside it;
* anybody can make a stamp, so of those that come only such are taken as hold (as far as can be told without
  naming an authority), and only so many that there is room for those of whoever keeps the run; likewise a
  second signature, and one that holds comes into the place of one that does not;
* what is not taken is moved to a place that the caller names, never deleted.
"""

from __future__ import annotations

from contextlib import suppress
from hashlib import sha256
from pathlib import Path

from blockwatch.errors import EvidenceError
from blockwatch.evidence.checkpoint import CHECKPOINT_FILE, EARLIER_FOLDER, SSH_FILE, lines_of, seal_in
from blockwatch.evidence.disk import in_words, replace_file
from blockwatch.evidence.naming import STAMPS_FOLDER
from blockwatch.evidence.note import parse_campaign_key
from blockwatch.evidence.reading import read_run
from blockwatch.evidence.sshsig import MAX_SSH_SIGNATURE, is_ssh_signed
from blockwatch.evidence.timestamps import Trust, read_bounded, read_stamp

MOST_STAMPS = 192  # beside a run, of those that came; a reader takes 256
_LOOKED_AT = 1_024  # stamps of one run that comes; what is beyond is left out unread


def inner(folder: Path, inside: str) -> list[str]:
    """Names of the files in a folder of a run, sorted."""
    return sorted(f"{inside}/{path.name}" for path in folder.glob(f"{inside}/*") if path.is_file())


def _stamps(folder: Path) -> list[str]:
    return [name for name in inner(folder, STAMPS_FOLDER) if name.endswith((".tsr", ".ots"))]


def sealed_lines(folder: Path) -> int:
    """Lines that the newest checkpoint names; 0: there is none."""
    path = folder / CHECKPOINT_FILE
    return (lines_of(path.read_bytes()) or 0) if path.is_file() else 0


def _seals(folder: Path) -> dict[int, tuple[str, bytes]]:
    """Lines → name of the seal over them, and SHA-256 of what its key wrote."""
    found, key = {}, read_run(folder).open.key
    for name in inner(folder, EARLIER_FOLDER):
        number = name.rpartition("/")[2]
        if number.isdecimal() and len(number) < 17:
            found[int(number)] = name, sha256(seal_in(folder / name, key)).digest()
    if newest := sealed_lines(folder):
        found[newest] = CHECKPOINT_FILE, sha256(seal_in(folder / CHECKPOINT_FILE, key)).digest()
    return found


def contradiction(kept: Path, staged: Path) -> str | None:
    """Why two copies of one run, whose lines agree, cannot both be right."""
    ours, theirs = _seals(kept), _seals(staged)
    for size in sorted(ours.keys() & theirs.keys()):
        if ours[size][1] != theirs[size][1]:
            return (
                f"the same lines are sealed in two ways: {theirs[size][0]} is another than the one kept here"
            )
    return None


def _second_holds(folder: Path) -> bool:
    """Whether ``checkpoint.sig`` is over the newest seal, by the key of the run."""
    with suppress(EvidenceError):
        key, seal = read_run(folder).open.key, folder / CHECKPOINT_FILE
        if key is not None and seal.is_file():
            raw = read_bounded(folder / SSH_FILE, MAX_SSH_SIGNATURE)
            return is_ssh_signed(seal_in(seal, key), raw, parse_campaign_key(key))
    return False


def weed(staged: Path, spare: Path) -> list[str]:
    """Move what does not hold (stamps, a second signature) out of a run that came, to ``spare``.

    Stamps beyond ``MOST_STAMPS`` as well.
    """
    names = _stamps(staged)
    seals = [
        path for path in (staged / CHECKPOINT_FILE, *(staged / EARLIER_FOLDER).glob("*")) if path.is_file()
    ]
    digests = {}
    for path in seals:
        with suppress(EvidenceError):  # a damaged run, or a seal that does not hold: no stamp is over it
            digests[sha256(seal_in(path, read_run(staged).open.key)).hexdigest()] = 1
    left_out, taken = [], 0
    for number, name in enumerate(names):
        try:
            if number >= _LOOKED_AT or taken >= MOST_STAMPS:
                raise EvidenceError("one too many")
            read_stamp(staged / name, digests, Trust())
            taken += 1
        except EvidenceError:
            _spare(staged, name, spare)
            left_out.append(name)
    return left_out + _spare_second(staged, spare)


def spared(spare: Path) -> list[str]:
    """Names of what lies there."""
    return [*inner(spare, STAMPS_FOLDER), *([SSH_FILE] if (spare / SSH_FILE).is_file() else [])]


def _spare_second(folder: Path, spare: Path) -> list[str]:
    if not (folder / SSH_FILE).is_file() or _second_holds(folder):
        return []
    _spare(folder, SSH_FILE, spare)
    return [SSH_FILE]


def _spare(staged: Path, name: str, spare: Path) -> None:
    with in_words(spare):
        (spare / name).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        (staged / name).rename(spare / name)


def add_vouchers(kept: Path, staged: Path, spare: Path) -> tuple[bool, tuple[str, ...]]:
    """Take over seals and stamps that are not there yet: whether there were any, and stamps left out."""
    key = read_run(kept).open.key
    earlier = inner(staged, EARLIER_FOLDER)
    took = [_take(kept / name, seal_in(staged / name, key)) for name in earlier]
    better = (staged / SSH_FILE).is_file() and sealed_lines(staged) == sealed_lines(kept)
    left_out = _spare_second(kept, spare) if better else []
    took.append(_take_seal(kept, staged, key))
    room = MOST_STAMPS - len(_stamps(kept))
    for name in _stamps(staged):
        place = _place(kept, staged, name)
        if place is None:
            continue
        if room <= 0:
            _spare(staged, name, spare)
            left_out.append(name)
            continue
        room -= 1
        took.append(_take(place, (staged / name).read_bytes()))
    return any(took), tuple(left_out)


def _place(kept: Path, staged: Path, name: str) -> Path | None:
    """Where a stamp goes that came; ``None``: it is there already."""
    path = kept / name
    if not path.is_file():
        return path
    content = (staged / name).read_bytes()
    if path.read_bytes() == content:
        return None
    path = path.with_name(f"{path.stem}.{sha256(content).hexdigest()[:8]}{path.suffix}")
    return None if path.is_file() else path


def _take(path: Path, content: bytes) -> bool:
    """Write one file that is not there."""
    if path.is_file():
        return False
    with in_words(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    replace_file(path, content)
    return True


def _take_seal(kept: Path, staged: Path, key: str | None) -> bool:
    """A checkpoint over more lines replaces the one kept here, which is kept beside it."""
    ours, theirs = sealed_lines(kept), sealed_lines(staged)
    if theirs > ours:
        if ours:
            _take(kept / EARLIER_FOLDER / str(ours), seal_in(kept / CHECKPOINT_FILE, key))
        with in_words(kept):
            (kept / SSH_FILE).unlink(missing_ok=True)
        replace_file(kept / CHECKPOINT_FILE, seal_in(staged / CHECKPOINT_FILE, key))
    same = theirs >= max(ours, 1) and (staged / SSH_FILE).is_file()
    added = same and _take(kept / SSH_FILE, (staged / SSH_FILE).read_bytes())
    return added or theirs > ours

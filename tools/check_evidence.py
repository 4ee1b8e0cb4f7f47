"""Check evidence of blockwatch without blockwatch: written from docs/evidence.md alone.

    python check_evidence.py PATH... [--key KEY]... [--tsa-root PEM] [--require sealed|timed|witnessed]

PATH: a run folder, a folder of runs, or the proof of one record (a bundle: `tar xzf` it first). It needs
Python 3.11, `cryptography`, the `openssl` program for stamps, and the four files check_*.py beside it.
run.json and verdicts.jsonl are no evidence and are not read. Exit 9: damage, contradiction, a bad stamp, not
sealed to the end by a key that was named, too low a grade.
"""

import argparse
import hashlib
import json
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))

from check_lines import (
    WRONG, add, canonical, checkpoint_of, content, included, key_of, lines_of, need, note_of, root_of, sha,
    unbase64,
)  # fmt: skip
from check_log import came_to, check_member, places_of
from check_run import GRADES, Checked, check_run, check_stamps, offset_of

HOUR = 3_600_000_000


def note_in(path, first):
    """The fields of a tombstone or of the note of an encrypted run, and whether it is signed."""
    raw = content(path)
    text = raw.partition(b"\n\n")[0].decode().rstrip("\n").split("\n")
    said = dict(line.split(" ") for line in text[1:])
    need(text[0] == first and len(unbase64(said["root"])) == 32, "not a note of a run")
    signed = b"\n\n" in raw
    if signed:
        note_of(raw, key_of(said["key"]))
    said["root"] = unbase64(said["root"]).hex()
    said["previous"] = None if said["previous"] == "none" else unbase64(said["previous"]).hex()
    return said, signed


def notes_of(results, where):
    """What vouches for runs that cannot be read here: place, fields, signed."""
    for path in sorted((results / "forgotten").glob("[0-9a-f]" * 16)):
        where[0] = f"forgotten/{path.name}"
        said, signed = note_in(path, "blockwatch/forgotten")
        need(said["run"] == path.name, "a tombstone under another name")
        yield where[0], said, signed
    for path in sorted(results.glob("*/run.age")):
        folder = path.parent
        plain = (folder / "measurements.jsonl").exists() or folder.name[0] == "." or not path.is_file()
        if (folder / "root").exists() and not plain:
            where[0] = f"{folder.name}/root"
            said, signed = note_in(folder / "root", "blockwatch/encrypted")
            need(folder.name.endswith(said["run"]), "the note of another run")
            place, where[0] = where[0], f"{folder.name}/run.age"
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").digest()
            need(digest == unbase64(said["sha256"]), "not the run that its note names")
            yield place, said, signed


def check_folder(results, runs, where):
    """The chain of each key is whole; gives the notes in whose chain something is missing."""
    own = [one for one in runs if one.log and not one.imported]
    roots = {(one.key or "none", one.log.root) for one in own}
    noted = list(notes_of(results, where))
    signed = {(said["key"], said["root"]) for _, said, good in noted if good or said["key"] == "none"}
    unsigned = {(said["key"], said["root"]): place for place, said, _ in noted}
    ends = {(said["key"], said["previous"]) for _, said, good in noted if good}
    confirm(runs, ends)
    missing, came = [], set(came_to(results))
    for one in own:
        link = (one.key or "none", one.log.open.get("previous_root"))
        if link[1] is None or link in roots or link in signed or (link not in unsigned and one.run in came):
            continue
        if link in unsigned:
            words = f"the run before it is vouched for only by an unsigned note ({unsigned[link]}): "
            one.notes.append(words + "anybody could have written it, to hide that a run is missing")
        elif not one.bad:
            one.bad = ("measurements.jsonl:1", None, "the run before this one is missing")
    for place, said, _ in noted:
        link = (said["key"], said["previous"])
        if (
            said["previous"]
            and link not in roots
            and link not in unsigned
            and place.removeprefix("forgotten/") not in came
        ):
            bad = (place, None, "the run before this one is missing")
            missing.append(Checked(results / place, bad=bad))
    return missing


def confirm(runs, ends):
    """A run without a last line ended where a later run of its key says so: (key, root)."""
    for one in runs:
        if one.log and one.key and (one.key, one.log.root) in ends:
            one.open_ended = False


def check_among(runs):
    """Two histories of one run; runs cut off; witnesses."""
    for mine in runs:
        same = [one for one in runs if one.log and mine.log and one.run == mine.run]
        longest = max(same, key=lambda one: one.log.lines, default=mine)
        if longest is mine:
            continue
        tree = [0]
        for line, _ in zip(lines_of(longest.path / "measurements.jsonl"), range(mine.log.lines)):
            add(tree, sha(b"\0", line))
        if root_of(tree).hex() != mine.log.root:
            for one in (mine, longest):
                one.bad = one.bad or ("measurements.jsonl", None, "two histories of one run")
    later = [one for one in runs if one.log and one.sealed and not one.bad and not one.imported]
    confirm(runs, {(one.key, one.log.open.get("previous_root")) for one in later})
    able = [one for one in runs if one.able and not one.bad]
    for mine in able:
        others = [one.log.sites for one in able if one.key != mine.key and one.asn != mine.asn]
        asked = [(url, when) for url, times in mine.log.sites.items() for when in times]
        near = (
            any(abs(when - at) <= HOUR for one in others for at in one.get(url, [])) for url, when in asked
        )
        if asked and all(near):
            mine.grade = "witnessed"


def check_proof(path, keys, roots):
    checked = Checked(path)
    said = json.loads(content(path, 67_108_864))
    need((said["type"], said.get("format", 1)) == ("blockwatch proof", 1), "no proof")
    key = key_of(said["key"])
    opened, record = (canonical(said[name]["line"].encode()) for name in ("run_open", "record"))
    note = said["checkpoint"].encode()
    size, root = checkpoint_of(note, key, opened["run"])
    need(not keys or key in keys, "not sealed by a key that you named")
    included(said["run_open"], size, root)
    included(said["record"], size, root)
    need(said["run_open"]["index"] == 0 and opened["key"] == said["key"], "another run")
    need(record["type"] == "measurement" and record["id"].startswith(f"{opened['run']}-"), "another run")
    members = {member["sha256"]: unbase64(member["data"]) for member in said.get("members", [])}
    wanted = dict.fromkeys(ref["sha256"] for *_, ref in places_of(record))
    need([member["sha256"] for member in said.get("members", [])] == list(wanted), "other bytes")
    for step, side, ref in places_of(record):
        check_member(members[ref["sha256"]], ref, record["id"], step, side)
    checked.clock = offset_of(opened)
    with tempfile.TemporaryDirectory() as folder:
        seal, stamps = Path(folder, "seal"), []
        seal.write_bytes(note)
        for number, one in enumerate(said.get("stamps", [])):
            stamps.append((path.name, Path(folder, f"{number}{Path(one['name']).suffix}")))
            stamps[-1][1].write_bytes(unbase64(one["data"]))
        ended = record["started"] + record["us"]
        timed = check_stamps(checked, stamps, {sha(note): (size, seal)}, roots, ended, size)
    checked.grade = "timed" if timed else "sealed"
    return checked


def check(paths, keys=(), roots=None):
    runs, others = [], []
    for path in map(Path, paths):
        where = [path.name]
        try:
            if path.is_file():
                others.append(check_proof(path, keys, roots))
                continue
            folders = sorted(
                log.parent for log in path.glob("*/measurements.jsonl") if log.parent.name[0] != "."
            )
            mine = [check_run(folder, keys, roots) for folder in folders or [path]]
            runs += mine
            if folders:
                others += check_folder(path, mine, where)
        except WRONG as error:
            others.append(Checked(path, bad=(where[0], None, str(error) or type(error).__name__)))
    check_among(runs)
    return runs + others


def main():
    parser = argparse.ArgumentParser(usage=__doc__)
    parser.add_argument("paths", nargs="+")
    parser.add_argument("--key", action="append", type=key_of)
    parser.add_argument("--tsa-root")
    parser.add_argument("--require", choices=GRADES, default="unsigned")
    given = parser.parse_args()
    found = check(given.paths, given.key or [], given.tsa_root)
    for one in found:
        end = " up to here: it may have been cut off, or was killed" if one.open_ended else ""
        print(f"{one.path}: {one.bad or one.grade + end}")
        for words in [*(f"bad stamp: {stamp}" for stamp in one.stamps), *one.notes]:
            print(f"  {words}")
    good = [one for one in found if not one.bad and not one.stamps and one.reaches(given.require)]
    sys.exit(0 if found and len(good) == len(found) else 9)


if __name__ == "__main__":
    main()

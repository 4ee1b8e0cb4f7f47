"""One run folder: its log, its seals, its stamps, its grade. Part of check_evidence.py."""

from check_lines import WRONG, check_ssh, checkpoint_of, content, key_of, need, sha
from check_log import Log
from check_stamps import stamp_of

MINUTE, STAMPS = 60_000_000, 256
GRADES = ["unsigned", "sealed", "timed", "witnessed"]


class Checked:
    """One thing that was checked."""

    def __init__(self, path, grade=None, bad=None):
        self.path, self.grade = path, grade
        self.bad = bad  # place, id of the record, and words
        self.stamps = []  # the same of stamps that are not good, which say nothing against the run
        self.notes = []
        self.log = None
        self.run = self.key = self.asn = self.clock = None
        self.sealed, self.able, self.open_ended, self.imported = 0, False, False, False

    def reaches(self, grade):
        enough = self.grade is not None and GRADES.index(self.grade) >= GRADES.index(grade)
        return enough and not (self.open_ended and grade != "unsigned")


def offset_of(*records):
    """The largest error of the clock that these tell of."""
    told = [record.get("clock_offset_us") for record in records]
    told += [check.get("offset_us") for record in records for check in record.get("checks", [])]
    return max((one for one in told if one is not None), key=abs, default=None)


def check_stamps(checked, stamps, seals, roots, ended, lines):
    """Whether one over these lines counts. stamps: (place, file) of each."""
    timed = False
    if len(stamps) > STAMPS:
        checked.notes.append(f"only {STAMPS} of {len(stamps)} stamps were looked at")
    for where, path in stamps[:STAMPS]:
        try:
            need(path.is_file() and not path.is_symlink(), "not a file")
            size, moment = stamp_of(path, seals, roots)
        except WRONG as error:
            checked.stamps.append((where, None, str(error)))
            continue
        if moment is not None and size == lines:
            timed = True
            if moment + MINUTE < ended - (checked.clock or 0):
                need(checked.clock is None, f"{where} is older than what it is over")
                checked.notes.append(f"{where} is older than what it is over, by a clock that nobody checked")
    return timed


def only_files(folder, where):
    """Links and pipes in the place of evidence are refused."""
    for name in (
        "measurements.jsonl",
        "bodies.warc.gz",
        "checkpoint",
        "checkpoint.sig",
        "checkpoints",
        "timestamps",
    ):
        where[0], path = name, folder / name
        good = path.is_dir() if name in ("checkpoints", "timestamps") else path.is_file()
        need(not path.is_symlink() and (good or not path.exists()), "a link or a pipe")


def check_run(folder, keys, roots):
    checked, where = Checked(folder), [folder.name, None]
    try:
        only_files(folder, where)
        where[0] = "checkpoints"
        earlier = [path for path in (folder / "checkpoints").glob("*") if path.suffix != ".part"]
        files = [*sorted(earlier, key=lambda path: int(path.name)), *folder.glob("checkpoint")]
        notes = []
        for path in files:
            where[0] = str(path.relative_to(folder))
            notes.append((path, content(path)))
        log = Log(folder, {int(raw.split(b"\n")[1]) for _, raw in notes}, where)
        checked.log, checked.run, checked.key = log, log.open["run"], log.open.get("key")
        checked.asn = log.open.get("vantage", {}).get("asn")
        checked.imported, checked.open_ended = bool(log.open.get("imported")), not log.close
        where[:] = "measurements.jsonl:1", None
        key = key_of(checked.key) if checked.key else None
        seals = check_seals(checked, folder, notes, key, where)
        where[0] = f"measurements.jsonl:{checked.sealed + 1 if key in keys else 1}"
        need(not keys or (key in keys and checked.sealed == log.lines), "not sealed by a key that you named")
        checked.clock = offset_of(log.open, log.close)
        stamps = sorted(path for path in (folder / "timestamps").glob("*") if path.suffix in (".tsr", ".ots"))
        where[0] = "timestamps"
        ended = max(log.last, log.close.get("ended", 0))
        named = [(f"timestamps/{path.name}", path) for path in stamps]
        timed = check_stamps(checked, named, seals, roots, ended, log.lines)
        checked.grade = GRADES[(checked.sealed == log.lines) * (1 + timed)]
        steady = checked.clock is not None and abs(checked.clock) <= MINUTE
        checked.able = bool(
            keys and checked.grade == "timed" and checked.asn and steady and not checked.imported
        )
    except WRONG as error:
        checked.bad = (*where, str(error) or type(error).__name__)
        if str(error).startswith("timestamps/"):
            checked.bad = (str(error).split(" ")[0], None, str(error))
    return checked


def check_seals(checked, folder, notes, key, where):
    """SHA-256 of each seal -> lines and file."""
    seals, lines = {}, checked.log.lines
    for path, raw in notes:
        where[:] = str(path.relative_to(folder)), None
        size, root = checkpoint_of(raw, key, checked.run)
        need(checked.sealed <= size <= lines, "it seals more lines than there are, or an earlier seal does")
        need(path.name in ("checkpoint", str(size)), "it seals another number of lines")
        if checked.log.roots[size] != root:
            where[0] = f"measurements.jsonl:{checked.sealed + 1}"
            raise ValueError("not the lines that were sealed")
        seals[sha(raw)], checked.sealed = (size, path), size
    if (folder / "checkpoint.sig").exists():
        where[0] = "checkpoint.sig"
        check_ssh(content(folder / "checkpoint.sig"), content(folder / "checkpoint"), key[2])
    return seals

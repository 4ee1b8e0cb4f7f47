"""Where blockwatch keeps what is no evidence: consent, and how the last run went.

Rules of this file:

* the folder is ``$BLOCKWATCH_STATE``, else ``$XDG_STATE_HOME/blockwatch``, else
  ``~/.local/state/blockwatch``; with no ``HOME`` (cron, ``env -i``) the home of the user database;
* files are readable by their owner only (0600 in a folder of 0700) and written whole or not at all;
* every name is one of those listed here, so that ``wipe`` finds them all and nothing else.
"""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from blockwatch.errors import ConfigError

_OURS = re.compile(
    r"consent(-tier[0-9])?\.json|last_run\.json|results_folders|key(\.[0-9a-f]{16}|\.salt)?|\.key\.lock"
)
_TEMPORARY = re.compile(r"blockwatch-(demo-)?[a-z0-9_]{8}")
_REMEDY = "Name a folder for it: BLOCKWATCH_STATE=/path/to/a/folder blockwatch …"


def state_folder() -> Path:
    """Return the folder for state; it may not exist yet. Raises :class:`ConfigError` if there is none."""
    for variable, below in (("BLOCKWATCH_STATE", ""), ("XDG_STATE_HOME", "blockwatch")):
        value = os.environ.get(variable, "")
        if os.path.isabs(value):  # a relative one is to be ignored (XDG base directory specification)
            return Path(value, below)
        if value and not below:  # ours is no name of XDG's: the keys would be where nobody expects them
            raise ConfigError("BLOCKWATCH_STATE is no absolute path", where=value[:200], remedy=_REMEDY)
    try:
        home = Path.home()
    except RuntimeError as error:
        raise ConfigError("this user has no home folder to keep state in", remedy=_REMEDY) from error
    return home / ".local" / "state" / "blockwatch"


def other_state_folders() -> list[Path]:
    """Folders for state that exist and are not the one in use now: they belong to another environment."""
    found = []
    if os.path.isabs(base := os.environ.get("XDG_STATE_HOME", "")):
        found.append(Path(base, "blockwatch"))
    with suppress(RuntimeError):
        found.append(Path.home() / ".local" / "state" / "blockwatch")
    used = state_folder().resolve()
    return [folder for folder in dict.fromkeys(found) if folder.is_dir() and folder.resolve() != used]


def own_temporary_folders() -> list[Path]:
    """Folders of this user that a killed program left in the temporary folder: unpacked bundles, a demo."""
    place, found = Path(tempfile.gettempdir()), []
    with suppress(OSError):
        for path in sorted(place.iterdir()):
            told = path.lstat()
            if _TEMPORARY.fullmatch(path.name) and stat.S_ISDIR(told.st_mode) and told.st_uid == os.geteuid():
                found.append(path)
    return found


def read_state(name: str) -> bytes | None:
    """Return a file of state, or ``None`` where there is none (or none that can be read)."""
    try:
        with (state_folder() / name).open("rb") as file:
            return file.read(100_000)
    except OSError:
        return None


def write_state(name: str, content: bytes) -> Path:
    """Write a file of state in one step; raises :class:`ConfigError` where that is not possible."""
    folder = state_folder()
    if not _OURS.fullmatch(name):
        raise ValueError(f"{name} is not among the names of files of state")
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=folder, prefix=f".{name}.")  # mode 0600
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            os.replace(temporary, folder / name)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise ConfigError(
            f"state cannot be kept: {error.strerror}", where=str(folder), remedy=_REMEDY
        ) from error
    return folder / name


def state_files() -> list[Path]:
    """Every file of state that is there, with what a killed program left half written."""
    folder = state_folder()
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    left = re.compile(rf"\.({_OURS.pattern})\.[a-z0-9_]{{8}}")
    return [folder / name for name in names if _OURS.fullmatch(name) or left.fullmatch(name)]


def remove_state(name: str) -> bool:
    """Delete a file of state; false: there was none."""
    try:
        (state_folder() / name).unlink()
    except FileNotFoundError:
        return False
    except OSError as error:
        raise ConfigError(
            f"cannot be deleted: {error.strerror}",
            where=str(state_folder() / name),
            remedy="Delete it yourself.",
        ) from error
    return True

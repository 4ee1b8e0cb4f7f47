"""Where the private keys of campaigns lie: one file each in the folder for state, for its owner alone.

Rules of this file:

* a file of a key appears whole, with mode 0600 (mended when it is read), or not at all; two first uses at
  once make one key;
* a key that is there but cannot be read is never replaced unasked;
* the name of a campaign is in no file name, nor what a list of such names could be tried against: only a hash
  with a random salt, which lies beside the keys. Whoever has all of the folder can try names as we do;
* what a key is made of is not this file's business, and it is never in a message.
"""

from __future__ import annotations

import fcntl
import hmac
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from blockwatch.errors import ConfigError
from blockwatch.host.place import state_folder, write_state

KEY_FILE = "key"
_SALT_FILE, _SALT_BYTES = "key.salt", 32
_LOCK = ".key.lock"
_REMEDY = "Name a folder for it: BLOCKWATCH_STATE=/path/to/a/folder blockwatch …"
_LARGEST = 1_000
_KEYS = re.compile(rf"{KEY_FILE}(\.[0-9a-f]{{16}})?")


def key_path(campaign: str | None = None) -> Path:
    """Where the key of a campaign lies that there is; ``None``: the key of runs that name no campaign."""
    return state_folder() / _name(campaign, _read(_SALT_FILE) or b"")


def _name(campaign: str | None, salt: bytes) -> str:
    if campaign is None:
        return KEY_FILE
    return f"{KEY_FILE}.{hmac.digest(salt, campaign.encode(), 'sha256').hex()[:16]}"


def _salted(campaign: str | None) -> str:
    """The name of a campaign's file, with a salt for all of them made on first use; the lock is held."""
    salt = _salt() if campaign else b""
    if salt is None:
        salt = os.urandom(_SALT_BYTES)
        write_state(_SALT_FILE, salt)
    return _name(campaign, salt)


def read_key(campaign: str | None = None) -> bytes | None:
    """The content of a key's file; ``None``: there is none. Raises :class:`ConfigError`."""
    salt = _salt() if campaign else b""
    return None if salt is None else _read(_name(campaign, salt))


def _salt() -> bytes | None:
    """What the names of campaigns are salted with; ``None``: no campaign has a key yet."""
    salt, folder = _read(_SALT_FILE), state_folder()
    if salt is not None and len(salt) == _SALT_BYTES:
        return salt
    if salt is not None or any(_KEYS.fullmatch(path.name) for path in folder.glob(f"{KEY_FILE}.*")):
        raise ConfigError(
            "whose the keys of campaigns are cannot be told: the salt of their names is missing or damaged",
            where=str(folder / _SALT_FILE),
            remedy="Bring it back from a copy. Or move the files key.* away: campaigns get new keys then.",
        )
    return None


def _read(name: str) -> bytes | None:
    path = state_folder() / name
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & 0o077:  # it was copied, or restored from a backup
                with suppress(OSError):
                    os.fchmod(file.fileno(), 0o600)
            return file.read(_LARGEST)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ConfigError(
            f"the key cannot be read: {error.strerror}", where=str(path), remedy=_REMEDY
        ) from error


def all_keys() -> list[tuple[Path, bytes]]:
    """Every key's file that can be read, and its content: for what does not say which campaign it is of."""
    found = []
    for path in sorted(state_folder().glob(f"{KEY_FILE}*")):
        if _KEYS.fullmatch(path.name):
            with suppress(OSError), path.open("rb") as file:
                found.append((path, file.read(_LARGEST)))
    return found


def first_key(make: Callable[[], bytes], campaign: str | None = None) -> bytes:
    """The content of a key's file, made by ``make`` where there is none yet; raises :class:`ConfigError`."""
    kept = read_key(campaign)
    if kept is None:
        with _alone():
            kept = read_key(campaign)  # another run may have come first
            if kept is None:
                kept = make()
                write_state(_salted(campaign), kept)
    return kept


def replace_key(make: Callable[[bytes | None], bytes], campaign: str | None = None) -> None:
    """Put a new key in place of the old one, whose content ``make`` is given; raises :class:`ConfigError`."""
    with _alone():
        try:
            old = read_key(campaign)
        except ConfigError:
            old = None  # asked for on purpose: what cannot be read goes too
        new = make(old)
        name = _salted(campaign)
        with overwritten(state_folder() / name):
            write_state(name, new)


@contextmanager
def overwritten(path: Path) -> Iterator[None]:
    """Zero the file that lies at ``path`` now, after the block took it away.

    A disk that remaps its blocks (SSD, memory stick) may keep the old bytes all the same.
    """
    try:
        file = os.fdopen(os.open(path, os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC), "r+b", buffering=0)
    except OSError:  # none, or not ours to write: it can still be deleted
        yield
        return
    with file:
        yield
        with suppress(OSError):
            file.write(bytes(os.fstat(file.fileno()).st_size))
            os.fsync(file.fileno())


@contextmanager
def _alone() -> Iterator[None]:
    """Hold the lock of the keys; the kernel's, so it ends with whoever holds it."""
    folder = state_folder()
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(folder / _LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise ConfigError(
            f"a key cannot be kept: {error.strerror}",
            where=str(folder),
            remedy=_REMEDY,
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)

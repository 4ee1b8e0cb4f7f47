"""Built-in lists, measured only when named: ``--targets pack:circumvention``.

Rules of this file: a pack is a targets file like any other, kept in ``blockwatch/data``; it goes
through the same reader; each of its targets has an ``expires``, as such addresses change.
"""

from __future__ import annotations

from pathlib import Path

from blockwatch.errors import ConfigError
from blockwatch.targets.problem import nearest

PREFIX = "pack:"
PACKS = ("circumvention", "messengers")
_FOLDER = Path(__file__).parent.parent / "data"


def is_pack(name: str) -> bool:
    """Whether ``name`` speaks of a built-in pack."""
    return name.startswith(PREFIX)


def pack_file(name: str) -> Path:
    """Return the file of ``pack:NAME``; raises :class:`ConfigError` for an unknown one."""
    word = name.removeprefix(PREFIX)
    if word not in PACKS:
        raise ConfigError(f'there is no built-in pack "{word[:60]}"', remedy=nearest(word, PACKS))
    return _FOLDER / f"pack_{word}.yaml"

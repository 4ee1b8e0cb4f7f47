"""Values of an object that are worked out when they are first asked for, and kept.

Rules of this file: as ``functools.cached_property`` is since Python 3.12: 3.11 takes a lock each time, which
costs more than most of what is kept here.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class once(Generic[T]):
    """``@once def name(self)``: worked out at most once for each object, which needs a ``__dict__``."""

    def __init__(self, made: Callable[[Any], T]) -> None:
        self._made, self._name, self.__doc__ = made, made.__name__, made.__doc__

    @overload
    def __get__(self, owner: None, kind: type) -> once[T]: ...

    @overload
    def __get__(self, owner: object, kind: type) -> T: ...

    def __get__(self, owner: object | None, kind: type) -> once[T] | T:
        if owner is None:
            return self
        value = owner.__dict__[self._name] = self._made(owner)
        return value

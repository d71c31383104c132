"""Our exceptions are the original's, too, as soon as the original is loaded.

A library that was imported before says `except paramiko.SSHException` and means the class of the original. Python
matches exceptions by their bases, so ours get those of the original as further bases. Nothing is loaded for that:
when somebody else imports paramiko, this is told.

The hook runs after the module was loaded and its import lock let go (see `wrapt.importer`); wrapt itself is only
loaded when paramiko is about to be.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TypeVar

__all__ = ["kin"]

_E = TypeVar("_E", bound=type[BaseException])

# The original's modules that have exceptions, and our classes that have a namesake there.
_namesakes: dict[str, list[type[BaseException]]] = {
    f"paramiko.{module}": []
    for module in ("ssh_exception", "pkey", "hostkeys", "sftp", "buffered_pipe", "auth_strategy", "config")
}


def kin(module: str) -> Callable[[_E], _E]:
    """Class decorator: make an exception a subclass of its namesake in a module of the original.

    The class must not have a built-in exception as its only base: Python cannot give such a class other bases.

    Args:
        module: the original's, such as `ssh_exception`.
    """

    name = f"paramiko.{module}"

    def enlist(ours: _E) -> _E:
        _namesakes[name].append(ours)
        if name in sys.modules:
            _adopt(sys.modules[name], ours)
        return ours

    return enlist


def _adopt(module: ModuleType, ours: type[BaseException]) -> None:
    original = getattr(module, ours.__name__, None)
    # Where ours stands in for paramiko, the namesake is the class itself.
    if isinstance(original, type) and not issubclass(ours, original) and not issubclass(original, ours):
        ours.__bases__ = (*ours.__bases__, original)


def _adopt_all(module: ModuleType) -> None:
    for ours in _namesakes.get(module.__name__, ()):
        _adopt(module, ours)


def _watch() -> None:
    from wrapt import register_post_import_hook

    for module in _namesakes:
        register_post_import_hook(_adopt_all, module)


class _Lookout:
    """Sees that paramiko is looked for, for the first time; finds nothing. It stays: others may be going through the
    list of finders, and would miss one if this went.
    """

    def __init__(self) -> None:
        self._seen = False

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == "paramiko" and not self._seen:
            self._seen = True
            _watch()
        return None


if "paramiko" in sys.modules:
    _watch()
else:
    sys.meta_path.insert(0, _Lookout())

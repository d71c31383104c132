"""Standing in for paramiko under its own name, for libraries whose imports one cannot change.

While it stands in, `import paramiko` finds these modules. It is explicit, and it can be undone: what was in
`sys.modules` before is there again afterwards. It refuses where the original is loaded already, for then somebody holds
classes of the original, and half of a program would use the one and half the other.

Modules that imported it meanwhile keep what they imported, as modules do; they go on working, over ssh.
"""

from __future__ import annotations

import importlib
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ["stand_in", "standing_in"]

_OURS = __package__ or ""
_THEIRS = "paramiko"

# Held while sys.modules is changed, never while something is imported: an import may need a lock that another thread
# holds who waits for this one.
_lock = threading.RLock()
_count = 0


class _Finder:
    """Sees that none of the original's modules is loaded beside ours: what is not there is not found."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name == _THEIRS or name.startswith(f"{_THEIRS}."):
            raise ModuleNotFoundError(
                f"no module named {name!r}: openssh_compat stands in for paramiko, and has nothing in its place",
                name=name,
            )
        return None


_finder = _Finder()


def _modules() -> dict[str, ModuleType]:
    """Our modules by the names they have in the original."""
    import pkgutil  # takes long to load, and is for this alone

    package = importlib.import_module(_OURS)
    names = [
        one.name
        for one in pkgutil.iter_modules(package.__path__)
        if not one.name.startswith("_") or one.name == "_version"
    ]
    found = {f"{_THEIRS}.{name}": importlib.import_module(f"{_OURS}.{name}") for name in names}
    return {_THEIRS: package, **found}


def stand_in() -> None:
    """Stand in for paramiko from now on, for the rest of the program.

    Raises:
        RuntimeError: the original is loaded already.
    """
    global _count
    modules = _modules()
    with _lock:
        if _count == 0:
            loaded = sorted(name for name in sys.modules if name == _THEIRS or name.startswith(f"{_THEIRS}."))
            if loaded:
                raise RuntimeError(
                    f"{loaded[0]} is loaded already, so openssh_compat cannot stand in for it: "
                    "do that before anything imports paramiko"
                )
            sys.meta_path.insert(0, _finder)
            sys.modules.update(modules)
        _count += 1


def _step_back() -> None:
    global _count
    with _lock:
        _count -= 1
        if _count == 0:
            sys.meta_path[:] = [finder for finder in sys.meta_path if finder is not _finder]
            for name in [name for name in sys.modules if name == _THEIRS or name.startswith(f"{_THEIRS}.")]:
                del sys.modules[name]


@contextmanager
def standing_in() -> Iterator[ModuleType]:
    """Stand in for paramiko in a `with` block; gives the module that stands in. May be nested, and is for all threads.

    Raises:
        RuntimeError: the original is loaded already.
    """
    stand_in()
    try:
        yield sys.modules[_THEIRS]
    finally:
        _step_back()

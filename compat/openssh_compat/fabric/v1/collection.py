"""Finding a fabfile, and the tasks in it."""

from __future__ import annotations

import importlib.util
import sys
import types
from pathlib import Path
from typing import Any

from .tasks import Task

__all__ = ["find", "find_fabfile", "load", "names_in"]

# What belongs to this package is no task, though task files import all of it.
_OURS = __name__.rpartition(".v1.")[0]


def find_fabfile(name: str) -> Path | None:
    """A path, or the file of this name (a package, too) in this directory or the nearest above."""
    given = Path(name).expanduser()
    if len(given.parts) > 1 or given.suffix == ".py":
        candidates = [given]
    else:
        here = Path.cwd()
        candidates = [folder / f"{name}{suffix}" for folder in (here, *here.parents) for suffix in (".py", "")]
    for candidate in candidates:
        if candidate.is_file() or (candidate / "__init__.py").is_file():
            return candidate.resolve()
    return None


def load(path: Path) -> types.ModuleType:
    """Run a fabfile; its folder is where it imports from first."""
    sys.path.insert(0, str(path.parent))
    try:
        file = path / "__init__.py" if path.is_dir() else path
        spec = importlib.util.spec_from_file_location(path.stem, file)
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[path.stem] = module
        spec.loader.exec_module(module)
        return module
    finally:
        sys.path.remove(str(path.parent))


def names_in(module: types.ModuleType, seen: frozenset[str] = frozenset()) -> dict[str, Any]:
    """The tasks of a module and of the modules it imports, by the names they have on the command line.

    Where any function is marked as a task, only those are tasks; otherwise every public function is one.
    """
    listed = getattr(module, "__all__", None)
    public = {name: vars(module)[name] for name in (listed or vars(module)) if listed or not name.startswith("_")}
    marked = {name: value for name, value in public.items() if isinstance(value, Task)}
    found = {alias: task for name, task in marked.items() for alias in _aliases(name, task)}
    if not marked:
        found = {name: value for name, value in public.items() if _is_classic(value)}
    for name, value in public.items():
        if isinstance(value, types.ModuleType) and value.__name__ not in seen and _may_have_tasks(value):
            inner = names_in(value, seen | {module.__name__, value.__name__})
            found.update({f"{name}.{inner_name}": task for inner_name, task in inner.items() if isinstance(task, Task)})
            if (
                default := next((task for task in inner.values() if getattr(task, "is_default", False)), None)
            ) is not None:
                found[name] = default
    return found


def _aliases(name: str, task: Task) -> list[str]:
    shown = task.name if task.name != "undefined" else name
    return [shown, *task.aliases]


def _is_classic(value: Any) -> bool:
    return isinstance(value, types.FunctionType) and not value.__module__.startswith(_OURS)


def _may_have_tasks(module: types.ModuleType) -> bool:
    return not module.__name__.startswith(_OURS) and any(isinstance(value, Task) for value in vars(module).values())


def find(tasks: dict[str, Any], name: str) -> Any:
    """A task by its name, None when there is none; dashes are underscores."""
    return tasks.get(name) or tasks.get(name.replace("-", "_"))

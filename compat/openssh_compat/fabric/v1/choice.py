"""Which generation a task file is of: seen from what it imports, without running it."""

from __future__ import annotations

import ast
from collections.abc import Sequence

from .collection import find_fabfile

__all__ = ["is_for_fabric_1"]

# Modules that only fabric 1 has, here and there.
_ONLY_THERE = ("api", "colors", "context_managers", "contrib", "decorators", "operations", "state", "utils")
_LIBRARIES = ("fabric", "openssh_compat.fabric")


def is_for_fabric_1(argv: Sequence[str]) -> bool:
    """Whether the fabfile that a command line names, or the one that is found without, imports names of fabric 1."""
    path = find_fabfile(_named(argv))
    if path is None:
        return False
    file = path / "__init__.py" if path.is_dir() else path
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return False  # whoever runs it will say what is wrong
    return any(_is_of_fabric_1(node) for node in ast.walk(tree))


def _named(argv: Sequence[str]) -> str:
    for at, word in enumerate(argv):
        if word == "--":
            break
        for option in ("-f", "--fabfile"):
            if word == option and at + 1 < len(argv):
                return argv[at + 1]
            if word.startswith(f"{option}="):
                return word.partition("=")[2]
    return "fabfile"


def _is_of_fabric_1(node: ast.AST) -> bool:
    names: list[str] = []
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    elif isinstance(node, ast.Import):
        names = [alias.name for alias in node.names]
    only_there = tuple(f"{library}.{module}" for library in _LIBRARIES for module in _ONLY_THERE)
    return any(name == there or name.startswith(f"{there}.") for name in names for there in only_there)

"""The shipped modules as the tests of the face see them: source and syntax tree, from where Python imports them."""

from __future__ import annotations

import ast
import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

PACKAGES = ("openssh_core", "openssh_compat")


@dataclass(frozen=True)
class Module:
    name: str
    path: Path
    source: str
    tree: ast.Module


def modules_of(package: str) -> Iterator[Module]:
    spec = importlib.util.find_spec(package)
    assert spec is not None and spec.submodule_search_locations, f"{package} is not installed"
    (folder,) = map(Path, spec.submodule_search_locations)
    for path in sorted(folder.rglob("*.py")):
        words = [package, *path.relative_to(folder).with_suffix("").parts]
        name = ".".join(words).removesuffix(".__init__")
        source = path.read_text(encoding="utf-8")
        yield Module(name, path, source, ast.parse(source, str(path)))


@pytest.fixture(scope="session")
def shipped() -> list[Module]:
    """Every module of both packages."""
    return [module for package in PACKAGES for module in modules_of(package)]


@pytest.fixture(scope="session")
def root() -> Path:
    """The top of the checkout, where README.md is."""
    return Path(__file__).resolve().parents[2]

"""The face is a list: what can be seen without an underscore is what `__all__` says, and every name explains itself."""

from __future__ import annotations

import ast
import importlib
import inspect
import types
from typing import Any

import pytest

import openssh_core


def test_the_face_is_what_is_listed() -> None:
    shown = {
        name
        for name, value in vars(openssh_core).items()
        if not name.startswith("_") and not isinstance(value, types.ModuleType)
    }
    assert shown == {name for name in openssh_core.__all__ if not name.startswith("_")}


def test_no_name_is_listed_twice() -> None:
    assert sorted(openssh_core.__all__) == sorted(set(openssh_core.__all__))


def test_every_class_and_function_of_the_face_says_what_it_is_for() -> None:
    silent = [
        name
        for name in openssh_core.__all__
        if (inspect.isclass(value := getattr(openssh_core, name)) or inspect.isroutine(value))
        and not (value.__doc__ or "").strip()
    ]
    assert not silent


def test_every_public_function_is_fully_annotated() -> None:
    """A face without types is half a face; mypy sees to the bodies."""
    bare = [
        f"{name}.{argument}"
        for name in openssh_core.__all__
        if inspect.isroutine(value := getattr(openssh_core, name))
        for argument in inspect.signature(value).parameters
        if argument not in inspect.get_annotations(value)
    ]
    assert not bare


def test_every_module_opens_with_its_rule(shipped: list[Any]) -> None:
    silent = [module.name for module in shipped if not ast.get_docstring(module.tree)]
    assert not silent


@pytest.mark.parametrize("package", ["openssh_compat"])
def test_the_adapters_package_is_empty(package: str) -> None:
    """So that importing one adapter never imports another."""
    file = importlib.import_module(package).__file__
    assert file is not None
    with open(file, encoding="utf-8") as text:
        statements = ast.parse(text.read()).body
    assert len(statements) == 1 and isinstance(statements[0], ast.Expr), "a docstring and nothing else"

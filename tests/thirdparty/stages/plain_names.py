"""A pytest plugin for tests that are called anything: every class of a module, and all in it that is no fixture.

Run with `-o python_classes=[!_]* -o python_functions=[!_]*`.
"""

from __future__ import annotations

import inspect
from typing import Any

import pytest

NO_TESTS = ("setup", "teardown", "setup_method", "teardown_method")


@pytest.hookimpl(tryfirst=True)
def pytest_pycollect_makeitem(collector: Any, name: str, obj: Any) -> list[Any] | None:
    foreign = isinstance(collector, pytest.Module) and getattr(obj, "__module__", None) != collector.obj.__name__
    loose = isinstance(collector, pytest.Module) and not inspect.isclass(obj)
    return [] if foreign or loose or name in NO_TESTS else None

"""The version stands in one place, and the distribution that is installed is the one that is imported."""

from __future__ import annotations

import importlib.metadata
import os
import re
from pathlib import Path
from typing import Any

import pytest

import openssh_compat
import openssh_core

VERSION = re.compile(r"\d+\.\d+\.\d+")


def test_the_distribution_has_the_version_of_the_package() -> None:
    assert importlib.metadata.version("openssh-compat") == openssh_core.__version__


def test_it_is_written_once(shipped: list[Any], root: Path) -> None:
    places = [module.name for module in shipped if f'"{openssh_core.__version__}"' in module.source]
    assert places == ["openssh_core._version"]
    assert openssh_core.__version__ not in (root / "pyproject.toml").read_text(encoding="utf-8")


def test_it_is_a_version() -> None:
    assert VERSION.match(openssh_core.__version__)


def test_both_packages_tell_type_checkers_that_they_are_typed() -> None:
    for package in (openssh_core, openssh_compat):
        assert package.__file__ is not None
        assert Path(package.__file__).with_name("py.typed").is_file()


def test_the_pytest_plugin_is_announced() -> None:
    (entry,) = importlib.metadata.entry_points(group="pytest11", name="openssh_core")
    assert entry.value == "openssh_core.testing.plugin"


@pytest.mark.parametrize("package", [openssh_core, openssh_compat])
def test_under_tox_the_wheel_is_tested_and_not_the_checkout(package: Any, root: Path) -> None:
    if "TOX_ENV_NAME" in os.environ:
        assert "site-packages" in Path(package.__file__).parts
    else:
        assert package.__file__

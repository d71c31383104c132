"""docs/compat/paramiko.md says what the tests say: each behaviour and each name of paramiko has one that shows it."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

from openssh_compat.check.differences import DIFFERENCES
from openssh_compat.check.names import Status

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def page() -> ModuleType:
    pytest.importorskip("paramiko")
    spec = importlib.util.spec_from_file_location("paramiko_page", HERE / "paramiko_page.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_page_is_up_to_date(page: ModuleType) -> None:
    text = page.PAGE.read_text(encoding="utf-8")
    assert page.with_parts(text, page.parts()) == text, "run: python tests/compat/paramiko_page.py"


def test_every_behaviour_has_a_test_and_every_mark_a_behaviour(page: ModuleType) -> None:
    by_key, _ = page.showing(page.tests())
    keys = {key for section in page.behaviours().values() for key in section}
    assert set(by_key) - keys == set()
    assert {key for key in keys if not by_key.get(key)} == set()


def test_every_name_has_a_test_and_every_mark_a_name(page: ModuleType) -> None:
    _, by_name = page.showing(page.tests())
    known = page.names()
    assert set(by_name) - set(known) == set()
    assert {name for name in known if not by_name[name]} == set()


def test_what_is_the_same_was_seen_with_both(page: ModuleType) -> None:
    both = {test.name for test in page.tests() if test.both}
    _, by_name = page.showing(page.tests())
    same = [name for name, verdict in page.verdicts().items() if verdict.status is Status.SAME]
    assert len(same) > 300
    assert [name for name in same if not both & set(by_name[name])] == []


def test_what_differs_is_a_name(page: ModuleType) -> None:
    assert set(DIFFERENCES["paramiko"]) - set(page.names()) == set()


def test_a_test_names_what_it_shows(page: ModuleType) -> None:
    """A mark is no proof; that the name is nowhere in the file would be a proof of the contrary."""
    helpers = (HERE / "conftest.py").read_text(encoding="utf-8")
    strange = []
    for test in page.tests():
        source = test.path.read_text(encoding="utf-8") + helpers
        code = re.sub(r"@pytest\.mark\.shows\((?:[^()]|\([^()]*\))*\)", "", source)
        for name in test.names:
            last = name.rpartition(".")[2]
            if "*" not in name and not re.search(rf"\b{re.escape(last)}\b", code):
                strange.append(f"{test.name} does not use {name}")
    assert strange == []


def test_what_is_not_there_is_noticed(page: ModuleType) -> None:
    with pytest.raises(AssertionError, match="no place"):
        page.with_parts("% generated from the tests: names\n", {"names": ""})
    text = "before\n% generated from the tests: x\nold\n% end of x\nafter\n"
    assert page.with_parts(text, {"x": "new\n"}) == text.replace("old", "new")

"""The generated parts of docs/compat/paramiko.md: what paramiko does, and what becomes of each of its names.

Tests say what they show, by marks: `@pytest.mark.behaviour("key")` for a line of paramiko_behaviours.toml, and
`@pytest.mark.shows("SSHClient.connect")` for a name. What becomes of a name the adapter itself says, as it does for
`openssh-compat check`. Run this file to write the page anew:

    python tests/compat/paramiko_page.py
"""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import sys
from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

from openssh_compat.check.names import Status, Verdict, verdict_on

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "compat" / "paramiko.md"

MODULES = """
    agent auth_handler auth_strategy buffered_pipe channel client config ecdsakey ed25519key file hostkeys message
    packet pipe pkey proxy rsakey server sftp sftp_attr sftp_client sftp_file sftp_handle sftp_server sftp_si
    ssh_exception transport util
"""

# What older versions had and the installed one has not, with the module where it is no name of the package.
OLDER = {
    "DSSKey": "DSSKey", "GSSAuth": "GSSAuth", "GSS_AUTH_AVAILABLE": "GSS_AUTH_AVAILABLE",
    "GSS_EXCEPTIONS": "GSS_EXCEPTIONS", "__version__": "__version__", "__version_info__": "__version_info__",
    "Transport.auth_gssapi_keyex": "Transport.auth_gssapi_keyex", "Transport.set_gss_host": "Transport.set_gss_host",
    "Transport.auth_gssapi_with_mic": "Transport.auth_gssapi_with_mic",
}  # fmt: skip

# The side of a server, and what packets are made of: one row each.
HOLLOW = {
    "AgentClientProxy", "AgentLocalProxy", "AgentProxyThread", "AgentRemoteProxy", "AgentServerProxy", "AuthHandler",
    "AuthOnlyHandler", "BaseSFTP", "ChannelMap", "Packetizer", "SFTPHandle", "SFTPServer", "SFTPServerInterface",
    "ServerInterface", "SubsystemHandler",
}  # fmt: skip

# Of no use outside of paramiko.
INNER = ("NeedRekeyException", "packet.compute_hmac", "packet.first_arg", "WindowsPipe*")


# ---- what tests say


class Test:
    """A test that has marks.

    Attributes:
        name: of its function; path: of its file.
        behaviours, names: what its marks say; names may be patterns.
        both: whether it runs over paramiko and over ours, or compares them.
    """

    def __init__(self, path: Path, function: ast.FunctionDef, both: bool) -> None:
        self.path = path
        self.name = function.name
        self.both = both
        self.behaviours = list(_words(function, "behaviour"))
        self.names = list(_words(function, "shows"))


def _words(function: ast.FunctionDef, mark: str) -> Iterator[str]:
    for one in function.decorator_list:
        if isinstance(one, ast.Call) and ast.unparse(one.func) == f"pytest.mark.{mark}":
            yield from (str(ast.literal_eval(word)) for word in one.args)


@functools.cache
def tests() -> list[Test]:
    """All tests of the adapter, from their sources."""
    shared = _fixtures(ast.parse((HERE / "conftest.py").read_text(encoding="utf-8")))
    found = []
    for path in sorted(HERE.glob("test_paramiko_*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        fixtures = {**shared, **_fixtures(tree)}
        compares = any(ast.unparse(line) == "original = pytest.importorskip('paramiko')" for line in tree.body)
        for one in tree.body:
            if isinstance(one, ast.FunctionDef) and one.name.startswith("test_"):
                words = {getattr(part, "id", getattr(part, "name", "")) for part in ast.walk(one)}
                both = compares or _reaches(one, fixtures) or bool(words & {"original", "paramiko", "paramiko.common"})
                found.append(Test(path, one, both))
    return found


def _fixtures(tree: ast.Module) -> dict[str, ast.FunctionDef]:
    return {
        one.name: one
        for one in tree.body
        if isinstance(one, ast.FunctionDef)
        and any("pytest.fixture" in ast.unparse(mark) for mark in one.decorator_list)
    }


def _reaches(function: ast.FunctionDef, fixtures: dict[str, ast.FunctionDef]) -> bool:
    """Whether it is given what the fixture `paramiko` gives: one library, then the other."""
    for name in (one.arg for one in function.args.args):
        fixture = fixtures.get(name)
        if name == "paramiko" or (fixture not in (None, function) and _reaches(fixture, fixtures)):
            return True
    return False


# ---- what paramiko has


@functools.cache
def names() -> dict[str, str]:
    """Every public name, as it is shown, and its path for `verdict_on`: names of the package, what its modules have
    besides, and the members of its classes.
    """
    package = importlib.import_module("paramiko")
    found = {name: name for name, _ in _public(package)} | OLDER
    classes = {name: value for name, value in _public(package) if inspect.isclass(value)}
    for module in MODULES.split():
        home = importlib.import_module(f"paramiko.{module}")
        for name, value in _public(home):
            callable_here = inspect.isclass(value) or inspect.isfunction(value)
            if callable_here and value.__module__ == home.__name__ and name not in found:
                shown = name if inspect.isclass(value) else f"{module}.{name}"
                found[shown] = f"{module}.{name}"
                if inspect.isclass(value):
                    classes[name] = value
    for name, kind in classes.items():
        if name not in HOLLOW:
            found.update({f"{name}.{member}": f"{found[name]}.{member}" for member in _members(kind, classes)})
    return {name: path for name, path in found.items() if not any(fnmatchcase(name, one) for one in INNER)}


def _public(module: Any) -> Iterator[tuple[str, Any]]:
    for name, value in vars(module).items():
        home = getattr(value, "__module__", None) or "paramiko"
        if not name.startswith("_") and not inspect.ismodule(value) and home.partition(".")[0] == "paramiko":
            yield name, value


def _members(kind: type, classes: dict[str, Any]) -> Iterator[str]:
    """The public members of a class, less those of a base that has rows of its own."""
    for base in kind.__mro__:
        own = base is kind or base.__name__ not in classes
        if own and base.__module__.startswith("paramiko"):
            yield from (member for member in vars(base) if not member.startswith("_"))


@functools.cache
def verdicts() -> dict[str, Verdict]:
    return {name: verdict_on(f"paramiko.{path}") for name, path in names().items()}


# ---- the page


@functools.cache
def behaviours() -> dict[str, dict[str, str]]:
    """The lines of paramiko_behaviours.toml by key, in sections."""
    found: dict[str, dict[str, str]] = tomllib.loads((HERE / "paramiko_behaviours.toml").read_text(encoding="utf-8"))
    return found


def showing(found: list[Test]) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """The tests of each behaviour, and of each name."""
    by_key: dict[str, list[str]] = defaultdict(list)
    by_name: dict[str, list[str]] = defaultdict(list)
    known = names()
    for test in found:
        for key in test.behaviours:
            by_key[key].append(test.name)
        for pattern in test.names:
            for name in known if "*" in pattern else [pattern]:
                if fnmatchcase(name, pattern):
                    by_name[name].append(test.name)
    return by_key, by_name


def parts() -> dict[str, str]:
    """The generated parts of the page, by name."""
    by_key, by_name = showing(tests())
    same = []
    for section, lines in behaviours().items():
        same += ["", f"### {section}", "", "| | test |", "| --- | --- |"]
        same += [f"| {text} | {_quoted(by_key[key])} |" for key, text in lines.items()]
    rows = ["", "| | here | test |", "| --- | --- | --- |"]
    for name, verdict in sorted(verdicts().items(), key=lambda item: _order(item[0])):
        rows.append(f"| `{name}` | {_here(verdict)} | {_quoted(by_name[name])} |")
    counted = [verdict.status for verdict in verdicts().values()]
    numbers = ", ".join(f"{counted.count(status)} {status.value}" for status in Status)
    rows[:0] = ["", f"{len(counted)} names: {numbers}."]
    return {"behaviours": "\n".join([*same, ""]), "names": "\n".join([*rows, ""])}


def _order(name: str) -> tuple[bool, str, str]:
    kind, _, member = name.partition(".")
    return not kind[:1].isupper(), kind.lower(), member


def _here(verdict: Verdict) -> str:
    status = verdict.status.value
    remark = verdict.remark.replace("|", r"\|")
    return f"{status}: {remark}" if remark else status


def _quoted(tests: list[str]) -> str:
    return ", ".join(f"`{test}`" for test in sorted(set(tests)))


def with_parts(text: str, new: dict[str, str]) -> str:
    """A page whose generated parts are these: each stands between two comments that name it."""
    for name, part in new.items():
        begin, end = f"% generated from the tests: {name}\n", f"% end of {name}\n"
        head, _, rest = text.partition(begin)
        _, found, tail = rest.partition(end)
        assert found, f"{PAGE.name} has no place for {name}"
        text = head + begin + part + end + tail
    return text


if __name__ == "__main__":
    PAGE.write_text(with_parts(PAGE.read_text(encoding="utf-8"), parts()), encoding="utf-8")

"""No file, class or function grows past what one can hold in mind. Where one has to, it says why, here."""

from __future__ import annotations

import ast
import io
import tokenize
from collections.abc import Iterator
from typing import Any

import pytest

LIMITS = {"methods": 25, "attributes": 12, "lines of a function": 60, "lines of code": 400}

# What may weigh more: (name, what is counted) -> (how much, why it cannot be split).
# Faces that mimic another library have that library's methods; nothing of our own design belongs here.
ALLOWED: dict[tuple[str, str], tuple[int, str]] = {
    ("openssh_core.expect:RemoteSpawn", "methods"): (26, "pexpect's spawn has more than 40"),
    ("openssh_compat.paramiko.channel:Channel", "methods"): (52, "paramiko's Channel has as many"),
    ("openssh_compat.paramiko.file:BufferedFile", "methods"): (30, "paramiko's has as many"),
    ("openssh_compat.paramiko.sftp_client:SFTPClient", "methods"): (35, "paramiko's SFTPClient has as many"),
    ("openssh_compat.paramiko.sftp_file:SFTPFile", "methods"): (28, "paramiko's SFTPFile has as many"),
    ("openssh_compat.paramiko.message:Message", "methods"): (27, "paramiko's has one for each encoding, and each way"),
    ("openssh_compat.subprocess._popen:Popen", "attributes"): (17, "those that the original's other methods look at"),
    ("openssh_core.expect:RemoteSpawn", "attributes"): (15, "those that pexpect's own methods look at"),
    ("openssh_core._io.opener:SessionOpener", "attributes"): (
        13,
        "one decision needs the queue, spare and slots",
    ),
    ("openssh_compat.paramiko.pkey:PKey", "methods"): (28, "paramiko's PKey has as many"),
}

NO_CODE = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


def docstring_lines(tree: ast.AST) -> set[int]:
    """The lines that docstrings (and other bare strings) take."""
    lines: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            lines.update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    return lines


def code_lines(source: str, tree: ast.Module) -> set[int]:
    """The lines that are neither blank, comment nor docstring."""
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in NO_CODE:
            lines.update(range(token.start[0], token.end[0] + 1))
    return lines - docstring_lines(tree)


def stored_on_self(body: ast.ClassDef) -> set[str]:
    return {
        node.attr
        for node in ast.walk(body)
        if isinstance(node, ast.Attribute)
        and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name)
        and node.value.id == "self"
    }


def weights(name: str, source: str) -> Iterator[tuple[str, str, int]]:
    """(name, what is counted, how much) of a module, its classes and its functions."""
    tree = ast.parse(source)
    lines = code_lines(source, tree)
    yield name, "lines of code", len(lines)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef):
            methods = [part for part in node.body if isinstance(part, (ast.FunctionDef, ast.AsyncFunctionDef))]
            yield f"{name}:{node.name}", "methods", len(methods)
            yield f"{name}:{node.name}", "attributes", len(stored_on_self(node))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            own = lines & set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
            yield f"{name}:{node.name}", "lines of a function", len(own)


@pytest.fixture(scope="module")
def counted(shipped: list[Any]) -> list[tuple[str, str, int]]:
    """The weights of everything that is shipped."""
    return [row for module in shipped for row in weights(module.name, module.source)]


def test_everything_keeps_its_budget(counted: list[tuple[str, str, int]]) -> None:
    heavy = [
        f"{name}: {count} {what}, at most {limit}"
        for name, what, count in counted
        if count > (limit := ALLOWED.get((name, what), (LIMITS[what], ""))[0])
    ]
    assert not heavy, "split what does two things, or say in ALLOWED why it cannot be:\n" + "\n".join(heavy)


def test_no_allowance_outlives_its_need(counted: list[tuple[str, str, int]]) -> None:
    known = {(name, what): n for name, what, n in counted}
    stale = [key for key in ALLOWED if known.get(key, 0) <= LIMITS[key[1]]]
    assert not stale, f"these fit the ordinary limits again: {stale}"


def test_what_is_counted() -> None:
    source = (
        '"""Doc."""\n\n# why\nclass A:\n    """Doc."""\n'
        '    def f(self):\n        self.x = self.y = """a\n        b"""\n'
    )
    assert sorted(weights("m", source)) == [
        ("m", "lines of code", 4),
        ("m:A", "attributes", 2),
        ("m:A", "methods", 1),
        ("m:f", "lines of a function", 3),
    ]

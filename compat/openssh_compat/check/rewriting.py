"""Changing the imports of a program, and nothing else: everything stays where and as it is.

import paramiko                      from openssh_compat import paramiko
import paramiko.client               import openssh_compat.paramiko.client, and the line above
import os, paramiko as p             import os; from openssh_compat import paramiko as p
from paramiko.client import X        from openssh_compat.paramiko.client import X
from pexpect import pxssh            from openssh_compat import pxssh
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

import libcst as cst

from .reading import dotted

# subprocess is left alone unless it is named: most of what a program runs is meant to run at home.
USUAL = ("paramiko", "fabric", "pxssh")
_HERE = "openssh_compat"


def rewritten(source: str, libraries: Collection[str] = USUAL) -> str:
    """The source with the imports of these libraries changed.

    Args:
        libraries: of paramiko, fabric, subprocess and pxssh.

    Raises:
        libcst.ParserSyntaxError: it is no Python.
    """
    module = cst.parse_module(source)
    return module.visit(_Rewriter(frozenset(libraries))).code


class _Rewriter(cst.CSTTransformer):
    def __init__(self, libraries: frozenset[str]) -> None:
        super().__init__()
        self._libraries = libraries

    def leave_ImportFrom(self, original_node: cst.ImportFrom, updated_node: cst.ImportFrom) -> cst.ImportFrom:
        if updated_node.module is None or updated_node.relative:
            return updated_node
        words = dotted(updated_node.module)
        if words[:2] == ("pexpect", "pxssh") and "pxssh" in self._libraries:
            return updated_node.with_changes(module=_name((_HERE, *words[1:])))
        if words[0] in self._libraries and words[0] != "pxssh":
            return updated_node.with_changes(module=_name((_HERE, *words)))
        if words == ("pexpect",) and "pxssh" in self._libraries and _only_pxssh(updated_node.names):
            return updated_node.with_changes(module=cst.Name(_HERE))
        return updated_node

    def leave_SimpleStatementLine(
        self, original_node: cst.SimpleStatementLine, updated_node: cst.SimpleStatementLine
    ) -> cst.SimpleStatementLine:
        body: list[cst.BaseSmallStatement] = []
        for statement in updated_node.body:
            body += self._statements(statement) if isinstance(statement, cst.Import) else [statement]
        if len(body) == len(updated_node.body) and all(a is b for a, b in zip(body, updated_node.body, strict=True)):
            return updated_node
        return updated_node.with_changes(body=body)

    def _statements(self, statement: cst.Import) -> Sequence[cst.BaseSmallStatement]:
        ours = [alias for alias in statement.names if self._is_ours(alias)]
        if not ours:
            return [statement]
        others = [alias for alias in statement.names if not self._is_ours(alias)]
        made: list[cst.BaseSmallStatement] = []
        if others:
            last = others[-1].with_changes(comma=cst.MaybeSentinel.DEFAULT)
            made.append(statement.with_changes(names=[*others[:-1], last]))
        roots: set[str] = set()
        for alias in ours:
            made += self._imported(dotted(alias.name), alias.asname, roots)
        semicolons = [item.with_changes(semicolon=cst.MaybeSentinel.DEFAULT) for item in made[:-1]]
        return [*semicolons, made[-1].with_changes(semicolon=statement.semicolon)]

    def _imported(
        self, words: Sequence[str], asname: cst.AsName | None, roots: set[str]
    ) -> list[cst.BaseSmallStatement]:
        """What takes the place of `import a.b.c` or `import a.b.c as d`."""
        if words[0] == "pexpect":
            words = words[1:]
        if asname is not None or len(words) == 1:
            return [_from((_HERE, *words[:-1]), words[-1], asname)]
        # Binds `a`, and has `a.b.c` loaded.
        made: list[cst.BaseSmallStatement] = []
        if words[0] not in roots:
            roots.add(words[0])
            made.append(_from((_HERE,), words[0], None))
        return [*made, cst.Import([cst.ImportAlias(_name((_HERE, *words)))])]

    def _is_ours(self, alias: cst.ImportAlias) -> bool:
        words = dotted(alias.name)
        if words == ("pexpect", "pxssh"):
            # Without a name of its own it binds `pexpect`, which has more in it than pxssh.
            return alias.asname is not None and "pxssh" in self._libraries
        return words[0] in self._libraries and words[0] != "pxssh"


def _only_pxssh(names: cst.ImportStar | Sequence[cst.ImportAlias]) -> bool:
    return not isinstance(names, cst.ImportStar) and [dotted(alias.name) for alias in names] == [("pxssh",)]


def _from(module: Sequence[str], name: str, asname: cst.AsName | None) -> cst.ImportFrom:
    return cst.ImportFrom(module=_name(module), names=[cst.ImportAlias(cst.Name(name), asname=asname)])


def _name(words: Sequence[str]) -> cst.Name | cst.Attribute:
    node: cst.Name | cst.Attribute = cst.Name(words[0])
    for word in words[1:]:
        node = cst.Attribute(node, cst.Name(word))
    return node

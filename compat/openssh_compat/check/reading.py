"""Finding the names that a program uses, those of the objects it makes included.

`client = paramiko.SSHClient()` makes `client.open_sftp` a use of `SSHClient.open_sftp`. What a variable holds is
guessed from every assignment to it in its function, or in its class for `self.client`; no order of statements is
looked at.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider, QualifiedNameProvider, QualifiedNameSource

from .names import class_named, library_of, short

# What comes back from a call, or stands behind an attribute, where that is an object of the same library.
_RETURNS: Mapping[str, str | tuple[str, ...]] = {
    "paramiko.SSHClient.exec_command": (
        "paramiko.ChannelStdinFile",
        "paramiko.ChannelFile",
        "paramiko.ChannelStderrFile",
    ),
    "paramiko.SSHClient.get_host_keys": "paramiko.HostKeys",
    "paramiko.SSHClient.get_transport": "paramiko.Transport",
    "paramiko.SSHClient.invoke_shell": "paramiko.Channel",
    "paramiko.SSHClient.open_sftp": "paramiko.SFTPClient",
    "paramiko.SFTPClient.file": "paramiko.SFTPFile",
    "paramiko.SFTPClient.from_transport": "paramiko.SFTPClient",
    "paramiko.SFTPClient.get_channel": "paramiko.Channel",
    "paramiko.SFTPClient.lstat": "paramiko.SFTPAttributes",
    "paramiko.SFTPClient.open": "paramiko.SFTPFile",
    "paramiko.SFTPClient.stat": "paramiko.SFTPAttributes",
    "paramiko.SSHConfig.lookup": "paramiko.SSHConfigDict",
    "paramiko.Transport.accept": "paramiko.Channel",
    "paramiko.Transport.open_channel": "paramiko.Channel",
    "paramiko.Transport.open_session": "paramiko.Channel",
    "paramiko.Transport.open_sftp_client": "paramiko.SFTPClient",
    "subprocess.run": "subprocess.CompletedProcess",
    "fabric.Connection.run": "fabric.Result",
    "fabric.Connection.sudo": "fabric.Result",
    "fabric.Connection.sftp": "paramiko.SFTPClient",
}
_ATTRIBUTES: Mapping[str, str] = {
    "paramiko.ChannelFile.channel": "paramiko.Channel",
    "paramiko.ChannelStderrFile.channel": "paramiko.Channel",
    "paramiko.ChannelStdinFile.channel": "paramiko.Channel",
    "fabric.Connection.client": "paramiko.SSHClient",
    "fabric.Connection.transport": "paramiko.Transport",
}

# How far a value is followed from one variable to the next.
_ROUNDS = 4


class Use(NamedTuple):
    """One name at one place.

    Attributes:
        line: its number, from 1 on.
        name: dotted, with the library in front and without its submodules.
    """

    line: int
    name: str


def uses_in(source: str) -> list[Use]:
    """The uses in a module's source, in the order of lines, each once a line.

    Raises:
        libcst.ParserSyntaxError: it is no Python.
    """
    wrapper = MetadataWrapper(cst.parse_module(source))
    collector = _Collector()
    for _ in range(_ROUNDS):
        before = len(collector.kinds)
        wrapper.visit(collector)
        if len(collector.kinds) == before:
            break
    return sorted(set(collector.uses))


class _Collector(cst.CSTVisitor):
    """Walks a module; walked again, it knows more about variables.

    Attributes:
        kinds: (scope, variable) -> the class of what it holds, or several for a tuple.
        uses: what was found.
    """

    METADATA_DEPENDENCIES = (PositionProvider, QualifiedNameProvider)

    def __init__(self) -> None:
        super().__init__()
        self.kinds: dict[tuple[str, str], str | tuple[str, ...]] = {}
        self.uses: list[Use] = []
        self._functions: list[str] = []
        self._classes: list[str] = []

    # ---- where we are

    def visit_FunctionDef(self, node: cst.FunctionDef) -> None:
        self._functions.append(f"{'.'.join(self._functions)}.{node.name.value}")
        for parameter in node.params.params:
            if parameter.annotation is not None and (kind := self._name_of(parameter.annotation.annotation)):
                self._bind(parameter.name, kind)

    def leave_FunctionDef(self, original_node: cst.FunctionDef) -> None:
        self._functions.pop()

    def visit_ClassDef(self, node: cst.ClassDef) -> None:
        self._classes.append(node.name.value)

    def leave_ClassDef(self, original_node: cst.ClassDef) -> None:
        self._classes.pop()

    # ---- what variables hold

    def visit_Assign(self, node: cst.Assign) -> None:
        kind = self._kind_of(node.value)
        for target in node.targets:
            self._bind(target.target, kind)

    def visit_AnnAssign(self, node: cst.AnnAssign) -> None:
        self._bind(node.target, (node.value and self._kind_of(node.value)) or self._name_of(node.annotation.annotation))

    def visit_NamedExpr(self, node: cst.NamedExpr) -> None:
        self._bind(node.target, self._kind_of(node.value))

    def visit_WithItem(self, node: cst.WithItem) -> None:
        if node.asname is not None:
            self._bind(node.asname.name, self._kind_of(node.item))

    def _bind(self, target: cst.CSTNode, kind: str | tuple[str, ...] | None) -> None:
        if isinstance(target, cst.Tuple | cst.List) and isinstance(kind, tuple):
            for element, part in zip(target.elements, kind, strict=False):
                self._bind(element.value, part)
        elif kind is not None and (key := self._variable(target)) is not None:
            self.kinds.setdefault(key, kind)

    def _variable(self, node: cst.CSTNode) -> tuple[str, str] | None:
        if isinstance(node, cst.Name):
            return (self._functions[-1] if self._functions else ""), node.value
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name) and node.value.value == "self":
            return (f"class {self._classes[-1]}" if self._classes else ""), node.attr.value
        return None

    def _kind_of(self, node: cst.BaseExpression) -> str | tuple[str, ...] | None:
        """The class of what an expression gives."""
        if isinstance(node, cst.Call):
            called = self._name_of(node.func)
            if called is None:
                return None
            return called if class_named(called) else _RETURNS.get(called)
        if isinstance(node, cst.Attribute) and (name := self._name_of(node)) in _ATTRIBUTES:
            return _ATTRIBUTES[name or ""]
        if isinstance(node, cst.Await | cst.Subscript):
            return None
        return self._held_by(node)

    def _held_by(self, node: cst.CSTNode) -> str | tuple[str, ...] | None:
        key = self._variable(node)
        if key is None:
            return None
        return self.kinds.get(key) or (self.kinds.get(("", key[1])) if isinstance(node, cst.Name) else None)

    # ---- what is used

    def _name_of(self, node: cst.BaseExpression) -> str | None:
        """The dotted name of a library that an expression stands for."""
        for found in self.get_metadata(QualifiedNameProvider, node, ()):
            if found.source is QualifiedNameSource.IMPORT and library_of(found.name):
                return short(found.name)
        if isinstance(node, cst.Attribute):
            kind = self._kind_of(node.value)
            if isinstance(kind, str):
                return f"{kind}.{node.attr.value}"
        return None

    def visit_Attribute(self, node: cst.Attribute) -> None:
        self._use(node, self._name_of(node))

    def visit_Name(self, node: cst.Name) -> None:
        self._use(node, self._name_of(node))

    def visit_ImportFrom(self, node: cst.ImportFrom) -> bool:
        if node.module is not None and not node.relative and not isinstance(node.names, cst.ImportStar):
            module = _dotted(node.module)
            for alias in node.names:
                self._use(node, f"{module}.{_dotted(alias.name)}")
        return False

    def visit_Import(self, node: cst.Import) -> bool:
        return False

    def _use(self, node: cst.CSTNode, name: str | None) -> None:
        if name is None or library_of(name) in (None, name):
            return
        position = self.get_metadata(PositionProvider, node)
        self.uses.append(Use(position.start.line, short(name)))


def _dotted(node: cst.CSTNode) -> str:
    return ".".join(_words(node))


def _words(node: cst.CSTNode) -> Iterator[str]:
    if isinstance(node, cst.Attribute):
        yield from _words(node.value)
        yield node.attr.value
    elif isinstance(node, cst.Name):
        yield node.value


def dotted(node: cst.CSTNode) -> Sequence[str]:
    """The words of a dotted name."""
    return tuple(_words(node))

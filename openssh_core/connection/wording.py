"""What a call's words are, before anything is quoted: text in the right encoding, and variables replaced."""

from __future__ import annotations

from collections.abc import Sequence

from .._cli.quoting import Word
from .._cli.target import parse_target
from .._cli.variables import expand
from ..command import command_of
from ..program import Program
from ..results import Command
from .life import ConnectionLife


class Wording(ConnectionLife):
    """The part of a connection that reads what a call says is to run."""

    def _words(self, words: Sequence[Word | Sequence[Word] | Program]) -> Command | Program:
        command = command_of(words, self.defaults.argument_encoding)
        if self.defaults.variables is None or isinstance(command, Program):
            return command
        values = {**self.defaults.variables, **self._where()}
        if isinstance(command, str):
            return expand(command, values)
        # A pattern stays a pattern.
        return [type(word)(expand(word, values)) for word in command]

    def _where(self) -> dict[str, object]:
        """The built-in variables; None for what is not known."""
        target, facts = parse_target(self.host), self._live().facts
        return {"HOST": target.host, "USER": facts.user or target.user, "PORT": facts.port or target.port}

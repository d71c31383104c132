"""The side of a server, as names: programs import them, and subclass them for tests of their own. Nothing here serves;
`Transport.start_server` says so.
"""

from __future__ import annotations

from typing import Any, NoReturn

from .._shim import refused
from ._lent import lend

__all__ = ["InteractiveQuery", "ServerInterface", "SubsystemHandler"]


class ServerInterface:
    """What a server allows. Never asked here."""


class InteractiveQuery:
    """Questions for keyboard-interactive.

    Attributes:
        name, instructions: for the user.
        prompts: the questions, each with whether its answer may be shown.
    """

    def __init__(self, name: str = "", instructions: str = "", *prompts: str | tuple[str, bool]) -> None:
        self.name = name
        self.instructions = instructions
        self.prompts: list[tuple[str, bool]] = []
        for prompt in prompts:
            if isinstance(prompt, str):
                self.add_prompt(prompt)
            else:
                self.add_prompt(*prompt)

    def add_prompt(self, prompt: str, echo: bool = True) -> None:
        self.prompts.append((prompt, echo))


@refused
class SubsystemHandler:
    """Serves a subsystem. Raises NotImplementedError: there is no server here."""

    def __init__(self, *_args: Any, **_named: Any) -> None:
        no_server()


def no_server() -> NoReturn:
    raise NotImplementedError("openssh_compat has no server mode: run sshd, or use paramiko itself")


lend(__name__)

"""What fabric raises beside invoke's and paramiko's exceptions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ._reason import reason

if TYPE_CHECKING:
    from .group import GroupResult

__all__ = ["GroupException", "InvalidV1Env", "NothingToDo"]


class NothingToDo(Exception):  # fabric's name
    """There is no task, and no command."""


class InvalidV1Env(Exception):  # fabric's name
    """An `env` of fabric 1 that a connection cannot be made from."""


class GroupException(Exception):  # fabric's name
    """On at least one host of a group something went wrong.

    Attributes:
        result: what came of it on each host, exceptions included.
    """

    def __init__(self, result: GroupResult) -> None:
        super().__init__(result)
        self.result = result

    def __str__(self) -> str:
        failed = self.result.failed
        lines = [f"{len(failed)} of {len(self.result)} hosts failed"]
        lines += [f"{connection.original_host}: {reason(error)}" for connection, error in failed.items()]
        return "\n".join(lines)

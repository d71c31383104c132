"""What operations return: text and lists that know how it went."""

from __future__ import annotations

from typing import Any

__all__ = ["AttributeList", "AttributeString"]


class AttributeString(str):
    """What a command put out.

    Attributes:
        command: as it was given; `real_command` with everything around it.
        return_code: its status, -N for death by signal N.
        succeeded, failed: whether the status is one of `env.ok_ret_codes`.
        stdout, stderr: the two outputs; with a terminal everything is in the first.
    """

    command: str = ""
    real_command: str = ""
    return_code: int = 0
    failed: bool = False
    stderr: str = ""

    @property
    def stdout(self) -> str:
        """What it put out."""
        return str(self)

    @property
    def succeeded(self) -> bool:
        """Whether it did not fail."""
        return not self.failed


class AttributeList(list[Any]):
    """The files that were transferred.

    Attributes:
        failed: those that were not.
        succeeded: whether there are none of these.
    """

    def __init__(self, files: Any = (), failed: Any = ()) -> None:
        super().__init__(files)
        self.failed = list(failed)

    @property
    def succeeded(self) -> bool:
        """Whether all were."""
        return not self.failed

"""What a transfer shall do, checked before anything happens."""

from __future__ import annotations

from typing import Any, Literal, TypedDict

from .._value import Value
from ..errors import InvalidInput
from .conversion import Convert, converter
from .filters import Filter, Rules

Links = Literal["copy", "follow", "skip"]


class TransferOptions(Value):
    """The options of `Connection.get` and `Connection.put`, which say what they mean."""

    recursive: bool = False
    glob: bool = False
    atomic: bool = True
    resume: bool = False
    append: bool = False
    overwrite: bool = True
    newer_only: bool = False
    skip_same: bool = False
    preserve: bool = False
    links: Links = "copy"
    umask: int | None = None
    sparse: bool = False
    fsync: bool = False
    include: Rules = None
    exclude: Rules = None
    convert: Convert | None = None
    bwlimit: float | None = None
    at_once: int | None = None
    verify: bool = False

    def __post_init__(self) -> None:
        if self.links not in ("copy", "follow", "skip"):
            raise InvalidInput(f"links={self.links!r} is none of copy, follow, skip")
        if self.umask is not None and not _is_int(self.umask, 0, 0o777):
            raise InvalidInput(f"umask={self.umask!r} is no number from 0 to 0o777")
        if self.bwlimit is not None and not (_is_number(self.bwlimit) and self.bwlimit > 0):
            raise InvalidInput(f"bwlimit={self.bwlimit!r} is no number of bytes a second above 0")
        if self.at_once is not None and not _is_int(self.at_once, 1, 1024):
            raise InvalidInput(f"at_once={self.at_once!r} is no number from 1 to 1024")
        for one, other in _CONTRADICTIONS:
            if getattr(self, one) and getattr(self, other):
                raise InvalidInput(f"{one}= and {other}= contradict each other")
        if self.convert is not None:
            converter(self.convert)
        Filter(self.include, self.exclude)

    @property
    def filter(self) -> Filter:
        """What is wanted."""
        return Filter(self.include, self.exclude)


# A converted file has other offsets than its original; one that is appended to has no prefix in common with it.
_CONTRADICTIONS = (
    ("resume", "append"),
    ("resume", "convert"),
    ("verify", "convert"),
    ("verify", "append"),
    ("append", "sparse"),
    ("convert", "sparse"),
    ("preserve", "umask"),
)


class Choices(TypedDict, total=False):
    """The same as keywords."""

    recursive: bool
    glob: bool
    atomic: bool
    resume: bool
    append: bool
    overwrite: bool
    newer_only: bool
    skip_same: bool
    preserve: bool
    links: Links
    umask: int | None
    sparse: bool
    fsync: bool
    include: Rules
    exclude: Rules
    convert: Convert | None
    bwlimit: float | None
    at_once: int | None
    verify: bool


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_int(value: Any, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most

"""Frozen values: what a frozen dataclass is, at a seventieth of its cost.

There are some sixty of them here. Making a frozen dataclass with slots takes 0.7 ms, and the module that does it
brings `inspect` along: together that would be most of the time that `import openssh_core` takes. Type checkers see
these classes as dataclasses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from typing_extensions import Self, dataclass_transform
else:

    def dataclass_transform(**_promises: bool) -> Any:
        return lambda kind: kind


@dataclass_transform(frozen_default=True, eq_default=True)
class Value:
    """Fields are the annotated names of a class body, in order, with their defaults; those of its bases come first.

    Two values are equal when they are of one class and all fields are. `__post_init__` is called last, as in a
    dataclass; it may change fields through `_set`.
    """

    _fields: ClassVar[tuple[str, ...]] = ()
    _names: ClassVar[frozenset[str]] = frozenset()
    _defaults: ClassVar[dict[str, Any]] = {}
    # How many fields there are, and whether there is anything to check in them.
    _count: ClassVar[int] = 0
    _checks: ClassVar[bool] = False
    # Fields that are never shown.
    _hidden: ClassVar[frozenset[str]] = frozenset()

    def __init_subclass__(cls) -> None:
        own = [name for name, kind in cls.__annotations__.items() if not str(kind).startswith("ClassVar")]
        cls._fields = (*(name for name in cls._fields if name not in own), *own)
        cls._names = frozenset(cls._fields)
        cls._defaults = {name: getattr(cls, name) for name in cls._fields if hasattr(cls, name)}
        cls._count = len(cls._fields)
        cls._checks = cls.__post_init__ is not Value.__post_init__
        setattr(cls, "__match_args__", cls._fields)  # noqa: B010  # type checkers make their own of the promise above

    def __init__(self, *values: Any, **named: Any) -> None:
        # There are thirty of these for each command: this way takes half the time of the other.
        if named or len(values) != self._count:
            self._fill(values, named)
        else:
            self.__dict__.update(zip(self._fields, values))  # noqa: B905  # as many as there are
        if self._checks:
            self.__post_init__()

    def _fill(self, values: tuple[Any, ...], named: dict[str, Any]) -> None:
        state, fields = self.__dict__, self._fields
        state.update(self._defaults)
        state.update(zip(fields, values, strict=False))
        state.update(named)
        twice = not named.keys().isdisjoint(fields[: len(values)])
        if twice or len(values) > len(fields) or state.keys() != self._names:
            raise TypeError(f"{type(self).__name__} takes {', '.join(fields)}; it was given {values} and {named}")

    def __post_init__(self) -> None:
        """Check, and complete, the fields."""

    def _set(self, **fields: Any) -> None:
        self.__dict__.update(fields)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a {type(self).__name__} cannot be changed")

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and self.__dict__ == other.__dict__

    def __hash__(self) -> int:
        return hash((type(self), *(self.__dict__[name] for name in self._fields)))

    def __repr__(self) -> str:
        shown = (f"{name}={self.__dict__[name]!r}" for name in self._fields if name not in self._hidden)
        return f"{type(self).__name__}({', '.join(shown)})"

    def replace(self, **fields: Any) -> Self:
        """The same but for these fields."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.__dict__.update(fields)
        if other.__dict__.keys() != self._names:
            raise TypeError(f"{type(self).__name__} has no {', '.join(sorted(fields.keys() - self._names))}")
        if self._checks:
            other.__post_init__()
        return other

"""What an adapter does not offer is refused aloud, by name: never ignored, never half done."""

from __future__ import annotations

from collections.abc import Callable, Collection
from types import FunctionType
from typing import NoReturn, TypeVar

__all__ = ["is_refused", "missing_from", "not_yet", "refuse", "refused"]

T = TypeVar("T")

_refused: set[object] = set()


def refuse(function: str, error: type[Exception] = NotImplementedError, /, **given: tuple[object, object]) -> None:
    """See that arguments which are not supported were left at their defaults.

    Args:
        function: the name of the function they were given to, for the message.
        error: what to raise.
        given: for each argument a pair: what was given, and its default.
    """
    for name, (value, default) in given.items():
        if value is not default and value != default:
            # The value may be a secret: it stays out of the message.
            raise error(f"{function}({name}=...) is not supported by this version of openssh_compat")


def not_yet(method: str, instead: str = "") -> Callable[..., NoReturn]:
    """A method that the original has and this does not.

    Args:
        method: its name, with its class.
        instead: what to use.
    """

    def call(*_args: object, **_named: object) -> NoReturn:
        advice = f"; use {instead}" if instead else ""
        raise NotImplementedError(f"{method}() is not supported by this version of openssh_compat{advice}")

    _refused.add(call)
    return call


def refused(thing: T) -> T:
    """Decorator: say of a function, a property or a class that it only raises NotImplementedError: when it is called,
    read or made.
    """
    _refused.add(thing)
    return thing


def is_refused(thing: object) -> bool:
    """Whether this was made by `not_yet`, or is marked by `refused`."""
    return isinstance(thing, FunctionType | property | type) and thing in _refused


def missing_from(module: str, names: Collection[str], instead: str = "") -> Callable[[str], NoReturn]:
    """A `__getattr__` for a module: an AttributeError that tells "not here yet" from "never heard of".

    Args:
        module: what the module calls itself.
        names: what the original has and this does not.
        instead: what to do about it.
    """

    def look_up(name: str) -> NoReturn:
        if name in names:
            advice = f"; {instead}" if instead else ""
            raise AttributeError(f"this version of openssh_compat has no {module}.{name} yet{advice}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return look_up

"""`%NAME%` in commands. Off unless asked for: a percent sign is an ordinary character to every shell but one."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ..errors import InvalidInput

BUILT_IN = ("HOST", "USER", "PORT")

_VARIABLE = re.compile(r"%(\w*)%")
_NAME = re.compile(r"\w+")


def check_variables(variables: Mapping[str, object]) -> None:
    """See that they can be named so.

    Raises:
        InvalidInput: one cannot, or is one of the built-in ones.
    """
    for name in variables:
        if not isinstance(name, str) or not _NAME.fullmatch(name):
            raise InvalidInput(f"{name!r} is no name of a variable (letters, digits, underscores)")
        if name in BUILT_IN:
            raise InvalidInput(f"the variable {name} has a value already", advice="It says where the command runs")


def expand(text: str, variables: Mapping[str, object]) -> str:
    """Text with `%NAME%` replaced, and `%%` by one percent sign. Any other percent sign stays.

    Raises:
        InvalidInput: there is no variable of that name.
    """

    def value(match: re.Match[str]) -> str:
        name = match[1]
        if not name:
            return "%"
        if variables.get(name) is None:
            raise InvalidInput(f"there is no variable {name} for %{name}%", advice="Write %% for a percent sign")
        return str(variables[name])

    return _VARIABLE.sub(value, text)

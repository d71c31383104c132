"""What the commands of a connection get unless a call says otherwise."""

from __future__ import annotations

import codecs
from collections.abc import Mapping
from types import MappingProxyType

from ._cli.quoting import Quoter, quoter
from ._cli.variables import check_variables
from ._value import Value
from .errors import InvalidInput
from .redirect import Destination, Redirect

__all__ = ["Defaults"]


class Defaults(Value):
    """Given to `connect`, and to be read and replaced as `Connection.defaults`.

    Args:
        remote_shell: the account's login shell: its name (see `openssh_core.quoting.quoter`), or a quoter. None: not
            known; words are quoted for a POSIX shell, in a way that csh and fish read, too, as far as they can.
        argument_encoding: how a command that is text becomes bytes. Names that are no text there are carried by
            "surrogateescape", as in file names.
        variables: with a mapping, even an empty one, `%NAME%` in commands is replaced by the variable of that name, and
            `%%` by a percent sign. HOST, USER and PORT are there already: where the command runs. None: a percent sign
            is nothing special.
        stdin, stdout, stderr: where the streams of `popen` and of what stands on it go that a call does not mention,
            as there. `run` and `capture` take the output in all the same.

    Raises:
        InvalidInput: no such shell or encoding, or a variable with a name that cannot be.
    """

    remote_shell: str | Quoter | None = None
    argument_encoding: str = "utf-8"
    variables: Mapping[str, object] | None = None
    stdin: Redirect = None
    stdout: Destination = None
    stderr: Destination = None

    def __post_init__(self) -> None:
        if self.remote_shell is not None:
            quoter(self.remote_shell)
        if self.variables is not None:
            check_variables(self.variables)
            self._set(variables=MappingProxyType(dict(self.variables)))
        try:
            codecs.lookup(self.argument_encoding)
        except (LookupError, TypeError) as error:
            raise InvalidInput(f"argument_encoding={self.argument_encoding!r}: {error}") from None

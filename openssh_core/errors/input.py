"""Values that can never work. Raised before any process, packet or file exists."""

from __future__ import annotations

from .base import OpenSSHError


class InvalidInput(OpenSSHError, ValueError):
    """A value that can never work. Raised before any process, packet or file exists."""


class InvalidTarget(InvalidInput):
    """A destination that is no host, user or port."""


class InvalidCommand(InvalidInput):
    """A command that no server can be given."""


class CommandTooLong(InvalidCommand):
    """A command, with all that comes before it, of more bytes than a server takes."""

    advice = "Send the long part through stdin (input=)"


class InvalidEnvironment(InvalidInput):
    """A name or value that cannot be an environment variable."""


class InvalidOption(InvalidInput):
    """An ssh_config option that cannot be given here."""


class InvalidControlPath(InvalidInput):
    """A path that ssh(1) cannot use for its control socket."""


class InvalidSecret(InvalidInput):
    """A password or passphrase that ssh cannot be told. The value itself is never in the message."""


class InvalidKey(InvalidInput):
    """What was given as a private key is none that ssh can use. The key itself is never in the message."""

    advice = "Give the text of a private key as ssh-keygen writes it"


class InsecureControlDirectory(InvalidInput):
    """A directory in which another user could put a control socket."""

    advice = "Use a directory that only you can write to (mode 0700)"


class InsecureControlSocket(InvalidInput):
    """A control socket that belongs to, or is served by, another user."""

"""What ssh asks for, by the words it asks in (sshconnect2.c, sshconnect.c), and what may be said to it.

A prompt is classified, not searched for a likely word: a server chooses the text of keyboard-interactive prompts
and could make them look like any other. ssh marks those with `(user@host) ` in front.
"""

from __future__ import annotations

import enum
import re

from .._value import Value


class PromptKind(enum.Enum):
    """What kind of answer a question wants."""

    PASSWORD = "password"
    INTERACTIVE = "keyboard-interactive"
    PASSPHRASE = "passphrase"
    CONFIRMATION = "confirmation"
    OTHER = "other"


class Prompt(Value):
    """One question of a login.

    Attributes:
        kind: what is asked for, by the form of the question.
        text: all of it.
        user, host: whom ssh says it asks for, None where it does not say. A jump host asks under its own name.
        words: of a keyboard-interactive prompt, what the server itself chose (RFC 4256 section 3.2).
        echo: whether the answer may be shown while it is typed; None where ssh does not tell.
    """

    kind: PromptKind
    text: str
    user: str | None = None
    host: str | None = None
    words: str = ""
    echo: bool | None = None

    @property
    def asks_password(self) -> bool:
        """Whether the answer is the account's password, as far as its words tell."""
        return self.kind is PromptKind.PASSWORD or (
            self.kind is PromptKind.INTERACTIVE and re.search(r"password", self.words, re.IGNORECASE) is not None
        )


# Compiled when there is a prompt: most logins have none.
_PASSWORD = r"(?s)(?P<user>.+)@(?P<host>[^@]+)'s password: \Z"
_INTERACTIVE = r"(?s)\((?P<user>[^()]+)@(?P<host>[^@()]+)\) (?P<words>.*)\Z"
_PASSPHRASE = r"(?s)(Enter passphrase|Bad passphrase, try again) for (key )?.*: \Z"
_UNKNOWN_KEY = r"(?s)The authenticity of host .* can't be established"
_FINGERPRINT = r"(?m) key fingerprint is (\S+?)\.?$"
_CONFIRMATION = r"\(yes/no(/\[fingerprint\])?\)\? \Z|\APlease type 'yes'"


def classify(text: str) -> Prompt:
    """The prompt that `text` is."""
    if match := re.match(_INTERACTIVE, text):
        return Prompt(PromptKind.INTERACTIVE, text, match["user"], match["host"], match["words"])
    if re.match(_PASSPHRASE, text):
        return Prompt(PromptKind.PASSPHRASE, text)
    if match := re.match(_PASSWORD, text):
        return Prompt(PromptKind.PASSWORD, text, match["user"], match["host"])
    if re.search(_CONFIRMATION, text):
        return Prompt(PromptKind.CONFIRMATION, text)
    return Prompt(PromptKind.OTHER, text)


def fingerprint_asked(prompt: Prompt) -> str | None:
    """Of the question whether a host key that is not on record be accepted: its fingerprint. None for all others."""
    if prompt.kind is not PromptKind.CONFIRMATION or not re.match(_UNKNOWN_KEY, prompt.text):
        return None
    match = re.search(_FINGERPRINT, prompt.text)
    return match[1] if match else None

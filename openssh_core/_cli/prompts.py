"""What ssh asks for, by the words it asks in (sshconnect2.c, sshconnect.c), and what may be said to it.

A prompt is classified, not searched for a likely word: a server chooses the text of keyboard-interactive prompts
and could make them look like any other. ssh marks those with `(user@host) ` in front.
"""

from __future__ import annotations

import enum
import re

from .._value import Value


class Kind(enum.Enum):
    PASSWORD = "password"
    INTERACTIVE = "keyboard-interactive"
    PASSPHRASE = "passphrase"
    CONFIRMATION = "confirmation"
    OTHER = "other"


class Prompt(Value):
    """One question.

    Attributes:
        text: all of it.
        user, host: whom ssh says it asks for, None where it does not say.
        words: of a keyboard-interactive prompt, what the server itself chose.
    """

    kind: Kind
    text: str
    user: str | None = None
    host: str | None = None
    words: str = ""

    @property
    def asks_password(self) -> bool:
        """Whether the answer is the account's password, as far as its words tell."""
        return self.kind is Kind.PASSWORD or (
            self.kind is Kind.INTERACTIVE and re.search(r"password", self.words, re.IGNORECASE) is not None
        )


_PASSWORD = re.compile(r"(?P<user>.+)@(?P<host>[^@]+)'s password: \Z", re.DOTALL)
_INTERACTIVE = re.compile(r"\((?P<user>[^()]+)@(?P<host>[^@()]+)\) (?P<words>.*)\Z", re.DOTALL)
_PASSPHRASE = re.compile(r"Enter passphrase for (key )?.*: \Z", re.DOTALL)
_CONFIRMATION = re.compile(r"\(yes/no(/\[fingerprint\])?\)\? \Z|\APlease type 'yes'")


def classify(text: str) -> Prompt:
    """The prompt that `text` is."""
    if match := _INTERACTIVE.match(text):
        return Prompt(Kind.INTERACTIVE, text, match["user"], match["host"], match["words"])
    if _PASSPHRASE.match(text):
        return Prompt(Kind.PASSPHRASE, text)
    if match := _PASSWORD.match(text):
        return Prompt(Kind.PASSWORD, text, match["user"], match["host"])
    if _CONFIRMATION.search(text):
        return Prompt(Kind.CONFIRMATION, text)
    return Prompt(Kind.OTHER, text)

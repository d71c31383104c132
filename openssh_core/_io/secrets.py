"""The secrets of a login, and which question gets which. Each is given once; a question nobody has an answer to ends
the login, because ssh would go on asking or send an empty password.
"""

from __future__ import annotations

from collections.abc import Callable

from .._cli.prompts import Kind, Prompt
from ..errors import InvalidSecret

Secret = str | Callable[[str], str | None] | None

# ssh reads an answer into a buffer of 1,024 bytes (readpass.c).
_LONGEST = 1023


class Secrets:
    """What the caller gave. Never printed, never pickled.

    Args:
        password: the account's password, or a callable that is given each question of the server (one-time codes
            included) and returns the answer, None for "I have none".
        passphrase: the same for the private key's passphrase.
    """

    def __init__(self, password: Secret, passphrase: Secret) -> None:
        self._password = _checked(password, "password")
        self._passphrase = _checked(passphrase, "passphrase")
        self._given: set[str] = set()

    def __bool__(self) -> bool:
        return self._password is not None or self._passphrase is not None

    def __repr__(self) -> str:
        return "<Secrets>"

    def __reduce__(self) -> str:
        raise TypeError("secrets are not pickled")

    def answer(self, prompt: Prompt, *, user: str | None, hosts: frozenset[str]) -> str | None:
        """The answer to one question; None when there is none, or it was given and did not help.

        Args:
            user, hosts: whom we log in as, and by which names the server may be called. A jump host asks under
                another name and gets nothing.
        """
        if prompt.kind is Kind.PASSPHRASE:
            return self._give("passphrase", self._passphrase, prompt.text)
        if prompt.kind not in (Kind.PASSWORD, Kind.INTERACTIVE):
            return None
        if prompt.host not in hosts or (user is not None and prompt.user != user):
            return None
        if callable(self._password) or prompt.asks_password:
            return self._give("password", self._password, prompt.text)
        return None

    def refused(self, prompt: Prompt) -> bool:
        """Whether this is a second question for a secret that was given: it was wrong."""
        return ("passphrase" if prompt.kind is Kind.PASSPHRASE else "password") in self._given

    def _give(self, name: str, secret: Secret, question: str) -> str | None:
        if callable(secret):
            answer = secret(question)
            return None if answer is None else _check(answer, name)
        if secret is None or name in self._given:
            return None
        self._given.add(name)
        return secret


def _checked(secret: Secret, name: str) -> Secret:
    return _check(secret, name) if isinstance(secret, str) else secret


def _check(secret: str, name: str) -> str:
    if not isinstance(secret, str):
        raise InvalidSecret(f"the {name} is a {type(secret).__name__}", advice="Give a str")
    if "\n" in secret or "\r" in secret or "\0" in secret:
        raise InvalidSecret(f"the {name} contains a line end or a NUL, which ssh cannot be told")
    if len(secret.encode("utf-8", "surrogateescape")) > _LONGEST:
        raise InvalidSecret(f"the {name} is longer than the {_LONGEST} bytes ssh takes")
    return secret

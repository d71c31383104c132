"""The secrets of a login, and which question gets which. Each is given once; a question nobody has an answer to ends
the login, because ssh would go on asking or send an empty password.
"""

from __future__ import annotations

from collections.abc import Callable

from .._cli.prompts import Prompt, PromptKind
from ..errors import InvalidInput, InvalidSecret

Secret = str | Callable[[str], str | None] | None
Answer = Callable[[Prompt], str | None]

# Questions of one login that are answered. A server can go on asking for ever.
_MOST = 32

# ssh reads an answer into a buffer of 1,024 bytes (readpass.c).
_LONGEST = 1023


class Secrets:
    """What the caller gave. Never printed, never pickled.

    Args:
        password: the account's password, or a callable that is given each question of the server (one-time codes
            included) and returns the answer, None for "I have none".
        passphrase: the same for the private key's passphrase.
        answer: a callable that is given every question which the two do not answer, whoever asks it (a jump host,
            a token), but for those about host keys.
    """

    def __init__(self, password: Secret, passphrase: Secret, answer: Answer | None = None) -> None:
        self._password = _checked(password, "password")
        self._passphrase = _checked(passphrase, "passphrase")
        if answer is not None and not callable(answer):
            raise InvalidInput("answer= is no function", advice="Give a function that takes a Prompt")
        self._answer = answer
        # (which secret, the question it was the answer to)
        self._given: set[tuple[str, str]] = set()
        self._answered = 0

    def __bool__(self) -> bool:
        return self._password is not None or self._passphrase is not None or self._answer is not None

    def afresh(self) -> Secrets:
        """The same for another login, in which nothing has been given yet."""
        return Secrets(self._password, self._passphrase, self._answer)

    @property
    def opens_keys(self) -> bool:
        """Whether there is something for an encrypted key."""
        return self._passphrase is not None or self._answer is not None

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
        if prompt.kind is PromptKind.CONFIRMATION or self._answered >= _MOST:
            return None
        self._answered += 1
        name = self._named(prompt, user, hosts)
        reply = None
        if name is not None and not self.refused(prompt):
            reply = self._give(name, prompt)
        elif name == "passphrase":
            # ssh-add would ask for ever.
            return None
        if reply is None and self._answer is not None:
            reply = self._answer(prompt)
            return None if reply is None else _check(reply, "answer")
        return reply

    def refused(self, prompt: Prompt) -> bool:
        """Whether this is a second question for a secret that was given: it was wrong."""
        if prompt.kind is PromptKind.PASSPHRASE:
            return prompt.text.startswith("Bad passphrase") or self._mark("passphrase", prompt) in self._given
        return prompt.asks_password and self._mark("password", prompt) in self._given

    def _named(self, prompt: Prompt, user: str | None, hosts: frozenset[str]) -> str | None:
        """Which secret this question is for."""
        if prompt.kind is PromptKind.PASSPHRASE:
            return "passphrase"
        if prompt.kind not in (PromptKind.PASSWORD, PromptKind.INTERACTIVE):
            return None
        if prompt.host not in hosts or (user is not None and prompt.user != user):
            return None
        return "password" if callable(self._password) or prompt.asks_password else None

    def _mark(self, name: str, prompt: Prompt) -> tuple[str, str]:
        # Each key has a passphrase of its own, and is asked for by name. The password is one, whichever method asks.
        return name, prompt.text if name == "passphrase" else ""

    def _give(self, name: str, prompt: Prompt) -> str | None:
        secret = self._passphrase if name == "passphrase" else self._password
        if callable(secret):
            answer = secret(prompt.text)
            return None if answer is None else _check(answer, name)
        if secret is not None:
            self._given.add(self._mark(name, prompt))
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

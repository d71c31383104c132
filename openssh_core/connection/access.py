"""The way to a master: made when it is first needed or at once, and made again when it broke and that was asked for.

A command is never run again here: what was going on when the connection broke has failed, and says so. Only the next
one finds a new connection.
"""

from __future__ import annotations

import os
import threading
import time
import weakref
from collections.abc import Callable

from .._io.deadline import Deadline
from .._value import Value
from ..errors import (
    AuthenticationError,
    ConfigurationError,
    ConnectError,
    ConnectionClosed,
    HostKeyError,
    InvalidInput,
    SSHNotFound,
    SSHTooOld,
)
from ..master import Master

Dial = Callable[[], Master]

# What another attempt would not change, or must not be tried again.
_FINAL = (AuthenticationError, ConfigurationError, HostKeyError, SSHNotFound, SSHTooOld)


# Seconds for the news that a master is gone, and between two looks whether it has come.
_TO_BE_TOLD = 1.0
_LOOK_AGAIN = 0.01


class Reconnect(Value):
    """How a connection that was lost is made again, before the next command.

    Between attempts there is a pause, of random length up to a limit that doubles each time. A rejected login, a host
    key that is not accepted and a configuration that is wrong end the attempts at once.

    Args:
        attempts: how many, at least 1.
        delay: seconds that the first pause takes at most.
        longest: seconds that any pause takes at most.

    Raises:
        InvalidInput: a number that cannot be.
    """

    attempts: int = 5
    delay: float = 0.5
    longest: float = 30.0

    def __post_init__(self) -> None:
        if isinstance(self.attempts, bool) or not isinstance(self.attempts, int) or self.attempts < 1:
            raise InvalidInput(f"attempts={self.attempts!r} is no whole number from 1 on")
        for name in ("delay", "longest"):
            seconds = getattr(self, name)
            if isinstance(seconds, bool) or not isinstance(seconds, int | float) or not 0 <= seconds <= 86_400:
                raise InvalidInput(f"{name}={seconds!r} is no number of seconds from 0 to 86,400")

    def pause(self, number: int) -> float:
        """Seconds to wait after the attempt with this number (0 is the first)."""

        import random

        return random.uniform(0.5, 1.0) * min(self.longest, self.delay * 2.0 ** min(number, 40))


class Access:
    """One connection's way to its master. Thread-safe: who comes while another connects waits for that.

    Args:
        dial: logs in.
        host: for messages.
        reconnect: what to do when the master is lost; None: nothing.
    """

    def __init__(self, dial: Dial, host: str, reconnect: Reconnect | None) -> None:
        self._dial = dial
        self._host = host
        self._reconnect = reconnect
        self._lock = threading.RLock()
        self._master: Master | None = None
        self._dialling = False
        self._ended: str | None = None
        _accesses.add(self)

    @property
    def ended(self) -> bool:
        """Whether it was given up for good."""
        return self._ended is not None

    def present(self) -> Master | None:
        """The master as it is; None before the first login and after the end."""
        return self._master

    def master(self) -> Master:
        """The master, logged in if need be.

        Raises:
            ConnectError: that did not come about.
            ConnectionClosed: this was closed or disowned.
        """
        master = self._master
        if master is not None and (self._reconnect is None or not master.lost):
            return master
        with self._lock:
            self._check()
            if self._master is None:
                return self._connect()
            if self._reconnect is not None and self._master.lost:
                return self._again(self._reconnect)
            return self._master

    def can_renew(self, master: Master) -> bool:
        """Whether a master that nothing could be started through is gone, and `master` gives another one.

        Somebody who talked with it may know before those who keep it do; they are given a moment.
        """
        if self._reconnect is None:
            return False
        deadline = Deadline.after(_TO_BE_TOLD)
        while not master.lost and not deadline.passed:
            time.sleep(_LOOK_AGAIN)
        return master.lost

    def restart(self) -> None:
        """End the master and log in again."""
        with self._lock:
            self._check()
            if self._master is not None:
                self._master.end()
            self._connect()

    def give_up(self, why: str) -> Master | None:
        """From now on there is no way; the master that was there. Idempotent.

        Args:
            why: what is said to whoever wants to go on.
        """
        with self._lock:
            master, self._master = self._master, None
            if self._ended is None:
                self._ended = why
            return master

    def renew_lock(self) -> None:
        """In a forked child: whoever held it is not here."""
        self._lock = threading.RLock()
        self._dialling = False

    def _check(self) -> None:
        if self._ended is not None:
            raise ConnectionClosed(f"this connection was {self._ended}", host=self._host)
        if self._dialling:
            raise ConnectionClosed("this connection is not there yet: its own login asks for it", host=self._host)

    def _connect(self) -> Master:
        self._dialling = True
        try:
            self._master = master = self._dial()
        finally:
            self._dialling = False
        return master

    def _again(self, policy: Reconnect) -> Master:
        assert self._master is not None
        self._master.close()
        for number in range(policy.attempts):
            try:
                return self._connect()
            except ConnectError as error:
                if isinstance(error, _FINAL) or number + 1 == policy.attempts:
                    raise
            time.sleep(policy.pause(number))
        raise AssertionError


def policy_of(given: Reconnect | bool | None) -> Reconnect | None:
    """What was meant by `reconnect=`.

    Raises:
        InvalidInput: neither a policy nor yes or no.
    """
    if given is None or isinstance(given, bool):
        return Reconnect() if given else None
    if not isinstance(given, Reconnect):
        raise InvalidInput(f"reconnect={given!r} is neither True nor False nor a Reconnect")
    return given


_accesses: weakref.WeakSet[Access] = weakref.WeakSet()


def _in_forked_child() -> None:
    for access in list(_accesses):
        access.renew_lock()


os.register_at_fork(after_in_child=_in_forked_child)

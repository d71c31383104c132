"""Masters that outlive the program: the running one is found, or one is started; never two."""

from __future__ import annotations

import contextlib

from .._io import control
from .._io.deadline import Deadline
from .._io.shared_dir import SharedDirectory
from ..errors import ConnectionLost, InvalidInput
from ..master import LOCAL_ANSWER, PersistentMaster
from .login import Login, end_leftover, take_over
from .order import Order


def persistent_master(order: Order, deadline: Deadline) -> PersistentMaster:
    """Take up the master for this order, or log in.

    Raises:
        ConnectError: one of its subclasses says why there is no connection.
        InvalidInput: something that was asked for cannot be.
    """
    directory = _directory(order)
    running = _running(directory, order)
    if running is not None:
        return running
    with directory.locked(deadline):
        # Whoever was quicker has started it meanwhile.
        running = _running(directory, order)
        if running is not None:
            return running
        directory.clear()
        directory.sweep()
        try:
            launcher_pid = Login(order, directory).run(deadline)
            conversation = take_over(directory, launcher_pid, order.host)
        except BaseException:
            end_leftover(directory)
            directory.discard()
            raise
        return _taken_up(directory, conversation, order)


def running_master(order: Order) -> PersistentMaster | None:
    """The master for this order, if one runs.

    Raises:
        InvalidInput: one of its subclasses says what cannot be.
    """
    return _running(_directory(order), order)


def _directory(order: Order) -> SharedDirectory:
    if order.policy is not None:
        raise InvalidInput(
            "persist= and a function as host_keys= contradict each other",
            host=order.host,
            advice="Who takes the master up later would have another function",
        )
    return SharedDirectory(order.control_dir, order.digest())


def _running(directory: SharedDirectory, order: Order) -> PersistentMaster | None:
    with contextlib.suppress(ConnectionLost):
        conversation = control.greet(directory.control_path, Deadline.after(LOCAL_ANSWER))
        return _taken_up(directory, conversation, order)
    return None


def _taken_up(directory: SharedDirectory, conversation: control.Conversation, order: Order) -> PersistentMaster:
    try:
        pid = conversation.alive(Deadline.after(LOCAL_ANSWER))
        return PersistentMaster(directory, conversation, pid, host=order.host, ssh=order.options.ssh)
    except BaseException:
        conversation.close()
        raise

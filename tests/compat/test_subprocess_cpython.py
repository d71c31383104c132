"""The interpreter's own tests of subprocess, run over another machine.

They are imported from where the interpreter has them, never copied. What they call `subprocess` is the standard module
with the functions and the class of a bound one in it. What does not pass is listed, each with its reason, and the list
is exact: a test that begins to pass has to leave it.
"""

from __future__ import annotations

import importlib
import io
import os
import re
import subprocess as local
import sys
import types
import unittest
from collections.abc import Iterator
from typing import Any

import pytest

from openssh_compat import subprocess
from openssh_core.testing import LoopbackServer

PREEXEC = "preexec_fn is code of this process: refused"
PASS_FDS = "descriptors of this process do not reach the host: refused"
INTERNAL = "about the insides of the module, which are not there"
WAITPID = "takes the exit status away with waitpid, which is possible with a child of this process only"

# Names without a class stand for themselves in each.
FAILS = {
    "test__use_vfork": INTERNAL,
    "test_surrogates_error_message": PREEXEC,
    "test_preexec": PREEXEC,
    "test_preexec_exception": PREEXEC,
    "test_preexec_fork_failure": PREEXEC,
    "test_preexec_gc_module_failure": PREEXEC,
    "test_preexec_errpipe_does_not_double_close_pipes": PREEXEC,
    "test_close_fds_after_preexec": PREEXEC,
    "test_close_fds": PASS_FDS,
    "test_pass_fds": PASS_FDS,
    "test_pass_fds_inheritable": PASS_FDS,
    "test_pass_fds_redirected": PASS_FDS,
    "test_swap_std_fds_with_one_closed": "writes to its standard input, which is a stream of one direction there",
    "test_zombie_fast_process_del": INTERNAL,
    "test_leak_fast_process_del_killed": INTERNAL,
    "test_stopped": WAITPID,
    "test_send_signal_race": WAITPID,
    "test_call_keyboardinterrupt_no_kill": "stands a local class in the place of Popen, which nothing here calls",
    "test_run_keyboardinterrupt_no_kill": "stands a local class in the place of Popen, which nothing here calls",
    "test_context_manager_keyboardinterrupt_no_kill": "looks at calls of a local class, which nothing here makes",
}
# Not even tried.
HARMFUL = {
    "test_communicate_eintr": "the command signals its parent: that is the server's process for the whole connection",
    "test_call_keyboardinterrupt_no_kill": FAILS["test_call_keyboardinterrupt_no_kill"] + ", and runs for 6 s",
    "test_run_keyboardinterrupt_no_kill": FAILS["test_run_keyboardinterrupt_no_kill"] + ", and runs for 6 s",
}
# In some places only.
MAY_FAIL = {
    "test_executable_without_cwd": "outside of a virtual environment; it starts where a login starts",
    "test_user": "where nobody may not read the interpreter's libraries, at home as well",
    "test_group": "likewise",
}
AT_LEAST = 185

CASES = ["ProcessTestCase", "RunFuncTestCase", "POSIXProcessTestCase", "ContextManagerTests", "MiscTests"]
OURS = ["Popen", "run", "call", "check_call", "check_output", "getoutput", "getstatusoutput"]


@pytest.fixture(scope="module")
def original() -> Any:
    """The interpreter's tests of subprocess."""
    try:
        return importlib.import_module("test.test_subprocess")
    except ModuleNotFoundError as error:
        pytest.skip(f"this interpreter came without its own tests ({error}): libpython3-testsuite, on Debian")


@pytest.fixture
def suite(original: Any, loopback_server: LoopbackServer, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The same, about commands on a host."""
    with subprocess.on(**loopback_server.connect_options()) as remote:
        module = types.ModuleType("subprocess")
        vars(module).update(vars(local))
        vars(module).update({name: getattr(remote, name) for name in OURS})
        monkeypatch.setattr(original, "subprocess", module)
        yield original


def methods_of(module: Any, case: str) -> list[Any]:
    return list(unittest.defaultTestLoader.loadTestsFromTestCase(getattr(module, case)))


# Their tests leave files and processes to the collector, and warn about it as they like.
@pytest.mark.filterwarnings("default")
@pytest.mark.interpreter
@pytest.mark.parametrize("case", CASES)
def test_the_interpreters_own_tests(case: str, suite: Any, capfd: Any) -> None:
    tried = [test for test in methods_of(suite, case) if test._testMethodName not in HARMFUL]
    said = io.StringIO()
    result = unittest.TextTestRunner(stream=said, warnings="ignore").run(unittest.TestSuite(tried))
    failed = {_name(test) for test, _trace in (*result.failures, *result.errors)}
    skipped = {_name(test) for test, _reason in result.skipped}
    expected = ({test._testMethodName for test in tried} & FAILS.keys()) - skipped
    allowed = expected | (MAY_FAIL.keys() if _is_an_odd_place() else set())
    assert failed - allowed == set(), said.getvalue()
    assert sys.version_info[:2] != (3, 11) or expected - failed == set(), "these pass: take them off the list"


def test_enough_of_them_pass(original: Any) -> None:
    names = [test._testMethodName for case in CASES for test in methods_of(original, case)]
    assert len([name for name in names if name not in FAILS and name not in HARMFUL]) >= AT_LEAST


def _is_an_odd_place() -> bool:
    if sys.prefix == sys.base_prefix:
        return True
    if os.geteuid() != 0:
        return False
    try:
        return local.run([sys.executable, "-c", ""], user=65534, stderr=local.DEVNULL).returncode != 0
    except PermissionError:
        return False


def _name(test: Any) -> str:
    # A part of a test, or what is set up for all of them, has another kind of name.
    match = re.match(r"\w+", str(test))
    return match[0] if match else str(test)

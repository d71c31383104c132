"""fabric's own tests against a real server, from its released source: over fabric, and over ours with its imports
changed. They log in to `localhost`, and to 127.0.0.1 as if it were another host: an ssh_config leads both to the
loopback server. Those that need a sudo without a password leave themselves out, as they do for all but their author.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from openssh_core.testing import LoopbackServer

pytestmark = pytest.mark.thirdparty

# Instead of two packages of their author's: how tests are found and what `trap` is, and whether this is his machine.
PLUGIN = """
import pytest

@pytest.fixture(autouse=True)
def as_nose_did(request):
    if hasattr(request.instance, "setup"):
        request.instance.setup()

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if item.cls is not None and item.name not in ("setup", "teardown")]
"""
SUBSTITUTES = {
    "conftest.py": PLUGIN,
    "pytest_relaxed.py": "def trap(test):\n    return test\n",
    "invocations/__init__.py": "",
    "invocations/environment.py": "def in_ci():\n    return False\n",
}
COLLECT = [
    "-o",
    "python_files=*.py",
    "-o",
    "python_classes=[!_]*",
    "-o",
    "python_functions=[!_]*",
    "-s",
    "-W",
    "ignore",
]
SUITES = ["concurrency.py", "connection.py", "group.py", "transfer.py"]


@pytest.fixture
def somebody(server: LoopbackServer, tmp_path: Path) -> Path:
    """The home directory of somebody with a configuration of fabric's, and the words that one of the tests reads."""
    home = tmp_path / "home"
    home.mkdir()
    lines = [line for line in server.ssh_config.read_text().splitlines() if "HostName" not in line]
    known = server.known_hosts.read_text()
    (home / "known_hosts").write_text(known + known.replace(server.host, "localhost"))
    lines = ["Host localhost 127.0.0.1" if line.startswith("Host ") else line for line in lines]
    text = "\n".join(lines).replace(str(server.known_hosts), str(home / "known_hosts"))
    (home / "ssh_config").write_text(text + "\n")
    (home / ".fabric.yaml").write_text(f"ssh_config_path: {home}/ssh_config\n")
    (home / "words").write_text("".join(f"word{number:05}\n" for number in range(20_000)))
    return home


def test_fabric(
    source: Callable[[str], Path],
    run_suite: Callable[..., Mapping[str, str]],
    somebody: Path,
    tmp_path: Path,
    tally: Callable[[str], None],
) -> None:
    outcomes = {}
    for which, module in (("stock", "fabric"), ("ours", "openssh_compat.fabric")):
        folder = tmp_path / which
        shutil.copytree(source("fabric") / "integration", folder)
        for path in folder.glob("*.py"):
            text = re.sub(r"^from fabric\b", f"from {module}", path.read_text(), flags=re.MULTILINE)
            path.write_text(text.replace("/usr/share/dict/words", str(somebody / "words")))
        for name, substitute in SUBSTITUTES.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_text(substitute)
        outcomes[which] = run_suite("stock", folder, *COLLECT, *SUITES, HOME=str(somebody))
    stock, ours = (sorted(test for test, how in outcomes[which].items() if how == "passed") for which in outcomes)
    tally(f"fabric: {len(ours)} of {len(outcomes['ours'])} pass, stock {len(stock)} of {len(outcomes['stock'])}")
    assert len(stock) == 20 and ours == stock

"""Directories mounted by sshfs, here and there. Where the machine has no FUSE, that the error says so."""

from __future__ import annotations

import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import openssh_core
from openssh_core import Connection, MountError
from openssh_core.testing import LoopbackServer

from .conftest import NAMES, Odd, runs, script, until


def _fuse_works() -> bool:
    """Whether this machine lets us open the device, and mount."""
    try:
        os.close(os.open("/dev/fuse", os.O_RDWR))
    except OSError:
        return False
    probe = ["unshare", "--mount", "true"]
    return os.geteuid() != 0 or subprocess.run(probe, capture_output=True, check=False).returncode == 0


FUSE = _fuse_works()


@pytest.fixture
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty directory, where nothing is mounted afterwards. Not in what is mounted there."""
    path = tmp_path_factory.mktemp("mount point")
    yield path
    left = os.path.ismount(path)
    if left:
        subprocess.run(["umount", "-l", str(path)], check=False)
    assert not left


def refused(host: Connection, tmp_path: Path, place: Path) -> None:
    """What there is to see without FUSE."""
    with pytest.raises(MountError, match=r"(?i)fuse|mount") as caught:
        host.sshfs_mount(tmp_path, place)
    assert caught.value.stderr


def test_names_of_every_kind_both_ways(shared: Connection, odd: Odd, tmp_path: Path, place: Path) -> None:
    if not FUSE:
        return refused(shared, tmp_path, place)
    with shared.sshfs_mount(odd.source, place) as mount:
        assert mount.mounted
        root = os.fsencode(place)
        assert set(NAMES) <= set(os.listdir(root))
        for name in NAMES:
            with open(os.path.join(root, name), "rb") as file:
                assert file.read() == name
    assert not mount.mounted
    with shared.sshfs_mount(odd.target, place):
        for name in NAMES:
            with open(os.path.join(os.fsencode(place), name), "wb") as file:
                file.write(name)
    odd.check()
    return None


def test_nothing_is_left(shared: Connection, tmp_path: Path, place: Path, no_leaks: None) -> None:
    if not FUSE:
        return refused(shared, tmp_path, place)
    mount = shared.sshfs_mount(tmp_path, place, options={"fsname": "a,b"})
    assert "not mounted" not in repr(mount)
    mount.unmount()
    mount.unmount()
    assert "not mounted" in repr(mount)
    return None


def test_read_only(shared: Connection, tmp_path: Path, place: Path) -> None:
    if not FUSE:
        return refused(shared, tmp_path, place)
    (tmp_path / "a").write_text("a")
    with shared.sshfs_mount(tmp_path, place, read_only=True):
        assert (place / "a").read_text() == "a"
        with pytest.raises(OSError, match="Read-only"):
            (place / "b").write_text("b")
    return None


def test_in_use(shared: Connection, tmp_path: Path, place: Path, no_leaks: None) -> None:
    if not FUSE:
        return refused(shared, tmp_path, place)
    (tmp_path / "a").write_text("a")
    mount = shared.sshfs_mount(tmp_path, place)
    file = os.open(place / "a", os.O_RDONLY)
    with pytest.raises(MountError, match="force=True") as caught:
        mount.unmount()
    assert caught.value.reason == "in use"
    assert mount.mounted
    assert os.read(file, 10) == b"a"
    mount.unmount(force=True)
    assert os.listdir(place) == []
    with pytest.raises(OSError, match="not connected"):
        os.close(file)
    return None


def test_it_ends_with_the_connection(loopback_server: LoopbackServer, tmp_path: Path, place: Path) -> None:
    with openssh_core.connect(**loopback_server.connect_options()) as host:
        if not FUSE:
            return refused(host, tmp_path, place)
        mount = host.sshfs_mount(tmp_path, place)
    until(lambda: not os.path.ismount(place))
    assert not mount.mounted
    mount.unmount()
    return None


def test_a_directory_of_ours_there(shared: Connection, odd: Odd, place: Path, no_leaks: None) -> None:
    if not FUSE:
        with pytest.raises(MountError):
            shared.sshfs_export(odd.source, place)
        return
    with shared.sshfs_export(odd.source, place, read_only=True) as export:
        assert export.mounted
        for name in NAMES:
            with open(os.path.join(os.fsencode(place), name), "rb") as file:
                assert file.read() == name
        with pytest.raises(PermissionError):
            (place / "b").write_text("b")
        with pytest.raises(MountError, match="already"):
            shared.sshfs_export(odd.source, place)
        with open(place / "plain"), pytest.raises(MountError, match="force=True"):
            export.unmount()
    assert not os.path.ismount(place)
    assert not export.mounted


# ---- without FUSE ---------------------------------------------------------------------------------------


def test_where_nothing_can_be_mounted(shared: Connection, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "file").touch()
    (tmp_path / "link").symlink_to("full")
    for name, why in (("full", "not empty"), ("link", "symbolic link"), ("none", "No such"), ("full/file", "Not a")):
        with pytest.raises(MountError, match=why):
            shared.sshfs_mount("/", tmp_path / name)
    with pytest.raises(MountError, match="no directory"):
        shared.sshfs_export(tmp_path / "none", tmp_path)


def test_sshfs_has_the_servers_sftp_at_its_ends(shared: Connection, tmp_path: Path, place: Path) -> None:
    """A stand-in says hello as sshfs would, and keeps the answer."""
    stand_in = script(
        tmp_path / "sshfs",
        f'[ "$1" = --version ] && {{ echo SSHFS version 3.7.3; exit; }}\n'
        rf"printf '\0\0\0\005\001\0\0\0\003'; head -c 9 > '{tmp_path}/answer'; echo \"$@\" > '{tmp_path}/words'"
        "\necho fuse: device not found >&2; exit 1",
    )
    with pytest.raises(MountError, match="device not found") as caught:
        shared.sshfs_mount("-data dir", place, sshfs=stand_in)
    assert (caught.value.returncode, caught.value.program) == (1, "sshfs")
    assert "/dev/fuse" in caught.value.advice
    assert (tmp_path / "answer").read_bytes()[4:] == b"\x02\x00\x00\x00\x03"  # SSH_FXP_VERSION 3
    assert f":./-data dir {place} -f -o passive" in (tmp_path / "words").read_text()


def test_a_mount_that_does_not_come_about(shared: Connection, tmp_path: Path, place: Path, no_leaks: None) -> None:
    idle = script(tmp_path / "sshfs", f'[ "$1" = --version ] || {{ echo $$ > {tmp_path}/pid; exec sleep 1000; }}')
    with pytest.raises(MountError, match="in time"):
        shared.sshfs_mount("/", place, sshfs=idle, timeout=1)
    assert not runs(int((tmp_path / "pid").read_text()))


def test_no_sshfs(shared: Connection, tmp_path: Path, place: Path) -> None:
    with pytest.raises(openssh_core.ProgramNotFound):
        shared.sshfs_mount("/", place, sshfs=str(tmp_path / "none"))
    with pytest.raises(openssh_core.ProgramNotFound, match="on the server"):
        shared.sshfs_export(tmp_path, place, sshfs="/no/sshfs")
    with pytest.raises(openssh_core.ProgramNotFound):
        shared.sshfs_export(tmp_path, place, sftp_server="/no/sftp-server")


def test_without_a_free_session_nobody_logs_in(
    make_server: Callable[..., LoopbackServer], tmp_path: Path, place: Path
) -> None:
    server = make_server({"MaxSessions": 1})
    idle = script(tmp_path / "sshfs", '[ "$1" = --version ] || exec cat >/dev/null')
    with openssh_core.connect(**server.connect_options()) as host:
        with host.popen("cat", stdin=openssh_core.PIPE) as cat:
            with pytest.raises(openssh_core.OpenRefused):
                host.sshfs_mount("/", place, sshfs=idle, timeout=2)
            assert cat.stdin is not None
            cat.stdin.close()
        os.kill(host.master_pid, 9)
        with pytest.raises(openssh_core.ConnectionLost):
            host.sshfs_mount("/", place, sshfs=idle)
    assert server.log.count("Accepted") == 1


def test_unmounting_from_two_threads(shared: Connection, tmp_path: Path, place: Path) -> None:
    if not FUSE:
        return refused(shared, tmp_path, place)
    mount = shared.sshfs_mount(tmp_path, place)
    failures: list[BaseException] = []

    def unmount() -> None:
        try:
            mount.unmount()
        except BaseException as error:  # noqa: BLE001 - looked at below
            failures.append(error)

    threads = [threading.Thread(target=unmount) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    return None

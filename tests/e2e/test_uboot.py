# SPDX-License-Identifier: Apache-2.0
"""U-Boot boots the slots, told by its environment: the real tools of libubootenv on real environment
files with two copies. The boot script is packaging/uboot/boot.cmd itself, run by a shell: what it uses of
U-Boot's language is the same there, but for the commands of PRELUDE."""

import random
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from test_install import IDLE, READY, TRIAL, V1, V2, asked, download, until, version
from test_installer import identity

ENV_BYTES = 8192
SCRIPT = Path(__file__).resolve().parents[2] / "packaging/uboot/boot.cmd"
PRELUDE = """set -u
setenv() { name=$1; shift; eval "$name=\\$*"; }
load() { test "$2" != "0:$damaged"; }
bootz() { echo "$bootargs"; exit; }
reset() { echo reset; exit; }
kernel_addr_r=1 fdt_addr_r=2 bootargs=quiet fota_try=
"""
pytestmark = pytest.mark.skipif(not shutil.which("fw_setenv") or not shutil.which("mkenvimage"),
                                reason="needs libubootenv-tool and u-boot-tools")


class Board:
    """An environment of U-Boot in two copies, two slots, and what happens at a reset."""

    def __init__(self, folder):
        self.folder = folder / "board"
        self.folder.mkdir()
        self.config = self.folder / "fw_env.config"
        copies = [self.folder / "env0", self.folder / "env1"]
        self.config.write_text("".join(f"{copy} 0x0 {ENV_BYTES:#x}\n" for copy in copies))
        text = self.folder / "env.txt"
        text.write_text("fota_slot=a\nfota_running=a\nupgrade_available=0\nbootcount=0\nbootlimit=0\nboard=test\n")
        for copy in copies:
            subprocess.run(["mkenvimage", "-r", "-s", str(ENV_BYTES), "-o", copy, text], check=True)
        self.slots = [self.folder / "mmcblk0p2", self.folder / "mmcblk0p3"]
        for slot in self.slots:
            slot.write_bytes(bytes(1 << 20))
        self.restarter = self.folder / "restart"
        self.restarter.write_text(f"#!/bin/sh\necho $1 >>{self.folder}/restarts\n")
        self.restarter.chmod(0o755)

    @property
    def options(self):
        return ("--boot-env", str(self.config), "--restart", str(self.restarter), "--slot-a", str(self.slots[0]),
                "--slot-b", str(self.slots[1]))

    def env(self):
        done = subprocess.run(["fw_printenv", "-c", self.config], check=True, capture_output=True, text=True)
        return dict(line.split("=", 1) for line in done.stdout.splitlines())

    def setenv(self, name, value):
        subprocess.run(["fw_setenv", "-c", self.config, name, value], check=True)

    def boot(self):
        """A start as U-Boot makes it; gives the slot that its script puts on the kernel's command line."""
        if self.env()["upgrade_available"] == "1":
            self.setenv("bootcount", str(int(self.env()["bootcount"]) + 1))
        slot = re.search(r" fota\.slot=([ab])$", self.script())[1]
        self.setenv("fota_running", slot)
        return slot

    def script(self, damaged="none"):
        """What the boot script ends with, where the partition `damaged` has no kernel."""
        values = "".join(f"{name}='{value}'\n" for name, value in self.env().items())
        done = subprocess.run(["sh"], input=f"{PRELUDE}damaged={damaged}\n{values}{SCRIPT.read_text()}", text=True,
                              capture_output=True, check=True)
        assert not done.stderr, done.stderr
        return done.stdout.strip()

    def restarts(self):
        path = self.folder / "restarts"
        return path.read_text().split() if path.exists() else []

    def wait_restart(self, count):
        until(lambda: len(self.restarts()) == count, f"the system is asked to restart, {self.restarts()}")


@pytest.fixture
def board(tmp_path):
    return Board(tmp_path)


def start(world, board, module, versions):
    """The board starts: U-Boot chooses, and that slot's version runs."""
    if module.process.poll() is None:
        module.kill9()
    module.identity = identity(versions[board.boot()])
    module.start()
    return world.host(module)


def installed(world, board):
    """A board that was told to try slot b; its module waits for the restart."""
    module = world.module(*board.options)
    host = world.host(module)
    download(world, host)
    host.ok("AT+FOTAINSTALL")
    board.wait_restart(1)
    return module


@pytest.mark.parametrize("upgrade,tried,count,boots", [
    ("0", "", "0", "a"), ("0", "b", "0", "a"), ("1", "", "1", "a"), ("1", "b", "1", "b"), ("1", "b", "3", "b"),
    ("1", "b", "4", "a")])
def test_the_boot_script_has_its_table(board, upgrade, tried, count, boots):
    for name, value in (("upgrade_available", upgrade), ("fota_try", tried), ("bootcount", count), ("bootlimit", "3")):
        board.setenv(name, value)
    part = {"a": "2", "b": "3"}[boots]
    assert board.script() == f"quiet root=/dev/mmcblk0p{part} rootwait ro fota.slot={boots}"
    ends = "reset" if upgrade == "1" else f"fota: slot {boots} does not boot"
    assert board.script(damaged=part) == ends


def test_slot_b_is_tried_and_confirmed(world, board):
    module = installed(world, board)
    assert board.slots[1].read_bytes()[:len(world.image)] == world.image
    env = board.env()
    assert (env["fota_slot"], env["fota_try"], env["upgrade_available"]) == ("a", "b", "1")
    assert (env["bootcount"], env["bootlimit"], env["board"]) == ("0", "3", "test")
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V2 and host.state()[0] == TRIAL and asked(host) == (0, V1, V2)
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: host.state()[0] == IDLE, "confirmed")
    env = board.env()
    assert (env["fota_slot"], env.get("fota_try"), env["upgrade_available"]) == ("b", None, "0")
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V2 and host.state()[0] == IDLE
    assert board.restarts() == ["restart"]


def test_a_host_rolls_back(world, board):
    module = installed(world, board)
    host = start(world, board, module, {"a": V1, "b": V2})
    host.ok("AT+FOTACONFIRM=0")
    board.wait_restart(2)
    env = board.env()
    assert (env["fota_slot"], env.get("fota_try"), env["upgrade_available"]) == ("a", None, "0")
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V1 and asked(host) == (307, V1, V2)


def test_a_slot_that_never_comes_up_is_given_up(world, board):
    module = installed(world, board)
    module.kill9()
    assert [board.boot() for _ in range(4)] == ["b", "b", "b", "a"]
    board.setenv("bootcount", "3")  # the fourth start is the module's
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V1 and asked(host) == (508, V1, V2) and host.state()[0] == IDLE
    assert (board.env()["upgrade_available"], board.env().get("fota_try")) == ("0", None)


def test_a_slot_that_comes_up_too_often_is_given_up(world, board):
    module = installed(world, board)
    for _ in range(3):
        host = start(world, board, module, {"a": V1, "b": V2})
        assert version(host) == V2
        host.close()
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V1 and asked(host) == (508, V1, V2)


def test_an_environment_that_lost_an_order_is_put_right(world, board):
    """A cut between journal and environment: U-Boot has not heard of the roll-back."""
    module = installed(world, board)
    host = start(world, board, module, {"a": V1, "b": V2})
    before = [(board.folder / name).read_bytes() for name in ("env0", "env1")]
    host.ok("AT+FOTACONFIRM=0")
    board.wait_restart(2)
    for name, data in zip(("env0", "env1"), before):
        (board.folder / name).write_bytes(data)
    host.close()
    module.kill9()
    module.identity = identity({"a": V1, "b": V2}[board.boot()])
    module.start()
    board.wait_restart(3)
    host = start(world, board, module, {"a": V1, "b": V2})
    assert version(host) == V1 and board.env()["fota_slot"] == "a"


def ends(module, hint):
    with pytest.raises(AssertionError, match="ended at its start"):
        module.start()
    assert hint in module.log.read_text()
    module.exits.clear()


def test_a_boot_loader_that_does_not_obey_ends_the_service(world, board):
    """Going on would overwrite the slot that runs."""
    module = installed(world, board)
    start(world, board, module, {"a": V1, "b": V2}).close()
    host = world.host(module)
    host.ok("AT+FOTACONFIRM=1")
    until(lambda: board.env()["fota_slot"] == "b", "confirmed")
    module.kill9()
    board.setenv("fota_running", "a")
    ends(module, "U-Boot runs slot a, though its environment orders slot b")


def test_what_is_not_known_ends_the_service(world, board):
    module = world.module(*board.options)
    module.sigterm()
    board.setenv("fota_running", "")
    ends(module, "it is not known which slot runs")


def test_the_environment_is_old_or_new_after_a_kill(world, board):
    """The two copies are never both damaged."""
    module = world.module(*board.options)
    host = world.host(module)
    download(world, host)
    chance = random.Random(4)
    for _ in range(6):
        host.ok("AT+FOTAINSTALL")
        time.sleep(chance.random() * 0.02)
        module.kill9()
        env = board.env()
        assert env["board"] == "test" and env["fota_slot"] == "a"
        assert (env["upgrade_available"], env.get("fota_try")) in (("0", None), ("1", "b"))
        host.close()
        host = start(world, board, module, {"a": V1, "b": V2})
        if host.state()[0] == TRIAL:
            host.ok("AT+FOTACONFIRM=0")
            until(lambda: board.env()["upgrade_available"] == "0", "rolled back")
            host.close()
            host = start(world, board, module, {"a": V1, "b": V2})
        assert version(host) == V1
        if host.state()[0] != READY:
            assert world.run(host, target=V2) == [2, 3]

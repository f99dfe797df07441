# SPDX-License-Identifier: Apache-2.0
"""An installer of the system's own takes the packages."""

import hashlib
import os
import signal
import time

import pytest

from lib.module import IDENTITY
from test_install import IDLE, INSTALLING, READY, TRIAL, V1, V2, V3, asked, download, result, until, version

# Writes down how it was called; what it does next stands in the file "plan".
HOOK = """#!/bin/sh
cd {folder} || exit 9
{{ echo "$@"; env; }} >"call.new"
test "$1" != install || cat >"stdin.new"
mv call.new "call.$1"
echo "$1" >>calls
. ./plan
"""


class Hook:
    """A program that the module calls as its installer."""

    def __init__(self, folder, plan=""):
        self.folder = folder / "hook"
        self.folder.mkdir()
        self.path = self.folder / "installer"
        self.path.write_text(HOOK.format(folder=self.folder))
        self.path.chmod(0o755)
        self.plan(plan)

    def plan(self, text):
        (self.folder / "plan").write_text(text + "\n")

    @property
    def calls(self):
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []

    def environment(self, action):
        arguments, *rows = (self.folder / f"call.{action}").read_text().splitlines()
        return arguments.split(), dict(row.split("=", 1) for row in rows)


def identity(version_text):
    return [version_text if word == V1 else word for word in IDENTITY]


def runs(module, version_text):
    """The system has started again, with this version."""
    module.kill9()
    module.identity = identity(version_text)
    module.start()


@pytest.fixture
def hook(tmp_path):
    return Hook(tmp_path)


def ready(world, hook, *options, **settings):
    module = world.module("--installer", str(hook.path), *options, **settings)
    host = world.host(module)
    download(world, host)
    return module, host


def wait_for(hook, *calls):
    until(lambda: hook.calls == list(calls), f"the installer was called for {calls}, not {hook.calls}")


def test_the_installer_gets_the_package_and_nothing_else(world, hook, monkeypatch):
    monkeypatch.setenv("SESSION_SECRET", "of the service manager")
    module, host = ready(world, hook)
    # a larger package was there before: the file must end where this one ends
    with open(module.state / "slot-a", "ab") as slot:
        slot.write(b"tail")
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart")
    assert (hook.folder / "stdin.new").read_bytes() == world.image
    arguments, env = hook.environment("install")
    assert arguments == ["install", str(module.state / "slot-a")]
    assert open(arguments[1], "rb").read() == world.image
    assert env["FOTA_DIGEST"] == "sha256:" + hashlib.sha256(world.image).hexdigest()
    assert env["FOTA_SIZE"] == str(len(world.image)) and env["FOTA_VERSION"] == V2
    assert env["FOTA_PACKAGE"] == arguments[1] and env["FOTA_ACTION"] == "install"
    known = {"PATH", "PWD", "OLDPWD", "_", "SHLVL"}
    assert {name for name in env if not name.startswith("FOTA_")} <= known


def test_the_installer_is_waited_for_where_ended_children_are_ignored(world, hook):
    """SIGCHLD stays ignored over the start of a program, and the kernel then keeps no exit status."""
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        _, host = ready(world, hook)
    finally:
        signal.signal(signal.SIGCHLD, before)
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart")


def test_the_new_version_is_tried_and_confirmed(world, hook):
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart")
    runs(module, V2)
    host = world.host(module)
    assert version(host) == V2 and asked(host) == (0, V1, V2) and host.state()[0] == TRIAL
    host.ok("AT+FOTACONFIRM=1")
    wait_for(hook, "install", "restart", "confirm")
    assert hook.environment("confirm")[1]["FOTA_VERSION"] == V2
    until(lambda: host.state()[0] == IDLE, "confirmed")
    # what was confirmed is confirmed again at each start, for a cut may have come between
    runs(module, V2)
    wait_for(hook, "install", "restart", "confirm", "confirm")
    # and the next one
    host = world.host(module)
    download(world, host, V3, seed=3)
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart", "confirm", "confirm", "install", "restart")


def test_a_roll_back_is_told_before_the_restart(world, hook):
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart")
    runs(module, V2)
    host = world.host(module)
    host.ok("AT+FOTACONFIRM=0")
    wait_for(hook, "install", "restart", "rollback", "restart")
    assert hook.environment("rollback")[1]["FOTA_VERSION"] == V2
    runs(module, V1)
    host = world.host(module)
    assert version(host) == V1 and asked(host) == (307, V1, V2)


def test_a_version_that_does_not_come_up_is_over(world, hook):
    """The boot loader went back by itself: the old version starts."""
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    wait_for(hook, "install", "restart")
    runs(module, V1)
    host = world.host(module)
    assert asked(host) == (508, V1, V2) and host.state()[0] == IDLE
    wait_for(hook, "install", "restart", "rollback")


def test_a_restart_that_does_not_happen_is_told(world, hook):
    hook.plan('test "$1" != restart')
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    assert result(host)[1] == (508, V1, V2)
    assert "the system did not restart" in module.log.read_text()


@pytest.mark.parametrize("plan", ["exit 3", "kill -9 $$", "exec /nonexistent", "test $1 != install"])
def test_an_installer_that_fails_is_1(world, hook, plan):
    hook.plan(plan)
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    assert result(host)[1] == (1, V1, V2)
    until(lambda: host.state()[0] == IDLE, "it is over")
    assert hook.calls == ["install"]
    assert version(host) == V1


def test_an_installer_that_hangs_is_ended_with_all_its_children(world, hook):
    hook.plan('trap "" TERM; sleep 1000 & echo $! >child; sleep 1000')
    module, host = ready(world, hook, "--installer-timeout", "1")
    host.ok("AT+FOTAINSTALL")
    until(lambda: (hook.folder / "child").exists() and host.state()[0] == INSTALLING, "it runs")
    for _ in range(20):  # the module answers as ever
        begun = time.monotonic()
        host.ok("AT")
        assert time.monotonic() - begun < 0.1 * world.patience()
    host.ok("AT+CMEE=1")
    assert host.refused("AT+FOTAINSTALL") == "+CME ERROR: 308"
    assert result(host, 15)[1] == (1, V1, V2)
    child = int((hook.folder / "child").read_text())
    until(lambda: not is_alive(child), "the installer's child is gone")


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().split(")")[1].split()[0] != "Z"
    except OSError:
        return False


def test_an_installer_goes_down_with_the_module(world, hook):
    hook.plan("test $1 != install || { echo $$ >pid; sleep 1000; }")
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    until(lambda: (hook.folder / "pid").exists(), "it runs")
    pid = int((hook.folder / "pid").read_text())
    assert module.sigterm() == 0
    assert not is_alive(pid)
    module.start()
    host = world.host(module)
    assert asked(host) == (508, V1, V2)


def test_a_module_that_dies_takes_the_installer_with_it(world, hook):
    hook.plan("test $1 != install || { echo $$ >pid; exec sleep 1000; }")
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    until(lambda: (hook.folder / "pid").exists(), "it runs")
    pid = int((hook.folder / "pid").read_text())
    os.kill(module.process.pid, signal.SIGKILL)
    module.process.wait()
    until(lambda: not is_alive(pid), "the installer is gone")
    module.start()
    host = world.host(module)
    assert asked(host) == (508, V1, V2)
    assert host.state()[0] in (IDLE, READY)


def test_what_the_installer_says_is_in_the_log(world, hook):
    hook.plan("echo one; printf 'two\\033[1m' >&2; exit 1")
    module, host = ready(world, hook)
    host.ok("AT+FOTAINSTALL")
    assert result(host)[1] == (1, V1, V2)
    log = module.log.read_text()
    assert "install: one" in log and "install: two?[1m" in log and "install: exit status 1" in log


def test_a_program_that_is_not_there_is_named(world, tmp_path):
    with pytest.raises(AssertionError, match="--installer /no/such"):
        world.module("--installer", "/no/such")
    world._modules[-1].exits.clear()

# SPDX-License-Identifier: Apache-2.0
"""Secrets: in no core file, in no memory longer than they are needed, in files of their owner."""

import os
import stat
import subprocess
import time
from pathlib import Path

import pytest

from lib import memory
from lib.tool import Tool

NO_TARGET = "V-no-such-version"


def onlookers(pid):
    """Who the kernel lets look into the process; and its limits of core files."""
    with open(f"/proc/{pid}/limits", encoding="ascii") as limits:
        core = next(line for line in limits if line.startswith("Max core file size"))
    return os.stat(f"/proc/{pid}/environ").st_uid, core.split()[4:6]


def as_nobody(words, **options):
    """A program that runs as a user who has nothing; files of others are what it may see."""
    return subprocess.Popen(["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", *words], **options)


@pytest.mark.parametrize("name", ["atfota-cloud", "atfotad", "atfota"])
def test_no_program_leaves_a_core_file_or_can_be_read(build, tmp_path_factory, name):
    """What /proc shows of a process belongs to root, not to its user, if it is not dumpable."""
    memory.needs_root()
    folder = tmp_path_factory.mktemp(name)
    for path in (folder, folder.parent, folder.parent.parent):
        path.chmod(0o755)
    os.chown(folder, 65534, 65534)
    words = {"atfota-cloud": [build / "cloud/atfota-cloud", "--data", "d", "--allow-http", "--listen", "127.0.0.1:0"],
             "atfotad": [build / "module/atfotad", "--state", "s", "--unix", "abstract:" + folder.name],
             "atfota": [build / "tool/atfota", "module", "at", "--port", "tty", "AT"]}[name]
    if name == "atfota":  # waits for an answer that does not come
        master, slave = os.openpty()
        os.chown(os.ttyname(slave), 65534, 65534)
        (folder / "tty").symlink_to(os.ttyname(slave))
    process = as_nobody(words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                        stdin=subprocess.DEVNULL)
    other = as_nobody(["sleep", "20"])
    time.sleep(0.5)
    try:
        assert process.poll() is None, process.returncode
        assert onlookers(other.pid)[0] == 65534, "nothing can be told"
        assert onlookers(process.pid) == (0, ["0", "0"])
    finally:
        for it in (process, other):
            it.kill()
            it.wait()


@pytest.mark.parametrize("echo", [0, 1])
def test_the_module_forgets_the_secret_of_a_session_that_is_over(mini, echo):
    memory.needs_root()
    module, host = mini.ready()
    host.ok(f"ATE{echo}")
    secret = mini.platform.secret
    assert host.send(mini.command(target=NO_TARGET), 9.0, False)[1] == "OK"
    codes = host.codes(20)
    assert codes and 3 not in codes
    host.quiet(0.3)  # the report is acknowledged
    host.ok("AT")  # A/ would repeat this one now
    assert memory.places(module.process.pid, mini.platform.model.encode()), "nothing was found at all"
    assert not memory.places(module.process.pid, secret)
    for path in module.state.iterdir():
        assert secret not in path.read_bytes(), f"{path.name} keeps the secret of a session that is over"


def test_a_secret_that_waits_for_the_installation_goes_with_its_report(mini):
    """It is needed for the report of the version that runs then; after that it is nowhere."""
    memory.needs_root()
    module, host = mini.ready()
    secret = mini.platform.secret
    assert mini.run(host) == [2, 3]
    host.ok("AT+FOTAINSTALL")
    host.lines_until(r"\+FOTARESULT: 0,.*")
    host.settle()
    assert secret in (module.state / "journal").read_bytes()
    host.ok("AT+FOTACONFIRM=1")
    deadline = time.monotonic() + 10
    while host.state()[0] != 0 or secret in (module.state / "journal").read_bytes():
        assert time.monotonic() < deadline, "the secret stays in the journal"
        time.sleep(0.05)
    assert not memory.places(module.process.pid, secret)
    for name, mode in modes_below(module.state).items():
        assert mode & 0o077 == 0, (name, oct(mode))


def test_the_platform_forgets_a_token_that_it_has_made(cloud):
    memory.needs_root()
    made = cloud.ok("POST", "tokens", {"name": "forgotten"})
    for _ in range(3):
        cloud.request("GET", "oems")
    assert memory.places(cloud.pid, b"forgotten"), "nothing was found at all"
    assert not memory.places(cloud.pid, made["token"].encode().removeprefix(b"atfota_"))


def test_every_thread_of_the_platform_is_in_its_sandbox(cloud):
    threads = [path.read_text() for path in Path(f"/proc/{cloud.pid}/task").glob("*/status")]
    assert len(threads) >= 4
    for status in threads:
        assert "\nNoNewPrivs:\t1\n" in status and "\nSeccomp:\t2\n" in status, status


def modes_below(folder):
    found = {str(path.relative_to(folder)): stat.S_IMODE(path.lstat().st_mode) for path in folder.rglob("*")
             if not path.is_symlink()}
    return found | {".": stat.S_IMODE(folder.stat().st_mode)}


def test_what_the_programs_write_is_for_their_owner_only(mini, cloud, build, tmp_path):
    """With the most generous umask: modes are given at creation."""
    before = os.umask(0)
    try:
        module, host = mini.ready()
        assert mini.run(host) == [2, 3]
        host.ok("AT+FOTACFG=\"retries\",\"5\"")
        tool = Tool(build / "tool/atfota", tmp_path)
        tool.ok("login", "--server", cloud.url, "--token-file", cloud.data / "admin-token", "--allow-http")
        name = f"O{os.getpid()}"
        tool.ok("oem", "create", name)
        tool.ok("model", "create", "M", "--oem", name)
        tool.ok("product", "create", "--oem", name, "--model", "M", "--secret-out", tmp_path / "out/secret")
        deadline = time.monotonic() + 5
        while not (module.state / "settings").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
    finally:
        os.umask(before)
    modes = {"state/" + name: mode for name, mode in modes_below(module.state).items()}
    modes |= {"out/" + name: mode for name, mode in modes_below(tmp_path / "out").items()}
    modes |= {"home/" + name: mode for name, mode in modes_below(tool.home / ".config").items()}
    assert {"state/journal", "state/settings", "out/secret", "home/atfota/config"} <= set(modes), modes
    for name, mode in modes.items():
        assert mode & 0o077 == 0, (name, oct(mode))

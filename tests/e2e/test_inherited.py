# SPDX-License-Identifier: Apache-2.0
"""What a program may inherit from who starts it: closed streams, ignored signals, limits.
It is started by a shell that is in that state, as by a service manager or a CI job."""

import os
import signal
import socket
import subprocess
import time

import pytest
import serial

from lib.module import sanitizer_env
from lib.programs import needs, wait_for

LIMIT_S = 30


def under(shell, folder, *words, **options):
    """A program in the state into which the lines of `shell` bring the process."""
    script = f'{shell}\nexec "$@"'
    return subprocess.Popen(["bash", "-c", script, "bash", *map(str, words)], cwd=folder,
                            env=sanitizer_env(folder) | options.pop("env", {}), **options)


def end(process):
    """Its exit status after SIGTERM."""
    process.terminate()
    return process.wait(LIMIT_S)


def is_answering(path):
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(LIMIT_S)
        try:
            line.connect(str(path))
        except OSError:
            return False
        line.sendall(b"ATE0\r")
        return b"OK" in line.recv(100)


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_message_of_the_module_gets_into_its_files(atfotad, tmp_path, closed):
    """The next file that is opened would have the number of the closed stream."""
    process = under(f"exec {closed}", tmp_path, atfotad, "--unix", "m", "--state", "state", "--log-level", "debug")
    try:
        wait_for(lambda: is_answering(tmp_path / "m") or process.poll() is not None, "answer", LIMIT_S)
        assert end(process) == 0
    finally:
        process.kill()
        process.wait()
    files = sorted((tmp_path / "state").iterdir())
    assert "lock" in [path.name for path in files]
    for path in files:
        assert b"module: " not in path.read_bytes(), path.name


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_no_message_of_the_platform_gets_into_its_files(build, tmp_path, closed):
    process = under(f"exec {closed}", tmp_path, build / "cloud/atfota-cloud", "--data", "data", "--allow-http",
                    "--listen", "127.0.0.1:0", "--log-level", "debug", stdout=subprocess.DEVNULL,
                    stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: (tmp_path / "data/admin-token").exists() or process.poll() is not None, "token", LIMIT_S)
        time.sleep(0.2)  # it listens, and would say so
        assert end(process) == 0
    finally:
        process.kill()
        process.wait()
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert {"lock", "atfota.db"} <= {path.name for path in files}
    for path in files:
        data = path.read_bytes()
        assert b"listening on" not in data and b"main: " not in data and b"admin token" not in data, path.name


def test_without_standard_input_the_module_ends_as_at_its_end(atfotad, tmp_path):
    process = under("exec <&-", tmp_path, atfotad, "--stdio", "--state", "state", stdout=subprocess.DEVNULL)
    assert process.wait(LIMIT_S) == 0


@pytest.mark.parametrize("words", [["--version"], ["--help"], ["key", "show", "key.pem"]])
@pytest.mark.parametrize("stream", [">&-", ">/dev/full"])
def test_what_the_tool_could_not_say_is_no_success(build, tmp_path, words, stream):
    tool = build / "tool/atfota"
    assert subprocess.run([tool, "key", "create", "--no-passphrase", "key.pem"], cwd=tmp_path,
                          capture_output=True).returncode == 0
    process = under(f"exec {stream}", tmp_path, tool, *words, stderr=subprocess.PIPE, text=True)
    _, err = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 1 and "standard output cannot be written" in err, err


def test_a_module_of_nohup_outlives_its_terminal(atfotad, tmp_path):
    process = under("trap '' HUP", tmp_path, atfotad, "--unix", "m", "--state", "state", stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: is_answering(tmp_path / "m"), "answer", LIMIT_S)
        process.send_signal(signal.SIGHUP)
        time.sleep(0.2)
        assert is_answering(tmp_path / "m")
        assert end(process) == 0
    finally:
        process.kill()
        process.wait()


def test_a_file_that_may_not_grow_is_an_error_and_no_death(mini, tmp_path):
    """ulimit -f: the signal of it would end the module in the middle of a download."""
    program = mini.program
    mini.program = tmp_path / "limited"
    mini.program.write_text(f'#!/bin/bash\nulimit -f 1024\nexec "{program}" "$@"\n')
    mini.program.chmod(0o755)
    module, host = mini.ready(size=3 << 20)
    codes = mini.run(host)
    assert codes[-1] != 3 and module.process.poll() is None, codes
    host.ok("AT")


def test_without_inotify_a_pseudo_terminal_is_served_and_the_lack_is_told(atfotad, tmp_path):
    """As where all of fs.inotify.max_user_instances are in use."""
    needs("strace")
    env = {"ASAN_OPTIONS": "exitcode=99:detect_leaks=0"}  # which looks with ptrace itself
    process = under("", tmp_path, "strace", "-qq", "-f", "-o", "/dev/null", "-e", "trace=inotify_init1",
                    "-e", "inject=inotify_init1:error=EMFILE", atfotad, "--pty", "m", "--state", "state", env=env,
                    stderr=(tmp_path / "log").open("w"), start_new_session=True)
    try:
        wait_for(lambda: "ready" in (tmp_path / "log").read_text() or process.poll() is not None, "start", LIMIT_S)
        for _ in range(2):
            with serial.Serial(str(tmp_path / "m"), timeout=LIMIT_S) as host:
                host.write(b"ATE0\r")
                assert host.read_until(b"OK\r\n").endswith(b"OK\r\n")
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(LIMIT_S)
    assert "fs.inotify.max_user_instances" in (tmp_path / "log").read_text()
